// SPDX-License-Identifier: MIT
#include "cache/directives.h"

#include <algorithm>

#include "base/text.h"
#include "http/grammar.h"

namespace suoke::cache {
namespace {

using http::grammar::is;
using http::grammar::is_blank;

void skip_blanks(std::string_view& rest) {
    while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
}

std::string_view take_token(std::string_view& rest) {
    std::size_t end = 0;
    while (end < rest.size() && is(http::grammar::token, rest[end])) ++end;
    std::string_view token = rest.substr(0, end);
    rest.remove_prefix(end);
    return token;
}

// The inside of the quoted string that `rest` begins with; nothing, and all is eaten, when it does not end.
std::optional<std::string_view> take_quoted(std::string_view& rest) {
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '\\') {
            ++i;
        } else if (rest[i] == '"') {
            std::string_view inside = rest.substr(1, i - 1);
            rest.remove_prefix(i + 1);
            return inside;
        }
    }
    rest = {};
    return std::nullopt;
}

// To the next comma that stands in no quoted string, and over it. Whether there was only blank before it.
bool skip_element(std::string_view& rest) {
    bool blank = true;
    while (!rest.empty() && rest.front() != ',') {
        blank &= is_blank(rest.front());
        if (rest.front() == '"') take_quoted(rest);
        else rest.remove_prefix(1);
    }
    if (!rest.empty()) rest.remove_prefix(1);
    return blank;
}

// RFC 9111 §4.2.1: invalid freshness is none, and of several the shortest counts.
void take_shortest(std::optional<Duration>& into, const Directive& directive) {
    Duration given = parse_delta_seconds(directive.value).value_or(Duration::zero());
    into = into ? std::min(*into, given) : given;
}

void take_longest(std::optional<Duration>& into, const Directive& directive) {
    Duration given = parse_delta_seconds(directive.value).value_or(Duration::zero());
    into = into ? std::max(*into, given) : given;
}

// The names in a qualified directive; false when it names none or something that is no name.
bool take_names(std::vector<std::string_view>& into, std::string_view list) {
    std::vector<std::string_view> names = split_list(list);
    for (std::string_view name : names)
        if (!http::grammar::is_token(name)) return false;
    into.insert(into.end(), names.begin(), names.end());
    return !names.empty();
}

}  // namespace

std::optional<Duration> parse_delta_seconds(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::int64_t seconds = 0;
    for (char c : text) {
        if (!is_digit(c)) return std::nullopt;
        seconds = std::min<std::int64_t>(seconds * 10 + (c - '0'), std::int64_t{1} << 31);
    }
    return std::chrono::seconds(seconds);
}

bool next_directive(std::string_view& rest, Directive& directive) {
    while (!rest.empty()) {
        directive = {};
        skip_blanks(rest);
        directive.name = take_token(rest);
        if (!directive.name.empty() && rest.starts_with('=')) {
            rest.remove_prefix(1);
            directive.has_value = true;
            directive.quoted = rest.starts_with('"');
            if (directive.quoted) {
                auto inside = take_quoted(rest);
                directive.sound = inside.has_value();
                directive.value = inside.value_or(std::string_view());
            } else {
                directive.value = take_token(rest);
                directive.sound = !directive.value.empty();
            }
        }
        directive.sound &= skip_element(rest);
        if (!directive.name.empty()) return true;
    }
    return false;
}

// ---- requests

void RequestDirectives::read(std::string_view line) {
    Directive d;
    while (next_directive(line, d)) {
        if (iequals(d.name, "no-store")) no_store = true;
        else if (iequals(d.name, "no-cache")) no_cache = true;
        else if (!d.sound) continue;
        else if (iequals(d.name, "only-if-cached")) only_if_cached = true;
        else if (iequals(d.name, "max-age")) take_shortest(max_age, d);
        else if (iequals(d.name, "min-fresh")) take_longest(min_fresh, d);
        else if (iequals(d.name, "stale-if-error")) take_shortest(stale_if_error, d);
        else if (iequals(d.name, "max-stale") && !d.has_value) max_stale = max_stale.value_or(Duration::max());
        else if (iequals(d.name, "max-stale")) take_shortest(max_stale, d);
    }
}

