// SPDX-License-Identifier: MIT
// HTTP/2 from a client through the whole gateway to an HTTP/1.1 upstream.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "testing/h2_peer.h"

namespace suoke::scene {
namespace {

constexpr std::uint32_t kNoError = 0, kProtocolError = 1, kInternalError = 2, kFlowControlError = 3,
                        kSettingsTimeout = 4, kStreamClosed = 5, kFrameSizeError = 6, kRefusedStream = 7,
                        kCancel = 8, kCompressionError = 9, kCalm = 11;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// ---- exchanges

TEST(H2, a_get_reaches_the_upstream_and_its_answer_the_client) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users/7?a=b", {{"x-kept", "1"}}));
    s.upstream("users") >> request("GET", "/users/7?a=b").with("x-kept", "1") << ok("seven", "Content-Type: text/plain\r\nConnection: x-hop\r\nX-Hop: 1\r\n");
    auto& answer = h2.stream(1);
    EXPECT_EQ(answer.status, "200");
    EXPECT_EQ(answer.body, "seven");
    EXPECT_TRUE(answer.ended);
    EXPECT_EQ(answer.field("content-length"), "5");
    EXPECT_EQ(answer.field("content-type"), "text/plain");
    EXPECT_TRUE(answer.field("date"));
    EXPECT_FALSE(answer.field("connection"));
    EXPECT_FALSE(answer.field("x-hop"));
    EXPECT_FALSE(answer.reset);
}

TEST(H2, tells_its_limits_first) {
    Scene s(one_service("users", {.rest = "http2: {max_concurrent_streams: 7, initial_stream_window: 100KB, connection_window: 200KB}\n"}));
    H2Peer h2(s.client());
    h2.hello();
    auto& told = h2.settings();
    EXPECT_EQ(told[3], 7u);
    EXPECT_EQ(told[4], 100u * 1024);
    EXPECT_EQ(told[6], 16u * 1024);
    EXPECT_EQ(told[8], 1u);
    EXPECT_EQ(h2.opened(0), 200u * 1024 - 65535);
}

TEST(H2, the_preface_may_come_byte_by_byte) {
    Scene s(one_service("users"));
    for (char c : kPreface) s.client() << std::string_view(&c, 1);
    H2Peer h2(s.client());
    h2.send(frame(kSettings, 0, 0)).request(1, get_fields("/users"));
    s.upstream("users") >> request("GET", "/users") << ok("all");
    EXPECT_EQ(h2.stream(1).body, "all");
}

TEST(H2, what_only_begins_like_the_preface_is_http1) {
    Scene s(one_service("users"));
    s.client() << "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX";
    EXPECT_EQ(s.client().unread().substr(0, 12), "HTTP/1.1 505");
    s.client().discards();
}

TEST(H2, streams_run_beside_each_other) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users/1")).request(3, get_fields("/users/2"));
    Peer& first = s.upstream("users") >> request("GET", "/users/1");
    Peer& second = s.upstream("users") >> request("GET", "/users/2");
    second << ok("two");
    EXPECT_EQ(h2.stream(3).body, "two");
    EXPECT_FALSE(h2.stream(1).ended);
    first << ok("one");
    EXPECT_EQ(h2.stream(1).body, "one");
}

TEST(H2, a_body_is_streamed_both_ways) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, post_fields("/users"), false);
    h2.data(1, "one");
    Peer& upstream = s.upstream("users") >> request("POST", "/users").head_only().with("transfer-encoding", "chunked");
    upstream >> bytes(chunk("one"));
    h2.data(1, "two");
    upstream >> bytes(chunk("two"));
    upstream << "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" << chunk("eins");
    EXPECT_EQ(h2.stream(1).body, "eins");
    h2.data(1, "", true);
    upstream >> bytes(std::string(last_chunk));
    upstream << chunk("zwei");
    EXPECT_EQ(h2.stream(1).body, "einszwei");
    EXPECT_FALSE(h2.stream(1).ended);
    upstream << last_chunk;
    EXPECT_TRUE(h2.stream(1).ended);
}

TEST(H2, a_body_of_known_length_keeps_it) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, post_fields("/users", {{"content-length", "5"}}), false).data(1, "hello", true);
    s.upstream("users") >> request("POST", "/users", "hello").with("content-length", "5") << ok("done");
    EXPECT_EQ(h2.stream(1).body, "done");
}

TEST(H2, trailers_pass_both_ways) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, post_fields("/users"), false).data(1, "x");
    h2.send(frame(kHeaders, kEndHeaders | kEndStream, 1, hpack({{"x-sum", "1"}})));
    s.upstream("users") >> request("POST", "/users", "x").trailing("x-sum", "1")
                               << "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("y") + "0\r\nGrpc-Status: 0\r\n\r\n";
    auto& answer = h2.stream(1);
    EXPECT_EQ(answer.body, "y");
    EXPECT_TRUE(answer.ended);
    EXPECT_EQ(answer.trailers, (Fields{{"grpc-status", "0"}}));
}

TEST(H2, cookie_crumbs_become_one_field) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users", {{"cookie", "a=1"}, {"x-between", "1"}, {"cookie", "b=2"}, {"cookie", "c=3"}}));
    s.upstream("users") >> request("GET", "/users").with("cookie", "a=1; b=2; c=3") << ok("all");
    EXPECT_EQ(h2.stream(1).status, "200");
}

