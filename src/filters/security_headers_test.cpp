// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "testing/scene.h"

namespace suoke::scene {
namespace {

std::string with(const std::string& keys, const std::string& rest = "") {
    return one_service("users", {.rest = "security: {" + keys + "}\n" + rest});
}

TEST(SecurityHeaders, are_told_with_every_answer_and_say_nothing_of_our_software) {
    Scene s(with("headers_enabled: true"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all", "server: uvicorn\r\n");
    s.client() >> response(200, "all")
                      .with("x-frame-options", "DENY")
                      .with("x-content-type-options", "nosniff")
                      .with("x-xss-protection", "1; mode=block")
                      .with("referrer-policy", "strict-origin-when-cross-origin")
                      .with("permissions-policy", "geolocation=(), microphone=(), camera=(), payment=(), usb=(), magnetometer=(), gyroscope=(), speaker=()")
                      .without("content-security-policy")
                      .without("strict-transport-security")
                      .without("server");
    s.client() << get("/nowhere");
    s.client() >> response(404).with("x-frame-options", "DENY").with("x-content-type-options", "nosniff");
}

TEST(SecurityHeaders, are_on_by_themselves_where_it_is_in_earnest) {
    for (const char* environment : {"development", "testing"}) {
        Scene s(with("", std::string("app: {environment: ") + environment + "}\n"));
        s.client() << get("/nowhere");
        s.client() >> response(404).without("x-frame-options").without("content-security-policy");
    }
    Scene s(with("", "app: {environment: staging}\n"));
    s.client() << get("/nowhere");
    s.client() >> response(404)
                      .with("x-frame-options", "DENY")
                      .with("content-security-policy",
                            "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
                            "img-src 'self' data: https:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'")
                      .without("strict-transport-security");
}

TEST(SecurityHeaders, can_be_off_everywhere) {
    Scene s(with("headers_enabled: false", "app: {environment: staging}\n"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all", "server: uvicorn\r\n");
    s.client() >> response(200, "all").without("x-frame-options").with("server", "uvicorn");
}

TEST(SecurityHeaders, what_the_service_says_itself_stays) {
    Scene s(with("headers_enabled: true, csp_enabled: true"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users")
                               << ok("all", "content-security-policy: default-src cdn.suoke.life\r\nX-FRAME-OPTIONS: SAMEORIGIN\r\n");
    s.client() >> response(200, "all")
                      .with("content-security-policy", "default-src cdn.suoke.life")
                      .with("x-frame-options", "SAMEORIGIN")
                      .with("x-content-type-options", "nosniff");
}

TEST(SecurityHeaders, the_operator_has_the_last_word) {
    Scene s(with("headers_enabled: true, csp_enabled: true, headers: {x-frame-options: SAMEORIGIN, Referrer-Policy: '', X-Powered-By: '', "
                 "Cross-Origin-Opener-Policy: same-origin, Server: suoke}"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users")
                               << ok("all", "x-frame-options: ALLOW\r\nreferrer-policy: origin\r\nx-powered-by: PHP\r\nserver: uvicorn\r\n"
                                            "cross-origin-opener-policy: unsafe-none\r\n");
    s.client() >> response(200, "all")
                      .with("x-frame-options", "SAMEORIGIN")
                      .with("cross-origin-opener-policy", "same-origin")
                      .with("server", "suoke")
                      .without("referrer-policy")
                      .without("x-powered-by");
}

TEST(SecurityHeaders, hsts_is_for_clients_that_spoke_tls_with_us_or_a_trusted_proxy) {
    Scene s(with("headers_enabled: true, hsts_enabled: true", "server: {trusted_proxies: [192.0.2.9]}\n"));
    s.client() << get("/nowhere", "x-forwarded-proto: https\r\n");
    s.client() >> response(404).without("strict-transport-security");
    s.comes_from("192.0.2.9");
    s.client("proxy") << get("/nowhere", "x-forwarded-proto: https\r\n");
    s.client("proxy") >> response(404).with("strict-transport-security", "max-age=31536000; includeSubDomains; preload");
    s.client("proxy") << get("/nowhere", "x-forwarded-proto: http\r\n");
    s.client("proxy") >> response(404).without("strict-transport-security");
}

TEST(SecurityHeaders, what_a_route_makes_of_the_scheme_is_for_its_service_alone) {
    Scene s(one_service("users", {.route = "request_headers: {set: {X-Forwarded-Proto: https}}",
                                  .rest = "security: {headers_enabled: true, hsts_enabled: true}\nserver: {trusted_proxies: [192.0.2.9]}\n"}));
    s.comes_from("192.0.2.9");
    s.client() << get("/users", "x-forwarded-proto: http\r\n");
    s.upstream("users") >> request("GET", "/users").with("x-forwarded-proto", "https") << ok("all");
    s.client() >> response(200, "all").without("strict-transport-security");
}

TEST(SecurityHeaders, nobody_says_hsts_in_the_clear) {
    for (const char* said : {"hsts_enabled: true", "headers: {strict-transport-security: max-age=7}"}) {
        Scene s(with("headers_enabled: true, " + std::string(said), "server: {trusted_proxies: [192.0.2.9]}\n"));
        s.client() << get("/users");
        s.upstream("users") >> request("GET", "/users") << ok("all", "strict-transport-security: max-age=5\r\n");
        s.client() >> response(200, "all").without("strict-transport-security");
        bool operators = std::string_view(said).starts_with("headers");
        s.comes_from("192.0.2.9");
        s.client("proxy") << get("/users", "x-forwarded-proto: https\r\n");
        s.upstream("users") >> request("GET", "/users") << ok("all", "strict-transport-security: max-age=5\r\n");
        s.client("proxy") >> response(200, "all").with("strict-transport-security", operators ? "max-age=7" : "max-age=5");
    }
}

TEST(SecurityHeaders, hsts_says_what_the_operator_says) {
    Scene s(with("headers_enabled: true, hsts_enabled: true, hsts_max_age: 300, hsts_include_subdomains: false, hsts_preload: false",
                 "server: {trusted_proxies: [192.0.2.1]}\n"));
    s.client() << get("/nowhere", "x-forwarded-proto: https\r\n");
    s.client() >> response(404).with("strict-transport-security", "max-age=300");
}

}  // namespace
}  // namespace suoke::scene
