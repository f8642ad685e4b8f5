// SPDX-License-Identifier: MIT
#pragma once
// Who may do what, as the operator says it; names, docs and checks are in definition_auth.cpp.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sensitive.h"
#include "base/time.h"
#include "config/place.h"

namespace suoke::config {

struct JwtProvider {                       // who signs tokens, and what they must say
    Secret secret_key;                     // of HS256 ...; at least 32 bytes
    std::vector<std::string> algorithms;   // none: HS256 with a secret, else what the keys are for
    std::string public_key_file;           // PEM, or
    std::string jwks_file;                 // RFC 7517, or
    std::string jwks_url;
    std::string jwks_ca_file;              // empty: the system's authorities
    Duration jwks_refresh = 10min;
    Duration jwks_max_age = 24h;           // keys older than that are not believed any more
    std::vector<std::string> issuers;      // none: suoke-auth-service, or no issuer at all
    std::vector<std::string> audiences;    // none: suoke-life, or no audience at all
    Duration leeway = 30s;
    std::vector<std::string> required_claims = {"sub", "exp"};
    std::string roles_claim = "roles";     // dots lead into objects: realm_access.roles
    std::string scopes_claim = "scope";
    std::string name_claim = "name";
    std::string user_type_claim = "user_type";
    std::uint32_t access_token_expire_minutes = 30;   // of tokens that `token mint` makes
    std::uint32_t refresh_token_expire_days = 7;
    Place place;
    bool has_keys() const { return !secret_key.empty() || !public_key_file.empty() || !jwks_file.empty() || !jwks_url.empty(); }
    bool operator==(const JwtProvider&) const = default;
};

struct ApiKey {                            // by its id, which is its subject
    std::vector<std::string> hashes;       // "sha256:<hex>"; two while it is rotated
    std::string name;
    std::vector<std::string> roles, scopes;
    std::string user_type;                 // empty: by its roles
    std::string expires;                   // RFC 3339 date or time; empty: never
    Place place;
    bool operator==(const ApiKey&) const = default;
};

struct ForwardAuth {                       // another service decides
    std::string url;
    std::string ca_file;
    Duration timeout = 2s;
    std::vector<std::string> request_headers = {"Authorization", "Cookie"};
    Duration cache = 0s;                   // of its answers; 0: ask each time
    bool operator==(const ForwardAuth&) const = default;
};

struct Introspection {                     // RFC 7662
    std::string url;
    std::string ca_file;
    std::string client_id;
    Secret client_secret;
    std::vector<std::string> audiences;    // none: any token that the server knows
    Duration timeout = 2s;
    Duration cache = 30s;
    bool operator==(const Introspection&) const = default;
};

enum class AuthMode : std::uint8_t { required, optional, none };
enum class AuthMethod : std::uint8_t { jwt, api_key, basic, certificate, forward, introspection };

struct RouteAuth;

struct Auth {
    std::optional<bool> enabled;           // nothing: when there is anything to authenticate with
    AuthMode mode = AuthMode::required;    // of routes that say nothing
    std::vector<AuthMethod> methods = {AuthMethod::jwt, AuthMethod::api_key};
    JwtProvider jwt;
    std::map<std::string, JwtProvider> providers;   // others, by name
    std::map<std::string, ApiKey> api_keys;
    std::string api_key_header = "X-API-Key";
    std::optional<ForwardAuth> forward;
    std::optional<Introspection> introspection;
    std::vector<std::string> public_paths;          // besides those that always are
    std::vector<std::string> admin_roles = {"admin"};   // for the registry and management
    std::uint32_t token_cache = 10'000;             // verified tokens kept, by each worker

    bool has_means() const;                // anything that clients could show
    bool is_on() const { return enabled.value_or(has_means()); }
    AuthMode mode_of(const RouteAuth& route) const;
    // The ways in that a route has and that are there, in order.
    std::vector<AuthMethod> methods_of(const RouteAuth& route) const;
    bool operator==(const Auth&) const = default;
};

struct TokenFrom {                         // where else a token may be, besides Authorization
    std::string cookie;
    std::string query;
    bool websocket_protocol = false;       // Sec-WebSocket-Protocol: bearer, <token>
    bool operator==(const TokenFrom&) const = default;
};

struct RouteAuth {
    std::optional<AuthMode> mode;
    std::vector<AuthMethod> methods;       // none: auth.methods
    std::vector<std::string> roles;        // one of them
    std::vector<std::string> scopes;       // all of them
    std::map<std::string, std::vector<std::string>> claims;   // each has one of these values
    TokenFrom token_from;
    std::optional<bool> forward_credentials;   // nothing: tokens, but no keys of ours
    bool renew_in_band = false;            // WebSockets: {"type":"auth","token":"..."}
    // As older files say it; folded into mode and roles.
    std::optional<bool> auth_required;
    std::vector<std::string> roles_required;

    bool has_rule() const { return !roles.empty() || !scopes.empty() || !claims.empty(); }
    bool operator==(const RouteAuth&) const = default;
};

// When a key is good no more: "2026-12-31" (to its end, UTC) or "2026-12-31T18:00:00Z" (RFC 3339). Nothing: it
// says no such thing.
std::optional<WallTime> parse_expiry(std::string_view text);
// A key that stands in public files, or one that was only meant to be replaced.
bool is_published_secret(std::string_view secret);

}  // namespace suoke::config