TEST(H2, an_answer_to_head_has_a_length_and_no_body) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    Fields head = get_fields("/users");
    head[0].second = "HEAD";
    h2.hello().request(1, head);
    s.upstream("users") >> request("HEAD", "/users") << "HTTP/1.1 200 OK\r\ncontent-length: 42\r\n\r\n";
    EXPECT_EQ(h2.stream(1).field("content-length"), "42");
    EXPECT_TRUE(h2.stream(1).ended);
    h2.request(3, get_fields("/users"));
    s.upstream("users") >> request("GET", "/users") << "HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n";
    EXPECT_EQ(h2.stream(3).status, "304");
    EXPECT_TRUE(h2.stream(3).ended);
    EXPECT_FALSE(h2.stream(3).field("content-length"));
}

TEST(H2, interim_responses_pass) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users"));
    s.upstream("users") >> request("GET", "/users") << "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" << ok("all");
    EXPECT_EQ(h2.stream(1).interim, std::vector<std::string>{"103"});
    EXPECT_EQ(h2.stream(1).body, "all");
}

// ---- the ends of streams

TEST(H2, a_client_that_resets_takes_its_upstream_request_with_it) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users/1")).request(3, get_fields("/users/2"));
    Peer& first = s.upstream("users") >> request("GET", "/users/1");
    Peer& second = s.upstream("users") >> request("GET", "/users/2");
    h2.rst(1);
    EXPECT_TRUE(first.ended());
    EXPECT_EQ(s.counted(Code::client_gone), 1u);
    second << ok("two");
    EXPECT_EQ(h2.stream(3).body, "two");
}

TEST(H2, a_client_that_leaves_takes_everything_with_it) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users/1")).request(3, post_fields("/users/2"), false);
    Peer& first = s.upstream("users") >> request("GET", "/users/1");
    s.client() << hang_up;
    EXPECT_TRUE(first.ended());
    EXPECT_EQ(s.counted(Code::client_gone), 2u);
    EXPECT_TRUE(s.worker().quiet());
    s.upstream("users").connection(1).discards();
}

TEST(H2, an_answer_that_breaks_off_is_reset_and_never_ended) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users"));
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    upstream << "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf";
    upstream << hang_up;
    auto& answer = h2.stream(1);
    EXPECT_EQ(answer.body, "half");
    EXPECT_FALSE(answer.ended);
    EXPECT_EQ(answer.reset, kInternalError);
    EXPECT_EQ(s.counted(Code::upstream_truncated), 1u);
}

TEST(H2, an_early_answer_ends_the_upload_without_an_error) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, post_fields("/users"), false).data(1, "one");
    s.upstream("users") >> request("POST", "/users").head_only() >> bytes(chunk("one")) << answer(413, "enough");
    auto& early = h2.stream(1);
    EXPECT_EQ(early.status, "413");
    EXPECT_TRUE(early.ended);
    EXPECT_EQ(early.reset, kNoError);
    h2.data(1, "more of it", true).request(3, get_fields("/users"));  // what was under way harms nobody
    s.upstream("users") >> request("GET", "/users") << ok("all");
    EXPECT_EQ(h2.stream(3).body, "all");
}

TEST(H2, a_gateway_error_is_an_ordinary_answer) {
    Scene s(one_service("users"));
    s.upstream("users").refuses();
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users")).request(3, get_fields("/nowhere"));
    EXPECT_EQ(h2.stream(1).status, "503");
    EXPECT_EQ(h2.stream(3).status, "404");
    EXPECT_TRUE(h2.stream(3).ended);
}

// ---- malformed messages: a stream error, and the connection lives (RFC 9113 §8.1.1)

struct Malformed {
    const char* why;
    Fields fields;
};

Fields without(Fields fields, std::string_view name) {
    std::erase_if(fields, [&](const auto& f) { return f.first == name; });
    return fields;
}
Fields with(std::string name, std::string value) { return get_fields("/users", {{std::move(name), std::move(value)}}); }
Fields changed(std::string_view name, std::string value) {
    Fields fields = get_fields("/users");
    for (auto& [n, v] : fields)
        if (n == name) v = value;
    return fields;
}

