// SPDX-License-Identifier: MIT
// Each filter as a client and a service see it.
#include <gtest/gtest.h>

#include "testing/scene.h"

namespace suoke::scene {
namespace {

std::string behind_proxies(const std::string& networks) {
    return "server: {trusted_proxies: [" + networks + "]}\n";
}

TEST(HopByHop, removes_the_fields_of_one_hop_and_what_connection_names) {
    Scene s(one_service("users"));
    s.client() << get("/users",
                      "connection: keep-alive, x-secret\r\nkeep-alive: 5\r\nx-secret: 1\r\nte: "
                      "trailers\r\nx-kept: 1\r\n");
    s.upstream("users") >>
        request("GET", "/users")
                .without("connection")
                .without("keep-alive")
                .without("x-secret")
                .without("te")
                .with("x-kept", "1")
            << ok("all",
                  "connection: x-hop\r\nx-hop: 1\r\nx-end: 1\r\nproxy-authenticate: Basic\r\n");
    s.client() >> response(200, "all").without("connection").without("x-hop").with("x-end", "1");
}

TEST(HopByHop, connection_cannot_name_what_we_add) {
    Scene s(one_service("users"));
    s.client() << get("/users",
                      "connection: x-forwarded-for, x-real-ip, x-request-id, x-gateway-service, "
                      "via, forwarded\r\n");
    s.upstream("users") >> request("GET", "/users")
                                   .with("x-forwarded-for", "192.0.2.1")
                                   .with("x-real-ip", "192.0.2.1")
                                   .having("x-request-id")
                                   .with("x-gateway-service", "users")
                                   .having("via")
                                   .having("forwarded")
                               << ok("all");
    s.client() >> response(200, "all");
}

TEST(RequestId, makes_one_and_tells_both_sides) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users").having("x-request-id") << ok("all");
    Message answer = s.client().take_response();
    auto id = answer.field("x-request-id");
    ASSERT_TRUE(id);
    ASSERT_EQ(id->size(), 36u);
    EXPECT_EQ((*id)[14], '4');
    EXPECT_NE(std::string("89ab").find((*id)[19]), std::string::npos);
}

TEST(RequestId, keeps_a_sane_one_and_replaces_the_others) {
    Scene s(one_service("users"));
    s.client() << get("/users", "x-request-id: abc-1\r\n");
    s.upstream("users") >> request("GET", "/users").with("x-request-id", "abc-1")
                               << ok("1", "x-request-id: upstreams\r\n");
    s.client() >> response(200, "1").with("x-request-id", "abc-1");
    for (const std::string& bad :
         {std::string("a b"), std::string("<script>"), std::string(129, 'a')}) {
        s.client() << get("/users", "x-request-id: " + bad + "\r\n");
        s.upstream("users") >> request("GET", "/users").having("x-request-id") << ok("2");
        Message answer = s.client().take_response();
        EXPECT_EQ(answer.field("x-request-id").value_or("").size(), 36u) << bad;
    }
    s.client() << get("/users", "x-request-id: one\r\nx-request-id: two\r\n");
    s.upstream("users") >> request("GET", "/users").having("x-request-id") << ok("3");
    EXPECT_EQ(s.client().take_response().field("x-request-id").value_or("").size(), 36u);
}

TEST(ClientAddress, what_an_untrusted_peer_says_is_thrown_away) {
    Scene s(one_service("users"));
    s.client() << get(
        "/users",
        "x-forwarded-for: 1.2.3.4\r\nx-forwarded-proto: https\r\nx-forwarded-host: evil\r\n"
        "forwarded: for=1.2.3.4\r\nx-real-ip: 1.2.3.4\r\nx-forwarded-port: 1\r\n");
    s.upstream("users") >> request("GET", "/users")
                                   .with("x-forwarded-for", "192.0.2.1")
                                   .with("x-real-ip", "192.0.2.1")
                                   .with("x-forwarded-proto", "http")
                                   .with("x-forwarded-host", "api")
                                   .without("x-forwarded-port")
                                   .with("forwarded", "for=192.0.2.1;host=\"api\";proto=http")
                               << ok("all");
    s.client() >> response(200, "all");
}

TEST(ClientAddress, behind_trusted_proxies_the_last_untrusted_hop_is_the_client) {
    Scene s(one_service("users", {.rest = behind_proxies("192.0.2.0/24, 10.0.0.0/8")}));
    s.client() << get(
        "/users",
        "x-forwarded-for: 6.6.6.6, 203.0.113.9, 10.1.1.1\r\nx-forwarded-proto: https\r\n");
    s.upstream("users") >>
        request("GET", "/users")
                .with("x-forwarded-for", "6.6.6.6, 203.0.113.9, 10.1.1.1, 192.0.2.1")
                .with("x-real-ip", "203.0.113.9")
                .with("x-forwarded-proto", "https")
            << ok("all");
    s.client() >> response(200, "all");
}

TEST(ClientAddress, several_x_forwarded_for_fields_are_one_list) {
    Scene s(one_service("users", {.rest = behind_proxies("192.0.2.0/24")}));
    s.client() << get("/users", "x-forwarded-for: 6.6.6.6\r\nx-forwarded-for: 203.0.113.9\r\n"
                                "forwarded: for=6.6.6.6\r\nforwarded: for=203.0.113.9\r\n");
    s.upstream("users") >> request("GET", "/users")
                                   .with("x-forwarded-for", "6.6.6.6, 203.0.113.9, 192.0.2.1")
                                   .with("x-real-ip", "203.0.113.9")
                               << ok("all");
    s.client() >> response(200, "all");
}

TEST(ClientAddress, an_ipv6_peer_is_quoted_in_forwarded) {
    Scene s(one_service("users"));
    s.comes_from("2001:db8::7");
    s.client() << get("/users");
    s.upstream("users") >>
        request("GET", "/users")
                .with("x-forwarded-for", "2001:db8::7")
                .with("forwarded", "for=\"[2001:db8::7]\";host=\"api\";proto=http")
            << ok("all");
    s.client() >> response(200, "all");
}

TEST(StripIdentity, nobody_says_who_they_are) {
    Scene s(one_service("users"));
    s.client() << get(
        "/users",
        "x-user-id: admin\r\nX-User_Role: root\r\nx_user_id: admin\r\nx-auth-scopes: all\r\n"
        "x-gateway-service: other\r\nx-consumer-name: me\r\nx-usual: 1\r\n");
    s.upstream("users") >> request("GET", "/users")
                                   .without("x-user-id")
                                   .without("x-user_role")
                                   .without("x_user_id")
                                   .without("x-auth-scopes")
                                   .without("x-consumer-name")
                                   .with("x-gateway-service", "users")
                                   .with("x-usual", "1")
                               << ok("all");
    s.client() >> response(200, "all");
}

TEST(QueryLimit, refuses_one_parameter_too_many) {
    Scene s(one_service("users", {.rest = "security: {max_query_params: 3}\n"}));
    s.client() << get("/users?a=1&b=2&c=3");
    s.upstream("users") >> request("GET", "/users?a=1&b=2&c=3") << ok("all");
    s.client() >> response(200, "all");
    s.client() << get("/users?a=1&b=2&c=3&d=4");
    s.client() >> response(400).saying("too_many_query_params");
}

TEST(BodyLimit, refuses_by_the_announced_length_before_anything_is_sent) {
    Scene s(one_service("users", {.route = "max_request_size: 10"}));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ncontent-length: 11\r\n\r\n";
    s.client() >> response(413).saying("body_too_large").with("connection", "close");
    EXPECT_EQ(s.upstream("users").dials(), 0u);
}

TEST(BodyLimit, lets_exactly_as_much_through) {
    Scene s(one_service("users", {.route = "max_request_size: 10"}));
    s.client() << post("/users", "0123456789");
    s.upstream("users") >> request("POST", "/users", "0123456789") << ok("1");
    s.client() >> response(200, "1");
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ntransfer-encoding: chunked\r\n\r\n" +
                      chunk("01234") + chunk("56789") + "0\r\n\r\n";
    s.upstream("users") >> request("POST", "/users", "0123456789") << ok("2");
    s.client() >> response(200, "2");
}

TEST(BodyLimit, stops_a_chunked_body_that_grows_beyond_it) {
    Scene s(one_service("users", {.route = "max_request_size: 10"}));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ntransfer-encoding: chunked\r\n\r\n" +
                      chunk("01234");
    Peer& upstream =
        s.upstream("users") >> request("POST", "/users").head_only() >> bytes(chunk("01234"));
    s.client() << chunk("567890");
    s.client() >> response(413).saying("body_too_large").with("connection", "close");
    EXPECT_TRUE(upstream.ended());
}

TEST(GatewayHeaders, say_who_answered_and_replace_what_the_service_says) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    s.after(1s);
    upstream << ok("all", "x-gateway-service: liar\r\nx-response-time: 9\r\n");
    s.client() >> response(200, "all")
                      .with("x-gateway-service", "users")
                      .with("x-gateway-instance", "10.0.0.1:80")
                      .with("x-proxy-service", "users")
                      .with("x-proxy-by", "SuokeLife-API-Gateway")
                      .with("x-gateway-duration", "1.0000")
                      .with("x-response-time", "1.0000");
}

