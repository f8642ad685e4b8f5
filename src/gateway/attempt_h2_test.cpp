// SPDX-License-Identifier: MIT
// HTTP/2 to an upstream, through the whole gateway, from clients that speak either.
#include "http/ws_handshake.h"
#include "testing/h2_peer.h"

namespace suoke::scene {
namespace {

constexpr std::uint32_t kNoError = 0, kProtocolError = 1, kInternalError = 2, kRefusedStream = 7, kCancel = 8, kCalm = 11;

std::string h2_service(const std::string& route = {}) {
    return one_service("rag", {.route = route, .service = "protocol: h2"});
}

Peer& far(Scene& s, std::size_t index = 0) { return s.upstream("rag").connection(index); }

TEST(H2Upstream, a_request_becomes_a_stream_and_its_answer_a_response) {
    Scene s(h2_service());
    s.client() << get("/rag/7?a=b", "x-kept: 1\r\nconnection: x-hop\r\nx-hop: 1\r\n");
    H2Peer server(far(s));
    server.welcome();
    auto& asked = server.stream(1);
    EXPECT_EQ(asked.field(":method"), "GET");
    EXPECT_EQ(asked.field(":path"), "/rag/7?a=b");
    EXPECT_EQ(asked.field(":scheme"), "http");
    EXPECT_EQ(asked.field(":authority"), "10.0.0.1:80");
    EXPECT_EQ(asked.field("x-kept"), "1");
    EXPECT_FALSE(asked.field("x-hop"));
    EXPECT_FALSE(asked.field("host"));
    EXPECT_TRUE(asked.ended);
    server.answer(1, "200", "seven", {{"content-type", "text/plain"}});
    s.client() >> response(200, "seven").with("content-type", "text/plain");
}

TEST(H2Upstream, exchanges_share_one_connection) {
    Scene s(h2_service());
    s.client("a") << get("/rag/1");
    s.client("b") << get("/rag/2");
    H2Peer server(far(s));
    server.welcome();
    EXPECT_EQ(server.stream(1).field(":path"), "/rag/1");
    EXPECT_EQ(server.stream(3).field(":path"), "/rag/2");
    server.answer(3, "200", "two").answer(1, "200", "one");
    s.client("b") >> response(200, "two");
    s.client("a") >> response(200, "one");
    EXPECT_EQ(s.upstream("rag").dials(), 1u);
}

TEST(H2Upstream, another_connection_is_opened_when_the_first_is_full) {
    Scene s(h2_service());
    s.client("a") << get("/rag/1");
    H2Peer first(far(s));
    first.welcome(setting(3, 1));
    EXPECT_TRUE(first.stream(1).ended);
    s.client("b") << get("/rag/2");
    EXPECT_EQ(s.upstream("rag").dials(), 2u);
    H2Peer second(far(s, 1));
    second.welcome(setting(3, 1)).answer(1, "200", "two");
    first.answer(1, "200", "one");
    s.client("a") >> response(200, "one");
    s.client("b") >> response(200, "two");
}

TEST(H2Upstream, bodies_and_trailers_go_both_ways_piece_by_piece) {
    Scene s(h2_service());
    s.client() << "POST /rag HTTP/1.1\r\nhost: api\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("one");
    H2Peer server(far(s));
    server.welcome();
    EXPECT_EQ(server.stream(1).body, "one");
    EXPECT_FALSE(server.stream(1).ended);
    server.request(1, {{":status", "200"}}, false).data(1, "yes");
    s.client() >> response(200).head_only() >> bytes(chunk("yes"));
    s.client() << chunk("two") << "0\r\nx-sum: 6\r\n\r\n";
    EXPECT_EQ(server.stream(1).body, "onetwo");
    EXPECT_TRUE(server.stream(1).ended);
    EXPECT_EQ(server.stream(1).trailers, (Fields{{"x-sum", "6"}}));
    server.request(1, {{"grpc-status", "0"}}, true);
    s.client() >> bytes("0\r\ngrpc-status: 0\r\n\r\n");
}

TEST(H2Upstream, a_length_is_told_and_a_lie_about_it_noticed) {
    Scene s(h2_service());
    s.client() << post("/rag", "12345");
    H2Peer server(far(s));
    server.welcome();
    EXPECT_EQ(server.stream(1).field("content-length"), "5");
    EXPECT_EQ(server.stream(1).body, "12345");
    server.send(frame(kHeaders, kEndHeaders, 1, hpack({{":status", "200"}, {"content-length", "3"}})) +
                frame(kData, kEndStream, 1, "four"));
    s.client() >> response(502);
    EXPECT_TRUE(server.stream(1).reset);
}

TEST(H2Upstream, a_refused_stream_is_asked_again_elsewhere) {
    Scene s(h2_service());
    s.client() << post("/rag", "once");
    H2Peer first(far(s));
    first.welcome();
    EXPECT_TRUE(first.stream(1).ended);
    first.rst(1, kRefusedStream);
    H2Peer second(far(s, 1));
    second.welcome();
    EXPECT_EQ(second.stream(1).body, "once");
    second.answer(1, "200", "done");
    s.client() >> response(200, "done");
}

TEST(H2Upstream, one_that_refuses_every_stream_is_not_asked_for_ever) {
    Scene s(h2_service());
    s.client() << post("/rag", "once");
    for (std::size_t i = 0; i < 2; ++i) {
        H2Peer server(far(s, i));
        server.welcome();
        server.rst(1, kRefusedStream);
    }
    s.after(2s);
    s.client() >> response(502).saying("upstream_reset");
    EXPECT_EQ(s.upstream("rag").dials(), 2u);
}

TEST(H2Upstream, one_that_serves_a_request_a_connection_serves_all_that_came_at_once) {
    constexpr std::size_t kClients = 30;
    Scene s(h2_service());
    for (std::size_t i = 0; i < kClients; ++i) s.client(std::to_string(i)) << get("/rag");
    for (std::size_t i = 0; i < s.upstream("rag").dials(); ++i) {
        H2Peer server(far(s, i));
        server.welcome().answer(1, "200", "done").send(frame(kGoaway, 0, 0, u32(1) + u32(kNoError)));
        s.settle();
    }
    for (std::size_t i = 0; i < kClients; ++i) s.client(std::to_string(i)) >> response(200, "done");
}

TEST(H2Upstream, goaway_lets_the_old_streams_finish_and_takes_no_new_ones) {
    Scene s(h2_service());
    s.client("a") << get("/rag/1");
    H2Peer first(far(s));
    first.welcome().send(frame(kGoaway, 0, 0, u32(1) + u32(kNoError)));
    s.client("b") << get("/rag/2");
    H2Peer second(far(s, 1));
    second.welcome().answer(1, "200", "two");
    s.client("b") >> response(200, "two");
    first.answer(1, "200", "one");
    s.client("a") >> response(200, "one");
    EXPECT_TRUE(far(s).ended());
}

TEST(H2Upstream, a_reset_before_the_answer_is_502_and_behind_its_head_cuts_it) {
    Scene s(h2_service());
    s.client("a") << get("/rag/1");
    H2Peer server(far(s));
    server.welcome().rst(1, kInternalError);
    s.client("a") >> response(502).saying("upstream_reset");
    s.client("b") << get("/rag/2");
    server.request(3, {{":status", "200"}}, false).data(3, "half").rst(3, kInternalError);
    s.client("b") >> response(200).head_only() >> bytes(chunk("half")) >> closed();
}

TEST(H2Upstream, a_connection_that_breaks_fails_what_was_on_it_and_no_more) {
    Scene s(h2_service());
    s.client("a") << get("/rag/1");
    H2Peer first(far(s));
    first.welcome();
    far(s) << reset;
    s.client("a") >> response(502);
    s.client("a") << get("/rag/2");
    H2Peer second(far(s, 1));
    second.welcome().answer(1, "200", "two");
    s.client("a") >> response(200, "two");
}

TEST(H2Upstream, a_client_that_leaves_cancels_its_stream_only) {
    Scene s(h2_service());
    s.client("a") << get("/rag/1");
    s.client("b") << get("/rag/2");
    H2Peer server(far(s));
    server.welcome();
    s.client("a") << hang_up;
    EXPECT_EQ(server.stream(1).reset, kCancel);
    server.answer(3, "200", "two");
    s.client("b") >> response(200, "two");
}

TEST(H2Upstream, malformed_heads_are_502) {
    for (const Fields& head : std::vector<Fields>{{{":status", "99"}}, {{":status", "200"}, {"Upper", "x"}},
                                                  {{":status", "200"}, {"connection", "close"}},
                                                  {{":status", "200"}, {"x", "a\rb"}}, {{"x", "no status"}}}) {
        Scene s(h2_service());
        s.client() << get("/rag");
        H2Peer server(far(s));
        server.welcome().request(1, head, true);
        s.client() >> response(502);
    }
}

TEST(H2Upstream, content_that_must_not_be_is_502_or_cut) {
    struct Case {
        const char* why;
        const char* method;
        std::string frames;
        int status;  // 0: the stream is cut behind its head
    };
    std::string head = frame(kHeaders, kEndHeaders, 1, hpack({{":status", "200"}}));
    const Case kAll[] = {
        {"before the head", "GET", frame(kData, 0, 1, "x"), 502},
        {"of 204", "GET", frame(kHeaders, kEndHeaders, 1, hpack({{":status", "204"}})) + frame(kData, 0, 1, "x"), 204},
        {"trailers that do not end the stream", "GET", head + frame(kHeaders, kEndHeaders, 1, hpack({{"x", "1"}})), 0},
        {"a second head", "GET", head + frame(kHeaders, kEndHeaders | kEndStream, 1, hpack({{":status", "200"}})), 0},
    };
    for (const Case& c : kAll) {
        Scene s(h2_service());
        s.client() << get("/rag");
        H2Peer server(far(s));
        server.welcome().send(c.frames);
        EXPECT_TRUE(server.stream(1).reset == kProtocolError || server.goaway() == kProtocolError) << c.why;
        std::string said = s.client().unread();
        if (c.status > 0) EXPECT_TRUE(said.starts_with("HTTP/1.1 " + std::to_string(c.status))) << c.why << ": " << said;
        else EXPECT_FALSE(said.ends_with("0\r\n\r\n")) << c.why;
        s.client().discards();
    }
}

TEST(H2Upstream, interim_heads_reach_the_client) {
    Scene s(h2_service());
    s.client() << get("/rag");
    H2Peer server(far(s));
    server.welcome().request(1, {{":status", "103"}, {"link", "</a.css>"}}, false).answer(1, "200", "page");
    s.client() >> response(103).head_only().with("link", "</a.css>") >> response(200, "page");
}

TEST(H2Upstream, silence_is_a_timeout_and_the_connection_lives_on) {
    Scene s(h2_service("response_timeout: 5s"));
    s.client() << get("/rag/1");
    H2Peer server(far(s));
    server.welcome();
    s.after(5100ms);
    s.client() >> response(504);
    EXPECT_EQ(server.stream(1).reset, kCancel);
    s.client() << get("/rag/2");
    server.answer(3, "200", "two");
    s.client() >> response(200, "two");
    EXPECT_EQ(s.upstream("rag").dials(), 1u);
}

TEST(H2Upstream, a_flood_of_frames_ends_the_connection) {
    for (const std::string& useless : {frame(kPing, 0, 0, "12345678"), frame(0xEE, 0, 0)}) {
        Scene s(h2_service());
        s.client() << get("/rag/1");
        H2Peer server(far(s));
        server.welcome();
        int sent = 0;
        for (; sent < 100'000 && !server.goaway(); sent += 100) {
            std::string hundred;
            for (int i = 0; i < 100; ++i) hundred += useless;
            server.send(hundred);
        }
        EXPECT_EQ(server.goaway(), kCalm);
        EXPECT_LT(sent, 3000);
        s.client() >> response(502);
    }
}

TEST(H2Upstream, an_idle_connection_is_closed_in_order) {
    Scene s(h2_service());
    s.client() << get("/rag/1");
    H2Peer server(far(s));
    server.welcome().answer(1, "200", "one");
    s.client() >> response(200, "one");
    s.after(61s);
    EXPECT_EQ(server.goaway(), kNoError);
    EXPECT_TRUE(server.ended());
}

TEST(H2Upstream, the_clients_pace_is_the_servers) {
    Scene s(h2_service());
    s.client().stops_reading();
    s.client() << get("/rag/big");
    H2Peer server(far(s));
    server.welcome().request(1, {{":status", "200"}}, false);
    for (int i = 0; i < 15; ++i) server.data(1, std::string(16 * 1024, 'x'));
    s.settle();
    EXPECT_LT(server.opened(1), 128u * 1024);  // no more was asked for than has gone on
    EXPECT_LE(s.leased(), 512u * 1024);
    s.client().reads_again().discards();
    server.data(1, "end", true);
    s.client().discards();
}

TEST(H2Upstream, grpc_from_end_to_end) {
    Scene s(h2_service());
    H2Peer client(s.client());
    client.hello().request(1, post_fields("/rag", {{"content-type", "application/grpc"}, {"te", "trailers"}, {"grpc-timeout", "5S"}}), false);
    client.data(1, std::string("\0\0\0\0\1a", 6), true);
    H2Peer server(far(s));
    server.welcome();
    EXPECT_EQ(server.stream(1).field("te"), "trailers");
    EXPECT_EQ(server.stream(1).field("grpc-timeout"), "5000000u");
    EXPECT_EQ(server.stream(1).body, std::string("\0\0\0\0\1a", 6));
    server.request(1, {{":status", "200"}, {"content-type", "application/grpc"}}, false);
    server.data(1, std::string("\0\0\0\0\1b", 6)).request(1, {{"grpc-status", "0"}, {"state-bin", "AP8="}}, true);
    EXPECT_EQ(client.stream(1).status, "200");
    EXPECT_EQ(client.stream(1).body, std::string("\0\0\0\0\1b", 6));
    EXPECT_EQ(client.stream(1).trailers, (Fields{{"grpc-status", "0"}, {"state-bin", "AP8="}}));
    EXPECT_TRUE(client.stream(1).ended);
}

TEST(H2Upstream, trailers_only_stay_one_head) {
    Scene s(h2_service());
    H2Peer client(s.client());
    client.hello().request(1, post_fields("/rag", {{"content-type", "application/grpc"}}), true);
    H2Peer server(far(s));
    server.welcome().request(1, {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "5"}}, true);
    EXPECT_EQ(client.stream(1).field("grpc-status"), "5");
    EXPECT_TRUE(client.stream(1).trailers.empty());
    EXPECT_TRUE(client.stream(1).ended);
    EXPECT_EQ(client.count(kHeaders), 1u);
}

// ---- WebSockets where the two protocols meet (RFC 8441)

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::uint16_t kEnableConnect = 8;

TEST(H2Tunnel, an_upgrade_becomes_extended_connect) {
    Scene s(h2_service());
    s.client() << get("/rag/chat", "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
                                   "sec-websocket-key: " + std::string(kKey) + "\r\n");
    H2Peer server(far(s));
    server.welcome(setting(kEnableConnect, 1));
    EXPECT_EQ(server.stream(1).field(":method"), "CONNECT");
    EXPECT_EQ(server.stream(1).field(":protocol"), "websocket");
    EXPECT_EQ(server.stream(1).field(":path"), "/rag/chat");
    EXPECT_FALSE(server.stream(1).field("sec-websocket-key"));
    EXPECT_FALSE(server.stream(1).ended);
    server.request(1, {{":status", "200"}}, false);
    s.client() >> response(101).head_only().with("sec-websocket-accept", http::ws::accept_of(kKey));
    s.client() << std::string("\x81\x82\0\0\0\0hi", 8);
    EXPECT_EQ(server.stream(1).body, std::string("\x81\x82\0\0\0\0hi", 8));
    server.data(1, "\x81\x02yo");
    s.client() >> bytes("\x81\x02yo");
    server.data(1, std::string("\x88\x00", 2), true);
    s.client() >> bytes(std::string("\x88\x00", 2)) >> closed();
}

TEST(H2Tunnel, a_server_that_knows_no_extended_connect_is_not_asked) {
    Scene s(h2_service());
    s.client() << get("/rag/chat", "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
                                   "sec-websocket-key: " + std::string(kKey) + "\r\n");
    H2Peer server(far(s));
    server.welcome();
    s.client() >> response(502).saying("8441");
    EXPECT_TRUE(server.stream(1).fields.empty());
}

TEST(H2Tunnel, extended_connect_becomes_an_upgrade) {
    Scene s(one_service("chat"));
    H2Peer client(s.client());
    client.hello().request(1, {{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/chat"},
                               {":authority", "api"}, {"sec-websocket-version", "13"}, {"origin", "http://app"}}, false);
    Peer& upstream = s.upstream("chat").connection(0);
    std::string asked = upstream.unread();
    auto at = asked.find("Sec-WebSocket-Key: ");
    ASSERT_NE(at, std::string::npos) << asked;
    std::string key = asked.substr(at + 19, 24);
    upstream >> request("GET", "/chat").with("upgrade", "websocket").with("connection", "Upgrade").with("origin", "http://app");
    upstream << "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: " +
                    http::ws::accept_of(key) + "\r\n\r\n";
    EXPECT_EQ(client.stream(1).status, "200");
    EXPECT_FALSE(client.stream(1).field("sec-websocket-accept"));
    EXPECT_FALSE(client.stream(1).field("upgrade"));
    client.data(1, std::string("\x81\x82\0\0\0\0hi", 8));
    upstream >> bytes(std::string("\x81\x82\0\0\0\0hi", 8)) << "\x81\x02yo";
    EXPECT_EQ(client.stream(1).body, "\x81\x02yo");
    client.data(1, std::string("\x88\x80\0\0\0\0", 6), true);
    upstream >> bytes(std::string("\x88\x80\0\0\0\0", 6)) >> closed() << std::string("\x88\x00", 2) << hang_up;
    EXPECT_EQ(client.stream(1).body, std::string("\x81\x02yo\x88\x00", 6));
    EXPECT_TRUE(client.stream(1).ended);
}

TEST(H2Tunnel, a_wrong_accept_is_no_agreement) {
    Scene s(one_service("chat"));
    s.client() << get("/chat", "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
                               "sec-websocket-key: " + std::string(kKey) + "\r\n");
    s.upstream("chat") >> request("GET", "/chat")
        << "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: bm8=\r\n\r\n";
    s.client() >> response(502).saying("Accept");
}

}  // namespace
}  // namespace suoke::scene
