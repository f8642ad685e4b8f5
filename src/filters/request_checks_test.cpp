// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "filters/filters.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

std::string checking(const std::string& keys, const std::string& rest = "") {
    return one_service("users", {.rest = "security: {" + keys + "}\n" + rest});
}

void passes(Scene& s, const std::string& request_text, const std::string& method, const std::string& body = "") {
    s.client() << request_text;
    s.upstream("users") >> request(method, "/users", body) << ok("fine");
    s.client() >> response(200, "fine");
}

TEST(ContentTypeCheck, a_body_says_what_it_is) {
    Scene s(checking("validate_content_type: true"));
    passes(s, post("/users", "{}", "content-type: application/json; charset=utf-8\r\n"), "POST", "{}");
    passes(s, post("/users", ""), "POST");
    passes(s, get("/users"), "GET");
    passes(s, "DELETE /users HTTP/1.1\r\nhost: api\r\ncontent-length: 1\r\n\r\nx", "DELETE", "x");
    int n = 0;
    for (const char* fields : {"", "content-type: json\r\n", "content-type: /json\r\n", "content-type: application/\r\n", "content-type: a b/c\r\n",
                               "content-type: text/plain\r\ncontent-type: text/html\r\n"}) {
        std::string name = std::to_string(++n);  // a refused body ends its connection
        s.client(name) << post("/users", "{}", fields);
        s.client(name) >> response(415).saying("unsupported_media");
    }
    s.client("chunked") << "PUT /users HTTP/1.1\r\nhost: api\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("x");
    s.client("chunked") >> response(415);
}

TEST(UserAgentCheck, somebody_says_what_he_is) {
    Scene s(checking("validate_user_agent: true"));
    passes(s, get("/users", "user-agent: SuokeApp/1.0\r\n"), "GET");
    for (const char* fields : {"", "user-agent:\r\n", "user-agent:   \r\n"}) {
        s.client() << get("/users", fields);
        s.client() >> response(400).saying("User-Agent");
    }
    config::Config config;
    config.security.checks.user_agent = true;
    config::Route health;
    health.path = "/health";
    EXPECT_FALSE(filters::request_checks(config, health));  // probes often have none
}

constexpr const char* kCookie = "cookie: session=1\r\n";

TEST(Csrf, another_origins_page_changes_nothing_with_a_cookie) {
    Scene s(checking("enable_csrf_protection: true"));
    int n = 0;
    for (const char* fields : {"origin: https://evil.com\r\n", "origin: null\r\n", "origin: http://api.evil.com\r\n", "origin: http://api:8080\r\n",
                               "sec-fetch-site: cross-site\r\n", "sec-fetch-site: same-site\r\norigin: http://api\r\n",
                               "origin: http://api\r\norigin: https://evil.com\r\n"}) {
        std::string name = std::to_string(++n);
        s.client(name) << post("/users", "", std::string(kCookie) + fields);
        s.client(name) >> response(403).saying("forbidden");
    }
    s.client("basic") << post("/users", "", "authorization: Basic YTpi\r\norigin: https://evil.com\r\n");
    s.client("basic") >> response(403);
}

TEST(Csrf, its_own_pages_and_whoever_is_no_browser_may) {
    Scene s(checking("enable_csrf_protection: true"));
    for (const char* fields : {"", "origin: http://api\r\n", "origin: https://API\r\n", "sec-fetch-site: same-origin\r\n", "sec-fetch-site: none\r\n"})
        passes(s, post("/users", "", std::string(kCookie) + fields), "POST");
    passes(s, get("/users", std::string(kCookie) + "origin: https://evil.com\r\n"), "GET");
    passes(s, post("/users", "", "authorization: Bearer t\r\norigin: https://evil.com\r\n"), "POST");  // no browser adds that by itself
}

TEST(Csrf, the_ports_that_browsers_leave_out_are_no_difference) {
    Scene s(checking("enable_csrf_protection: true"));
    passes(s, "PUT /users HTTP/1.1\r\nhost: api:80\r\ncookie: a=b\r\norigin: http://api\r\ncontent-length: 0\r\n\r\n", "PUT");
    s.client() << "PUT /users HTTP/1.1\r\nhost: api:443\r\ncookie: a=b\r\norigin: http://api\r\ncontent-length: 0\r\n\r\n";
    s.client() >> response(403);
}

TEST(Csrf, named_origins_are_trusted_and_a_star_is_not) {
    Scene named(checking("enable_csrf_protection: true", "cors: {allow_origins: ['https://app.suoke.life'], allow_credentials: true}\n"));
    passes(named, post("/users", "", std::string(kCookie) + "origin: https://app.suoke.life\r\nsec-fetch-site: cross-site\r\n"), "POST");
    Scene any(checking("enable_csrf_protection: true", "cors: {allow_origins: ['*']}\n"));
    any.client() << post("/users", "", std::string(kCookie) + "origin: https://app.suoke.life\r\n");
    any.client() >> response(403).with("access-control-allow-origin", "*");
}

TEST(Csrf, a_websocket_is_as_good_as_a_change) {
    Scene s(checking("enable_csrf_protection: true"));
    s.client() << "GET /users HTTP/1.1\r\nhost: api\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
                  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\ncookie: a=b\r\norigin: https://evil.com\r\n\r\n";
    s.client() >> response(403).saying("another origin");
}

}  // namespace
}  // namespace suoke::scene
