// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "testing/scene.h"

namespace suoke::scene {
namespace {

std::string versioned(const std::string& keys, const std::string& more = {}) {
    return "services:\n  users: {endpoints: [{host: 10.0.0.1, port: 80}]}\nroutes:\n- {name: all, service: users, strip_prefix: false}\nversioning: {" + keys +
           "}\n" + more;
}

// Which version a request gets.
std::string given(Scene& s, const std::string& target, const std::string& fields = {}) {
    s.client() << get(target, fields);
    s.upstream("users") >> request("GET", target) << ok("all");
    return s.client().take_response().field("x-api-version").value_or("none");
}

TEST(Versioning, the_path_says_it_in_its_first_or_second_segment) {
    Scene s(versioned("strategy: url_path"));
    EXPECT_EQ(given(s, "/v2/users"), "v2.0.0");
    EXPECT_EQ(given(s, "/api/v2/users"), "v2.0.0");
    EXPECT_EQ(given(s, "/v1"), "v1.0.0");
    EXPECT_EQ(given(s, "/api/users/v2"), "v1.0.0") << "that is something else";
    EXPECT_EQ(given(s, "/videos/2"), "v1.0.0");
    EXPECT_EQ(given(s, "/2/users"), "v1.0.0") << "without a v it may be anything";
}

TEST(Versioning, a_parameter_says_it) {
    Scene s(versioned("strategy: query_param"));
    EXPECT_EQ(given(s, "/users?version=2"), "v2.0.0");
    EXPECT_EQ(given(s, "/users?x=1&version=v2.0"), "v2.0.0");
    EXPECT_EQ(given(s, "/v2/users"), "v1.0.0");
    Scene other(versioned("strategy: query_param, parameter: api"));
    EXPECT_EQ(given(other, "/users?api=2&version=1"), "v2.0.0");
}

TEST(Versioning, accept_says_it) {
    Scene s(versioned("strategy: header"));
    EXPECT_EQ(given(s, "/users", "accept: application/vnd.api+json;version=2\r\n"), "v2.0.0");
    EXPECT_EQ(given(s, "/users", "accept: text/html, application/json; q=0.9; Version=\"2\"\r\n"), "v2.0.0");
    EXPECT_EQ(given(s, "/users", "accept: application/json\r\n"), "v1.0.0");
    EXPECT_EQ(given(s, "/users", "accept: */*\r\naccept: text/html, application/vnd.api+json;version=2\r\n"), "v2.0.0") << "several fields are one list";
    EXPECT_EQ(given(s, "/users", "accept: a/b;version=2\r\naccept: a/b;version=1\r\n"), "v2.0.0") << "the first one that says it";
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client() >> response(200).with("vary", "Accept");
}

TEST(Versioning, the_host_says_it) {
    Scene s(versioned("strategy: subdomain"));
    s.client() << "GET /users HTTP/1.1\r\nhost: v2.api.suoke.life\r\n\r\n";
    s.upstream("users") >> request("GET", "/users").with("x-api-version", "v2.0.0") << ok("all");
    s.client() >> response(200).with("x-api-version", "v2.0.0");
}

TEST(Versioning, a_header_says_it) {
    Scene s(versioned("strategy: custom_header"));
    EXPECT_EQ(given(s, "/users", "x-api-version: 2\r\n"), "v2.0.0");
    EXPECT_EQ(given(s, "/users"), "v1.0.0");
    Scene other(versioned("strategy: custom_header, header: Api"));
    EXPECT_EQ(given(other, "/users", "api: 2\r\nx-api-version: 1\r\n"), "v2.0.0");
}

TEST(Versioning, the_service_is_told_what_was_settled_and_by_nobody_else) {
    Scene s(versioned("supported: [v1, v1.2, v1.4, v2]"));
    s.client() << get("/v1.1/users", "x-api-version: v9\r\nx-api-version-requested: v8\r\n");
    s.upstream("users") >> request("GET", "/v1.1/users").with("x-api-version", "v1.4.0").with("x-api-version-requested", "v1.1")
                               << ok("all", "x-api-version: v7\r\n");
    s.client() >> response(200)
                      .with("x-api-version", "v1.4.0")
                      .with("x-api-version-requested", "v1.1")
                      .with("x-api-versions-supported", "v2.0.0, v1.4.0, v1.2.0, v1.0.0");
    s.client() << get("/v1.2/users");
    s.upstream("users") >> request("GET", "/v1.2/users").with("x-api-version", "v1.2.0").without("x-api-version-requested") << ok("all");
    s.client() >> response(200).without("x-api-version-requested");
}

TEST(Versioning, without_a_better_one_the_default_is_taken) {
    Scene s(versioned("supported: [v1.0, v1.2, v2.1], default: v1.2"));
    EXPECT_EQ(given(s, "/users"), "v1.2.0");
    EXPECT_EQ(given(s, "/v1/users"), "v1.0.0");
    EXPECT_EQ(given(s, "/v2/users"), "v2.1.0");
    EXPECT_EQ(given(s, "/v1.3/users"), "v1.2.0") << "there is no newer one of its major version";
    EXPECT_EQ(given(s, "/v3/users"), "v1.2.0");
}

TEST(Versioning, a_strict_one_refuses_what_it_does_not_know) {
    Scene s(versioned("strategy: query_param, strict: true"));
    s.client() << get("/users?version=3");
    s.client() >> response(400)
                      .saying("API_VERSION_ERROR")
                      .saying(R"("supported_versions":["v2.0.0","v1.0.0"]})")
                      .saying("there is no version '3' here, but v2.0.0, v1.0.0")
                      .with("x-api-versions-supported", "v2.0.0, v1.0.0")
                      .without("x-api-version");
    s.client() << get("/users?version=latest");
    s.client() >> response(400).saying("'latest'");
    s.client() << get("/users?version=3", "accept: application/problem+json\r\n");
    s.client() >> response(400).with("content-type", "application/problem+json").saying(R"("supported_versions":["v2.0.0","v1.0.0"]})");
    s.client() << "HEAD /users?version=3 HTTP/1.1\r\nhost: api\r\n\r\n";
    s.client() >> response(400).to_head();
    EXPECT_EQ(s.upstream("users").dials(), 0u);
    EXPECT_EQ(given(s, "/users"), "v1.0.0") << "who says none asks for the default";
}

TEST(Versioning, says_of_a_deprecated_one_that_it_will_go) {
    Scene s(versioned("deprecated: {v1: {since: 2025-01-01, sunset: 2026-06-30, link: \"https://docs.suoke.life/v1\"}}"));
    s.client() << get("/v1/users");
    s.upstream("users") >> request("GET", "/v1/users") << ok("all");
    s.client() >> response(200)
                      .with("deprecation", "@1735689600")
                      .with("sunset", "Tue, 30 Jun 2026 00:00:00 GMT")
                      .with("link", "<https://docs.suoke.life/v1>; rel=\"deprecation\"")
                      .with("warning", "299 - \"API version v1.0.0 is deprecated and may be gone from 2026-06-30 on\"");
    s.client() << get("/v2/users");
    s.upstream("users") >> request("GET", "/v2/users") << ok("all");
    s.client() >> response(200).without("deprecation").without("sunset").without("warning");
}

TEST(Versioning, a_route_may_have_versions_of_its_own_or_none) {
    Scene s("services:\n  users: {endpoints: [{host: 10.0.0.1, port: 80}]}\nversioning: {strategy: query_param}\nroutes:\n"
            "- {name: new, prefix: /new, service: users, strip_prefix: false, versioning: {supported: [v2, v3], default: v3}}\n"
            "- {name: none, prefix: /none, service: users, strip_prefix: false, versioning: false}\n");
    EXPECT_EQ(given(s, "/new"), "v3.0.0");
    EXPECT_EQ(given(s, "/new?version=2"), "v2.0.0");
    EXPECT_EQ(given(s, "/none", "x-api-version: 5\r\n"), "none");
}

}  // namespace
}  // namespace suoke::scene
