// SPDX-License-Identifier: MIT
#include "testing/scene.h"

namespace suoke::scene {
namespace {

const std::string kHead = "GET /users/7 HTTP/1.1\r\nhost: api\r\n\r\n";

TEST(Forward, brings_the_request_to_the_service_and_the_answer_back) {
    Scene s(one_service("users"));
    s.client() << kHead;
    s.upstream("users") >> request("GET", "/users/7").with("host", "10.0.0.1:80") << ok("seven");
    s.client() >> response(200, "seven");
}

TEST(Forward, uses_the_connection_again_for_the_next_request) {
    Scene s(one_service("users"));
    for (const char* name : {"one", "two", "three"}) {
        s.client() << get(std::string("/users/") + name);
        s.upstream("users") >> request("GET", std::string("/users/") + name) << ok(name);
        s.client() >> response(200, name);
    }
    EXPECT_EQ(s.upstream("users").dials(), 1u);
}

// ---- the retry rule

TEST(Forward, retries_once_when_a_reused_connection_was_already_dead) {
    Scene s(one_service("users"));
    s.upstream("users").keeps_one_idle_connection();
    s.client() << kHead;
    s.upstream("users") >> request("GET", "/users/7") << reset;
    s.upstream("users") >> request("GET", "/users/7") << ok("seven");
    s.client() >> response(200, "seven");
    EXPECT_EQ(s.upstream("users").dials(), 2u);
}

TEST(Forward, retries_once_and_not_twice) {
    Scene s(one_service("users"));
    s.upstream("users").keeps_one_idle_connection();
    s.client() << kHead;
    s.upstream("users") >> request("GET", "/users/7") << reset;
    s.upstream("users") >> request("GET", "/users/7") << reset;
    s.client() >> response(502).saying("upstream_reset");
}

TEST(Forward, does_not_retry_on_a_fresh_connection) {
    Scene s(one_service("users"));
    s.client() << kHead;
    s.upstream("users") >> request("GET", "/users/7") << hang_up;
    s.client() >> response(502).saying("upstream_reset");
    EXPECT_EQ(s.upstream("users").dials(), 1u);
}

TEST(Forward, does_not_repeat_a_post_that_may_have_been_carried_out) {
    Scene s(one_service("users"));
    s.upstream("users").keeps_one_idle_connection();
    s.client() << post("/users", "ada");
    s.upstream("users") >> request("POST", "/users", "ada") << reset;
    s.client() >> response(502).saying("upstream_reset");
    EXPECT_EQ(s.upstream("users").dials(), 1u);
}

TEST(Forward, an_idle_connection_that_ended_is_not_used) {
    Scene s(one_service("users"));
    s.upstream("users").keeps_one_idle_connection();
    s.upstream("users").connection(0) << hang_up;
    s.client() << post("/users", "ada");
    s.upstream("users") >> request("POST", "/users", "ada") << ok("hello ada");
    s.client() >> response(200, "hello ada");
    EXPECT_EQ(s.upstream("users").dials(), 2u);
}

TEST(Forward, does_not_repeat_what_has_been_answered_in_part) {
    Scene s(one_service("users"));
    s.upstream("users").keeps_one_idle_connection();
    s.client() << kHead;
    s.upstream("users") >> request("GET", "/users/7") << "HTTP/1.1 200 OK\r\ncont" << hang_up;
    s.client() >> response(502).saying("upstream_truncated");
    EXPECT_EQ(s.upstream("users").dials(), 1u);
}

// ---- what the upstream does

TEST(Forward, says_503_when_the_endpoint_refuses) {
    Scene s(one_service("users"));
    s.upstream("users").refuses();
    s.client() << kHead;
    s.client() >> response(503).saying("connect_failed").with("retry-after", "1");
}

TEST(Forward, says_504_when_connecting_takes_too_long) {
    Scene s(one_service("users", {.service = "connect_timeout: 2s"}));
    s.upstream("users").does_not_answer();
    s.client() << kHead;
    s.after(1900ms);
    s.client() >> silence();
    s.after(200ms);
    s.client() >> response(504).saying("connect_timeout");
}

TEST(Forward, leaves_the_upstream_at_once_when_the_client_leaves) {
    Scene s(one_service("users"));
    s.client() << kHead;
    Peer& upstream = s.upstream("users") >> request("GET", "/users/7");
    s.client() << hang_up;
    EXPECT_TRUE(upstream.ended());
    EXPECT_EQ(s.counted(Code::client_gone), 1u);
    EXPECT_EQ(s.counted_status(499), 1u);
}

TEST(Forward, an_upload_that_was_begun_is_repeated_where_its_bytes_were_kept) {
    Scene s(one_service("users"));
    s.upstream("users").keeps_one_idle_connection();
    s.client() << "PUT /users HTTP/1.1\r\nhost: api\r\ncontent-length: 6\r\n\r\none";
    s.upstream("users") >> request("PUT", "/users").head_only() >> bytes("one") << reset;
    s.client() << "two";
    s.upstream("users") >> request("PUT", "/users", "onetwo") << ok("both");
    s.client() >> response(200, "both");
}

TEST(Forward, an_upload_that_was_begun_is_not_repeated_without_retries) {
    Scene s(one_service("users", {.route = "retry: 0"}));
    s.upstream("users").keeps_one_idle_connection();
    s.client() << "PUT /users HTTP/1.1\r\nhost: api\r\ncontent-length: 6\r\n\r\none";
    s.upstream("users") >> request("PUT", "/users").head_only() >> bytes("one") << reset;
    s.client() >> response(502).saying("upstream_reset");
    EXPECT_EQ(s.upstream("users").dials(), 1u);
}

// ---- where it goes

std::string two_endpoints(const std::string& weight_of_first) {
    return "services: {users: {endpoints: [{host: 10.0.0.1, port: 80, weight: " + weight_of_first +
           "}, {host: 10.0.0.2, port: 80}]}}\n"
           "routes: [{name: users, prefix: /users, service: users, strip_prefix: false}]\n";
}

// How many of `requests` went to the first endpoint.
int share_of_first(Scene& s, int requests) {
    int first = 0;
    for (int i = 0; i < requests; ++i) {
        s.client() << get("/users");
        Peer& upstream = s.upstream("users") >> request("GET", "/users");
        first += upstream.name() == "10.0.0.1:80";
        upstream << ok("x");
        s.client() >> response(200, "x");
    }
    return first;
}

TEST(Forward, visits_the_endpoints_in_turn) {
    Scene s(two_endpoints("1"));
    EXPECT_EQ(share_of_first(s, 10), 5);
}

TEST(Forward, visits_them_by_their_weight) {
    Scene s(two_endpoints("3"));
    EXPECT_EQ(share_of_first(s, 40), 30);
}

TEST(Forward, an_endpoint_of_weight_zero_gets_nothing) {
    Scene s(two_endpoints("0"));
    EXPECT_EQ(share_of_first(s, 6), 0);
}

TEST(Forward, those_who_wait_for_a_connection_get_it_in_their_order) {
    Scene s(
        one_service("users", {.rest = "performance: {connection_pool: {max_connections: 1}}\n"}));
    for (const char* name : {"1", "2", "3"}) s.client(name) << get(std::string("/users/") + name);
    for (const char* name : {"1", "2", "3"}) {
        s.upstream("users") >> request("GET", std::string("/users/") + name) << ok(name);
        s.client(name) >> response(200, name);
    }
    EXPECT_EQ(s.upstream("users").dials(), 1u);
}

TEST(Forward, one_that_leaves_while_it_waits_does_not_hold_up_the_next) {
    Scene s(
        one_service("users", {.rest = "performance: {connection_pool: {max_connections: 1}}\n"}));
    for (const char* name : {"1", "2", "3"}) s.client(name) << get(std::string("/users/") + name);
    s.client("2") << hang_up;
    s.upstream("users") >> request("GET", "/users/1") << ok("1");
    s.client("1") >> response(200, "1");
    s.upstream("users") >> request("GET", "/users/3") << ok("3");
    s.client("3") >> response(200, "3");
}

// ---- what it is asked

TEST(Forward, puts_the_services_prefix_where_the_routes_was) {
    Scene s(
        "services: {users: {endpoints: [{host: 10.0.0.1, port: 80}], upstream_prefix: /v1}}\n"
        "routes: [{name: users, prefix: /api/users, service: users, host_header: "
        "users.internal}]\n");
    s.client() << get("/api/users/7/../8?q=a%20b");
    s.upstream("users") >> request("GET", "/v1/8?q=a%20b").with("host", "users.internal")
                               << ok("eight");
    s.client() >> response(200, "eight");
    s.client() << get("/api/users");
    s.upstream("users") >> request("GET", "/v1") << ok("all");
    s.client() >> response(200, "all");
}

TEST(Forward, keeps_the_clients_host_when_told_to) {
    Scene s(one_service("users", {.route = "host_header: preserve"}));
    s.client() << "GET /users HTTP/1.1\r\nhost: shop.example:8443\r\n\r\n";
    s.upstream("users") >> request("GET", "/users").with("host", "shop.example:8443") << ok("all");
    s.client() >> response(200, "all");
}

TEST(Forward, says_how_long_an_empty_post_is) {
    Scene s(one_service("users"));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\n\r\n";
    s.upstream("users") >> request("POST", "/users").with("content-length", "0") << ok("x");
    s.client() >> response(200, "x");
}

// ---- clients that close their side

TEST(Forward, a_client_that_closes_its_side_has_left) {
    Scene s(one_service("users"));
    s.client() << kHead;
    Peer& upstream = s.upstream("users") >> request("GET", "/users/7");
    s.client() << half_close;
    EXPECT_TRUE(upstream.ended());
    EXPECT_TRUE(s.client().ended());
    EXPECT_EQ(s.counted(Code::client_gone), 1u);
}

}  // namespace
}  // namespace suoke::scene
