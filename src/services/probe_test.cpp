// SPDX-License-Identifier: MIT
#include "services/probe.h"

#include <gtest/gtest.h>

#include "testing/far.h"
#include "testing/far_h2.h"

namespace suoke::services {
namespace {

using namespace std::string_literals;
using scene::Far;
using scene::FarAnswer;
using scene::FarRequest;
using scene::FarServer;

using Probed = std::optional<ProbeResult>;

rt::Task<void> run(Far& far, ProbeRules rules, upstream::EndpointAddress endpoint, Probed& into) {
    into = co_await probe(far.loop, far.dialer, far.buffers, std::move(rules), std::move(endpoint));
}

class ProbeTest : public ::testing::Test {
 protected:
    ProbeTest() { endpoint.host = "10.0.0.1"; }
    void begin() {
        probed.reset();
        far.scope.spawn(run(far, rules, endpoint, probed));
        far.settle();
    }
    void begin_and_answer(int status, std::string_view body = {}) {
        begin();
        far.answer(far.next_call(), status, body);
    }
    std::string said() const { return !probed ? "nothing yet" : probed->ok() ? "well" : probed->error->detail; }
    Code code() const { return probed && probed->error ? probed->error->code : Code::internal; }

    Far far;
    ProbeRules rules;
    upstream::EndpointAddress endpoint;
    Probed probed;
};

TEST_F(ProbeTest, asks_what_the_rules_say) {
    rules.method = "HEAD";
    rules.path = "/healthz?full=1";
    rules.host = "users.internal";
    rules.fields = {{"X-Probe", "1"}};
    begin();
    Far::Call call = far.next_call();
    EXPECT_EQ(call.line, "HEAD /healthz?full=1 HTTP/1.1");
    EXPECT_EQ(call.field("Host"), "users.internal");
    EXPECT_EQ(call.field("X-Probe"), "1");
    far.after(30ms);
    far.send(0, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    EXPECT_EQ(said(), "well");
    EXPECT_EQ(probed->status, 200);
    EXPECT_EQ(probed->took, 30ms);
}

TEST_F(ProbeTest, an_unexpected_status_is_said) {
    rules.statuses = *parse_statuses("200-299, 401");
    begin_and_answer(503);
    EXPECT_EQ(said(), "got 503, expected 200-299,401");
    EXPECT_EQ(code(), Code::upstream_status);
    EXPECT_EQ(probed->status, 503);
    begin_and_answer(401);
    EXPECT_EQ(said(), "well");
}

TEST_F(ProbeTest, the_body_must_contain_what_is_expected) {
    rules.body_contains = "\"status\":\"ok\"";
    begin_and_answer(200, R"({"status":"ok"})");
    EXPECT_EQ(said(), "well");
    begin_and_answer(200, R"({"status":"bad"})");
    EXPECT_EQ(said(), "the body does not contain \"\"status\":\"ok\"\"");
}

TEST_F(ProbeTest, of_an_endless_body_only_the_beginning_is_read) {
    rules.body_contains = "ok";
    begin();
    far.send(0, "HTTP/1.1 200 OK\r\n\r\n" + std::string(kMostProbeBody, 'x') + "ok");
    EXPECT_EQ(said(), "the body does not contain \"ok\"");
    EXPECT_TRUE(far.was_left(0));
}

TEST_F(ProbeTest, no_connection_and_no_answer_are_told_apart) {
    far.manner = Far::Manner::refuse;
    begin();
    EXPECT_EQ(code(), Code::connect_failed);
    far.manner = Far::Manner::hang;
    begin();
    far.after(2100ms);
    EXPECT_EQ(code(), Code::connect_timeout);
    far.manner = Far::Manner::accept;
    begin();
    far.after(2100ms);
    EXPECT_EQ(code(), Code::upstream_timeout);
    EXPECT_GE(probed->took, 2s);
    EXPECT_LT(probed->took, 2100ms);
}

TEST_F(ProbeTest, over_http2_when_the_endpoint_speaks_it) {
    FarServer server(far, [](const FarRequest& asked) {
        FarAnswer answer;
        answer.status = asked.version == http::Version::http2 && asked.target == "/healthz" ? 204 : 500;
        return answer;
    });
    endpoint.protocol = upstream::Protocol::h2;
    rules.path = "/healthz";
    begin();
    EXPECT_EQ(said(), "well");
    EXPECT_EQ(probed->status, 204);
}

TEST_F(ProbeTest, of_tcp_a_connection_is_enough) {
    rules.kind = ProbeKind::tcp;
    begin();
    EXPECT_EQ(said(), "well");
    EXPECT_TRUE(far.was_left(0));
    EXPECT_EQ(far.received(0), "") << "nothing is said to a protocol we do not know";
    far.manner = Far::Manner::refuse;
    begin();
    EXPECT_EQ(code(), Code::connect_failed);
}

TEST_F(ProbeTest, of_tcp_with_tls_the_handshake_is_part_of_it) {
    rt::CertificatePem pem = rt::make_local_certificate({"10.0.0.1"});
    rt::TlsServerOptions serving;
    serving.certificates = {pem};
    rt::TlsClientOptions trusting;
    trusting.ca = pem.chain;
    rules.kind = ProbeKind::tcp;
    endpoint.tls = *rt::TlsClient::make(trusting);
    {
        FarServer server(far, [](const FarRequest&) { return FarAnswer{}; }, *rt::TlsServer::make(serving));
        begin();
        EXPECT_EQ(said(), "well");
    }
    begin();
    far.after(2100ms);  // a server that says nothing
    EXPECT_EQ(code(), Code::connect_timeout);
}

// ---- gRPC

FarAnswer serving(char status) {
    FarAnswer answer;
    answer.fields["content-type"] = "application/grpc";
    answer.trailers["grpc-status"] = "0";
    answer.body = "\0\0\0\0\2\x08"s + status;
    return answer;
}

TEST_F(ProbeTest, of_grpc_its_health_service_is_asked) {
    FarRequest got;
    char status = 1;
    FarServer server(far, [&](const FarRequest& asked) {
        got = asked;
        return serving(status);
    });
    rules.kind = ProbeKind::grpc;
    rules.grpc_service = "users";
    begin();
    EXPECT_EQ(said(), "well");
    EXPECT_EQ(got.method, "POST");
    EXPECT_EQ(got.target, "/grpc.health.v1.Health/Check");
    EXPECT_EQ(got.fields["content-type"], "application/grpc");
    EXPECT_EQ(got.fields["te"], "trailers");
    EXPECT_EQ(got.fields["grpc-timeout"], "2000000u");
    EXPECT_EQ(got.body, "\0\0\0\0\7\x0a\5users"s);
    status = 2;
    begin();
    EXPECT_EQ(said(), "says NOT_SERVING");
}

TEST_F(ProbeTest, of_grpc_over_tls_it_is_asked_though_the_endpoint_speaks_http1_otherwise) {
    rt::CertificatePem pem = rt::make_local_certificate({"10.0.0.1"});
    rt::TlsServerOptions both;
    both.certificates = {pem};
    both.alpn = {"h2", "http/1.1"};
    rt::TlsClientOptions trusting;
    trusting.ca = pem.chain;
    endpoint.tls = *rt::TlsClient::make(trusting);
    endpoint.protocol = upstream::Protocol::h1;
    FarServer server(far, [](const FarRequest&) { return serving(1); }, *rt::TlsServer::make(both));
    rules.kind = ProbeKind::grpc;
    begin();
    EXPECT_EQ(said(), "well");
    rules.kind = ProbeKind::http;
    begin();
    EXPECT_EQ(said(), "well") << "and both by the same client";
}

TEST_F(ProbeTest, of_grpc_a_server_without_a_health_service_is_not_well) {
    FarServer server(far, [](const FarRequest&) {
        FarAnswer answer;
        answer.fields["content-type"] = "application/grpc";
        answer.fields["grpc-status"] = "12";
        return answer;
    });
    rules.kind = ProbeKind::grpc;
    begin();
    EXPECT_EQ(said(), "does not implement grpc.health.v1.Health");
}

TEST_F(ProbeTest, of_grpc_silence_is_a_timeout) {
    FarServer server(far, [](const FarRequest&) {
        FarAnswer answer;
        answer.never = true;
        return answer;
    });
    rules.kind = ProbeKind::grpc;
    begin();
    far.after(2100ms);
    EXPECT_EQ(code(), Code::upstream_timeout);
}

TEST(Statuses, are_numbers_and_ranges) {
    EXPECT_EQ(*parse_statuses("200-399"), (std::vector<StatusRange>{{200, 399}}));
    EXPECT_EQ(*parse_statuses("200, 204,300 - 302"), (std::vector<StatusRange>{{200, 200}, {204, 204}, {300, 302}}));
    for (const char* text : {"", ",", "99", "600", "2xx", "300-200", "200-", "-200", "200-300-400"})
        EXPECT_FALSE(parse_statuses(text)) << text;
}

}  // namespace
}  // namespace suoke::services
