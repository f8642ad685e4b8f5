// SPDX-License-Identifier: MIT
#include "gateway/path_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace suoke::gateway {

namespace {

using Segment = PathPattern::Segment;
using End = PathPattern::End;

constexpr bool is_letter(char c) {
    return lower(c) >= 'a' && lower(c) <= 'z';
}
constexpr bool is_unreserved(char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
constexpr bool is_ascii(char c) {
    return static_cast<unsigned char>(c) < 0x80;
}

Spelled escaped(char c, std::size_t taken) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    auto byte = static_cast<unsigned char>(c);
    return {taken, 3, {'%', kDigits[byte >> 4], kDigits[byte & 15]}};
}

bool starts_with_escape(std::string_view s) {
    return s.size() >= 3 && s[0] == '%' && hex_value(s[1]) >= 0 && hex_value(s[2]) >= 0;
}

}  // namespace

bool has_one_spelling(std::string_view path) {
    // Eight bytes at a time: 1.5 ns for 40 bytes instead of 12.
    constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
    while (path.size() >= 8) {
        std::uint64_t word;
        std::memcpy(&word, path.data(), 8);
        std::uint64_t percent = word ^ (kOnes * '%');  // a zero byte where '%' stood
        if ((word | ((percent - kOnes) & ~percent)) & kHigh) return false;
        path.remove_prefix(8);
    }
    return std::all_of(path.begin(), path.end(), [](char c) { return c != '%' && is_ascii(c); });
}

Spelled spell(std::string_view sent) {
    char c = sent[0];
    if (!is_ascii(c)) return escaped(c, 1);
    if (!starts_with_escape(sent)) return {1, 1, {c}};
    char meant = static_cast<char>(hex_value(sent[1]) * 16 + hex_value(sent[2]));
    return is_unreserved(meant) ? Spelled{3, 1, {meant}} : escaped(meant, 3);
}

namespace {

// One reading of one route's path. The first thing wrong ends it.
class Parser {
 public:
    explicit Parser(std::string& why) : why_(why) {}

    std::optional<PathPattern> path(std::string_view text) {
        PathPattern pattern{.end = End::closed};
        if (text.ends_with("/*")) {
            pattern.end = End::rest;
            text.remove_suffix(2);
        }
        return segments(text, pattern);
    }

    std::optional<PathPattern> prefix(std::string_view text) {
        if (text.find_first_of("{}*") != text.npos)
            return wrong("a prefix is literal; write path: /users/{id}/* instead");
        while (text.ends_with('/')) text.remove_suffix(1);
        PathPattern pattern;
        return segments(text, pattern);
    }

 private:
    std::nullopt_t wrong(std::string sentence) {
        why_ = std::move(sentence);
        return std::nullopt;
    }

    // Every segment of "/a/b": "a", "b"; of "/a/": "a", "".
    std::optional<PathPattern> segments(std::string_view tail, PathPattern& pattern) {
        std::size_t params = 0;
        while (!tail.empty()) {
            std::size_t end = std::min(tail.find('/', 1), tail.size());
            auto next = segment(tail.substr(1, end - 1));
            if (!next) return std::nullopt;
            tail.remove_prefix(end);
            bool is_last = tail.empty() && pattern.end == End::closed;
            if (next->text.empty() && !is_last)
                return wrong("'//' never matches: requests are normalised first");
            if (next->is_param && has_param(pattern, next->text))
                return wrong(fmt::format("the param {{{}}} is there twice", next->text));
            params += next->is_param;
            pattern.segments.push_back(std::move(*next));
        }
        if (pattern.segments.size() > kMaxSegments)
            return wrong(fmt::format("more than {} segments", kMaxSegments));
        if (params > kMaxParams) return wrong(fmt::format("more than {} params", kMaxParams));
        return std::move(pattern);
    }

    static bool has_param(const PathPattern& pattern, const std::string& name) {
        const auto& all = pattern.segments;
        return std::find(all.begin(), all.end(), Segment{true, name}) != all.end();
    }

    std::optional<Segment> segment(std::string_view text) {
        if (text.find('*') != text.npos)
            return wrong("'*' must be the last segment, alone: /files/* (a literal one is %2A)");
        if (text.find('{') != text.npos && text.find('}') == text.npos)
            return wrong(fmt::format("'{}' has a '{{' without its '}}'", text));
        if (text.find_first_of("{}") != text.npos) return param(text);
        return literal(text);
    }

