// SPDX-License-Identifier: MIT
#include "gateway/rewrite.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/text.h"
#include "gateway/path_pattern.h"

namespace suoke::gateway {

namespace {

std::string_view value_of(std::string_view name, std::span<const Param> params,
                          std::string_view otherwise = {}) {
    for (const Param& param : params)
        if (param.name == name) return param.value;
    return otherwise;
}

bool starts_with_escape(std::string_view s) {
    return s.size() >= 3 && s[0] == '%' && hex_value(s[1]) >= 0 && hex_value(s[2]) >= 0;
}

// Appends `text` with everything escaped that is not in a URI (RFC 3986 §2) or is in `reserved`.
void append_escaped(std::string_view text, const char* reserved, std::string& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        bool stays =
            c > ' ' && c < 0x7f && !std::strchr("\"<>\\^`{|}", c) && !std::strchr(reserved, c);
        if (c == '%') stays = starts_with_escape(text.substr(i));
        if (stays) {
            out += c;
        } else {
            fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
        }
    }
}

// Without empty and dot segments (RFC 3986 §5.2.4), and '/' in front.
std::string without_dots(std::string_view path) {
    std::string clean;
    while (!path.empty()) {
        if (path[0] == '/') path.remove_prefix(1);
        std::size_t end = std::min(path.find('/'), path.size());
        std::string_view segment = path.substr(0, end);
        bool is_last = end == path.size();
        path.remove_prefix(end);
        if (segment == "..") clean.resize(clean.empty() ? 0 : clean.rfind('/'));
        if (segment.empty() || segment == "." || segment == "..") {
            if (is_last) clean += '/';
            continue;
        }
        clean.append("/").append(segment);
    }
    return clean.empty() ? "/" : clean;
}

// "{name}" at the front of `text`: the name. Empty when there is none.
std::string_view braced_name(std::string_view text) {
    std::size_t end = text.find('}');
    return text.starts_with('{') && end != text.npos ? text.substr(1, end - 1) : std::string_view();
}

}  // namespace

// A template, cut up.
struct Rewrite::Plan {
    struct Piece {
        enum Kind : std::uint8_t { literal, group, param } kind = literal;
        std::string text;        // literal text or the param's name
        std::size_t number = 0;  // of the group
    };
    re2::RE2 regex;
    std::vector<Piece> pieces;
    std::size_t groups = 1;  // to ask of the regex, with the whole match

    explicit Plan(std::string_view pattern)
        : regex(re2::StringPiece(pattern.data(), pattern.size()), re2::RE2::Quiet) {}

    // The sentence about what is wrong; empty when nothing is.
    std::string read_template(std::string_view text) {
        while (!text.empty()) {
            std::size_t dollar = std::min(text.find('$'), text.size());
            if (dollar > 0) pieces.push_back({Piece::literal, std::string(text.substr(0, dollar))});
            text.remove_prefix(dollar);
            if (text.empty()) break;
            std::size_t taken = read_reference(text.substr(1));
            if (taken == 0)
                return fmt::format("'{}': after '$' comes a digit, {{name}} or another '$'", text);
            text.remove_prefix(1 + taken);
        }
        for (const Piece& piece : pieces)
            if (std::string why = wrong_with(piece); !why.empty()) return why;
        return {};
    }

    // What stands after a '$'; how long it was, 0 when it is nothing we know.
    std::size_t read_reference(std::string_view text) {
        if (text.starts_with('$')) return pieces.push_back({Piece::literal, "$"}), 1;
        if (!text.empty() && is_digit(text[0])) {
            auto number = static_cast<std::size_t>(text[0] - '0');
            pieces.push_back({Piece::group, "", number});
            groups = std::max(groups, number + 1);
            return 1;
        }
        std::string_view name = braced_name(text);
        if (name.empty()) return 0;
        pieces.push_back({Piece::param, std::string(name)});
        return name.size() + 2;
    }