const std::vector<Malformed>& malformed_heads() {
    using namespace std::string_literals;
    static const std::vector<Malformed> kAll = {
        {"upper-case name, §8.2.1", with("X-Upper", "1")},
        {"CR LF in a value, §8.2.1", with("x", "1\r\nhost: evil")},
        {"LF in a value", with("x", "1\nhost: evil")},
        {"NUL in a value", with("x", "1\0"s)},
        {"another control character in a value", with("x", "1\x01")},
        {"blank before a value", with("x", " 1")},
        {"blank behind a value", with("x", "1\t")},
        {"blank in a name", with("x y", "1")},
        {"colon in a name", with("x:y", "1")},
        {"CR LF in a name", with("x: 1\r\ny", "1")},
        {"empty name", with("", "1")},
        {"connection, §8.2.2", with("connection", "close")},
        {"keep-alive", with("keep-alive", "1")},
        {"proxy-connection", with("proxy-connection", "keep-alive")},
        {"transfer-encoding", with("transfer-encoding", "chunked")},
        {"upgrade", with("upgrade", "h2c")},
        {"TE other than trailers", with("te", "gzip")},
        {"unknown pseudo-header field, §8.3", with(":test", "1")},
        {"a response's pseudo-header field", with(":status", "200")},
        {"pseudo-header field behind a regular one", get_fields("/users", {{"x", "1"}, {":path", "/users"}})},
        {":method twice", get_fields("/users", {{":method", "GET"}})},
        {":path twice", get_fields("/users", {{":path", "/other"}})},
        {":authority twice", get_fields("/users", {{":authority", "other"}})},
        {"no :method, §8.3.1", without(get_fields("/users"), ":method")},
        {"no :scheme", without(get_fields("/users"), ":scheme")},
        {"no :path", without(get_fields("/users"), ":path")},
        {"no authority at all", without(get_fields("/users"), ":authority")},
        {"empty :path", changed(":path", "")},
        {":path without slash", changed(":path", "users")},
        {"* for GET", changed(":path", "*")},
        {"blank in :path", changed(":path", "/users HTTP/1.1")},
        {"CR LF in :path", changed(":path", "/users HTTP/1.1\r\nx: 1")},
        {"byte beyond ASCII in :path", changed(":path", "/\xff")},
        {"fragment in :path", changed(":path", "/users#1")},
        {"malformed escape in :path", changed(":path", "/%zz")},
        {"empty :method", changed(":method", "")},
        {"blank in :method", changed(":method", "GET /x HTTP/1.1\r\n")},
        {"user information in :authority", changed(":authority", "me@api")},
        {"empty :authority", changed(":authority", "")},
        {"slash in :authority", changed(":authority", "api/x")},
        {"port that is none", changed(":authority", "api:99999")},
        {"another :scheme", changed(":scheme", "ftp")},
        {"Host that differs, §8.3.1", with("host", "evil")},
        {"Host with another port", with("host", "api:81")},
        {"two Hosts", get_fields("/users", {{"host", "api"}, {"host", "api"}})},
        {"Content-Length and no content, §8.1.1", with("content-length", "1")},
        {"Content-Length that is none", with("content-length", "x")},
        {"negative Content-Length", with("content-length", "-1")},
        {"Content-Length with a plus", with("content-length", "+0")},
        {"Content-Length twice", get_fields("/users", {{"content-length", "0"}, {"content-length", "0"}})},
        {"list of Content-Lengths", with("content-length", "0, 0")},
        {"CONNECT with :path, §8.5", changed(":method", "CONNECT")},
        {":protocol without CONNECT, RFC 8441 §4", with(":protocol", "websocket")},
        {"CONNECT without port", {{":method", "CONNECT"}, {":authority", "api"}}},
        {"extended CONNECT without :path", {{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":authority", "api"}}},
    };
    return kAll;
}

TEST(H2, malformed_heads_are_stream_errors_and_nothing_is_forwarded) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello();
    std::uint32_t id = 1;
    for (const Malformed& m : malformed_heads()) {
        h2.request(id, m.fields);
        EXPECT_EQ(h2.stream(id).reset, kProtocolError) << m.why;
        EXPECT_EQ(h2.stream(id).status, "") << m.why;
        ASSERT_FALSE(h2.goaway()) << m.why;
        id += 2;
    }
    EXPECT_EQ(s.upstream("users").dials(), 0u);
    EXPECT_EQ(s.finished(), 0u);
    h2.request(id, get_fields("/users"));
    s.upstream("users") >> request("GET", "/users") << ok("all");
    EXPECT_EQ(h2.stream(id).body, "all");
}

TEST(H2, a_body_that_differs_from_its_length_is_a_stream_error) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, post_fields("/users", {{"content-length", "5"}}), false).data(1, "hell", true);
    EXPECT_EQ(h2.stream(1).reset, kProtocolError);
    h2.request(3, post_fields("/users", {{"content-length", "5"}}), false).data(3, "hello!", true);
    EXPECT_EQ(h2.stream(3).reset, kProtocolError);
    h2.request(5, post_fields("/users", {{"content-length", "5"}}), false).data(5, "hello ");
    EXPECT_EQ(h2.stream(5).reset, kProtocolError);
    for (std::size_t i = 0; i < s.upstream("users").dials(); ++i) {
        EXPECT_TRUE(s.upstream("users").connection(i).ended());
        s.upstream("users").connection(i).discards();
    }
    EXPECT_FALSE(h2.goaway());
}

TEST(H2, content_behind_a_length_of_zero_is_a_stream_error) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    s.upstream("users").does_not_answer();
    h2.hello().request(1, post_fields("/users", {{"content-length", "0"}}), false).data(1, "x");
    EXPECT_EQ(h2.stream(1).reset, kProtocolError);
}

