// SPDX-License-Identifier: MIT
#include "app/auth_rules.h"

#include <algorithm>

#include "http/grpc.h"
#include "http/uri.h"
#include "rt/certificate.h"
#include "rt/tls.h"
#include "upstream/url.h"

namespace suoke::app {
namespace {

using Problems = std::vector<config::Problem>;

auth::ApiKey api_key_of(const std::string& id, const config::ApiKey& from) {
    auth::ApiKey key;
    key.id = id;
    key.hashes = from.hashes;
    key.name = from.name;
    key.roles = from.roles;
    key.scopes = from.scopes;
    auth::Identity roles;
    roles.roles = from.roles;
    key.type = from.user_type.empty() ? auth::type_by_roles(roles) : auth::user_type_of(from.user_type);
    // What is no date has been refused before; if not, the key opens nothing.
    if (!from.expires.empty()) key.expires = config::parse_expiry(from.expires).value_or(WallTime());
    return key;
}

Result<gateway::Authority> authority_of(const std::string& text, const std::string& ca_file) {
    auto url = upstream::parse_url(text);
    if (!url) return url.error();
    gateway::Authority authority;
    std::shared_ptr<const rt::TlsClient> client;
    if (url->secure) {
        rt::TlsClientOptions tls;
        if (!ca_file.empty()) {
            auto ca = rt::read_pem_file(ca_file);
            if (!ca) return ca.error();
            tls.ca = std::move(*ca);
        }
        auto made = rt::TlsClient::make(std::move(tls));
        if (!made) return made.error();
        client = std::move(*made);
    }
    authority.endpoint = url->endpoint(std::move(client));
    authority.host = url->authority();
    authority.target = url->base.empty() ? "/" : url->base;
    return authority;
}

// RFC 6749 §2.3.1: both are form-encoded before they are joined.
std::string basic_authorization(const std::string& id, const std::string& secret) {
    std::string pair, out = "Basic ";
    http::append_percent_encoded(pair, id);
    pair += ':';
    http::append_percent_encoded(pair, secret);
    http::append_base64(out, pair);
    return out;
}

std::optional<gateway::Authority> forward_of(const config::Auth& from, Problems& problems) {
    if (!from.forward || from.forward->url.empty()) return std::nullopt;
    auto authority = authority_of(from.forward->url, from.forward->ca_file);
    if (!authority) {
        problems.push_back({config::Problem::error, {}, "auth.forward", authority.error().detail});
        return std::nullopt;
    }
    authority->timeout = from.forward->timeout;
    authority->cache = from.forward->cache;
    authority->request_headers = from.forward->request_headers;
    return std::move(*authority);
}

std::optional<gateway::Authority> introspection_of(const config::Auth& from, Problems& problems) {
    if (!from.introspection || from.introspection->url.empty()) return std::nullopt;
    auto authority = authority_of(from.introspection->url, from.introspection->ca_file);
    if (!authority) {
        problems.push_back({config::Problem::error, {}, "auth.introspection", authority.error().detail});
        return std::nullopt;
    }
    authority->audiences = from.introspection->audiences;
    authority->timeout = from.introspection->timeout;
    authority->cache = from.introspection->cache;
    if (!from.introspection->client_id.empty())
        authority->authorization = basic_authorization(from.introspection->client_id, from.introspection->client_secret.reveal());
    return std::move(*authority);
}

// Whoever shows the token of the registry may what whoever manages the gateway may, and is nobody else.
auth::IdentityPtr manager_of(const config::Config& config) {
    if (config.registry.admin_token.empty()) return nullptr;
    auth::Identity who;
    who.method = auth::Method::api_key;
    who.type = auth::UserType::admin;
    who.subject = "registry.admin_token";
    who.roles = config.auth.admin_roles;
    return auth::settled(std::move(who));
}

}  // namespace

auth::JwtRules jwt_rules(const std::string& name, const config::JwtProvider& from) {
    using enum auth::Algorithm;
    auth::JwtRules rules;
    rules.name = name;
    for (const std::string& text : from.algorithms)
        if (auto algorithm = auth::algorithm_of(text)) rules.algorithms.push_back(*algorithm);
    // Which of them a public key is for it says itself.
    if (rules.algorithms.empty() && from.secret_key.empty())
        rules.algorithms = {rs256, rs384, rs512, ps256, ps384, ps512, es256, es384, es512, eddsa};
    else if (rules.algorithms.empty())
        rules.algorithms = {hs256};
    rules.issuers = from.issuers;
    rules.audiences = from.audiences;
    rules.leeway = from.leeway;
    rules.required_claims = from.required_claims;
    rules.roles_claim = from.roles_claim;
    rules.scopes_claim = from.scopes_claim;
    rules.name_claim = from.name_claim;
    rules.user_type_claim = from.user_type_claim;
    return rules;
}

gateway::Authentication authentication_of(const config::Config& config, Problems& problems) {
    const config::Auth& from = config.auth;
    gateway::Authentication made;
    if (from.jwt.has_keys()) made.providers.push_back(jwt_rules("", from.jwt));
    for (const auto& [name, provider] : from.providers)
        if (provider.has_keys()) made.providers.push_back(jwt_rules(name, provider));
    std::vector<auth::ApiKey> keys;
    for (const auto& [id, key] : from.api_keys) keys.push_back(api_key_of(id, key));
    made.api_keys = auth::ApiKeys(keys);
    made.api_key_header = from.api_key_header;
    made.forward = forward_of(from, problems);
    made.introspection = introspection_of(from, problems);
    made.manager = manager_of(config);
    return made;
}

gateway::Admission admission_of(const config::Config& config, const config::Route& route) {
    gateway::Admission admission;
    admission.rule.roles = route.auth.roles;
    admission.rule.scopes = route.auth.scopes;
    for (const auto& [claim, values] : route.auth.claims) admission.rule.claims.emplace_back(claim, values);
    if (config.auth.mode_of(route.auth) == config::AuthMode::none) return admission;
    std::vector<config::AuthMethod> methods = config.auth.methods_of(route.auth);
    auto has = [&](config::AuthMethod method) { return std::find(methods.begin(), methods.end(), method) != methods.end(); };
    admission.by_basic = has(config::AuthMethod::basic);
    admission.by_bearer = has(config::AuthMethod::jwt) || has(config::AuthMethod::introspection);
    return admission;
}

}  // namespace suoke::app
