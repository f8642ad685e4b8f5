// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "filters/filters.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

std::string asked_of(const std::string& host) { return "GET /users HTTP/1.1\r\nhost: " + host + "\r\n\r\n"; }

TEST(AllowedHosts, the_gateway_answers_for_those_it_is_known_by) {
    Scene s(one_service("users", {.rest = "security: {allowed_hosts: [api.suoke.life, '*.suoke.dev', '[::1]']}\n"}));
    for (const char* known : {"api.suoke.life", "API.Suoke.Life:8443", "api.suoke.life.", "a.suoke.dev", "a.b.suoke.dev", "[::1]:8000"}) {
        s.client() << asked_of(known);
        s.upstream("users") >> request("GET", "/users") << ok("all");
        s.client() >> response(200, "all");
    }
    for (const char* other : {"suoke.life", "evil.com", "api.suoke.life.evil.com", "suoke.dev", "evilsuoke.dev", "192.0.2.1"}) {
        s.client() << asked_of(other);
        s.client() >> response(400).saying("host_denied");
    }
    s.client("old") << "GET /users HTTP/1.0\r\n\r\n";
    s.client("old") >> response(400).saying("host_denied");
}

TEST(AllowedHosts, a_star_and_an_empty_list_are_every_host) {
    for (const char* keys : {"allowed_hosts: ['*']", "allowed_hosts: [api.suoke.life, '*']", "max_headers: 100"}) {
        Scene s(one_service("users", {.rest = std::string("security: {") + keys + "}\n"}));
        s.client() << asked_of("evil.com");
        s.upstream("users") >> request("GET", "/users") << ok("all");
        s.client() >> response(200, "all");
    }
}

TEST(AllowedHosts, what_is_no_request_is_still_answered_as_such) {
    Scene s(one_service("users", {.rest = "security: {allowed_hosts: [api.suoke.life]}\n"}));
    s.client() << "GET /users HTTP/1.1\r\n\r\n";
    s.client() >> response(400).saying("invalid_host") >> closed();
}

TEST(AllowedHosts, the_gateways_own_health_answers_for_all) {
    config::Config config;
    config.security.allowed_hosts = {"api.suoke.life"};
    config::Route health, other;
    health.path = "/health/live";
    other.prefix = "/health";
    EXPECT_FALSE(filters::allowed_hosts(config, health));
    EXPECT_TRUE(filters::allowed_hosts(config, other));
}

}  // namespace
}  // namespace suoke::scene