TEST(H2, the_more_urgent_answer_goes_first) {  // RFC 9218 §5
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello(setting(4, 0)).request(1, get_fields("/users/1", {{"priority", "u=7"}})).request(3, get_fields("/users/3", {{"priority", "u=0, i"}}));
    std::string body(60'000, 'x');
    for (std::size_t i : {0u, 1u}) s.upstream("users").connection(i) >> request("GET", i == 0 ? "/users/1" : "/users/3") << ok(body);
    h2.send(frame(kSettings, 0, 0, setting(4, 1 << 20)));
    EXPECT_EQ(h2.stream(3).body.size(), body.size());
    EXPECT_LT(h2.stream(1).body.size(), 10'000u);
}

TEST(H2, the_first_answer_may_be_the_less_urgent_one) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello(setting(4, 0)).request(1, get_fields("/users/1", {{"priority", "u=7"}})).request(3, get_fields("/users/3"));
    std::string body(60'000, 'x');
    for (std::size_t i : {0u, 1u}) s.upstream("users").connection(i) >> request("GET", i == 0 ? "/users/1" : "/users/3") << ok(body);
    h2.send(frame(kSettings, 0, 0, setting(4, 1 << 20)));
    EXPECT_EQ(h2.stream(3).body.size(), body.size());
    EXPECT_LT(h2.stream(1).body.size(), 10'000u);
}

TEST(H2, trailers_that_must_not_be_are_stream_errors) {
    for (const Fields& trailers : {Fields{{"content-length", "1"}}, Fields{{"host", "evil"}}, Fields{{":path", "/"}},
                                   Fields{{"x-forwarded-for", "1.2.3.4"}}, Fields{{"x", "1\r\ny: 2"}},
                                   Fields{{"transfer-encoding", "chunked"}}}) {
        Scene s(one_service("users"));
        H2Peer h2(s.client());
        h2.hello().request(1, post_fields("/users"), false);
        h2.send(frame(kHeaders, kEndHeaders | kEndStream, 1, hpack(trailers)));
        EXPECT_EQ(h2.stream(1).reset, kProtocolError) << trailers[0].first;
        for (std::size_t i = 0; i < s.upstream("users").dials(); ++i) s.upstream("users").connection(i).discards();
    }
}

TEST(H2, trailers_that_do_not_end_the_stream_are_malformed) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, post_fields("/users"), false);
    s.upstream("users").connection(0).discards();
    h2.send(frame(kHeaders, kEndHeaders, 1, hpack({{"x", "1"}})));
    EXPECT_EQ(h2.stream(1).reset, kProtocolError);
}

TEST(H2, what_is_only_too_much_is_answered) {
    Scene s(one_service("users", {.rest = "security: {max_header_size: 4KB, max_request_line_size: 256, max_headers: 20}\n"}));
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users/" + std::string(300, 'x')));
    EXPECT_EQ(h2.stream(1).status, "414");
    h2.request(3, get_fields("/users", {{"x", std::string(5000, 'x')}}));
    EXPECT_EQ(h2.stream(3).status, "431");
    Fields many(30, {"x", "1"});
    h2.request(5, get_fields("/users", many));
    EXPECT_EQ(h2.stream(5).status, "431");
    EXPECT_TRUE(h2.stream(5).ended);
    h2.request(7, get_fields("/users"));
    s.upstream("users") >> request("GET", "/users") << ok("all");
    EXPECT_EQ(h2.stream(7).body, "all");
}

TEST(H2, host_alone_is_an_authority_and_an_equal_one_is_welcome) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, without(get_fields("/users", {{"host", "api"}}), ":authority"));
    s.upstream("users") >> request("GET", "/users") << ok("1");
    EXPECT_EQ(h2.stream(1).body, "1");
    h2.request(3, get_fields("/users", {{"host", "API:80"}}));
    s.upstream("users") >> request("GET", "/users") << ok("2");
    EXPECT_EQ(h2.stream(3).body, "2");
}

TEST(H2, connect_is_not_allowed) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, {{":method", "CONNECT"}, {":authority", "api:443"}}, false);
    EXPECT_EQ(h2.stream(1).status, "405");
    EXPECT_EQ(h2.stream(1).reset, kNoError);
}

TEST(H2, no_byte_of_a_tunnel_is_forwarded_before_it_is_agreed_to) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    Fields connect = get_fields("/users", {{"sec-websocket-version", "13"}});
    connect[0].second = "CONNECT";
    connect.insert(connect.begin() + 1, {":protocol", "websocket"});
    h2.hello().request(1, connect, false).data(1, "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    EXPECT_EQ(upstream.unread(), "");
    upstream << answer(400, "no");
    EXPECT_EQ(upstream.unread(), "");
    EXPECT_EQ(h2.stream(1).status, "400");
}

// ---- frames and states: the connection ends with the error the RFC names

struct Broken {
    const char* why;
    std::string bytes;
    std::uint32_t error;
};

