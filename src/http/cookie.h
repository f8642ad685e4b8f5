// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "http/headers.h"

namespace suoke::http {

// Whether `visit(name, value)` says yes to one of the pairs of the Cookie fields (RFC 6265 §5.4).
template <class Visit>
bool any_cookie(const Headers& headers, Visit visit) {
    return std::any_of(headers.begin(), headers.end(), [&](const Field& field) {
        if (!iequals(field.name, "cookie")) return false;
        return any_pair(field.value, ';', [&](std::string_view name, std::string_view value) {
            return visit(trim(name), trim(value));
        });
    });
}

// The first one with this name; empty: none.
inline std::string_view find_cookie(const Headers& headers, std::string_view name) {
    std::string_view found;
    any_cookie(headers, [&](std::string_view n, std::string_view value) {
        if (n == name) found = value;
        return n == name;
    });
    return found;
}

}  // namespace suoke::http
