// SPDX-License-Identifier: MIT
#include "auth/access_rule.h"

#include <algorithm>

namespace suoke::auth {
namespace {

bool has_claim(const Identity& who, const std::string& name, const std::vector<std::string>& values) {
    return std::any_of(who.claims.begin(), who.claims.end(), [&](const auto& claim) {
        return claim.first == name && std::find(values.begin(), values.end(), claim.second) != values.end();
    });
}

}  // namespace

AccessRule::Lack AccessRule::lack(const Identity& who) const {
    if (!roles.empty() && std::none_of(roles.begin(), roles.end(), [&](const std::string& role) { return who.has_role(role); })) return Lack::role;
    for (const std::string& scope : scopes)
        if (!who.has_scope(scope)) return Lack::scope;
    for (const auto& [name, values] : claims)
        if (!has_claim(who, name, values)) return Lack::claim;
    return Lack::nothing;
}

}  // namespace suoke::auth