TEST(EditHeaders, removes_sets_and_adds_on_both_ways) {
    Scene s(one_service(
        "users",
        {.route = "request_headers: {set: {x-a: ours}, add: {x-b: more}, remove: [x-c]}, "
                  "response_headers: {set: {cache-control: no-store}, remove: [server]}"}));
    s.client() << get("/users", "x-a: theirs\r\nx-c: gone\r\n");
    s.upstream("users") >>
        request("GET", "/users").with("x-a", "ours").with("x-b", "more").without("x-c")
            << ok("all", "server: secret\r\ncache-control: public\r\n");
    s.client() >> response(200, "all").with("cache-control", "no-store").without("server");
}

TEST(Answers, a_redirect_fills_in_parameters) {
    Scene s(
        "routes:\n  - {name: old, path: '/old/{id}', redirect: {to: '/new/{id}', status: 308}}\n");
    s.client() << get("/old/7");
    s.client() >> response(308, "").with("location", "/new/7");
}

TEST(Answers, a_fixed_response_is_given_as_written) {
    Scene s(
        "routes:\n  - {name: teapot, prefix: /tea, respond: {status: 418, body: short, "
        "content_type: text/plain}}\n");
    s.client() << get("/tea/now");
    s.client() >> response(418, "short").with("content-type", "text/plain");
}

