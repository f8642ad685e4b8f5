// SPDX-License-Identifier: MIT
#include "gateway/route_conditions.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "base/text.h"
#include "http/cookie.h"

namespace suoke::gateway {

std::optional<RouteConditions> RouteConditions::compile(const config::Route& route,
                                                        std::string& why) {
    RouteConditions conditions;
    bool done = compile(route.headers, conditions.headers_, why) &&
                compile(route.query, conditions.query_, why) &&
                compile(route.cookies, conditions.cookies_, why);
    if (!done) return std::nullopt;
    return conditions;
}

bool RouteConditions::compile(const std::vector<config::Condition>& given, List& list,
                              std::string& why) {
    for (const config::Condition& one : given) {
        if (one.name.empty()) return why = "a condition needs a name", false;
        Condition condition{.name = one.name, .equals = one.equals};
        if (one.regex) {
            auto regex = std::make_shared<re2::RE2>(*one.regex, re2::RE2::Quiet);
            if (!regex->ok()) {
                why = fmt::format("the regex for '{}' is invalid: {}", one.name, regex->error());
                return false;
            }
            condition.regex = std::move(regex);
        }
        list.push_back(std::move(condition));
    }
    return true;
}

bool RouteConditions::hold(const http::Headers& headers, std::string_view query) const {
    return std::all_of(headers_.begin(), headers_.end(),
                       [&](const Condition& c) { return header_holds(c, headers); }) &&
           std::all_of(query_.begin(), query_.end(),
                       [&](const Condition& c) { return query_holds(c, query); }) &&
           std::all_of(cookies_.begin(), cookies_.end(),
                       [&](const Condition& c) { return cookie_holds(c, headers); });
}

bool RouteConditions::Condition::accepts(std::string_view value) const {
    if (equals && value != *equals) return false;
    return !regex || re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex);
}

namespace {

using Scratch = boost::container::small_vector<char, 256>;

// A name or value of a query as its author meant it (application/x-www-form-urlencoded). Most hold
// nothing to decode and come back as they are; the others are written into `scratch`.
std::string_view decoded(std::string_view sent, Scratch& scratch) {
    if (sent.find_first_of("%+") == sent.npos) return sent;
    scratch.clear();
    for (std::size_t i = 0; i < sent.size(); ++i) {
        bool is_escape = sent[i] == '%' && i + 2 < sent.size() && hex_value(sent[i + 1]) >= 0 &&
                         hex_value(sent[i + 2]) >= 0;
        if (is_escape) {
            scratch.push_back(
                static_cast<char>(hex_value(sent[i + 1]) * 16 + hex_value(sent[i + 2])));
            i += 2;
        } else {
            scratch.push_back(sent[i] == '+' ? ' ' : sent[i]);
        }
    }
    return {scratch.data(), scratch.size()};
}

}  // namespace

bool RouteConditions::header_holds(const Condition& asked, const http::Headers& headers) {
    return std::any_of(headers.begin(), headers.end(), [&](const http::Field& field) {
        return iequals(field.name, asked.name) && asked.accepts(field.value);
    });
}

bool RouteConditions::query_holds(const Condition& asked, std::string_view query) {
    return any_pair(query, '&', [&](std::string_view name, std::string_view value) {
        Scratch scratch;
        if (decoded(name, scratch) != asked.name) return false;
        return asked.accepts(decoded(value, scratch));
    });
}

bool RouteConditions::cookie_holds(const Condition& asked, const http::Headers& headers) {
    return http::any_cookie(headers, [&](std::string_view name, std::string_view value) {
        return name == asked.name && asked.accepts(value);
    });
}

namespace {

bool implies(const config::Condition& narrow, const config::Condition& wide) {
    bool asks_for_presence = !wide.equals && !wide.regex;
    return narrow.name == wide.name && (asks_for_presence || narrow == wide);
}

bool list_covers(const std::vector<config::Condition>& wide,
                 const std::vector<config::Condition>& narrow) {
    return std::all_of(wide.begin(), wide.end(), [&](const config::Condition& asked) {
        return std::any_of(narrow.begin(), narrow.end(),
                           [&](const config::Condition& given) { return implies(given, asked); });
    });
}

}  // namespace

bool conditions_cover(const config::Route& wide, const config::Route& narrow) {
    return list_covers(wide.headers, narrow.headers) && list_covers(wide.query, narrow.query) &&
           list_covers(wide.cookies, narrow.cookies);
}

}  // namespace suoke::gateway
