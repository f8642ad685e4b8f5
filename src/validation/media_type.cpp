// SPDX-License-Identifier: MIT
#include "validation/media_type.h"

#include <algorithm>

#include "base/text.h"
#include "http/grammar.h"

namespace suoke::validation {

namespace grammar = http::grammar;

std::string_view media_type_of(std::string_view content_type) {
    std::string_view type = trim(content_type.substr(0, content_type.find(';')), " \t");
    std::size_t slash = type.find('/');
    if (slash == type.npos || !grammar::is_token(type.substr(0, slash)) || !grammar::is_token(type.substr(slash + 1))) return {};
    return type;
}

bool is_in_range(std::string_view type, std::string_view range) {
    std::size_t slash = type.find('/'), in_range = range.find('/');
    if (slash == type.npos || in_range == range.npos) return false;
    std::string_view top = range.substr(0, in_range), sub = range.substr(in_range + 1), wanted = type.substr(slash + 1);
    if (top != "*" && !iequals(top, type.substr(0, slash))) return false;
    if (sub == "*") return true;
    if (!sub.starts_with("*+")) return iequals(sub, wanted);
    std::string_view suffix = sub.substr(1);
    return wanted.size() > suffix.size() && iequals(wanted.substr(wanted.size() - suffix.size()), suffix);
}

bool is_json(std::string_view type) { return is_in_range(type, "application/json") || is_in_range(type, "*/*+json"); }

namespace {

// Takes `name=value` from the front of `rest`; false when it is none.
bool take_parameter(std::string_view& rest, Parameter& out) {
    std::size_t equals = rest.find('=');
    if (equals == rest.npos || !grammar::is_token(rest.substr(0, equals))) return false;
    out.name = rest.substr(0, equals);
    rest.remove_prefix(equals + 1);
    bool quoted = rest.starts_with('"');
    std::size_t end = quoted ? rest.find('"', 1) : std::min(rest.find_first_of("; \t"), rest.size());
    if (end == rest.npos) return false;
    out.value = quoted ? rest.substr(1, end - 1) : rest.substr(0, end);
    rest.remove_prefix(quoted ? end + 1 : end);
    return quoted ? out.value.find('\\') == out.value.npos : grammar::is_token(out.value);
}

}  // namespace

std::optional<std::vector<Parameter>> parameters_of(std::string_view value) {
    std::vector<Parameter> all;
    std::string_view rest = value.substr(std::min(value.find(';'), value.size()));
    for (;;) {
        rest = trim(rest, " \t");
        if (rest.empty()) return all;
        if (!rest.starts_with(';')) return std::nullopt;
        rest = trim(rest.substr(1), " \t");
        if (rest.empty()) return all;   // "a/b;" is common enough
        Parameter next;
        if (!take_parameter(rest, next)) return std::nullopt;
        bool twice = std::any_of(all.begin(), all.end(), [&](const Parameter& one) { return iequals(one.name, next.name); });
        if (twice) return std::nullopt;
        all.push_back(next);
    }
}

}  // namespace suoke::validation
