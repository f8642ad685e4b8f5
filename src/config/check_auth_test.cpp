// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace suoke::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kSecret = "0123456789abcdefghijklmnopqrstuv";   // 32 bytes
const std::string kHash = "sha256:" + std::string(64, 'a');

std::vector<std::string> problems(const std::string& yaml, std::map<std::string, std::string> environment = {}) {
    Sources sources;
    sources.environment = std::move(environment);
    std::vector<std::string> out;
    for (const Problem& problem : load_text(yaml, "c.yaml", sources).problems) out.push_back(to_string(problem));
    return out;
}

std::string with_route(const std::string& auth, const std::string& route) {
    return "auth: {" + auth + "}\nservices: {a: {host: h}}\nroutes:\n- {prefix: /a, service: a, " + route + "}\nregistry: {service_paths: false}\n";
}

std::string secret() { return "jwt: {secret_key: " + kSecret + "}"; }

TEST(CheckAuth, a_usual_section_has_no_problem) {
    EXPECT_THAT(problems(with_route(secret() + ", api_keys: {batch: {hashes: [" + kHash + "], expires: 2027-01-31}}", "auth: {roles: [admin]}")), IsEmpty());
    EXPECT_THAT(problems(with_route(secret(), "auth: none")), IsEmpty());
}

TEST(CheckAuth, a_route_with_roles_tells_of_the_way_around_it) {
    const std::string closed = with_route(secret(), "auth: {roles: [admin]}");
    EXPECT_THAT(problems(closed.substr(0, closed.find("registry:"))), ElementsAre(HasSubstr("set registry.service_paths: false")));
}

TEST(CheckAuth, a_short_secret_is_refused_with_a_way_to_make_one_and_is_not_shown) {
    EXPECT_THAT(problems("auth: {jwt: {secret_key: tooshortofasecret}}"),
                ElementsAre(AllOf(HasSubstr("auth.jwt.secret_key: is too short"), HasSubstr("17 bytes"), HasSubstr("openssl rand -base64 48"),
                                  Not(HasSubstr("tooshort")))));
    EXPECT_THAT(problems("auth: {jwt: {secret_key: " + kSecret + ", algorithms: [HS256, HS512]}}"), ElementsAre(HasSubstr("at least 64 are needed")));
}

TEST(CheckAuth, secrets_of_public_files_are_refused) {
    for (const std::string& known : {std::string("your-secret-key-change-in-production-please"), std::string(48, 'x'),
                                     std::string("this_is_the_jwt_secret_of_development_1234")})
        EXPECT_THAT(problems("jwt: {secret_key: " + known + "}"), ElementsAre(AllOf(HasSubstr("placeholder"), Not(HasSubstr(known))))) << known;
}

TEST(CheckAuth, a_provider_has_one_source_of_keys) {
    EXPECT_THAT(problems("auth: {providers: {partner: {issuers: [x]}}}"), ElementsAre(HasSubstr("auth.providers.partner: has no key")));
    EXPECT_THAT(problems("auth: {jwt: {secret_key: " + kSecret + ", jwks_url: 'https://a/keys'}}"), ElementsAre(HasSubstr("auth.jwt: has more than one of")));
}

TEST(CheckAuth, algorithms_are_known_and_fit_the_key) {
    EXPECT_THAT(problems("auth: {jwt: {secret_key: " + kSecret + ", algorithms: [none]}}"),
                testing::Contains(HasSubstr("auth.jwt.algorithms[0]: must be HS256")));
    EXPECT_THAT(problems("auth: {jwt: {secret_key: " + kSecret + ", algorithms: [RS256]}}"), ElementsAre(HasSubstr("goes with a public key")));
    EXPECT_THAT(problems("auth: {jwt: {jwks_url: 'https://a/keys', algorithms: [HS256]}}"), ElementsAre(HasSubstr("a public key is no secret")));
}