TEST(H2, frames_that_break_the_protocol_end_the_connection) {
    std::string head = frame(kHeaders, kEndHeaders | kEndStream, 1, hpack(get_fields("/users")));
    std::string open = frame(kHeaders, kEndHeaders, 1, hpack(post_fields("/users")));
    const Broken kAll[] = {
        {"DATA on stream 0, §6.1", frame(kData, 0, 0, "x"), kProtocolError},
        {"DATA on an idle stream, §5.1", frame(kData, 0, 1, "x"), kProtocolError},
        {"padding longer than DATA, §6.1", open + frame(kData, kPadded, 1, "\x09x"), kProtocolError},
        {"HEADERS on stream 0, §6.2", frame(kHeaders, kEndHeaders, 0, hpack(get_fields("/"))), kProtocolError},
        {"HEADERS on an even stream, §5.1.1", frame(kHeaders, kEndHeaders, 2, hpack(get_fields("/"))), kProtocolError},
        {"padding longer than HEADERS, §6.2", frame(kHeaders, kEndHeaders | kPadded, 1, "\xff"), kProtocolError},
        {"another frame inside a field block, §6.2", frame(kHeaders, 0, 1, hpack(get_fields("/"))) + frame(kPing, 0, 0, "12345678"), kProtocolError},
        {"another stream's CONTINUATION, §6.10", frame(kHeaders, 0, 1, hpack(get_fields("/"))) + frame(kContinuation, kEndHeaders, 3), kProtocolError},
        {"CONTINUATION out of nowhere, §6.10", frame(kContinuation, kEndHeaders, 1), kProtocolError},
        {"PRIORITY on stream 0, §6.3", frame(kPriority, 0, 0, "12345"), kProtocolError},
        {"RST_STREAM on stream 0, §6.4", frame(kRstStream, 0, 0, u32(8)), kProtocolError},
        {"RST_STREAM on an idle stream, §6.4", frame(kRstStream, 0, 1, u32(8)), kProtocolError},
        {"RST_STREAM of another size, §6.4", head + frame(kRstStream, 0, 1, "123"), kFrameSizeError},
        {"SETTINGS on a stream, §6.5", frame(kSettings, 0, 1), kProtocolError},
        {"SETTINGS ACK with a payload, §6.5", frame(kSettings, kAck, 0, setting(1, 1)), kFrameSizeError},
        {"SETTINGS of another size, §6.5", frame(kSettings, 0, 0, "12345"), kFrameSizeError},
        {"ENABLE_PUSH of 2, §6.5.2", frame(kSettings, 0, 0, setting(2, 2)), kProtocolError},
        {"a window beyond 2^31-1, §6.5.2", frame(kSettings, 0, 0, setting(4, 0x80000000)), kFlowControlError},
        {"MAX_FRAME_SIZE below 16384, §6.5.2", frame(kSettings, 0, 0, setting(5, 16383)), kProtocolError},
        {"MAX_FRAME_SIZE beyond 2^24-1, §6.5.2", frame(kSettings, 0, 0, setting(5, 1 << 24)), kProtocolError},
        {"PUSH_PROMISE from a client, §8.4", head + frame(kPushPromise, kEndHeaders, 1, u32(2)), kProtocolError},
        {"PING on a stream, §6.7", frame(kPing, 0, 1, "12345678"), kProtocolError},
        {"PING of another size, §6.7", frame(kPing, 0, 0, "1234567"), kFrameSizeError},
        {"GOAWAY on a stream, §6.8", frame(kGoaway, 0, 1, u32(0) + u32(0)), kProtocolError},
        {"WINDOW_UPDATE of 0, §6.9", frame(kWindowUpdate, 0, 0, u32(0)), kProtocolError},
        {"WINDOW_UPDATE of another size, §6.9", frame(kWindowUpdate, 0, 0, "123"), kFrameSizeError},
        {"WINDOW_UPDATE on an idle stream, §5.1", frame(kWindowUpdate, 0, 1, u32(1)), kProtocolError},
        {"WINDOW_UPDATE beyond 2^31-1, §6.9.1", frame(kWindowUpdate, 0, 0, u32(0x7FFFFFFF)), kFlowControlError},
        {"a frame larger than MAX_FRAME_SIZE, §4.2", open + frame(kData, 0, 1, std::string(16385, 'x')), kFrameSizeError},
        {"HPACK index that is none, RFC 7541 §2.3.3", frame(kHeaders, kEndHeaders, 1, "\xff\x7f"), kCompressionError},
        {"HPACK table size beyond ours, RFC 7541 §6.3", frame(kHeaders, kEndHeaders, 1, "\x3f\xff\x7f"), kCompressionError},
        {"DATA behind the end of the stream, §5.1", head + frame(kData, 0, 1, "x"), kStreamClosed},
        {"HEADERS behind the end of the stream, §5.1", head + frame(kHeaders, kEndHeaders | kEndStream, 1, hpack(get_fields("/users"))), kStreamClosed},
    };
    for (const Broken& b : kAll) {
        Scene s(one_service("users"));
        H2Peer h2(s.client());
        h2.hello().send(b.bytes);
        EXPECT_TRUE(h2.goaway() == b.error || h2.stream(1).reset == b.error)
            << b.why << ": GOAWAY " << (h2.goaway() ? std::to_string(*h2.goaway()) : "none") << ", RST_STREAM "
            << (h2.stream(1).reset ? std::to_string(*h2.stream(1).reset) : "none");
        for (std::size_t i = 0; i < s.upstream("users").dials(); ++i) s.upstream("users").connection(i).discards();
    }
}

// What nghttp2 has forgotten, the session has not.
TEST(H2, streams_that_are_over_take_no_more_frames) {
    std::string lower = frame(kHeaders, kEndHeaders | kEndStream, 3, hpack(get_fields("/users")));
    std::string again = frame(kHeaders, kEndHeaders | kEndStream, 5, hpack(get_fields("/users")));
    const Broken kAll[] = {
        {"HEADERS on an id that was left out, §5.1.1", lower, kProtocolError},
        {"DATA on an id that was left out", frame(kData, kEndStream, 1, "x"), kProtocolError},
        {"HEADERS on a stream that was answered, §5.1", again, kStreamClosed},
        {"DATA on a stream that was answered, §5.1", frame(kData, 0, 5, "x"), kStreamClosed},
    };
    for (const Broken& b : kAll) {
        Scene s(one_service("users"));
        H2Peer h2(s.client());
        h2.hello().request(5, get_fields("/users"));
        s.upstream("users") >> request("GET", "/users") << ok("all");
        EXPECT_TRUE(h2.stream(5).ended);
        h2.send(b.bytes);
        EXPECT_EQ(h2.goaway(), b.error) << b.why;
        EXPECT_TRUE(h2.ended()) << b.why;
    }
}

TEST(H2, frames_that_crossed_our_reset_are_ignored) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, post_fields("/users", {{"x-bad", " 1"}}), false);
    EXPECT_EQ(h2.stream(1).reset, kProtocolError);
    h2.data(1, "more").send(frame(kHeaders, kEndHeaders | kEndStream, 1, hpack({{"x-trailer", "1"}})));
    h2.request(3, get_fields("/users"));
    s.upstream("users") >> request("GET", "/users") << ok("all");
    EXPECT_EQ(h2.stream(3).body, "all");
    EXPECT_FALSE(h2.goaway());
}

TEST(H2, unknown_frames_and_settings_are_ignored) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello(setting(0xFF, 1)).send(frame(0xEE, 0xFF, 0, "whatever")).send(frame(kPing, 0, 0, "12345678"));
    EXPECT_EQ(h2.count(kPing), 1u);
    h2.request(1, get_fields("/users"));
    s.upstream("users") >> request("GET", "/users") << ok("all");
    EXPECT_EQ(h2.stream(1).body, "all");
}