// ---- responses

void ResponseDirectives::heed(const Directive& d) {
    if (iequals(d.name, "no-store")) no_store = true;
    else if (iequals(d.name, "no-cache")) no_cache |= !(d.sound && d.has_value && take_names(no_cache_fields, d.value));
    else if (iequals(d.name, "private")) is_private |= !(d.sound && d.has_value && take_names(private_fields, d.value));
    else if (iequals(d.name, "must-revalidate")) must_revalidate = true;
    else if (iequals(d.name, "proxy-revalidate")) proxy_revalidate = true;
    else if (iequals(d.name, "max-age")) take_shortest(max_age, d.sound ? d : Directive());
    else if (iequals(d.name, "s-maxage")) take_shortest(s_maxage, d.sound ? d : Directive());
    else if (!d.sound) return;
    else if (iequals(d.name, "public")) is_public = true;
    else if (iequals(d.name, "must-understand")) must_understand = true;
    else if (iequals(d.name, "stale-while-revalidate")) take_shortest(stale_while_revalidate, d);
    else if (iequals(d.name, "stale-if-error")) take_shortest(stale_if_error, d);
}

void ResponseDirectives::read(std::string_view line) {
    Directive d;
    while (next_directive(line, d)) heed(d);
}

void ResponseDirectives::read_surrogate(std::string_view line, std::string_view us) {
    while (!line.empty()) {
        std::string_view whole = line;
        skip_element(line);
        std::string_view element = whole.substr(0, whole.size() - line.size());
        if (element.ends_with(',')) element.remove_suffix(1);
        std::size_t target = std::min(element.find(';'), element.size());
        if (target < element.size() && !iequals(trim(element.substr(target + 1)), us)) continue;
        element = element.substr(0, target);
        Directive d;
        if (next_directive(element, d)) heed(d);
    }
}

// ---- structured fields: as much of RFC 8941 as a dictionary of directives needs, and no less strictly

namespace {

class Dictionary {
 public:
    explicit Dictionary(std::string_view text) : rest_(text) {}

    // Calls `member(Directive, kind)` for each; false when this is no dictionary.
    template <class Member>
    bool each(Member member) {
        skip_spaces();
        while (!rest_.empty()) {
            Directive d;
            if (!key(d.name) || !value(d) || !parameters()) return false;
            if (!member(d)) return false;
            skip_blanks(rest_);
            if (rest_.empty()) return true;
            if (rest_.front() != ',') return false;
            rest_.remove_prefix(1);
            skip_blanks(rest_);
            if (rest_.empty()) return false;  // a comma at the end
        }
        return true;
    }

