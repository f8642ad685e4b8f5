// SPDX-License-Identifier: MIT
// What old files and variables say about browsers, hosts and addresses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "config/rules.h"

namespace suoke::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Config config(const std::string& yaml) {
    Loaded loaded = load_text(yaml, "c.yaml");
    for (const Problem& problem : loaded.problems) ADD_FAILURE() << to_string(problem);
    return loaded.config;
}

Config from_variables(std::map<std::string, std::string> environment) {
    Sources sources;
    sources.environment = std::move(environment);
    Loaded loaded = load(sources);
    for (const Problem& problem : loaded.problems) ADD_FAILURE() << to_string(problem);
    return loaded.config;
}

// The first problem, or nothing.
std::string problem(const std::string& yaml) {
    Loaded loaded = load_text(yaml, "c.yaml");
    return loaded.problems.empty() ? "" : to_string(loaded.problems.front());
}

TEST(Shaping, cors_is_said_in_three_places) {
    for (const char* yaml : {"cors: {origins: ['https://a.life', 'https://*.b.life'], allow_credentials: true, max_age: 86400}",
                             "cors: {allow_origins: ['https://a.life', 'https://*.b.life'], allow_credentials: yes, max_age: 24h}",
                             "middleware: {cors: {enabled: true, allow_origins: ['https://a.life', 'https://*.b.life'], allow_credentials: true, max_age: 86400}}"}) {
        Cors cors = config(yaml).cors;
        EXPECT_TRUE(cors.on()) << yaml;
        EXPECT_THAT(cors.allow_origins, ElementsAre("https://a.life", "https://*.b.life")) << yaml;
        EXPECT_TRUE(cors.allow_credentials) << yaml;
        EXPECT_EQ(cors.max_age, 24h) << yaml;
    }
    EXPECT_FALSE(Config().cors.on());
}

TEST(Shaping, cors_is_said_by_variables) {
    Cors readme = from_variables({{"CORS_ENABLED", "true"}, {"CORS_ORIGINS", "https://a.life,https://b.life"}, {"CORS_METHODS", "GET,POST"},
                                  {"CORS_HEADERS", "X-One"}, {"CORS_MAX_AGE", "300"}, {"CORS_ALLOW_CREDENTIALS", "true"}}).cors;
    EXPECT_EQ(readme.enabled, true);
    EXPECT_THAT(readme.allow_origins, ElementsAre("https://a.life", "https://b.life"));
    EXPECT_THAT(readme.allow_methods, ElementsAre("GET", "POST"));
    EXPECT_THAT(readme.allow_headers, ElementsAre("X-One"));
    EXPECT_EQ(readme.max_age, 300s);
    EXPECT_TRUE(readme.allow_credentials);
    Cors pydantic = from_variables({{"cors__allow_origins", "[\"*\"]"}, {"CORS__ALLOW_METHODS", "[\"*\"]"}, {"CORS__ALLOW_HEADERS", "[\"*\"]"}}).cors;
    EXPECT_THAT(pydantic.allow_origins, ElementsAre("*"));
    EXPECT_THAT(pydantic.allow_methods, ElementsAre("*"));
    EXPECT_THAT(pydantic.allow_headers, ElementsAre("*"));
    EXPECT_THAT(from_variables({{"GATEWAY_CORS_ALLOW_ORIGINS", "https://a.life"}}).cors.allow_origins, ElementsAre("https://a.life"));
    EXPECT_THAT(from_variables({{"API_GATEWAY_MIDDLEWARE_CORS_ALLOW_ORIGINS", "https://a.life"}}).cors.allow_origins, ElementsAre("https://a.life"));
}

TEST(Shaping, credentials_never_go_with_any_origin) {
    EXPECT_THAT(problem("cors: {allow_origins: ['*'], allow_credentials: true}"), HasSubstr("error: cors.allow_credentials: cannot go with the origin *"));
    EXPECT_THAT(problem("routes:\n- {respond: {}, cors: {allow_origins: ['*', 'https://a.life'], allow_credentials: true}}"),
                HasSubstr("error: routes[0].cors.allow_credentials: cannot go with"));
    EXPECT_THAT(problem("cors: {allow_origins: ['https://a.life'], allow_credentials: true, expose_headers: ['*']}"), HasSubstr("error: cors.expose_headers"));
}

TEST(Shaping, a_section_that_names_nobody_is_no_mistake_but_said) {
    EXPECT_THAT(problem("cors: {enabled: true}"), HasSubstr("warning: cors: lets no page in"));
    EXPECT_THAT(problem("middleware: {cors: {enabled: true}}"), HasSubstr("warning: cors: lets no page in"));
    EXPECT_EQ(problem("cors: {enabled: false}"), "");
    EXPECT_THAT(problem("routes:\n- {respond: {}, cors: {max_age: 5}}"), HasSubstr("error: routes[0].cors: stands instead of the section"));
    EXPECT_EQ(problem("routes:\n- {respond: {}, cors: {enabled: false}}"), "");
}

