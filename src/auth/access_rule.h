// SPDX-License-Identifier: MIT
#pragma once
// What whoever asks must have, besides being known.

#include <string>
#include <utility>
#include <vector>

#include "auth/identity.h"

namespace suoke::auth {

struct AccessRule {
    std::vector<std::string> roles;    // one of them
    std::vector<std::string> scopes;   // all of them
    std::vector<std::pair<std::string, std::vector<std::string>>> claims;   // each has one of these values

    enum class Lack : std::uint8_t { nothing, role, scope, claim };
    // The first of them that `who` has not.
    Lack lack(const Identity& who) const;
    bool empty() const { return roles.empty() && scopes.empty() && claims.empty(); }
};

}  // namespace suoke::auth