 private:
    void skip_spaces() {
        while (rest_.starts_with(' ')) rest_.remove_prefix(1);
        while (rest_.ends_with(' ')) rest_.remove_suffix(1);
    }
    bool key(std::string_view& name) {
        auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '*'; };
        if (rest_.empty() || !letter(rest_.front())) return false;
        std::size_t end = 1;
        while (end < rest_.size() && (letter(rest_[end]) || is_digit(rest_[end]) || rest_[end] == '_' || rest_[end] == '-' || rest_[end] == '.')) ++end;
        name = rest_.substr(0, end);
        rest_.remove_prefix(end);
        return true;
    }
    // After a key: "=" and an item or an inner list; nothing is the boolean true.
    bool value(Directive& d) {
        if (!rest_.starts_with('=')) return true;
        rest_.remove_prefix(1);
        d.has_value = true;
        return rest_.starts_with('(') ? inner_list() : item(d);
    }
    bool item(Directive& d) {
        if (rest_.empty()) return false;
        char first = rest_.front();
        std::string_view whole = rest_;
        if (first == '"') return d.quoted = true, string(d.value);
        if (first == ':') return bytes();
        if (first == '?') {
            d.value = rest_.substr(0, 2);
            rest_.remove_prefix(d.value.size());
            return d.value == "?0" || d.value == "?1";
        }
        bool fine = first == '-' || is_digit(first) ? number() : token();
        d.value = whole.substr(0, whole.size() - rest_.size());
        return fine;
    }
    bool string(std::string_view& inside) {
        for (std::size_t i = 1; i < rest_.size(); ++i) {
            char c = rest_[i];
            if (c < 0x20 || c > 0x7E) return false;
            if (c == '\\') {
                if (++i >= rest_.size() || (rest_[i] != '"' && rest_[i] != '\\')) return false;
            } else if (c == '"') {
                inside = rest_.substr(1, i - 1);
                rest_.remove_prefix(i + 1);
                return true;
            }
        }
        return false;
    }
    bool bytes() {
        std::size_t end = rest_.find(':', 1);
        if (end == rest_.npos) return false;
        for (char c : rest_.substr(1, end - 1))
            if (!is(http::grammar::unreserved, c) && c != '+' && c != '/' && c != '=') return false;
        rest_.remove_prefix(end + 1);
        return true;
    }
    std::size_t digits() {
        std::size_t n = 0;
        while (n < rest_.size() && is_digit(rest_[n])) ++n;
        rest_.remove_prefix(n);
        return n;
    }
    bool number() {
        if (rest_.front() == '-') rest_.remove_prefix(1);
        std::size_t whole = digits();
        if (whole == 0 || whole > 15) return false;
        if (!rest_.starts_with('.')) return true;
        rest_.remove_prefix(1);
        std::size_t part = digits();
        return whole <= 12 && part >= 1 && part <= 3;
    }
    bool token() {
        char first = lower(rest_.front());
        if (!(first >= 'a' && first <= 'z') && first != '*') return false;
        std::size_t end = 1;
        while (end < rest_.size() && (is(http::grammar::token, rest_[end]) || rest_[end] == ':' || rest_[end] == '/')) ++end;
        rest_.remove_prefix(end);
        return true;
    }
    bool inner_list() {
        rest_.remove_prefix(1);
        for (;;) {
            while (rest_.starts_with(' ')) rest_.remove_prefix(1);
            if (rest_.empty()) return false;
            if (rest_.front() == ')') return rest_.remove_prefix(1), true;
            Directive ignored;
            if (!item(ignored) || !parameters()) return false;
            if (rest_.empty() || (rest_.front() != ' ' && rest_.front() != ')')) return false;
        }
    }
    bool parameters() {
        while (rest_.starts_with(';')) {
            rest_.remove_prefix(1);
            while (rest_.starts_with(' ')) rest_.remove_prefix(1);
            Directive ignored;
            if (!key(ignored.name)) return false;
            if (!rest_.starts_with('=')) continue;
            rest_.remove_prefix(1);
            if (!item(ignored)) return false;
        }
        return true;
    }
    std::string_view rest_;
};

bool is_flag(const Directive& d) { return !d.has_value || (!d.quoted && (d.value == "?1" || d.value == "?0")); }

constexpr std::string_view kSeconds[] = {"max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"};
constexpr std::string_view kFlags[] = {"no-store", "public", "must-revalidate", "proxy-revalidate", "must-understand"};
constexpr std::string_view kLists[] = {"no-cache", "private"};

template <std::size_t N>
bool is_among(std::string_view name, const std::string_view (&names)[N]) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// RFC 9213 §2.1: a directive we know whose value is of another type makes the field no such field.
bool has_its_type(const Directive& d) {
    if (is_among(d.name, kSeconds)) return d.has_value && !d.quoted && parse_delta_seconds(d.value);
    if (is_among(d.name, kFlags)) return is_flag(d);
    if (is_among(d.name, kLists)) return is_flag(d) || d.quoted;
    return true;
}

}  // namespace

bool ResponseDirectives::read_targeted(std::string_view dictionary) {
    std::vector<Directive> members;
    bool sound = Dictionary(dictionary).each([&](const Directive& d) {
        std::erase_if(members, [&](const Directive& before) { return before.name == d.name; });  // the last one counts
        members.push_back(d);
        return has_its_type(d);
    });
    if (!sound || members.empty()) return false;
    for (Directive& d : members) {
        if (!is_flag(d)) {
            heed(d);
            continue;
        }
        if (d.value == "?0") continue;
        d.has_value = false;
        heed(d);
    }
    return true;
}

}  // namespace suoke::cache
