// SPDX-License-Identifier: MIT
#pragma once
// What a bearer token may be, and where in a request: Authorization, and where a route says so a cookie, a query
// parameter or a WebSocket's subprotocol. Found there, and taken out of what goes on to the service.

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "gateway/exchange.h"

namespace suoke::gateway {

struct TokenKinds {
    bool jwt = false, introspection = false;
    bool any() const { return jwt || introspection; }
    // Whether who came by that method has shown one of them.
    bool has(auth::Method method) const {
        return (jwt && method == auth::Method::jwt) || (introspection && method == auth::Method::introspection);
    }
};
// A token belongs to the first of the two methods that takes it, and introspection takes all.
TokenKinds token_kinds(const std::vector<config::AuthMethod>& methods);

struct TokenPlaces {
    std::string cookie, query;         // their names; empty: not there
    bool websocket_protocol = false;   // Sec-WebSocket-Protocol: bearer, <token>
    bool any() const { return !cookie.empty() || !query.empty() || websocket_protocol; }
};

// Authorization (RFC 9110 §11.6.2), cut in two. The scheme is empty when there is none.
struct Authorization {
    std::string_view scheme, rest;
    bool is(std::string_view wanted) const;
    bool several = false;              // fields: nobody can tell which one somebody else believes
};
Authorization authorization_of(const http::Headers& headers);

struct FoundToken {
    std::string_view text;             // may be empty though it is there
    bool is_there = false;
    bool is_doubtful = false;          // two that differ, or what can be no token
};
FoundToken find_token(Exchange& ex, const TokenPlaces& places);

// Takes the query parameter and the subprotocol away. What only they had is in Authorization then, where
// services look and logs do not, when `forward`.
void move_token(Exchange& ex, const TokenPlaces& places, const FoundToken& token, bool forward);
void remove_cookie(Exchange& ex, std::string_view name);

}  // namespace suoke::gateway
