// SPDX-License-Identifier: MIT
#pragma once
// What a server says of a token that was asked about (RFC 7662 §2.2).

#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "base/error.h"

namespace suoke::auth {

// Code::invalid_token: it is not active, not yet, or a refresh token; token_expired; keys_unavailable: this
// is no such answer. Roles are what `roles` lists; without `sub` it is for username, then client_id.
// `audiences`: whom a token may be meant for; none: anybody.
Result<IdentityPtr> read_introspection(std::string_view json, WallTime now, const std::vector<std::string>& audiences = {});

}  // namespace suoke::auth
