// SPDX-License-Identifier: MIT
#pragma once

#include "auth/jwt.h"

namespace suoke::auth {

// What the claims (JSON text, RFC 7519 §4) of a token make of who sent it, once its signature is known to be
// good. Code::invalid_token, or Code::token_expired.
Result<IdentityPtr> judge_claims(std::string_view claims, const JwtRules& rules, WallTime now);

}  // namespace suoke::auth