    std::optional<Segment> param(std::string_view text) {
        if (text.front() != '{' || text.find('}') != text.size() - 1 || text.rfind('{') != 0)
            return wrong(
                fmt::format("'{}': a param is a whole segment, as in /users/{{id}}", text));
        std::string_view name = text.substr(1, text.size() - 2);
        auto in_name = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; };
        if (name.empty() || is_digit(name[0]) || !std::all_of(name.begin(), name.end(), in_name))
            return wrong(fmt::format("'{}': a param's name is letters, digits, '_' and '-'", text));
        return Segment{true, std::string(name)};
    }

    std::optional<Segment> literal(std::string_view text) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            char c = text[i];
            if (c == '%' && !starts_with_escape(text.substr(i)))
                return wrong(fmt::format("'{}' has a '%' that starts no escape; write %25", text));
            if ((is_ascii(c) && c <= ' ') || c == 0x7f || c == '?' || c == '#')
                return wrong(fmt::format("'{}' has a character that no path has; escape it", text));
        }
        Segment segment;
        append_one_spelling(text, segment.text);
        if (segment.text == "." || segment.text == "..")
            return wrong("'.' and '..' never match: requests are normalised first");
        return segment;
    }

    std::string& why_;
};

// The characters every match of `regex` starts with. Cautious: it stops at the first doubt.
std::string literal_start(std::string_view regex) {
    std::string start;
    if (regex.find('|') != regex.npos) return start;
    for (std::size_t i = regex.starts_with('^') ? 1 : 0; i < regex.size(); ++i) {
        char c = regex[i];
        if (c == '\\') {  // escaped punctuation stands for itself
            if (++i == regex.size() || is_letter(regex[i]) || is_digit(regex[i])) break;
            c = regex[i];
        } else if (std::strchr("*?+{", c)) {  // it was about the character before
            if (!start.empty()) start.pop_back();
            break;
        } else if (std::strchr(".[]()}^$", c)) {
            break;
        }
        if (!is_ascii(c) || c == '%') break;
        start += c;
    }
    return start;
}

// The literal segments which a '/' must follow: of "/api/v[12]" that is "api".
PathPattern parse_regex(const std::string& regex) {
    PathPattern pattern{.end = End::regex, .regex = regex};
    std::string start = literal_start(regex);
    std::size_t last_slash = start.rfind('/');
    if (last_slash == start.npos || !start.starts_with('/')) return pattern;
    start.resize(last_slash);
    for (std::string_view tail = start; !tail.empty() && pattern.segments.size() < kMaxSegments;) {
        std::size_t end = std::min(tail.find('/', 1), tail.size());
        pattern.segments.push_back({false, std::string(tail.substr(1, end - 1))});
        tail.remove_prefix(end);
    }
    return pattern;
}

// The place of a pattern's i-th step in the order; see router.h.
int step(const PathPattern& pattern, std::size_t i) {
    if (i < pattern.segments.size()) return pattern.segments[i].is_param ? 2 : 1;
    return pattern.end == End::closed ? 0 : 2 + static_cast<int>(pattern.end);
}

}  // namespace

std::strong_ordering compare_specificity(const PathPattern& a, const PathPattern& b) {
    std::size_t shared = std::min(a.segments.size(), b.segments.size());
    for (std::size_t i = 0; i <= shared; ++i)
        if (auto order = step(a, i) <=> step(b, i); order != 0) return order;
    return std::strong_ordering::equal;
}

std::optional<PathPattern> parse_path_pattern(const config::Route& route, std::string& why) {
    if (!route.path.empty() + !route.prefix.empty() + !route.regex.empty() > 1) {
        why = "only one of path, prefix and regex can be given";
        return std::nullopt;
    }
    if (!route.regex.empty()) return parse_regex(route.regex);
    const std::string& text = route.path.empty() ? route.prefix : route.path;
    if (text.empty()) return PathPattern{};
    if (text[0] != '/') {
        why = fmt::format("'{}' must start with '/'", text);
        return std::nullopt;
    }
    return route.path.empty() ? Parser(why).prefix(text) : Parser(why).path(text);
}

}  // namespace suoke::gateway