TEST(CheckAuth, hashes_dates_and_urls_are_what_they_say_and_a_key_in_place_of_its_hash_is_not_repeated) {
    EXPECT_THAT(problems("auth: {api_keys: {a: {hashes: [my-own-api-key]}}}"), ElementsAre(AllOf(HasSubstr("sha256sum"), Not(HasSubstr("my-own")))));
    EXPECT_THAT(problems("auth: {api_keys: {a: {hashes: ['sha256:abc']}}}"), ElementsAre(HasSubstr("64 hex digits")));
    EXPECT_THAT(problems("auth: {api_keys: {a: {name: b}}}"), ElementsAre(HasSubstr("auth.api_keys.a: has no hash")));
    EXPECT_THAT(problems("auth: {api_keys: {a: {hashes: [" + kHash + "], expires: tomorrow}}}"), ElementsAre(HasSubstr("must be a date")));
    EXPECT_THAT(problems("auth: {jwt: {jwks_url: 'ftp://a/keys'}}"), ElementsAre(HasSubstr("must be a URL")));
}

TEST(CheckAuth, methods_need_what_they_stand_on) {
    EXPECT_THAT(problems("auth: {methods: [forward]}"), ElementsAre(HasSubstr("no auth.forward")));
    EXPECT_THAT(problems("auth: {methods: [introspection]}"), ElementsAre(HasSubstr("no auth.introspection")));
    EXPECT_THAT(problems("auth: {methods: [basic]}"), ElementsAre(HasSubstr("no auth.api_keys")));
    EXPECT_THAT(problems("auth: {methods: [certificate]}"), ElementsAre(HasSubstr("needs server.tls.client_auth")));
    EXPECT_THAT(problems("auth: {forward: {url: 'http://127.0.0.1:9/check'}}"), ElementsAre(HasSubstr("is never asked")));
    EXPECT_THAT(problems(with_route(secret(), "auth: {methods: [api_key]}")), ElementsAre(HasSubstr("names api_key")));
}

TEST(CheckAuth, a_route_that_wants_to_know_nobody_asks_for_nothing) {
    EXPECT_THAT(problems(with_route(secret(), "auth: {mode: none, roles: [admin]}")), ElementsAre(HasSubstr("does not want to know")));
    EXPECT_THAT(problems(with_route(secret(), "auth: {claims: {tenant: []}}")), ElementsAre(HasSubstr("names no value")));
    EXPECT_THAT(problems(with_route(secret(), "auth: {mode: none}, auth_required: true")), ElementsAre(HasSubstr("says something else than auth.mode")));
}

TEST(CheckAuth, nobody_to_let_in_is_told) {
    EXPECT_THAT(problems(with_route("mode: required", "auth: required")), ElementsAre(HasSubstr("nobody gets in")));
    EXPECT_THAT(problems(with_route("enabled: false", "auth: required")), ElementsAre(HasSubstr("has no effect")));
}

TEST(CheckAuth, keys_that_come_in_the_clear_are_warned_about_in_production) {
    std::string production = "app: {environment: production}\n";
    EXPECT_THAT(problems(production + "auth: {jwt: {jwks_url: 'http://auth-service/keys'}}"), ElementsAre(HasSubstr("is not https")));
    EXPECT_THAT(problems(production + "auth: {jwt: {jwks_url: 'http://127.0.0.1:8001/keys'}}"), IsEmpty());
}

TEST(CheckAuth, headers_that_are_taken_from_everybody_cannot_carry_a_key) {
    EXPECT_THAT(problems("auth: {api_key_header: X-Auth-Key}"), ElementsAre(HasSubstr("taken from every request")));
    EXPECT_THAT(problems("auth: {api_key_header: Authorization}"), ElementsAre(HasSubstr("a header of its own")));
}

// ---- what follows from it

Config loaded(const std::string& yaml, std::map<std::string, std::string> environment = {}) {
    Sources sources;
    sources.environment = std::move(environment);
    return load_text(yaml, "c.yaml", sources).config;
}

TEST(Auth, is_on_when_there_is_anything_to_authenticate_with) {
    EXPECT_FALSE(loaded("").auth.is_on());
    EXPECT_FALSE(loaded("auth: {mode: required}").auth.is_on());
    EXPECT_TRUE(loaded("auth: {" + secret() + "}").auth.is_on());
    EXPECT_TRUE(loaded("auth: {api_keys: {a: {hashes: [" + kHash + "]}}}").auth.is_on());
    EXPECT_FALSE(loaded("auth: {enabled: false, " + secret() + "}").auth.is_on());
}

