// SPDX-License-Identifier: MIT
#pragma once
// How the clients of a site may say who they are, compiled from its configuration.

#include <optional>
#include <string>
#include <vector>

#include "auth/access_rule.h"
#include "auth/api_keys.h"
#include "auth/jwt.h"
#include "upstream/dialer.h"

namespace suoke::gateway {

// A service that is asked about credentials.
struct Authority {
    upstream::EndpointAddress endpoint;
    std::string host;                            // the Host to ask for
    std::string target;                          // what is asked for
    Duration timeout{};
    Duration cache{};                            // so long a yes counts; zero: not at all
    std::vector<std::string> request_headers;    // of the client's, that it is shown (forward auth)
    std::string authorization;                   // our own (introspection); empty: none
    std::vector<std::string> audiences;          // whom tokens may be meant for (introspection); none: anybody
};

struct Authentication {
    std::vector<auth::JwtRules> providers;       // in the order in which they are tried
    auth::ApiKeys api_keys;
    std::string api_key_header;
    std::optional<Authority> forward, introspection;
    auth::IdentityPtr manager;                   // who shows registry.admin_token to the gateway itself
};

// What a route asks of its clients, for those who judge and those who answer.
struct Admission {
    auth::AccessRule rule;
    bool by_bearer = true, by_basic = false;     // what a 401 offers (RFC 9110 §11.6.1)
};

}  // namespace suoke::gateway