TEST(Answers, an_error_is_a_superset_of_what_the_predecessors_clients_read) {
    Scene s(one_service("users"));
    s.client() << get("/nothing/here", "x-request-id: r-1\r\n");
    s.client() >> response(404)
                      .with("content-type", "application/json")
                      .with("cache-control", "no-store")
                      .with("x-request-id", "r-1")
                      .saying("\"error\":\"Not found\"")
                      .saying("\"message\":\"Path /nothing/here not found\"")
                      .saying("\"detail\":\"Path /nothing/here not found\"")
                      .saying("\"code\":\"no_route\"")
                      .saying("\"status\":404")
                      .saying("\"path\":\"/nothing/here\"")
                      .saying("\"method\":\"GET\"")
                      .saying("\"service\":null")
                      .saying("\"request_id\":\"r-1\"");
}

TEST(Answers, a_client_that_asks_for_problem_details_gets_them) {
    Scene s(one_service("users"));
    s.client() << get("/nothing", "accept: application/problem+json\r\n");
    s.client() >> response(404)
                      .with("content-type", "application/problem+json")
                      .saying("\"title\":\"Not found\"")
                      .saying("\"instance\":\"/nothing\"")
                      .saying("\"code\":\"no_route\"");
}

TEST(Answers, a_method_no_route_takes_is_405_and_names_those_that_are) {
    Scene s(one_service("users", {.route = "methods: [GET, HEAD]"}));
    s.client() << "DELETE /users HTTP/1.1\r\nhost: api\r\n\r\n";
    s.client() >> response(405).having("allow").saying("method_not_allowed");
}

TEST(Answers, what_is_not_http_is_refused_and_the_connection_closed) {
    Scene s(one_service("users"));
    s.client() << "GET /users HTTP/1.1\r\n\r\n";
    s.client() >> response(400).saying("invalid_host").with("connection", "close") >> closed();
    s.client("2") << "\x16\x03\x01 hello\r\n\r\n";
    s.client("2") >> response(400).saying("malformed_request") >> closed();
}

}  // namespace
}  // namespace suoke::scene