TEST(Shaping, an_origin_is_as_browsers_send_it) {
    for (const char* fine : {"*", "null", "https://app.suoke.life", "http://localhost:3000", "https://*.suoke.life", "https://*.suoke.life:8443",
                             "http://localhost:*", "http://[::1]:*", "capacitor://localhost"})
        EXPECT_EQ(rules::origin(fine), "") << fine;
    for (const char* wrong : {"", "app.suoke.life", "https://", "https://App.suoke.life", "https://app.suoke.life/", "https://*", "https://*.", "https://a.*.b",
                              "https://*suoke.life", "https://app.suoke.life:443", "http://app.suoke.life:80", "https://u@b.life", "://b.life", "https://a b"})
        EXPECT_NE(rules::origin(wrong), "") << wrong;
}

TEST(Shaping, hosts_are_said_in_three_places_and_have_no_port) {
    for (const char* yaml : {"security: {allowed_hosts: [api.suoke.life, '*.suoke.dev']}", "allowed_hosts: [api.suoke.life, '*.suoke.dev']",
                             "middleware: {trusted_hosts: [api.suoke.life, '*.suoke.dev']}"})
        EXPECT_THAT(config(yaml).security.allowed_hosts, ElementsAre("api.suoke.life", "*.suoke.dev")) << yaml;
    EXPECT_THAT(from_variables({{"ALLOWED_HOSTS", "[\"*\"]"}}).security.allowed_hosts, ElementsAre("*"));
    EXPECT_EQ(rules::allowed_host("[::1]"), "");
    for (const char* wrong : {"api.suoke.life:8000", "https://api.suoke.life", "::1", "*.*.life", ""})
        EXPECT_NE(rules::allowed_host(wrong), "") << wrong;
}

TEST(Shaping, security_headers_are_said_by_keys_and_variables) {
    SecurityHeaders said = config("security: {headers_enabled: true, hsts_enabled: false, hsts_max_age: 31536000, hsts_include_subdomains: false, "
                                  "csp_enabled: true, csp_policy: \"default-src 'none'\", headers: {X-Frame-Options: SAMEORIGIN, Referrer-Policy: ''}}")
                               .security.headers;
    EXPECT_EQ(said.enabled, true);
    EXPECT_EQ(said.hsts, false);
    EXPECT_EQ(said.hsts_max_age, 8760h);
    EXPECT_FALSE(said.hsts_include_subdomains);
    EXPECT_EQ(said.csp, true);
    EXPECT_EQ(said.csp_policy, "default-src 'none'");
    EXPECT_EQ(said.headers.at("Referrer-Policy"), "");
    said = config("middleware: {security_headers: {enabled: true, headers: {X-Frame-Options: DENY}}}").security.headers;
    EXPECT_EQ(said.enabled, true);
    EXPECT_EQ(said.headers.at("X-Frame-Options"), "DENY");
    said = from_variables({{"SECURITY_HEADERS_ENABLED", "true"}, {"SECURITY_HSTS_ENABLED", "true"}, {"SECURITY_HSTS_MAX_AGE", "600"}, {"SECURITY_CSP_ENABLED", "no"}})
               .security.headers;
    EXPECT_EQ(said.enabled, true);
    EXPECT_EQ(said.hsts, true);
    EXPECT_EQ(said.hsts_max_age, 600s);
    EXPECT_EQ(said.csp, false);
    EXPECT_EQ(Config().security.headers.enabled, std::nullopt);
}

TEST(Shaping, addresses_and_checks_have_the_predecessors_names) {
    Security said = config("security: {ip_whitelist: [10.0.0.0/8], ip_blacklist: '192.0.2.1, 192.0.2.2', validate_content_type: true, "
                           "validate_user_agent: true, enable_csrf_protection: true}").security;
    EXPECT_THAT(said.access.allow, ElementsAre("10.0.0.0/8"));
    EXPECT_THAT(said.access.deny, ElementsAre("192.0.2.1", "192.0.2.2"));
    EXPECT_EQ(said.checks, (RequestChecks{true, true, true}));
    EXPECT_THAT(problem("security: {ip_blacklist: [evil.com]}"), HasSubstr("must be an address or a network"));
}

TEST(Shaping, maintenance_is_a_switch_or_more) {
    EXPECT_TRUE(config("maintenance: true").maintenance.enabled);
    EXPECT_TRUE(from_variables({{"SUOKE_MAINTENANCE_ENABLED", "true"}}).maintenance.enabled);
    Config c = config("maintenance: {enabled: true, message: Soon, retry_after: 1h, allow: [10.0.0.0/8]}\nroutes:\n- {respond: {}, maintenance: false}\n");
    EXPECT_EQ(c.maintenance.message, "Soon");
    EXPECT_EQ(c.maintenance.retry_after, 1h);
    ASSERT_TRUE(c.routes[0].maintenance);
    EXPECT_FALSE(c.routes[0].maintenance->enabled);
}

}  // namespace
}  // namespace suoke::config
