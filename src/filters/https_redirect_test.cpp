// SPDX-License-Identifier: MIT
// Beside HttpsRedirect in tls_test.cpp, which has clients that come over TLS.
#include <gtest/gtest.h>

#include "testing/scene.h"

namespace suoke::scene {
namespace {

std::string redirecting(const std::string& route, const std::string& server = {}) {
    return "services:\n  web: {endpoints: [{host: 10.0.0.1, port: 80}]}\nroutes:\n- {name: web, service: web, strip_prefix: false, " + route +
           "}\nserver: {tls: {redirect_http: true}" + server + "}\n";
}

TEST(HttpsRedirect, lets_probes_through_to_a_route_for_them) {
    Scene s(redirecting("path: /health/ready"));
    s.client() << get("/health/ready");
    s.upstream("web") >> request("GET", "/health/ready") << ok("fine");
    s.client() >> response(200, "fine");
}

TEST(HttpsRedirect, a_route_for_everything_is_none_for_probes) {
    Scene s(redirecting("prefix: /"));
    s.client() << get("/health/ready");
    s.client() >> response(308).with("location", "https://api/health/ready");
    EXPECT_EQ(s.upstream("web").dials(), 0u);
}

TEST(HttpsRedirect, goes_by_what_a_trusted_proxy_says) {
    Scene s(redirecting("prefix: /", ", trusted_proxies: [192.0.2.1]"));
    s.client() << get("/users", "x-forwarded-proto: https\r\n");
    s.upstream("web") >> request("GET", "/users") << ok("all");
    s.client() >> response(200, "all");
    s.client() << get("/users", "x-forwarded-proto: http\r\n");
    s.client() >> response(308).with("location", "https://api/users");
}

}  // namespace
}  // namespace suoke::scene