    std::string wrong_with(const Piece& piece) const {
        if (piece.kind == Piece::group &&
            piece.number > static_cast<std::size_t>(regex.NumberOfCapturingGroups()))
            return fmt::format("${} stands in the template, but the regex has only {} groups",
                               piece.number, regex.NumberOfCapturingGroups());
        auto is_no_path = [](char c) {
            return (c >= 0 && c <= ' ') || c == 0x7f || c == '?' || c == '#';
        };
        if (piece.kind == Piece::literal &&
            std::any_of(piece.text.begin(), piece.text.end(), is_no_path))
            return fmt::format("'{}' has a character that no path has; escape it", piece.text);
        return {};
    }
};

Rewrite::Rewrite(std::unique_ptr<const Plan> plan) : plan_(std::move(plan)) {}
Rewrite::Rewrite(Rewrite&&) noexcept = default;
Rewrite& Rewrite::operator=(Rewrite&&) noexcept = default;
Rewrite::~Rewrite() = default;

Result<Rewrite> Rewrite::compile(std::string_view text) {
    std::size_t arrow = text.rfind("=>");
    if (arrow == text.npos)
        return Error{Code::invalid_config, "a rewrite is written 'regex => template'"};
    auto plan = std::make_unique<Plan>(trim(text.substr(0, arrow)));
    if (!plan->regex.ok())
        return Error{Code::invalid_config, "the regex is invalid: " + plan->regex.error()};
    if (plan->regex.pattern().empty())
        return Error{Code::invalid_config, "there is no regex in front of '=>'"};
    if (std::string why = plan->read_template(trim(text.substr(arrow + 2))); !why.empty())
        return Error{Code::invalid_config, std::move(why)};
    return Rewrite(std::move(plan));
}

bool Rewrite::apply(std::string_view path, std::string& out, std::span<const Param> params) const {
    // 1. Match.
    std::string spelled;
    append_one_spelling(path, spelled);
    std::array<re2::StringPiece, 10> groups;
    if (!plan_->regex.Match(spelled, 0, spelled.size(), re2::RE2::UNANCHORED, groups.data(),
                            static_cast<int>(plan_->groups)))
        return false;

    // 2. Replace.
    auto before = static_cast<std::size_t>(groups[0].data() - spelled.data());
    std::string result = spelled.substr(0, before);
    for (const Plan::Piece& piece : plan_->pieces) {
        if (piece.kind == Plan::Piece::literal) result += piece.text;
        if (piece.kind == Plan::Piece::param) result += value_of(piece.text, params);
        if (piece.kind == Plan::Piece::group)
            result.append(groups[piece.number].data(), groups[piece.number].size());
    }
    result.append(spelled, before + groups[0].size());

    // 3. Make it a path. Escapes first: what was cut in two must not come together as a dot.
    std::string escaped, one_spelling;
    append_escaped(result, "?#[]", escaped);
    append_one_spelling(escaped, one_spelling);
    out = without_dots(one_spelling);
    return true;
}

void fill_template(std::string_view text, std::span<const Param> params, std::string& out,
                   std::string_view rest) {
    std::size_t start = out.size();
    bool is_path = text.starts_with("/") && !text.starts_with("//");
    while (!text.empty()) {
        std::string_view name = braced_name(text);
        if (text.starts_with("$$")) {
            out += '$';
            text.remove_prefix(2);
        } else if (text.size() > 1 && text[0] == '$' && text[1] >= '1' && text[1] <= '9') {
            auto nth = static_cast<std::size_t>(text[1] - '1');
            if (nth < params.size()) append_escaped(params[nth].value, "?#", out);
            text.remove_prefix(2);
        } else if (!name.empty()) {
            append_escaped(value_of(name, params, name == "rest" ? rest : ""), "?#", out);
            text.remove_prefix(name.size() + 2);
        } else {
            out += text[0];
            text.remove_prefix(1);
        }
    }
    if (!is_path) return;
    std::size_t slashes = std::min(out.find_first_not_of('/', start), out.size()) - start;
    out.erase(start, slashes - 1);
}

}  // namespace suoke::gateway