TEST(H2, a_preface_without_settings_is_a_connection_error) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.send(std::string(kPreface) + frame(kPing, 0, 0, "12345678"));
    EXPECT_EQ(h2.goaway(), kProtocolError);
    EXPECT_TRUE(h2.ended());
}

// ---- flow control

TEST(H2, an_answer_waits_for_the_window) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello(setting(4, 10)).request(1, get_fields("/users"));
    s.upstream("users") >> request("GET", "/users") << ok("0123456789abcdef");
    EXPECT_EQ(h2.stream(1).body, "0123456789");
    h2.window(1, 3);
    EXPECT_EQ(h2.stream(1).body, "0123456789abc");
    h2.send(frame(kSettings, 0, 0, setting(4, 100)));
    EXPECT_EQ(h2.stream(1).body, "0123456789abcdef");
    EXPECT_TRUE(h2.stream(1).ended);
}

TEST(H2, a_window_that_stays_shut_ends_the_stream) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello(setting(4, 1)).request(1, get_fields("/users"));
    Peer& upstream = s.upstream("users") >> request("GET", "/users") << ok("0123456789");
    s.after(29s);
    EXPECT_FALSE(h2.stream(1).reset);
    s.after(2s);
    EXPECT_EQ(h2.stream(1).reset, kCancel);
    EXPECT_EQ(s.counted(Code::client_gone), 1u);
    EXPECT_FALSE(h2.goaway());
    (void)upstream;
}

TEST(H2, a_large_answer_comes_whole) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello(setting(4, 1 << 24)).window(0, 1 << 24).request(1, get_fields("/users"));
    std::string large(3 << 20, 'x');
    s.upstream("users") >> request("GET", "/users") << ok(large);
    EXPECT_EQ(h2.stream(1).body.size(), large.size());
    EXPECT_TRUE(h2.stream(1).ended);
}

TEST(H2, what_nobody_reads_keeps_the_window_shut) {
    Scene s(one_service("users", {.route = "max_request_size: 10MB", .rest = "http2: {initial_stream_window: 100KB}\n"}));
    s.pipes_hold(1000);
    H2Peer h2(s.client());
    h2.hello().request(1, post_fields("/users"), false);
    Peer& upstream = s.upstream("users") >> request("POST", "/users").head_only();
    upstream.stops_reading();
    for (int i = 0; i < 6; ++i) h2.data(1, std::string(16384, 'x'));
    s.settle();
    EXPECT_LT(h2.opened(1), 50'000u);
    EXPECT_LT(s.leased(), 250'000u);
    upstream.reads_again();
    EXPECT_GT(h2.opened(1), 50'000u);
    upstream.discards();
    s.client() << hang_up;
}

TEST(H2, more_than_the_window_is_a_flow_control_error) {
    Scene s(one_service("users", {.rest = "http2: {initial_stream_window: 65535, connection_window: 1MB}\n"}));
    s.upstream("users").does_not_answer();
    H2Peer h2(s.client());
    h2.hello().request(1, post_fields("/users"), false);
    for (int i = 0; i < 5; ++i) h2.data(1, std::string(16384, 'x'));
    EXPECT_TRUE(h2.stream(1).reset == kFlowControlError || h2.goaway() == kFlowControlError);
}

TEST(H2, a_reset_upload_gives_the_connections_window_back) {
    Scene s(one_service("users", {.rest = "http2: {initial_stream_window: 65535, connection_window: 65535}\n"}));
    s.upstream("users").does_not_answer();
    H2Peer h2(s.client());
    h2.hello().request(1, post_fields("/users"), false);
    for (int i = 0; i < 3; ++i) h2.data(1, std::string(16384, 'x'));
    EXPECT_EQ(h2.opened(0), 0u);
    h2.rst(1);
    EXPECT_GE(h2.opened(0), 3 * 16384u);
}

// ---- time

TEST(H2, an_idle_connection_ends_in_order) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users"));
    s.upstream("users") >> request("GET", "/users") << ok("all");
    EXPECT_EQ(s.leased(), 0u);
    s.after(74s);
    EXPECT_FALSE(h2.goaway());
    s.after(2s);
    EXPECT_EQ(h2.goaway(), kNoError);
    EXPECT_TRUE(h2.ended());
}

TEST(H2, settings_must_be_acknowledged) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.send(std::string(kPreface) + frame(kSettings, 0, 0));
    s.after(11s);
    EXPECT_EQ(h2.goaway(), kSettingsTimeout);
    EXPECT_TRUE(h2.ended());
}

TEST(H2, a_head_must_arrive_in_time) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().send(frame(kHeaders, 0, 1, hpack(get_fields("/users"))));
    s.after(11s);
    EXPECT_EQ(h2.goaway(), kCalm);
}

TEST(H2, a_body_must_arrive_in_time) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, post_fields("/users"), false);
    Peer& upstream = s.upstream("users") >> request("POST", "/users").head_only();
    s.after(31s);
    EXPECT_TRUE(upstream.ended());
    EXPECT_EQ(h2.stream(1).status, "408");
    EXPECT_EQ(s.counted(Code::body_timeout), 1u);
}

TEST(H2, a_client_that_reads_nothing_is_given_up) {
    Scene s(one_service("users"));
    s.pipes_hold(1000);
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users"));
    s.client().stops_reading();
    s.upstream("users") >> request("GET", "/users") << ok(std::string(30000, 'x'));
    s.after(31s);
    EXPECT_TRUE(s.worker().quiet());
    s.client() << hang_up;
    s.client().discards();
}

