// SPDX-License-Identifier: MIT
// gRPC and gRPC-Web through the whole gateway; over HTTP/1.1, which the message model does not mind.
#include <gtest/gtest.h>

#include "http/grpc.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

const std::string kCall = "/rag.v1.Rag/Ask";
const std::string kMessage = http::grpc_frame_head(0, 5) + "hello";

std::string rag(const std::string& route = "", const std::string& rest = "") {
    return "services:\n  rag: {endpoints: [{host: 10.0.0.1, port: 80}]}\nroutes:\n  - {name: rag, grpc: {service: "
           "rag.v1.Rag}, service: rag" +
           (route.empty() ? "" : ", " + route) + "}\n" + rest;
}

std::string call(const std::string& fields = "", const std::string& body = kMessage, const std::string& type = "application/grpc") {
    return "POST " + kCall + " HTTP/1.1\r\nhost: api\r\ncontent-type: " + type + "\r\n" + fields +
           "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

const std::string kHead = "HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n";

std::uint64_t ended_with(Scene& s, int status) { return s.counted_grpc(status); }

TEST(Grpc, messages_metadata_and_trailers_pass_untouched) {
    Scene s(rag());
    s.client() << call("te: trailers\r\ntrace-bin: AAEC/w==\r\nshort-bin: //8\r\n");
    s.upstream("rag") >> request("POST", kCall, kMessage)
                             .with("te", "trailers")
                             .with("trace-bin", "AAEC/w==")
                             .with("short-bin", "//8")
                             .with("content-type", "application/grpc")
                             .without("grpc-timeout")
                      << kHead + chunk(kMessage) + "0\r\ngrpc-status: 0\r\nstate-bin: AP8=\r\n\r\n";
    s.client() >> response(200, kMessage).trailing("grpc-status", "0").trailing("state-bin", "AP8=");
    EXPECT_EQ(ended_with(s, 0), 1u);
}

TEST(Grpc, a_status_of_the_service_is_told_and_counted) {
    Scene s(rag());
    s.client() << call();
    s.upstream("rag") >> request("POST", kCall, kMessage) << kHead + "0\r\ngrpc-status: 5\r\ngrpc-message: no%20such\r\n\r\n";
    s.client() >> response(200, "").trailing("grpc-status", "5").trailing("grpc-message", "no%20such");
    s.client() << call();
    s.upstream("rag") >> request("POST", kCall, kMessage) << ok("", "content-type: application/grpc\r\ngrpc-status: 7\r\n");
    s.client() >> response(200, "").with("grpc-status", "7");
    EXPECT_EQ(ended_with(s, 5), 1u);
    EXPECT_EQ(ended_with(s, 7), 1u);
}

TEST(Grpc, a_route_names_a_service_or_one_method) {
    std::string yaml = rag();
    yaml.insert(yaml.find("rag.v1.Rag") + 10, ", method: Ask");
    Scene s(yaml);
    s.client() << "POST /rag.v1.Rag/Other HTTP/1.1\r\nhost: api\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\n\r\n";
    s.client() >> response(200, "").with("grpc-status", "12").with("grpc-message", "no_route: Path /rag.v1.Rag/Other not found");
    s.client() << call();
    s.upstream("rag") >> request("POST", kCall, kMessage) << kHead + "0\r\ngrpc-status: 0\r\n\r\n";
    s.client() >> response(200, "");
}

TEST(Grpc, an_error_of_the_gateway_is_a_status_without_messages) {
    Scene s(rag());
    s.upstream("rag").refuses();
    s.client() << call("", kMessage, "application/grpc+proto");
    Message answer = s.client().take_response();
    EXPECT_EQ(answer.start_line, "HTTP/1.1 200 OK");
    EXPECT_EQ(answer.field("content-type"), "application/grpc+proto");
    EXPECT_EQ(answer.field("grpc-status"), "14");
    EXPECT_EQ(answer.field("grpc-message"), "connect_failed: refused by 10.0.0.1:80");
    EXPECT_TRUE(answer.field("x-request-id"));
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(ended_with(s, 14), 1u);
    EXPECT_EQ(s.counted(Code::connect_failed), 1u);
}

TEST(Grpc, an_answer_that_is_no_grpc_becomes_a_status) {
    Scene s(rag());
    s.client() << call();
    s.upstream("rag") >> request("POST", kCall, kMessage)
                      << answer(503, "<h1>sorry</h1>", "content-type: text/html\r\netag: \"x\"\r\nretry-after: 3\r\n");
    s.client() >> response(200, "")
                      .with("content-type", "application/grpc")
                      .with("grpc-status", "14")
                      .with("grpc-message", "the upstream answered HTTP 503 with text/html")
                      .with("retry-after", "3")
                      .having("x-request-id")
                      .without("etag");
    s.client("2") << call();
    s.upstream("rag") >> request("POST", kCall, kMessage) << ok("{}", "content-type: application/json\r\n");
    s.client("2") >> response(200, "").with("grpc-status", "2");
    EXPECT_EQ(ended_with(s, 14), 1u);
    EXPECT_EQ(ended_with(s, 2), 1u);
}

TEST(Grpc, the_clients_timeout_is_a_deadline) {
    Scene s(rag());
    s.client() << call("grpc-timeout: 2S\r\n");
    s.upstream("rag") >> request("POST", kCall, kMessage).with("grpc-timeout", "2000000u");
    s.after(1900ms);
    s.client() >> silence();
    s.after(100ms);
    s.client() >> response(200, "").with("grpc-status", "4");
    EXPECT_EQ(s.counted(Code::deadline_exceeded), 1u);
    EXPECT_EQ(ended_with(s, 4), 1u);
}

TEST(Grpc, the_shorter_of_the_clients_and_the_routes_timeout_counts) {
    Scene s(rag("timeout: 1s"));
    s.client() << call("grpc-timeout: 1H\r\n");
    s.upstream("rag") >> request("POST", kCall, kMessage).with("grpc-timeout", "1000000u");
    s.after(1s);
    s.client() >> response(200, "").with("grpc-status", "4");
    s.client("2") << call("grpc-timeout: 500m\r\n");
    s.upstream("rag") >> request("POST", kCall, kMessage).with("grpc-timeout", "500000u");
    s.after(500ms);
    s.client("2") >> response(200, "").with("grpc-status", "4");
}

TEST(Grpc, a_timeout_of_nothing_is_over_at_once_and_a_malformed_one_is_refused) {
    Scene s(rag());
    s.client() << call("grpc-timeout: 0n\r\n");
    s.client() >> response(200, "").with("grpc-status", "4");
    s.client("2") << call("grpc-timeout: 1.5S\r\n");
    s.client("2") >> response(200, "").with("grpc-status", "13");
    EXPECT_EQ(s.upstream("rag").dials(), 0u);
}

TEST(Grpc, a_stream_that_breaks_between_two_messages_ends_with_a_status) {
    Scene s(rag());
    s.client() << call();
    s.upstream("rag") >> request("POST", kCall, kMessage) << kHead + chunk(kMessage) << hang_up;
    s.client() >> response(200, kMessage).trailing("grpc-status", "14").trailing("grpc-message", "upstream_truncated: the connection ended inside a chunked body");
    EXPECT_EQ(ended_with(s, 14), 1u);
    EXPECT_EQ(s.counted(Code::upstream_truncated), 1u);
}

TEST(Grpc, a_stream_that_breaks_inside_a_message_is_broken_for_the_client_too) {
    Scene s(rag());
    s.client() << call();
    s.upstream("rag") >> request("POST", kCall, kMessage) << kHead + chunk(kMessage.substr(0, 7)) << hang_up;
    s.client() >> response(200).head_only() >> bytes(chunk(kMessage.substr(0, 7))) >> closed();
    EXPECT_EQ(ended_with(s, 14), 1u);
}

TEST(Grpc, other_requests_are_left_alone) {
    Scene s(one_service("users"));
    s.client() << get("/users", "grpc-timeout: 1S\r\n");
    s.upstream("users") >> request("GET", "/users").with("grpc-timeout", "1S").without("te") << answer(503, "busy");
    s.client() >> response(503, "busy");
}

TEST(GrpcRoute, is_refused_beside_a_path_and_without_a_service) {
    auto problems = [](const std::string& keys) {
        return config::load_text("services: {a: {host: h}}\nroutes:\n  - {name: r, service: a, " + keys + "}\n", "x.yaml").problems;
    };
    auto refused = [&](const std::string& keys, const std::string& words) {
        for (const auto& problem : problems(keys))
            if (to_string(problem).find(words) != std::string::npos) return true;
        return false;
    };
    EXPECT_TRUE(refused("prefix: /x, grpc: {service: a.B}", "beside a path"));
    EXPECT_TRUE(refused("grpc: {method: Ask}", "needs a service"));
    EXPECT_TRUE(refused("grpc: {service: 'a/B'}", "as in the .proto file"));
    EXPECT_TRUE(refused("grpc_web: {allow_origins: ['*'], allow_credentials: true}", "origin *"));
    EXPECT_TRUE(refused("grpc_web: {allow_origins: ['app.life']}", "must be an origin"));
    EXPECT_TRUE(problems("grpc: {service: a.B, method: C}").empty());
}

// ---- gRPC-Web

const std::string kWeb = "grpc_web: {allow_origins: ['https://app.life'], expose_headers: [x-shard], allow_headers: [x-tenant]}";
const std::string kOrigin = "origin: https://app.life\r\n";

std::string base64(const std::string& bytes) {
    std::string text;
    http::append_base64(text, bytes);
    return text;
}
std::string trailer_frame(const std::string& block) {
    return http::grpc_frame_head(0x80, static_cast<std::uint32_t>(block.size())) + block;
}

TEST(GrpcWeb, binary_becomes_grpc_and_its_trailers_come_back_in_the_body) {
    Scene s(rag(kWeb));
    s.client() << call(kOrigin + "x-grpc-web: 1\r\naccept: application/grpc-web+proto\r\nx-user-agent: grpc-web-javascript/0.1\r\n",
                       kMessage, "application/grpc-web+proto");
    s.upstream("rag") >> request("POST", kCall, kMessage)
                             .with("content-type", "application/grpc+proto")
                             .with("te", "trailers")
                             .with("x-user-agent", "grpc-web-javascript/0.1")
                             .without("x-grpc-web")
                             .without("accept")
                      << "HTTP/1.1 200 OK\r\ncontent-type: application/grpc+proto\r\ntransfer-encoding: chunked\r\n\r\n" +
                             chunk(kMessage) + "0\r\nGrpc-Status: 0\r\nX-Cost: 3\r\n\r\n";
    s.client() >> response(200, kMessage + trailer_frame("grpc-status: 0\r\nx-cost: 3\r\n"))
                      .with("content-type", "application/grpc-web+proto")
                      .with("access-control-allow-origin", "https://app.life")
                      .with("access-control-expose-headers", "grpc-status, grpc-message, grpc-status-details-bin, x-shard")
                      .with("vary", "Origin")
                      .without("access-control-allow-credentials");
    EXPECT_EQ(ended_with(s, 0), 1u);
}

TEST(GrpcWeb, text_is_base64_both_ways_piece_by_piece) {
    Scene s(rag(kWeb));
    std::string text = base64(kMessage.substr(0, 4)) + base64(kMessage.substr(4));
    s.client() << call(kOrigin, text, "application/grpc-web-text");
    s.upstream("rag") >> request("POST", kCall, kMessage).with("content-type", "application/grpc") << kHead + chunk(kMessage);
    s.client() >> response(200).head_only().with("content-type", "application/grpc-web-text") >> bytes(chunk(base64(kMessage)));
    s.upstream("rag").connection(0) << "0\r\ngrpc-status: 0\r\n\r\n";
    s.client() >> bytes(chunk(base64(trailer_frame("grpc-status: 0\r\n"))) + "0\r\n\r\n");
}

TEST(GrpcWeb, text_that_is_no_base64_is_refused) {
    for (const char* body : {"A*AA", "AAAAA", "=AAA"}) {
        Scene s(rag(kWeb));
        s.client() << call(kOrigin, body, "application/grpc-web-text");
        s.upstream("rag") >> request("POST", kCall).head_only();
        s.client() >> response(200, "").with("content-type", "application/grpc-web-text").with("grpc-status", "13");
    }
}

TEST(GrpcWeb, the_limit_on_bodies_holds_for_text_too) {
    Scene s(rag(kWeb + ", max_request_size: 8"));
    s.client() << call(kOrigin, base64(kMessage), "application/grpc-web-text");
    s.upstream("rag") >> request("POST", kCall).head_only();
    s.client() >> response(200, "").with("grpc-status", "8").with("content-type", "application/grpc-web-text");
}

TEST(GrpcWeb, errors_come_in_the_head_where_the_page_may_read_them) {
    Scene s(rag(kWeb));
    s.upstream("rag").refuses();
    s.client() << call(kOrigin, kMessage, "application/grpc-web+proto");
    s.client() >> response(200, "")
                      .with("content-type", "application/grpc-web+proto")
                      .with("grpc-status", "14")
                      .with("access-control-allow-origin", "https://app.life");
    EXPECT_EQ(ended_with(s, 14), 1u);
}

TEST(GrpcWeb, an_end_without_a_status_is_unknown) {
    Scene s(rag(kWeb));
    s.client() << call(kOrigin, kMessage, "application/grpc-web");
    s.upstream("rag") >> request("POST", kCall, kMessage) << kHead + last_chunk.data();
    s.client() >> response(200, trailer_frame("grpc-status: 2\r\ngrpc-message: the upstream ended without a status\r\n"));
    EXPECT_EQ(ended_with(s, 2), 1u);
}

std::string preflight(const std::string& origin) {
    return "OPTIONS " + kCall + " HTTP/1.1\r\nhost: api\r\norigin: " + origin + "\r\naccess-control-request-method: POST\r\n\r\n";
}

TEST(GrpcWeb, answers_preflights_of_known_origins_only) {
    Scene s(rag(kWeb + ", methods: [POST]"));
    s.client() << preflight("https://app.life");
    s.client() >> response(204, "")
                      .with("access-control-allow-origin", "https://app.life")
                      .with("access-control-allow-methods", "POST")
                      .with("access-control-allow-headers",
                            "content-type, x-grpc-web, x-user-agent, grpc-timeout, authorization, x-request-id, x-tenant");
    s.client() << preflight("https://evil.life");
    s.client() >> response(403).without("access-control-allow-origin").without("access-control-allow-methods");
    s.client() << "OPTIONS " + kCall + " HTTP/1.1\r\nhost: api\r\n\r\n";
    s.client() >> response(405);
    s.client() << "PUT " + kCall + " HTTP/1.1\r\nhost: api\r\ncontent-length: 0\r\n\r\n";
    s.client() >> response(405);
}

TEST(GrpcWeb, any_origin_gets_a_star_and_credentials_only_named_ones) {
    Scene any(rag("grpc_web: {allow_origins: ['*']}"));
    any.client() << preflight("https://else.life");
    any.client() >> response(204, "").with("access-control-allow-origin", "*").without("access-control-allow-credentials");
    Scene named(rag("grpc_web: {allow_origins: ['https://a.life', 'https://b.life'], allow_credentials: true}"));
    named.client() << preflight("https://b.life");
    named.client() >> response(204, "").with("access-control-allow-origin", "https://b.life").with("access-control-allow-credentials", "true");
}

TEST(GrpcWeb, is_off_unless_the_route_says_so) {
    Scene s(rag());
    s.client() << call(kOrigin + "x-grpc-web: 1\r\n", kMessage, "application/grpc-web+proto");
    s.upstream("rag") >> request("POST", kCall, kMessage).with("content-type", "application/grpc-web+proto").with("x-grpc-web", "1")
                      << ok("as it is", "content-type: application/grpc-web+proto\r\naccess-control-allow-origin: *\r\n");
    s.client() >> response(200, "as it is").with("access-control-allow-origin", "*");
}

// ---- who connects

std::string behind(const std::string& server) { return one_service("users", {.rest = "server: {" + server + "}\n"}); }

TEST(ProxyProtocol, tells_who_the_client_is) {
    Scene s(behind("proxy_protocol: required, proxy_protocol_from: [192.0.2.0/24]"));
    s.client() << "PROXY TCP4 198.51.100.9 10.0.0.1 4711 443\r\n" + get("/users");
    s.upstream("users") >> request("GET", "/users").with("x-forwarded-for", "198.51.100.9").with("x-real-ip", "198.51.100.9") << ok("all");
    s.client() >> response(200, "all");
}

TEST(ProxyProtocol, is_never_believed_from_others) {
    Scene s(behind("proxy_protocol: optional, proxy_protocol_from: [10.0.0.0/8]"));
    s.client() << "PROXY TCP4 198.51.100.9 10.0.0.1 4711 443\r\n" + get("/users");
    s.client() >> response(400) >> closed();
}

TEST(ProxyProtocol, required_closes_whoever_comes_past_the_proxy_or_says_nothing) {
    Scene s(behind("proxy_protocol: required, proxy_protocol_from: [10.0.0.0/8]"));
    s.client("past") >> broken();
    s.comes_from("10.1.1.1");
    s.client("plain") << get("/users");
    s.client("plain") >> closed();
    s.client("silent") >> silence();
    s.after(10s);
    s.client("silent") >> closed();
}

TEST(ProxyProtocol, optional_takes_both) {
    Scene s(behind("proxy_protocol: optional, proxy_protocol_from: [192.0.2.0/24]"));
    s.client("plain") << get("/users");
    s.upstream("users") >> request("GET", "/users").with("x-real-ip", "192.0.2.1") << ok("1");
    s.client("plain") >> response(200, "1");
    s.client("told") << "PROXY TCP6 2001:db8::7 ::1 1 2\r\n" + get("/users");
    s.upstream("users") >> request("GET", "/users").with("x-real-ip", "2001:db8::7") << ok("2");
    s.client("told") >> response(200, "2");
}

}  // namespace
}  // namespace suoke::scene
