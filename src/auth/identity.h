// SPDX-License-Identifier: MIT
#pragma once
// Who asks, once somebody we believe has said so. A value that is shared and never changes.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace suoke::auth {

enum class Method : std::uint8_t { jwt, api_key, basic, certificate, forward, introspection };
std::string_view name_of(Method method);   // "jwt"

// What limits go by (contract: anonymous, authenticated, premium, admin).
enum class UserType : std::uint8_t { anonymous, authenticated, premium, admin };
std::string_view name_of(UserType type);
UserType user_type_of(std::string_view name);   // authenticated when it is none of them

struct Identity {
    Method method = Method::jwt;
    UserType type = UserType::authenticated;
    std::string subject;                   // never empty
    std::string name;                      // for people
    std::string issuer;                    // who says so: a provider's name, empty for our own keys
    std::string token_id;                  // jti; empty: it has none
    std::vector<std::string> roles, scopes;
    // Every top-level claim whose value is text, a number, a boolean, or a list of those: one pair for each value.
    std::vector<std::pair<std::string, std::string>> claims;
    WallTime issued{};                     // of the credential; zero: unknown
    WallTime expires = WallTime::max();

    // What services and logs are told of it, made once by settled(), so that a request only points there.
    // In header values every byte that may not be in one, '%' and what separates a list is %XX.
    struct Told {
        std::string subject, name;
        std::string roles;                 // "admin,doctor"
        std::string scopes;                // "read write"
        std::string digest;                // of the subject, for logs
    } told;

    bool has_role(std::string_view role) const { return std::find(roles.begin(), roles.end(), role) != roles.end(); }
    bool has_scope(std::string_view scope) const { return std::find(scopes.begin(), scopes.end(), scope) != scopes.end(); }
};

using IdentityPtr = std::shared_ptr<const Identity>;

// Of somebody who says no type but has a role that is one.
UserType type_by_roles(const Identity& who);
// With everything that is told of it.
IdentityPtr settled(Identity who);

}  // namespace suoke::auth
