// SPDX-License-Identifier: MIT
#include "upstream/fetch.h"

#include <gtest/gtest.h>

#include "testing/far.h"
#include "testing/far_h2.h"

namespace suoke::upstream {
namespace {

using scene::Far;
using scene::FarAnswer;
using scene::FarRequest;
using scene::FarServer;

using Fetched = std::optional<Result<FetchResponse>>;

rt::Task<void> run(Far& far, FetchRequest request, Duration time, Fetched& into) {
    auto answer = co_await fetch(far.loop, far.dialer, far.buffers, std::move(request), far.loop.now() + time);
    into.emplace(std::move(answer));
}

class FetchTest : public ::testing::Test {
 protected:
    FetchTest() { request.endpoint.host = "10.0.0.1"; }
    void begin(Duration time = 5s) {
        far.scope.spawn(run(far, request, time, fetched));
        far.settle();
    }
    Code code() const { return fetched && fetched->has_error() ? fetched->error().code : Code::internal; }

    Far far;
    FetchRequest request;
    Fetched fetched;
};

TEST_F(FetchTest, asks_once_and_gives_the_answer_as_values) {
    request.target = "/v1/leader?dc=eu";
    request.fields = {{"X-Consul-Token", "secret"}};
    begin();
    Far::Call call = far.next_call();
    EXPECT_EQ(call.line, "GET /v1/leader?dc=eu HTTP/1.1");
    EXPECT_EQ(call.field("Host"), "10.0.0.1");
    EXPECT_EQ(call.field("X-Consul-Token"), "secret");
    EXPECT_EQ(call.field("Connection"), "close");
    EXPECT_EQ(call.field("Content-Length"), std::nullopt);
    far.answer(call, 200, "[1]", "X-Consul-Index: 7\r\n");
    ASSERT_TRUE(fetched && fetched->has_value());
    EXPECT_EQ((*fetched)->status, 200);
    EXPECT_EQ((*fetched)->body, "[1]");
    EXPECT_EQ(*(*fetched)->field("x-consul-index"), "7");
    EXPECT_EQ((*fetched)->field("x-other"), nullptr);
    EXPECT_EQ(far.open(), 0u);
    EXPECT_EQ(far.buffers.leased(), 0u);
}

TEST_F(FetchTest, any_status_is_an_answer) {
    begin();
    far.answer(far.next_call(), 503, "no");
    ASSERT_TRUE(fetched && fetched->has_value());
    EXPECT_EQ((*fetched)->status, 503);
}

TEST_F(FetchTest, sends_a_body_larger_than_a_pipe) {
    request.method = "POST";
    request.body = std::string(300'000, 'x');
    begin();
    Far::Call call = far.next_call();
    EXPECT_EQ(call.body.size(), 300'000u);
    far.answer(call, 204, "");
    EXPECT_TRUE(fetched && fetched->has_value());
}

TEST_F(FetchTest, names_another_host_when_it_is_told_to) {
    request.host = "kubernetes.default.svc:6443";
    begin();
    EXPECT_EQ(far.next_call().field("Host"), "kubernetes.default.svc:6443");
}

TEST_F(FetchTest, reads_chunks_and_trailers_in_any_pieces) {
    begin();
    std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n";
    for (char c : bytes) far.send(0, std::string(1, c));
    ASSERT_TRUE(fetched && fetched->has_value());
    EXPECT_EQ((*fetched)->body, "abcde");
    EXPECT_EQ(*(*fetched)->trailer("x-sum"), "5");
}

TEST_F(FetchTest, reads_until_the_end_of_the_connection) {
    begin();
    far.send(0, "HTTP/1.0 200 OK\r\n\r\nall of it");
    EXPECT_FALSE(fetched);
    far.close(0);
    ASSERT_TRUE(fetched && fetched->has_value());
    EXPECT_EQ((*fetched)->body, "all of it");
}

TEST_F(FetchTest, passes_over_interim_answers_but_not_over_many) {
    begin();
    far.send(0, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(fetched && fetched->has_value());
    fetched.reset();
    begin();
    for (int i = 0; i < 9; ++i) far.send(1, "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(code(), Code::upstream_invalid);
}

TEST_F(FetchTest, a_body_beyond_the_limit_is_an_error) {
    request.max_body = 4;
    begin();
    far.answer(far.next_call(), 200, "12345");
    EXPECT_EQ(code(), Code::upstream_invalid);
    EXPECT_NE(fetched->error().detail.find("longer than"), std::string::npos);
}

TEST_F(FetchTest, a_body_at_the_limit_is_none) {
    request.max_body = 4;
    begin();
    far.answer(far.next_call(), 200, "1234");
    EXPECT_TRUE(fetched && fetched->has_value());
}

TEST_F(FetchTest, a_body_may_be_cut_instead) {
    request.max_body = 4;
    request.cut = true;
    begin();
    far.send(0, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n12345");
    ASSERT_TRUE(fetched && fetched->has_value());
    EXPECT_EQ((*fetched)->body, "1234");
    EXPECT_TRUE(far.was_left(0));
}

TEST_F(FetchTest, without_a_body_wanted_the_head_is_enough) {
    request.max_body = 0;
    request.cut = true;
    begin();
    far.send(0, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    EXPECT_TRUE(fetched && fetched->has_value());
}

TEST_F(FetchTest, says_why_there_is_no_answer) {
    far.manner = Far::Manner::refuse;
    begin();
    EXPECT_EQ(code(), Code::connect_failed);
    far.manner = Far::Manner::hang;
    fetched.reset();
    begin();
    far.after(5100ms);
    EXPECT_EQ(code(), Code::connect_timeout);
}

TEST_F(FetchTest, the_deadline_holds_for_the_head_and_for_the_body) {
    begin();
    far.after(5100ms);
    EXPECT_EQ(code(), Code::upstream_timeout);
    fetched.reset();
    begin();
    far.send(1, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    for (int i = 0; i < 6 && !fetched; ++i) {
        far.after(1s);
        if (!fetched) far.send(1, "x");
    }
    EXPECT_EQ(code(), Code::upstream_timeout);
    EXPECT_TRUE(far.was_left(1));
}

TEST_F(FetchTest, what_breaks_off_or_is_no_http_is_an_error) {
    begin();
    far.close(0);
    EXPECT_EQ(code(), Code::upstream_reset);
    begin();
    far.send(1, "HTTP/1.1 200 O");
    far.close(1);
    EXPECT_EQ(code(), Code::upstream_truncated);
    begin();
    far.send(2, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
    far.close(2);
    EXPECT_EQ(code(), Code::upstream_truncated);
    begin();
    far.send(3, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
    far.close(3);
    EXPECT_EQ(code(), Code::upstream_invalid);
    begin();
    far.send(4, "HTTP/1.1 200 OK\r\nX-Large: " + std::string(80'000, 'x'));
    EXPECT_EQ(code(), Code::upstream_invalid);
}

TEST_F(FetchTest, a_request_that_would_become_another_one_is_not_sent) {
    FetchRequest good = request;
    request.fields = {{"X-Consul-Token", "abc\r\nX-Other: 1"}};
    begin();
    EXPECT_EQ(code(), Code::invalid_config);
    EXPECT_EQ(fetched->error().detail.find("abc"), std::string::npos) << "a secret is shown";
    for (const char* target : {"", "v1", "/a b", "/a\r\n", "http://other/"}) {
        request = good;
        request.target = target;
        fetched.reset();
        begin();
        EXPECT_EQ(code(), Code::invalid_config) << target;
    }
    request = good;
    request.method = "GET /";
    fetched.reset();
    begin();
    EXPECT_EQ(code(), Code::invalid_config);
    EXPECT_EQ(far.dials(), 0u);
}

TEST_F(FetchTest, dropping_it_closes_the_connection) {
    begin();
    far.next_call();
    far.scope.cancel();
    EXPECT_TRUE(far.was_left(0));
}

// ---- HTTP/2

TEST_F(FetchTest, speaks_http2_to_an_endpoint_that_does) {
    FarServer server(far, [](const FarRequest& asked) {
        FarAnswer answer;
        answer.body = asked.method + " " + asked.target + " " + asked.authority + " " + asked.body;
        answer.fields["x-version"] = asked.version == http::Version::http2 ? "2" : "1";
        answer.trailers["grpc-status"] = "0";
        return answer;
    });
    request.endpoint.protocol = Protocol::h2;
    request.method = "POST";
    request.target = "/x";
    request.body = std::string(200'000, 'y');
    begin();
    ASSERT_TRUE(fetched);
    ASSERT_TRUE(fetched->has_value()) << fetched->error().detail;
    EXPECT_EQ((*fetched)->body, "POST /x 10.0.0.1 " + request.body);
    EXPECT_EQ(*(*fetched)->field("x-version"), "2");
    EXPECT_EQ(*(*fetched)->trailer("grpc-status"), "0");
    far.settle();
    EXPECT_EQ(far.loop.timers().next(), kNever);
    EXPECT_EQ(far.buffers.leased(), 0u);
}

TEST_F(FetchTest, http2_keeps_the_limit_and_the_deadline_too) {
    bool never = false;
    FarServer server(far, [&](const FarRequest&) {
        FarAnswer answer;
        answer.body = "12345";
        answer.never = never;
        return answer;
    });
    request.endpoint.protocol = Protocol::h2;
    request.max_body = 4;
    begin();
    EXPECT_EQ(code(), Code::upstream_invalid);
    request.cut = true;
    begin();
    ASSERT_TRUE(fetched->has_value());
    EXPECT_EQ((*fetched)->body, "1234");
    never = true;
    fetched.reset();
    begin();
    far.after(5100ms);
    EXPECT_EQ(code(), Code::upstream_timeout);
}

TEST_F(FetchTest, http2_to_somebody_who_does_not_speak_it_is_an_error) {
    request.endpoint.protocol = Protocol::h2;
    begin();
    far.send(0, "HTTP/1.1 400 Bad Request\r\n\r\n");
    far.close(0);
    ASSERT_TRUE(fetched && fetched->has_error());
}

TEST_F(FetchTest, over_tls_the_endpoints_protocol_is_spoken) {
    rt::CertificatePem pem = rt::make_local_certificate({"10.0.0.1"});
    rt::TlsServerOptions serving;
    serving.certificates = {pem};
    serving.alpn = {"h2", "http/1.1"};
    FarServer server(far, [](const FarRequest& asked) {
        FarAnswer answer;
        answer.body = asked.version == http::Version::http2 ? "2" : "1";
        return answer;
    }, *rt::TlsServer::make(serving));
    request.endpoint.port = 443;
    rt::TlsClientOptions knowing;
    knowing.ca = pem.chain;
    request.endpoint.tls = *rt::TlsClient::make(knowing);
    begin();
    ASSERT_TRUE(fetched && fetched->has_value());
    EXPECT_EQ((*fetched)->body, "1");
    request.endpoint.protocol = Protocol::h2;
    begin();
    ASSERT_TRUE(fetched->has_value()) << "the client for HTTP/1.1 is good for HTTP/2, too";
    EXPECT_EQ((*fetched)->body, "2");
    rt::TlsClientOptions strangers;
    strangers.ca = rt::make_local_certificate({"10.0.0.1"}).chain;
    request.endpoint.tls = *rt::TlsClient::make(strangers);
    begin();
    EXPECT_EQ(code(), Code::tls_failed);
}

// ---- an answer without a foreseeable end

struct Watching {
    std::optional<Error> failure;
    std::string got;
    int status = 0;
    bool ended = false;
};

rt::Task<void> watch(Far& far, FetchRequest request, Watching& watching) {
    FetchStream stream(far.loop, far.dialer, far.buffers);
    auto opened = co_await stream.open(std::move(request), far.loop.now() + 5s, 60s);
    if (!opened) {
        watching.failure = opened.error();
        co_return;
    }
    watching.status = stream.status();
    for (;;) {
        auto piece = co_await stream.next();
        if (!piece) {
            watching.failure = piece.error();
            co_return;
        }
        if (piece->empty()) break;
        watching.got += *piece;
    }
    watching.ended = true;
}

TEST_F(FetchTest, a_stream_gives_what_comes_when_it_comes) {
    Watching watching;
    far.scope.spawn(watch(far, request, watching));
    far.next_call();
    far.send(0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(watching.status, 200);
    far.send(0, "3\r\nabc\r\n");
    EXPECT_EQ(watching.got, "abc");
    far.after(59s);
    far.send(0, "3\r\ndef\r\n");
    far.after(59s);
    EXPECT_EQ(watching.got, "abcdef");
    far.send(0, "0\r\n\r\n");
    EXPECT_TRUE(watching.ended);
}

TEST_F(FetchTest, a_stream_that_falls_silent_is_given_up) {
    Watching watching;
    far.scope.spawn(watch(far, request, watching));
    far.send(0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    far.after(61s);
    ASSERT_TRUE(watching.failure);
    EXPECT_EQ(watching.failure->code, Code::upstream_idle);
    EXPECT_TRUE(far.was_left(0));
}

TEST_F(FetchTest, a_stream_that_never_begins_is_late) {
    Watching watching;
    far.scope.spawn(watch(far, request, watching));
    far.after(5100ms);
    ASSERT_TRUE(watching.failure);
    EXPECT_EQ(watching.failure->code, Code::upstream_timeout);
}

}  // namespace
}  // namespace suoke::upstream
