// SPDX-License-Identifier: MIT
// Rules about who may do what that look at more than one value.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/decode.h"
#include "config/settle.h"
#include "base/this_machine.h"

namespace suoke::config {
namespace {

constexpr const char* kMakeOne = "make one with: openssl rand -base64 48";

template <class T>
bool contains(const std::vector<T>& all, const T& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

bool is_hmac(std::string_view algorithm) { return algorithm.starts_with("HS"); }

// RFC 7518 §3.2: as long as the hash.
std::size_t least_bytes(const JwtProvider& provider) {
    std::size_t least = 32;
    for (std::string_view algorithm : provider.algorithms)
        if (is_hmac(algorithm)) least = std::max(least, static_cast<std::size_t>(parse_u64(algorithm.substr(2)).value_or(256)) / 8);
    return least;
}

class AuthCheck {
 public:
    AuthCheck(const Config& config, Report& report) : config_(config), auth_(config.auth), report_(report) {}

    void run() {
        if (auth_.jwt != JwtProvider()) provider("auth.jwt", auth_.jwt);
        for (const auto& [name, each] : auth_.providers) provider("auth.providers." + name, each);
        for (const auto& [id, key] : auth_.api_keys) api_key(id, key);
        elsewhere();
        methods("auth.methods", auth_.methods, report_.place_of("auth.methods"));
        for (std::size_t i = 0; i < config_.routes.size(); ++i) route(config_.routes[i], fmt::format("routes[{}]", i));
        somebody_gets_in();
    }

 private:
    void complain(const std::string& key, const Place& place, std::string sentence) {
        Place said = report_.place_of(key);
        report_.error(said.source.empty() ? place : said, key, std::move(sentence));
    }
    void warn(const std::string& key, const Place& place, std::string sentence) {
        Place said = report_.place_of(key);
        report_.warning(said.source.empty() ? place : said, key, std::move(sentence));
    }

    // ---- who signs tokens

    void provider(const std::string& key, const JwtProvider& from) {
        int sources = !from.secret_key.empty() + !from.public_key_file.empty() + !from.jwks_file.empty() + !from.jwks_url.empty();
        if (sources > 1)
            complain(key, from.place,
                     "has more than one of secret_key, public_key_file, jwks_file and jwks_url; give one, and the others to auth.providers");
        if (sources == 0) keyless(key, from);
        if (!from.secret_key.empty()) secret(key, from);
        for (const std::string& algorithm : from.algorithms)
            if (sources == 1 && is_hmac(algorithm) == from.secret_key.empty())
                complain(key + ".algorithms", from.place,
                         from.secret_key.empty() ? fmt::format("{} goes with a secret_key: a public key is no secret", clipped(algorithm))
                                                 : fmt::format("{} goes with a public key, not with a secret_key", clipped(algorithm)));
        in_the_clear(key + ".jwks_url", from.jwks_url);
    }

    // `auth.jwt` may be there for what it says of tokens, while its key is still to come (`dev` makes one).
    void keyless(const std::string& key, const JwtProvider& from) {
        constexpr const char* kKeyless = "has no key: give one of secret_key, public_key_file, jwks_file and jwks_url";
        if (key == "auth.jwt") warn(key, from.place, kKeyless);
        else complain(key, from.place, kKeyless);
    }

    void secret(const std::string& key, const JwtProvider& from) {
        std::size_t least = least_bytes(from), have = from.secret_key.reveal().size();
        if (is_published_secret(from.secret_key.reveal()))
            complain(key + ".secret_key", from.place, fmt::format("is a placeholder that everybody knows, so everybody could sign tokens; {}", kMakeOne));
        else if (have < least)
            complain(key + ".secret_key", from.place, fmt::format("is too short to be a key: {} bytes, and at least {} are needed; {}", have, least, kMakeOne));
    }

    void in_the_clear(const std::string& key, const std::string& url) {
        if (config_.app.environment == Environment::production && goes_in_the_clear(url))
            warn(key, {}, "is not https: whoever is on the way there decides who gets in");
    }

    void api_key(const std::string& id, const ApiKey& key) {
        std::string path = "auth.api_keys." + id;
        if (key.hashes.empty()) complain(path, key.place, "has no hash: give sha256: and the hex digits of printf %s \"$KEY\" | sha256sum");
        if (!key.user_type.empty() && key.user_type != "authenticated" && key.user_type != "premium" && key.user_type != "admin")
            complain(path + ".user_type", key.place, "must be authenticated, premium or admin");
    }

    void elsewhere() {
        if (auth_.forward) {
            if (auth_.forward->url.empty()) complain("auth.forward", {}, "needs a url");
            in_the_clear("auth.forward.url", auth_.forward->url);
            unasked("auth.forward", AuthMethod::forward, "forward");
        }
        if (!auth_.introspection) return;
        if (auth_.introspection->url.empty()) complain("auth.introspection", {}, "needs a url");
        if (auth_.introspection->client_id.empty() != auth_.introspection->client_secret.empty())
            complain("auth.introspection", {}, "needs both client_id and client_secret, or neither");
        in_the_clear("auth.introspection.url", auth_.introspection->url);
        unasked("auth.introspection", AuthMethod::introspection, "introspection");
    }

    void unasked(const std::string& key, AuthMethod method, const char* name) {
        bool asked = contains(auth_.methods, method) ||
                     std::any_of(config_.routes.begin(), config_.routes.end(), [&](const Route& route) { return contains(route.auth.methods, method); });
        if (!asked) warn(key, {}, fmt::format("is never asked: add {} to auth.methods, or to a route's", name));
    }

    // ---- what is asked of clients

    void methods(const std::string& key, const std::vector<AuthMethod>& all, const Place& place) {
        auto needs = [&](AuthMethod method, bool there, const char* sentence) {
            if (!there && contains(all, method)) complain(key, place, sentence);
        };
        needs(AuthMethod::forward, auth_.forward.has_value(), "names forward, and there is no auth.forward");
        needs(AuthMethod::introspection, auth_.introspection.has_value(), "names introspection, and there is no auth.introspection");
        needs(AuthMethod::basic, !auth_.api_keys.empty(), "names basic, and there are no auth.api_keys whose ids and keys it could take");
        needs(AuthMethod::certificate, config_.server.tls.client_auth != ClientAuth::none, "names certificate; that needs server.tls.client_auth");
    }

    void route(const Route& from, const std::string& key) {
        const RouteAuth& asks = from.auth;
        methods(key + ".auth.methods", asks.methods, from.place);
        if (contains(asks.methods, AuthMethod::api_key) && auth_.api_keys.empty())
            complain(key + ".auth.methods", from.place, "names api_key, and there are no auth.api_keys");
        if (asks.mode == AuthMode::none && asks.has_rule())
            complain(key + ".auth", from.place, "asks for roles, scopes or claims of clients that it does not want to know; take mode: none away");
        if (asks.auth_required && asks.mode && *asks.auth_required != (*asks.mode == AuthMode::required))
            complain(key + ".auth_required", from.place, "says something else than auth.mode");
        for (const auto& [claim, values] : asks.claims)
            if (values.empty()) complain(key + ".auth.claims", from.place, fmt::format("names no value that '{}' may have", clipped(claim)));
        bool takes_tokens = false;
        for (AuthMethod method : asks.methods.empty() ? auth_.methods : asks.methods)
            takes_tokens |= method == AuthMethod::jwt || method == AuthMethod::introspection;
        if (asks.token_from != TokenFrom() && !takes_tokens)
            complain(key + ".auth.token_from", from.place, "goes with the methods jwt and introspection");
        if (asks.has_rule() && from.forwards() && config_.registry.service_paths && from.data_class != DataClass::phi)
            warn(key + ".auth", from.place,
                 "its service can also be asked at /api/v1/gateway/{service}, where this route's roles, scopes and claims do not count; "
                 "set registry.service_paths: false");
        if (auth_.enabled == false && (asks.mode == AuthMode::required || asks.has_rule()))
            warn(key + ".auth", from.place, "has no effect: auth.enabled is false");
    }

    // A route that wants to know its clients, while there is nothing to know them by, answers 503.
    void somebody_gets_in() {
        if (auth_.has_means() || auth_.enabled == false) return;
        bool asked = auth_.enabled == true;
        for (const Route& route : config_.routes) asked |= auth_.mode_of(route.auth) == AuthMode::required;
        if (asked)
            warn("auth", report_.place_of("auth"),
                 fmt::format("nobody gets in where credentials are required: there is nothing to check them with; set auth.jwt.secret_key ({})", kMakeOne));
    }

    const Config& config_;
    const Auth& auth_;
    Report& report_;
};

}  // namespace

void fold_auth(Config& config) {
    for (Route& route : config.routes) {
        RouteAuth& auth = route.auth;
        if (auth.auth_required && !auth.mode) auth.mode = *auth.auth_required ? AuthMode::required : AuthMode::none;
        for (const std::string& role : auth.roles_required)
            if (!contains(auth.roles, role)) auth.roles.push_back(role);
    }
}

void check_auth(const Config& config, Report& report) { AuthCheck(config, report).run(); }

}  // namespace suoke::config