TEST(H2, an_answer_that_comes_while_the_client_reads_nothing_waits) {
    Scene s(one_service("users"));
    s.pipes_hold(1000);
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users/1"));
    s.client().stops_reading();
    s.upstream("users") >> request("GET", "/users/1") << ok(std::string(30'000, 'x'));
    h2.request(3, get_fields("/users/3"));
    s.upstream("users").connection(1) >> request("GET", "/users/3") << ok("three");
    s.client().reads_again();
    EXPECT_EQ(h2.stream(1).body.size(), 30'000u);
    EXPECT_EQ(h2.stream(3).body, "three");
    EXPECT_FALSE(h2.ended());
}

// ---- draining

TEST(H2, draining_says_goaway_twice_and_ends_open_exchanges_in_peace) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users/1"));
    Peer& first = s.upstream("users") >> request("GET", "/users/1");
    s.worker().drain();
    s.settle();
    EXPECT_EQ(h2.goaway(), kNoError);
    EXPECT_EQ(h2.goaway_last(), 0x7FFFFFFFu);
    h2.request(3, get_fields("/users/2"));  // was on its way
    Peer& second = s.upstream("users") >> request("GET", "/users/2");
    s.after(1100ms);
    EXPECT_EQ(h2.goaway_last(), 3u);
    h2.request(5, get_fields("/users/3"));  // too late, and told so
    first << ok("one");
    EXPECT_EQ(h2.stream(1).body, "one");
    EXPECT_FALSE(h2.ended());
    second << ok("two");
    EXPECT_EQ(h2.stream(3).body, "two");
    EXPECT_TRUE(h2.ended());
    EXPECT_TRUE(s.worker().quiet());
    EXPECT_EQ(s.finished(), 2u);
}

TEST(H2, an_idle_connection_is_drained_after_the_moment_of_grace) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello();
    s.worker().drain();
    s.after(1100ms);
    EXPECT_TRUE(h2.ended());
    EXPECT_TRUE(s.worker().quiet());
}

TEST(H2, the_last_request_a_connection_may_make_drains_it) {
    Scene s(one_service("users", {.rest = "server: {max_requests: 2}\n"}));
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users"));
    s.upstream("users") >> request("GET", "/users") << ok("1");
    EXPECT_FALSE(h2.goaway());
    h2.request(3, get_fields("/users"));
    s.upstream("users") >> request("GET", "/users") << ok("2");
    EXPECT_EQ(h2.stream(3).body, "2");
    s.after(1100ms);
    EXPECT_TRUE(h2.ended());
}

TEST(H2, cutting_ends_everything_at_once) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, get_fields("/users")).request(3, post_fields("/users"), false).data(3, "x");
    s.worker().cut();
    s.settle();
    EXPECT_TRUE(s.worker().quiet());
    EXPECT_TRUE(h2.ended());
    for (std::size_t i = 0; i < s.upstream("users").dials(); ++i) s.upstream("users").connection(i).discards();
}

// ---- defences

TEST(H2Defence, rapid_reset) {  // CVE-2023-44487
    Scene s(one_service("users"));
    s.upstream("users").does_not_answer();
    H2Peer h2(s.client());
    h2.hello();
    std::uint32_t id = 1;
    for (; id < 10'000 && !h2.goaway(); id += 2) h2.request(id, get_fields("/users")).rst(id);
    EXPECT_EQ(h2.goaway(), kCalm);
    EXPECT_LT(id, 1000u);
    EXPECT_TRUE(h2.ended());
}

TEST(H2Defence, resets_at_a_human_pace_are_fine) {
    Scene s(one_service("users"));
    s.upstream("users").does_not_answer();
    H2Peer h2(s.client());
    h2.hello();
    for (std::uint32_t id = 1; id < 2000; id += 2) {
        h2.request(id, get_fields("/users")).rst(id);
        s.after(50ms);
    }
    EXPECT_FALSE(h2.goaway());
}

TEST(H2Defence, leaving_in_the_middle_of_an_answer_is_fine) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello();
    for (std::uint32_t id = 1; id < 1000; id += 2) {
        h2.request(id, get_fields("/users"));
        s.upstream("users") >> request("GET", "/users") << "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
        EXPECT_EQ(h2.stream(id).body, "half");
        h2.rst(id);
    }
    EXPECT_FALSE(h2.goaway());
}

TEST(H2Defence, resets_that_the_client_makes_us_send) {  // CVE-2025-8671
    Scene s(one_service("users"));
    s.upstream("users").does_not_answer();
    H2Peer h2(s.client());
    h2.hello();
    std::uint32_t id = 1;
    for (; id < 10'000 && !h2.goaway(); id += 2) h2.request(id, with("X-Upper", "1"));
    EXPECT_EQ(h2.goaway(), kCalm);
    EXPECT_LT(id, 1000u);
}

TEST(H2Defence, continuation_flood) {  // CVE-2024-28182
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().send(frame(kHeaders, kEndStream, 1, hpack(get_fields("/users"))));
    int frames = 0;
    for (; frames < 1000 && !h2.goaway(); ++frames) h2.send(frame(kContinuation, 0, 1, hpack({{"x", "1"}})));
    EXPECT_EQ(h2.goaway(), kCalm);
    EXPECT_LT(frames, 20);
}

TEST(H2Defence, a_head_in_a_few_continuations_is_fine) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    std::string block = hpack(get_fields("/users", {{"x", "1"}}));
    h2.hello().send(frame(kHeaders, kEndStream, 1, block.substr(0, 5)) + frame(kContinuation, 0, 1, block.substr(5, 1)) +
                    frame(kContinuation, kEndHeaders, 1, block.substr(6)));
    s.upstream("users") >> request("GET", "/users").with("x", "1") << ok("all");
    EXPECT_EQ(h2.stream(1).body, "all");
}

