// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace suoke::gateway {

// The `sub` of a JSON Web Token (RFC 7519 §4.1.2) in a field value like "Bearer <token>"; empty when there
// is none. Nobody has verified the token: good for deciding where a request goes, and for nothing else.
std::string token_subject(std::string_view authorization);

}  // namespace suoke::gateway
