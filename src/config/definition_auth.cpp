// SPDX-License-Identifier: MIT
// Who may do what: tokens, keys and services that say who a client is, and what routes ask of it.
#include <algorithm>

#include "base/text.h"
#include "config/definition.h"
#include "config/rules.h"

namespace suoke::config {
namespace {

std::string_view algorithm(std::string_view s) {
    for (std::string_view one : {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
        if (one == s) return "";
    return "must be HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA";
}

std::string_view http_url_or_nothing(std::string_view s) {
    bool has_scheme = iequals(s.substr(0, 7), "http://") || iequals(s.substr(0, 8), "https://");
    return s.empty() || (has_scheme && s.find_first_of(" \t#") == s.npos) ? "" : "must be a URL like https://host:port/path";
}

std::string_view http_url(std::string_view s) { return s.empty() ? "must be a URL like https://host:port/path" : http_url_or_nothing(s); }

std::string_view key_hash(std::string_view s) {
    constexpr std::string_view kKind = "sha256:";
    bool good = s.starts_with(kKind) && s.size() == kKind.size() + 64 &&
                std::all_of(s.begin() + static_cast<std::ptrdiff_t>(kKind.size()), s.end(), [](char c) { return hex_value(c) >= 0; });
    return good ? "" : "must be sha256: and 64 hex digits, as of printf %s \"$KEY\" | sha256sum";
}

std::string_view expiry_or_nothing(std::string_view s) {
    return s.empty() || parse_expiry(s) ? "" : "must be a date like 2026-12-31, or a time like 2026-12-31T18:00:00Z";
}

std::string_view public_path(std::string_view s) {
    return s.starts_with('/') || s.starts_with('*') ? "" : "must begin with '/', or be a pattern that begins with '*'";
}

// What arrives here has to reach us, and be ours to take.
std::string_view key_header(std::string_view s) {
    if (!rules::edited_header(s).empty()) return rules::edited_header(s);
    for (std::string_view prefix : {"x-user-", "x-gateway-", "x-auth-", "x-proxy-", "x-consumer-", "x-client-cert-"})
        if (iequals(s.substr(0, prefix.size()), prefix)) return "must not begin like the headers that are taken from every request (X-User-, X-Auth- ...)";
    for (std::string_view other : {"authorization", "cookie"})
        if (iequals(s, other)) return "must be a header of its own, like X-API-Key";
    return "";
}

std::string_view token_or_nothing(std::string_view s) { return s.empty() ? "" : rules::token(s); }

// RFC 6749 §3.3: it stands in quotes in what a refused client is told.
std::string_view scope(std::string_view s) {
    bool good = !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c > ' ' && c <= '~' && c != '"' && c != '\\'; });
    return good ? "" : "must be printable characters without blanks, quotes and backslashes";
}

std::string_view provider_name(std::string_view s) { return rules::token(s); }

}  // namespace

std::span<const Choice<AuthMode>> choices(std::type_identity<AuthMode>) {
    static constexpr Choice<AuthMode> kAll[] = {{"required", AuthMode::required}, {"optional", AuthMode::optional}, {"none", AuthMode::none}};
    return kAll;
}
std::span<const Choice<AuthMethod>> choices(std::type_identity<AuthMethod>) {
    static constexpr Choice<AuthMethod> kAll[] = {
        {"jwt", AuthMethod::jwt},         {"api_key", AuthMethod::api_key},       {"basic", AuthMethod::basic}, {"certificate", AuthMethod::certificate},
        {"forward", AuthMethod::forward}, {"introspection", AuthMethod::introspection}, {"bearer", AuthMethod::jwt},  {"mtls", AuthMethod::certificate}};
    return kAll;
}

const Fields& describe(std::type_identity<JwtProvider>) {
    static const Fields kFields = {
        field<&JwtProvider::secret_key>("secret_key", "Signs HS256, HS384 and HS512; at least 32 random bytes (openssl rand -base64 48). "
                                                      "One of this, a file and a URL.")
            .env({"JWT_SECRET_KEY"}).also({"jwt.secret_key", "middleware.auth.jwt.secret_key"}),
        field<&JwtProvider::algorithms>("algorithms", "That are accepted; none: HS256 with a secret_key, else what the public keys are for.")
            .env({"JWT_ALGORITHM"}).check(algorithm)
            .also({"auth.jwt.algorithm", "jwt.algorithms", "jwt.algorithm", "middleware.auth.jwt.algorithms", "middleware.auth.jwt.algorithm"}),
        field<&JwtProvider::public_key_file>("public_key_file", "PEM: a public key, or a certificate. Read anew when it changes.")
            .also({"jwt.public_key_file", "middleware.auth.jwt.public_key_file"}),
        field<&JwtProvider::jwks_file>("jwks_file", "A JSON Web Key Set (RFC 7517). Read anew when it changes.")
            .also({"jwt.jwks_file", "middleware.auth.jwt.jwks_file"}),
        field<&JwtProvider::jwks_url>("jwks_url", "Where the issuer publishes its keys.").check(http_url_or_nothing)
            .env({"JWT_JWKS_URL"}).also({"jwt.jwks_url", "middleware.auth.jwt.jwks_url"}),
        field<&JwtProvider::jwks_ca_file>("jwks_ca_file", "PEM: the authorities to believe there; empty: those of the system.")
            .also({"jwt.jwks_ca_file", "middleware.auth.jwt.jwks_ca_file"}),
        field<&JwtProvider::jwks_refresh>("jwks_refresh", "How often they are fetched. A token that names a new key has them fetched at once.")
            .also({"jwt.jwks_refresh", "middleware.auth.jwt.jwks_refresh"}),
        field<&JwtProvider::jwks_max_age>("jwks_max_age", "So long keys are believed while they cannot be fetched; 0: for ever.")
            .also({"jwt.jwks_max_age", "middleware.auth.jwt.jwks_max_age"}),
        field<&JwtProvider::issuers>("issuers", "A token's iss must be one of them; none: suoke-auth-service, where a token says any.")
            .env({"JWT_ISSUER"}).also({"auth.jwt.issuer", "jwt.issuers", "jwt.issuer", "middleware.auth.jwt.issuers", "middleware.auth.jwt.issuer"}),
        field<&JwtProvider::audiences>("audiences", "A token's aud must name one of them; none: suoke-life, where a token says any.")
            .env({"JWT_AUDIENCE"})
            .also({"auth.jwt.audience", "jwt.audiences", "jwt.audience", "middleware.auth.jwt.audiences", "middleware.auth.jwt.audience"}),
        field<&JwtProvider::leeway>("leeway", "How far the clocks may be apart.").also({"jwt.leeway", "middleware.auth.jwt.leeway"}),
        field<&JwtProvider::required_claims>("required_claims", "What a token must say.").also({"jwt.required_claims", "middleware.auth.jwt.required_claims"}),
        field<&JwtProvider::roles_claim>("roles_claim", "Where its roles are; dots lead into objects, like realm_access.roles.")
            .also({"jwt.roles_claim", "middleware.auth.jwt.roles_claim"}),
        field<&JwtProvider::scopes_claim>("scopes_claim", "Where its scopes are.").also({"jwt.scopes_claim", "middleware.auth.jwt.scopes_claim"}),
        field<&JwtProvider::name_claim>("name_claim", "Where a name for people is.").also({"jwt.name_claim", "middleware.auth.jwt.name_claim"}),
        field<&JwtProvider::user_type_claim>("user_type_claim", "Where its type is (authenticated, premium, admin), for rate limits.")
            .also({"jwt.user_type_claim", "middleware.auth.jwt.user_type_claim"}),
        field<&JwtProvider::access_token_expire_minutes>("access_token_expire_minutes", "Of tokens that `suoke-gateway token mint` makes.")
            .env({"JWT_ACCESS_TOKEN_EXPIRE_MINUTES"}).range(1, 60 * 24 * 365)
            .also({"jwt.access_token_expire_minutes", "middleware.auth.jwt.access_token_expire_minutes", "middleware.auth.jwt.expire_minutes"}),
        field<&JwtProvider::refresh_token_expire_days>("refresh_token_expire_days", "Of its refresh tokens.")
            .env({"JWT_REFRESH_TOKEN_EXPIRE_DAYS"}).range(1, 3650)
            .also({"jwt.refresh_token_expire_days", "middleware.auth.jwt.refresh_token_expire_days"}),
    };
    return kFields;
}

const Fields& describe(std::type_identity<ApiKey>) {
    static const Fields kFields = {
        field<&ApiKey::hashes>("hashes", "sha256: and the hex digits of the SHA-256 of the key; two while it is changed for another one.")
            .check(key_hash).credentials(),
        field<&ApiKey::name>("name", "What people call it."),
        field<&ApiKey::roles>("roles", "What it may be."),
        field<&ApiKey::scopes>("scopes", "What it may do."),
        field<&ApiKey::user_type>("user_type", "authenticated, premium or admin, for rate limits; empty: by its roles."),
        field<&ApiKey::expires>("expires", "A date (to its end, UTC) or a time; empty: never.").check(expiry_or_nothing),
    };
    return kFields;
}

const Fields& describe(std::type_identity<ForwardAuth>) {
    static const Fields kFields = {
        field<&ForwardAuth::url>("url", "Asked with GET. 2xx lets the client in, as whom its X-User-ID, -Name, -Roles and -Scopes say; "
                                         "401 and 403 are passed on.")
            .check(http_url),
        field<&ForwardAuth::ca_file>("ca_file", "PEM: the authorities to believe there; empty: those of the system."),
        field<&ForwardAuth::timeout>("timeout", "It must have answered after this; else 503."),
        field<&ForwardAuth::request_headers>("request_headers", "What of the client's header it is shown, besides X-Forwarded-Method, "
                                                                 "-Uri, -Host, -Proto and -For.")
            .check(rules::edited_header),
        field<&ForwardAuth::cache>("cache", "So long a yes counts for the very same question; 0: it is asked each time."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Introspection>) {
    static const Fields kFields = {
        field<&Introspection::url>("url", "Asked about tokens (RFC 7662).").check(http_url),
        field<&Introspection::ca_file>("ca_file", "PEM: the authorities to believe there; empty: those of the system."),
        field<&Introspection::client_id>("client_id", "Whom we are there."),
        field<&Introspection::client_secret>("client_secret", "And our password."),
        field<&Introspection::audiences>("audiences", "A token's aud must name one of them (RFC 7662 §4); none: whatever the server knows counts, "
                                                      "tokens for others included.")
            .also({"auth.introspection.audience"}),
        field<&Introspection::timeout>("timeout", "It must have answered after this; else 503."),
        field<&Introspection::cache>("cache", "So long a token counts that was active, and no longer than it says; one that was not is refused as long, up to 5 "
                                              "seconds. 0: it is asked each time."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Auth>) {
    static const Fields kFields = {
        field<&Auth::enabled>("enabled", "Whether anybody is asked for credentials; not said: when there is anything to check them with. "
                                         "`false` is the only way to serve in production without.")
            .env({"AUTH_ENABLED"}).also({"middleware.auth.enabled"}),
        field<&Auth::mode>("mode", "Of routes that say nothing: required, optional (a wrong credential is refused), or none."),
        field<&Auth::methods>("methods", "How clients say who they are; all that a request shows must be good, and the first one here counts."),
        field<&Auth::jwt>("jwt", "Who signs the platform's tokens, and what they must say."),
        field<&Auth::providers>("providers", "Other issuers of tokens, by name. A token goes to the one whose issuers name its iss.").check_keys(provider_name),
        field<&Auth::api_keys>("api_keys", "Keys of machines, by id: as they are in api_key_header, or as the password of the id with the method basic.")
            .check_keys(rules::token),
        field<&Auth::api_key_header>("api_key_header", "Where an API key is.").check(key_header),
        field<&Auth::forward>("forward", "A service that decides who gets in; with the method forward."),
        field<&Auth::introspection>("introspection", "A server that knows about opaque tokens; with the method introspection."),
        field<&Auth::public_paths>("public_paths", "Nobody needs a credential there, unless the route itself says required, roles, scopes or "
                                                   "claims. An exact path, a pattern with *, ? and [a-z], or a * at the end for all that "
                                                   "begins so. Besides /, /health*, /metrics, /docs, /redoc, "
                                                   "/static, /openapi.json, and login, register and refresh below /api/v1/auth, /api/auth and /auth.")
            .also({"middleware.auth.public_paths"}).check(public_path),
        field<&Auth::admin_roles>("admin_roles", "Who has one of them may use the registry and the management of the gateway."),
        field<&Auth::token_cache>("token_cache", "Verified credentials that each worker remembers; 0: none.").range(0, 10'000'000),
    };
    return kFields;
}

const Fields& describe(std::type_identity<TokenFrom>) {
    static const Fields kFields = {
        field<&TokenFrom::cookie>("cookie", "The name of a cookie.").check(token_or_nothing),
        field<&TokenFrom::query>("query", "The name of a query parameter; the service does not see it there, but as Authorization. URLs end up in "
                                          "histories and other people's logs: only where nothing else is possible.")
            .check(token_or_nothing),
        field<&TokenFrom::websocket_protocol>("websocket_protocol",
                                              "Sec-WebSocket-Protocol: bearer, <token>, as new WebSocket(url, ['bearer', token]) sends it."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<RouteAuth>) {
    static const Fields kFields = {
        field<&RouteAuth::mode>("mode", "Instead of auth.mode; required: also where a path is public."),
        field<&RouteAuth::methods>("methods", "Instead of auth.methods."),
        field<&RouteAuth::roles>("roles", "One of them is needed."),
        field<&RouteAuth::scopes>("scopes", "All of them are needed.").check(scope),
        field<&RouteAuth::claims>("claims", "By claim: one of these values is needed."),
        field<&RouteAuth::token_from>("token_from", "Where else a token may be, besides Authorization."),
        field<&RouteAuth::forward_credentials>("forward_credentials", "Whether the service gets what the client has shown; not said: tokens yes, API keys and "
                                                                      "their passwords no."),
        field<&RouteAuth::renew_in_band>("renew_in_band", "WebSockets whose client has shown a token go on when it shows a newer one in time: a text message "
                                                          "(with websocket.allow binary, a binary one) {\"type\":\"auth\",\"token\":\"...\"}, which the service "
                                                          "does not see. The gateway answers it in kind, warns 30 seconds before the end, inspects every frame, and "
                                                          "lets nothing be compressed."),
    };
    return kFields;
}

}  // namespace suoke::config
