// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/text.h"

namespace suoke::http {

// The token of an Authorization field, "Bearer <token>" (RFC 6750 §2.1); empty: it has none.
inline std::string_view bearer_token(std::string_view authorization) {
    constexpr std::string_view kScheme = "bearer ";
    if (authorization.size() < kScheme.size() || !iequals(authorization.substr(0, kScheme.size()), kScheme)) return {};
    return trim(authorization.substr(kScheme.size()));
}

}  // namespace suoke::http
