// SPDX-License-Identifier: MIT
// WebSocket tunnels through the whole gateway: an exchange whose bodies go on without a framing.
#include "testing/scene.h"

namespace suoke::scene {
namespace {

constexpr std::string_view kAsk =
    "connection: keep-alive, Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr std::string_view kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

void opens(Scene& s) {
    s.client() << get("/chat", kAsk);
    s.upstream("chat") >> request("GET", "/chat")
                              .with("connection", "Upgrade")
                              .with("upgrade", "websocket")
                              .with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
                              .without("content-length");
    s.upstream("chat").connection(0) << kSwitched;
    s.client() >> response(101)
                      .head_only()
                      .with("connection", "Upgrade")
                      .with("upgrade", "websocket")
                      .with("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
                      .without("transfer-encoding")
                      .without("content-length");
}

TEST(Upgrade, carries_bytes_both_ways_until_the_upstream_closes) {
    Scene s(one_service("chat"));
    opens(s);
    s.client() << "ping";
    s.upstream("chat").connection(0) >> bytes("ping") << "pong";
    s.client() >> bytes("pong") << "again";
    s.upstream("chat").connection(0) >> bytes("again") << "bye" << hang_up;
    s.client() >> bytes("bye") >> closed();
}

TEST(Upgrade, what_the_client_sent_before_it_left_still_arrives) {
    Scene s(one_service("chat"));
    opens(s);
    s.client() << "bye" << half_close;
    s.upstream("chat").connection(0) >> bytes("bye") >> closed() << "so long" << hang_up;
    s.client() >> bytes("so long") >> closed();
}

TEST(Upgrade, bytes_that_came_with_either_head_are_not_lost) {
    Scene s(one_service("chat"));
    s.client() << get("/chat", kAsk) + "early";
    s.upstream("chat") >> request("GET", "/chat");
    s.upstream("chat").connection(0) >> silence() << std::string(kSwitched) + "welcome";
    s.upstream("chat").connection(0) >> bytes("early");
    s.client() >> response(101).head_only() >> bytes("welcome");
}

TEST(Upgrade, a_client_that_breaks_off_breaks_the_upstream) {
    Scene s(one_service("chat"));
    opens(s);
    s.client() << reset;
    EXPECT_EQ(s.upstream("chat").open_connections(), 0u);
}

TEST(Upgrade, is_quiet_for_longer_than_any_timeout_of_an_ordinary_exchange) {
    Scene s(one_service("chat", {.route = "timeout: 5s, idle_timeout: 2s"}));
    opens(s);
    s.after(4min);  // less than websocket.idle_timeout
    s.client() << "still here";
    s.upstream("chat").connection(0) >> bytes("still here") << "me too";
    s.client() >> bytes("me too");
}

TEST(Upgrade, a_refused_upgrade_is_an_ordinary_answer) {
    Scene s(one_service("chat"));
    s.client() << get("/chat", kAsk);
    s.upstream("chat") >> request("GET", "/chat") << answer(403, "not you");
    s.client() >> response(403, "not you") << get("/chat");
    s.upstream("chat") >> request("GET", "/chat").without("upgrade") << ok("seven");
    s.client() >> response(200, "seven");
    EXPECT_EQ(s.upstream("chat").dials(), 1u);
}

TEST(Upgrade, a_switch_to_another_protocol_is_refused) {
    Scene s(one_service("chat"));
    s.client() << get("/chat", kAsk);
    s.upstream("chat") >> request("GET", "/chat")
        << "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n";
    s.client() >> response(502);
}

TEST(Upgrade, other_upgrades_are_answered_as_if_nobody_had_asked) {
    for (std::string_view ask : {"connection: upgrade\r\nupgrade: h2c\r\n", "upgrade: websocket\r\n",
                                 "connection: upgrade\r\n"}) {
        Scene s(one_service("chat"));
        s.client() << get("/chat", ask);
        s.upstream("chat") >> request("GET", "/chat").without("upgrade").without("connection") << ok("plain");
        s.client() >> response(200, "plain");
    }
}

TEST(Upgrade, a_slow_reader_slows_the_other_side_and_little_is_buffered) {
    Scene s(one_service("chat"));
    opens(s);
    s.client().stops_reading();
    s.upstream("chat").connection(0) << std::string(4 << 20, 'x');
    EXPECT_LE(s.leased(), 512u * 1024);
    EXPECT_GT(s.upstream("chat").connection(0).unsent(), 3u << 20);
    s.client().reads_again().discards();
}

}  // namespace
}  // namespace suoke::scene
