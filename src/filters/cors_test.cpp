// SPDX-License-Identifier: MIT
// What browsers are told of pages of other origins, as a browser sees it.
#include <gtest/gtest.h>

#include "testing/scene.h"

namespace suoke::scene {
namespace {

const std::string kApp = "origin: https://app.suoke.life\r\n";
const std::string kEvil = "origin: https://evil.com\r\n";
const std::string kCors = "cors: {allow_origins: ['https://app.suoke.life', 'https://*.suoke.dev']}\n";

std::string preflight(const std::string& target, const std::string& method, const std::string& fields = kApp) {
    return "OPTIONS " + target + " HTTP/1.1\r\nhost: api\r\naccess-control-request-method: " + method + "\r\n" + fields + "\r\n";
}

TEST(Cors, answers_a_preflight_itself_whatever_methods_the_route_lists) {
    Scene s(one_service("users", {.route = "methods: [GET, DELETE]", .rest = kCors}));
    s.client() << preflight("/users/7", "DELETE", kApp + "access-control-request-headers: authorization\r\n");
    s.client() >> response(204, "")
                      .with("access-control-allow-origin", "https://app.suoke.life")
                      .with("access-control-allow-methods", "GET, DELETE, HEAD")
                      .with("access-control-allow-headers", "Authorization, Content-Type, Accept, X-Request-ID, X-Client-Version, X-Platform, "
                                                            "X-Device-ID, Last-Event-ID, Idempotency-Key")
                      .with("access-control-max-age", "600")
                      .with("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
                      .without("access-control-allow-credentials");
    EXPECT_EQ(s.upstream("users").dials(), 0u);
}

TEST(Cors, a_page_that_may_not_ask_is_told_so) {
    Scene s(one_service("users", {.rest = kCors}));
    s.client() << preflight("/users", "PUT", kEvil);
    s.client() >> response(403)
                      .saying("cors.allow_origins")
                      .without("access-control-allow-origin")
                      .without("access-control-allow-methods")
                      .with("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    s.client() << preflight("/users", "PUT", kApp + kEvil);  // two origins are none
    s.client() >> response(403).without("access-control-allow-origin");
    EXPECT_EQ(s.upstream("users").dials(), 0u);
}

TEST(Cors, lets_known_pages_read_answers_and_replaces_what_the_service_says) {
    Scene s(one_service("users", {.rest = kCors}));
    s.client() << get("/users", "origin: https://a.b.suoke.dev\r\n");
    s.upstream("users") >> request("GET", "/users").with("origin", "https://a.b.suoke.dev")
                               << ok("all", "access-control-allow-origin: *\r\naccess-control-allow-credentials: true\r\n"
                                            "Access-Control-Expose-Headers: x-secret\r\n");
    s.client() >> response(200, "all")
                      .with("access-control-allow-origin", "https://a.b.suoke.dev")
                      .with("access-control-expose-headers", "X-Request-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, "
                                                             "RateLimit, RateLimit-Policy, Retry-After, X-Trace-ID, X-Response-Time, X-Cache")
                      .with("vary", "Origin")
                      .without("access-control-allow-credentials");
}

TEST(Cors, what_a_route_makes_of_origin_is_for_its_service_alone) {
    for (const char* edit : {"remove: [Origin]", "set: {Origin: 'https://evil.com'}"}) {
        Scene s(one_service("users", {.route = "request_headers: {" + std::string(edit) + "}", .rest = kCors}));
        s.client() << get("/users", kApp);
        s.upstream("users") >> request("GET", "/users") << ok("all");
        s.client() >> response(200, "all").with("access-control-allow-origin", "https://app.suoke.life");
    }
    Scene s(one_service("users", {.route = "request_headers: {set: {Origin: 'https://app.suoke.life'}}", .rest = kCors}));
    s.client() << get("/users", kEvil);
    s.upstream("users") >> request("GET", "/users").with("origin", "https://app.suoke.life") << ok("all");
    s.client() >> response(200, "all").without("access-control-allow-origin");
}

TEST(Cors, other_pages_and_whoever_is_none_learn_nothing_but_that_it_depends) {
    Scene s(one_service("users", {.rest = kCors}));
    for (const std::string& fields : {std::string(), kEvil, std::string("origin: null\r\n")}) {
        s.client() << get("/users", fields);
        s.upstream("users") >> request("GET", "/users") << ok("all", "access-control-allow-origin: *\r\n");
        s.client() >> response(200, "all").without("access-control-allow-origin").without("access-control-expose-headers").with("vary", "Origin");
    }
}

TEST(Cors, a_vary_that_names_the_origin_is_not_said_twice) {
    Scene s(one_service("users", {.rest = kCors}));
    s.client() << get("/users", kApp);
    s.upstream("users") >> request("GET", "/users") << ok("1", "vary: Accept-Encoding, origin\r\n");
    s.client() >> response(200, "1").with("vary", "Accept-Encoding, origin");
    s.client() << get("/users", kApp);
    s.upstream("users") >> request("GET", "/users") << ok("2", "vary: Accept-Encoding\r\n");
    EXPECT_EQ(s.client().take_response().count("vary"), 2u);
}

TEST(Cors, errors_can_be_read_too) {
    Scene s(one_service("users", {.route = "max_request_size: 2", .rest = kCors}));
    s.client() << get("/nowhere", kApp);
    s.client() >> response(404).with("access-control-allow-origin", "https://app.suoke.life");
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ncontent-length: 3\r\n" + kApp + "\r\n";
    s.client() >> response(413).with("access-control-allow-origin", "https://app.suoke.life");
    s.upstream("users").refuses();
    s.client("2") << get("/users", kApp);
    s.client("2") >> response(503).with("access-control-allow-origin", "https://app.suoke.life");
}

TEST(Cors, is_off_as_long_as_no_origin_is_named) {
    Scene s(one_service("users"));
    s.client() << preflight("/users", "PUT");
    s.upstream("users") >> request("OPTIONS", "/users") << answer(204, "", "access-control-allow-origin: *\r\n");
    s.client() >> response(204, "").with("access-control-allow-origin", "*").without("vary");
}

TEST(Cors, a_route_says_it_for_itself) {
    Scene s(one_service("users", {.route = "cors: {allow_origins: ['https://shop.suoke.life'], max_age: 1h, allow_headers: [X-Cart, accept], "
                                           "expose_headers: [X-Total], allow_methods: [PUT], allow_credentials: true}",
                                  .rest = kCors}));
    s.client() << preflight("/users", "PUT", "origin: https://shop.suoke.life\r\n");
    s.client() >> response(204, "")
                      .with("access-control-allow-origin", "https://shop.suoke.life")
                      .with("access-control-allow-credentials", "true")
                      .with("access-control-allow-methods", "PUT")
                      .with("access-control-allow-headers", "Authorization, Content-Type, Accept, X-Request-ID, X-Client-Version, X-Platform, "
                                                            "X-Device-ID, Last-Event-ID, Idempotency-Key, X-Cart")
                      .with("access-control-max-age", "3600");
    s.client() << preflight("/users", "PUT");
    s.client() >> response(403);
    s.client() << preflight("/nowhere", "PUT");  // the section counts where no route does
    s.client() >> response(204, "").with("access-control-allow-origin", "https://app.suoke.life");
}

TEST(Cors, the_route_of_the_announced_call_answers_its_preflight) {
    Scene s("services: {u: {endpoints: [{host: 10.0.0.1, port: 80}]}}\n"
            "routes:\n"
            "  - {name: read, path: /u, service: u, methods: [GET], cors: {allow_origins: ['*']}}\n"
            "  - {name: write, path: /u, service: u, methods: [PUT], cors: {allow_origins: ['https://app.suoke.life'], allow_credentials: true}}\n");
    s.client() << preflight("/u", "PUT", kEvil);
    s.client() >> response(403).without("access-control-allow-origin");
    s.client() << preflight("/u", "PUT");
    s.client() >> response(204, "").with("access-control-allow-origin", "https://app.suoke.life").with("access-control-allow-methods", "PUT");
    s.client() << preflight("/u", "GET", kEvil);
    s.client() >> response(204, "").with("access-control-allow-origin", "*").with("access-control-allow-methods", "GET, HEAD");
}

TEST(Cors, options_that_ask_for_nobody_else_go_where_the_route_takes_them) {
    Scene s("services: {u: {endpoints: [{host: 10.0.0.1, port: 80}]}}\n"
            "routes:\n"
            "  - {name: any, path: /any, service: u}\n"
            "  - {name: some, path: /some, service: u, methods: [GET, PUT]}\n" + kCors);
    s.client() << "OPTIONS /some HTTP/1.1\r\nhost: api\r\n\r\n";
    s.client() >> response(405).with("allow", "GET, PUT");
    s.client() << "OPTIONS /any HTTP/1.1\r\nhost: api\r\n" + kApp + "\r\n";
    s.upstream("u") >> request("OPTIONS", "/any") << answer(204, "", "allow: GET\r\n");
    s.client() >> response(204, "").with("allow", "GET").with("access-control-allow-origin", "https://app.suoke.life");
}

TEST(Cors, a_star_is_the_same_for_everybody) {
    Scene s(one_service("users", {.rest = "cors: {allow_origins: '*', allow_headers: '*', allow_methods: '*', expose_headers: '*'}\n"}));
    s.client() << get("/users", kEvil);
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client() >> response(200, "all").with("access-control-allow-origin", "*").with("access-control-expose-headers", "*").without("vary");
    s.client() << preflight("/users", "LOCK", kEvil + "access-control-request-headers: authorization, x-any\r\n");
    s.client() >> response(204, "")
                      .with("access-control-allow-origin", "*")
                      .with("access-control-allow-methods", "LOCK")
                      .with("access-control-allow-headers", "authorization, x-any");
    s.client() << preflight("/users", "<b>", kEvil + "access-control-request-headers: <script>\r\n");
    Message answer = s.client().take_response();
    EXPECT_EQ(answer.field("access-control-allow-methods").value_or("").find('<'), std::string::npos);
    EXPECT_EQ(answer.field("access-control-allow-headers").value_or("").find('<'), std::string::npos);
}

TEST(Cors, credentials_are_for_named_origins) {
    Scene s(one_service("users", {.rest = "cors: {allow_origins: ['https://app.suoke.life'], allow_credentials: true}\n"}));
    s.client() << get("/users", kApp);
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client() >> response(200, "all").with("access-control-allow-origin", "https://app.suoke.life").with("access-control-allow-credentials", "true");
    s.client() << get("/users", kEvil);
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client() >> response(200, "all").without("access-control-allow-origin").without("access-control-allow-credentials");
}

}  // namespace
}  // namespace suoke::scene