TEST(Auth, the_mode_is_the_routes_own_or_follows_from_what_it_asks_for) {
    Config config = loaded("auth: {mode: optional, " + secret() + "}");
    RouteAuth route;
    EXPECT_EQ(config.auth.mode_of(route), AuthMode::optional);
    route.roles = {"admin"};
    EXPECT_EQ(config.auth.mode_of(route), AuthMode::required);
    route.mode = AuthMode::optional;
    EXPECT_EQ(config.auth.mode_of(route), AuthMode::optional);
    config.auth.enabled = false;
    EXPECT_EQ(config.auth.mode_of(route), AuthMode::none);
    EXPECT_EQ(Config().auth.mode_of(RouteAuth()), AuthMode::none) << "nothing is configured";
    route = {};
    route.roles = {"admin"};
    EXPECT_EQ(Config().auth.mode_of(route), AuthMode::required) << "what asks for a role stays closed";
}

TEST(Auth, only_methods_that_are_there_are_used) {
    Config config = loaded("auth: {" + secret() + ", methods: [api_key, jwt]}");
    EXPECT_THAT(config.auth.methods_of(RouteAuth()), ElementsAre(AuthMethod::jwt));
}

TEST(Auth, speaks_the_predecessors_languages) {
    std::string key = "secret_key: " + kSecret;
    for (const std::string& text : {"jwt: {" + key + ", algorithm: HS256, issuer: suoke-auth-service, audience: suoke-life}",
                                    "middleware: {auth: {public_paths: [/health, /api/open/*], jwt: {" + key + ", algorithm: HS256, expire_minutes: 30}}}"}) {
        EXPECT_THAT(problems(text), IsEmpty()) << text;
        EXPECT_EQ(loaded(text).auth.jwt.secret_key.reveal(), kSecret);
        EXPECT_THAT(loaded(text).auth.jwt.algorithms, ElementsAre("HS256"));
    }
    for (const char* name : {"JWT_SECRET_KEY", "JWT__SECRET_KEY", "GATEWAY_JWT_SECRET_KEY", "API_GATEWAY_JWT_SECRET_KEY", "SUOKE_AUTH_JWT_SECRET_KEY"})
        EXPECT_EQ(loaded("", {{name, kSecret}}).auth.jwt.secret_key.reveal(), kSecret) << name;
    EXPECT_EQ(loaded("", {{"JWT_ACCESS_TOKEN_EXPIRE_MINUTES", "45"}}).auth.jwt.access_token_expire_minutes, 45u);
    EXPECT_THAT(problems("", {{"JWT__ALGORITHM", "HS256"}, {"JWT_SECRET_KEY", kSecret}}), IsEmpty());
}

TEST(Auth, auth_required_of_old_routes_is_a_mode) {
    Config config = loaded(with_route(secret(), "auth_required: false"));
    EXPECT_EQ(config.auth.mode_of(config.routes[0].auth), AuthMode::none);
    config = loaded(with_route("mode: none, " + secret(), "auth_required: true, roles_required: [admin]"));
    EXPECT_EQ(config.auth.mode_of(config.routes[0].auth), AuthMode::required);
    EXPECT_THAT(config.routes[0].auth.roles, ElementsAre("admin"));
}

TEST(Auth, an_expiry_is_a_day_to_its_end_or_a_moment) {
    auto at = [](std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); };
    EXPECT_EQ(parse_expiry("2025-01-01"), at(1735689600 + 86400));
    EXPECT_EQ(parse_expiry("2025-01-01T00:00:00Z"), at(1735689600));
    EXPECT_EQ(parse_expiry("2025-01-01T08:00:00.250+08:00"), at(1735689600));
    EXPECT_EQ(parse_expiry("2024-12-31 19:00:00-05:00"), at(1735689600));
    for (const char* bad : {"", "2025", "2025-02-29", "2025-13-01", "25-01-01", "2025-01-01T", "2025-01-01T00:00", "2025-01-01T00:00:00", "2025-01-01T24:00:00Z",
                            "2025-01-01T00:00:00.Z", "2025-01-01T00:00:00+8", "2025-01-01x", "9999-01-01"})
        EXPECT_FALSE(parse_expiry(bad)) << bad;
}

}  // namespace
}  // namespace suoke::config