struct Flood {
    const char* name;
    std::string frame;
};

TEST(H2Defence, floods_of_frames_that_do_nothing) {
    const Flood kAll[] = {
        {"SETTINGS", frame(kSettings, 0, 0)},
        {"PING", frame(kPing, 0, 0, "12345678")},
        {"PING ACK", frame(kPing, kAck, 0, "12345678")},
        {"PRIORITY", frame(kPriority, 0, 1, u32(0) + "x")},
        {"empty DATA", frame(kData, 0, 1)},
        {"WINDOW_UPDATE", frame(kWindowUpdate, 0, 1, u32(1))},
        {"an unknown type", frame(0xEE, 0, 0)},
    };
    for (const Flood& flood : kAll) {
        Scene s(one_service("users"));
        s.upstream("users").does_not_answer();
        H2Peer h2(s.client());
        h2.hello().request(1, post_fields("/users"), false);
        int sent = 0;
        for (; sent < 100'000 && !h2.goaway(); sent += 100) {
            std::string hundred;
            for (int i = 0; i < 100; ++i) hundred += flood.frame;
            h2.send(hundred);
        }
        EXPECT_EQ(h2.goaway(), kCalm) << flood.name;
        EXPECT_LT(sent, 3000) << flood.name;
    }
}

TEST(H2Defence, a_flood_on_a_stream_that_was_reset) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello().request(1, post_fields("/users", {{"x-bad", " 1"}}), false);
    EXPECT_EQ(h2.stream(1).reset, kProtocolError);
    std::string trailers = frame(kHeaders, kEndHeaders | kEndStream, 1, hpack({{"x-trailer", "1"}}));
    int sent = 0;
    for (; sent < 100'000 && !h2.goaway(); ++sent) h2.send(trailers);
    EXPECT_EQ(h2.goaway(), kCalm);
    EXPECT_LT(sent, 3000);
}

TEST(H2Defence, an_hpack_bomb) {
    Scene s(one_service("users"));
    H2Peer h2(s.client());
    h2.hello();
    // 4000 bytes go into the dynamic table once; every byte after that names them again.
    std::string block = hpack(get_fields("/users")) + std::string("\x40\x01x\x7f\xa1\x1e") + std::string(4000, 'x');
    h2.send(frame(kHeaders, kEndStream | kEndHeaders, 1, block + std::string(5, '\xbe')));
    EXPECT_EQ(h2.stream(1).status, "431");
    EXPECT_FALSE(h2.goaway());
    h2.send(frame(kHeaders, kEndStream | kEndHeaders, 3, hpack(get_fields("/users")) + std::string(10'000, '\xbe')));
    EXPECT_EQ(h2.goaway(), kCalm);
}

TEST(H2Defence, more_streams_than_were_offered_are_refused) {
    Scene s(one_service("users", {.rest = "http2: {max_concurrent_streams: 2}\n"}));
    s.upstream("users").does_not_answer();
    H2Peer h2(s.client());
    h2.send(std::string(kPreface) + frame(kSettings, 0, 0));
    for (std::uint32_t id : {1, 3, 5}) h2.request(id, get_fields("/users"));
    EXPECT_EQ(h2.stream(5).reset, kRefusedStream);
    EXPECT_FALSE(h2.stream(1).reset);
    EXPECT_FALSE(h2.goaway());
    h2.rst(1).request(7, get_fields("/users"));
    EXPECT_FALSE(h2.stream(7).reset);
}

TEST(H2Defence, a_client_that_reads_nothing_cannot_make_us_remember_answers) {
    Scene s(one_service("users"));
    s.pipes_hold(1000);
    H2Peer h2(s.client());
    h2.hello();
    s.client().stops_reading();
    for (int i = 0; i < 1000; ++i) h2.send(frame(kPing, 0, 0, "12345678"));
    EXPECT_EQ(s.leased(), 16u * 1024);  // the words it does not take
    s.after(6s);
    EXPECT_TRUE(s.worker().quiet());
    s.client() << hang_up;
    s.client().discards();
}

// ---- HPACK, RFC 7541

TEST(H2Hpack, public_vectors_reach_the_upstream_as_they_were_meant) {
    std::filesystem::path folder = std::string(SUOKE_VECTORS) + "/hpack";
    if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no vectors";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".json") continue;
        std::ifstream in(entry.path());
        auto story = nlohmann::json::parse(in);
        Scene s("routes:\n  - {name: all, prefix: /, respond: {body: ok}}\n");
        H2Peer h2(s.client());
        h2.hello();
        std::uint32_t id = 1;
        for (const auto& one : story["cases"]) {
            std::string wire = one["wire"], block;
            for (std::size_t i = 0; i + 1 < wire.size(); i += 2)
                block += static_cast<char>(std::stoi(wire.substr(i, 2), nullptr, 16));
            h2.send(frame(kHeaders, kEndHeaders | kEndStream, id, block));
            EXPECT_FALSE(h2.goaway()) << entry.path() << " " << one["seqno"];
            auto& answer = h2.stream(id);
            EXPECT_TRUE(answer.status == "200" || answer.reset == kProtocolError) << entry.path() << " " << answer.status;
            id += 2;
            s.after(100ms);  // what is malformed in them counts
        }
    }
}

}  // namespace
}  // namespace suoke::scene
