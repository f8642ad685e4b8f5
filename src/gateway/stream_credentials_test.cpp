// SPDX-License-Identifier: MIT
// Streams end with the credential they were opened with: when it expires, and when it is revoked. WebSockets go on
// with a newer one.
#include <array>

#include "auth/credentials.h"
#include "auth/jwt.h"
#include "http/grpc.h"
#include "http/ws.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

const std::string kSecret = "a-secret-of-this-test-alone-0123456789";

std::string chat(const std::string& route = "sse: {heartbeat: 0}") {
    return one_service("chat", {.route = route, .rest = "auth: {jwt: {secret_key: " + kSecret + "}}\nregistry: {service_paths: false}\n"});
}

// A gateway that believes tokens of kSecret, and a client whose token is good for a minute.
class Believing {
 public:
    explicit Believing(const std::string& yaml = chat()) : s(yaml) {
        auto keys = std::make_shared<auth::KeySet>();
        keys->keys.push_back(*key_);
        auto ring = std::make_shared<auth::KeyRing>();
        ring->providers[""].keys = std::move(keys);
        ring->generation = 1;
        s.worker().adopt(auth::KeyRingPtr(std::move(ring)));
    }

    // Issued now.
    std::string token(Duration lifetime = 60s, const std::string& token_id = "t1", const std::string& subject = "alice", const std::string& more = {}) {
        auto now = s.loop().clock().wall().time_since_epoch() / 1s;
        std::string claims = R"({"sub":")" + subject + R"(","jti":")" + token_id + R"(","iat":)" + std::to_string(now) + R"(,"exp":)" +
                             std::to_string(now + lifetime / 1s) + more + "}";
        return *auth::mint(claims, **key_, auth::Algorithm::hs256);
    }
    std::string bearer(Duration lifetime = 60s, const std::string& token_id = "t1") {
        return "authorization: Bearer " + token(lifetime, token_id) + "\r\n";
    }
    void revoke_token(const std::string& token_id) {
        revoked_.tokens[token_id] = WallTime::max();
        tell();
    }
    void revoke_subject(const std::string& subject) {
        revoked_.subjects[subject] = s.loop().clock().wall();
        tell();
    }

    // An event stream that has begun.
    Peer& streams(const std::string& credential, const std::string& client = "client") {
        s.client(client) << get("/chat", credential);
        Peer& upstream = s.upstream("chat") >> request("GET", "/chat");
        upstream << "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("data: a\n\n");
        s.client(client) >> response(200).head_only() >> bytes(chunk("data: a\n\n"));
        return upstream;
    }
    // One chunk, or the end, with these words in it.
    void hears(const std::string& words, const std::string& client = "client", Place place = Place::current()) {
        std::string said = s.client(client).unread();
        EXPECT_NE(said.find(words), said.npos) << "line " << place.line() << ": " << words << " is not in " << said;
        s.client(client).discards();
    }

    Scene s;

 private:
    void tell() {
        ++revoked_.generation;
        s.worker().adopt(auth::RevocationsPtr(std::make_shared<auth::Revocations>(revoked_)));
        s.after(20ms);   // a tick of the timers
    }
    Result<auth::KeyPtr> key_ = auth::Key::of_secret(kSecret);
    auth::Revocations revoked_;
};

// ---- event streams

TEST(StreamCredentials, an_event_stream_is_told_before_its_token_expires_and_when_it_does) {
    Believing g;
    Peer& upstream = g.streams(g.bearer());
    g.s.after(29s);
    g.s.client() >> silence();
    g.s.after(2s);
    g.hears("event: auth_expiring\ndata: {\"message\":\"The token expires soon; come back with a new one\",\"expires_in\":30}\n\n");
    upstream << chunk("data: b\n\n");
    g.s.client() >> bytes(chunk("data: b\n\n"));
    g.s.after(28s);
    g.s.client() >> silence();
    g.s.after(2s);
    EXPECT_TRUE(g.s.client().unread().ends_with("}\n\n\r\n0\r\n\r\n"));
    g.hears("event: auth_expired\ndata: {\"error\":\"token_expired\",\"message\":\"");
    EXPECT_TRUE(upstream.ended());
    EXPECT_EQ(g.s.counted(Code::token_expired), 1u);
}

TEST(StreamCredentials, a_stream_that_is_busy_is_told_as_well) {
    Believing g;
    Peer& upstream = g.streams(g.bearer());
    for (int second = 0; second < 59; ++second) {
        upstream << chunk("data: more\n\n");
        g.s.after(1s);
    }
    EXPECT_NE(g.s.client().unread().find("event: auth_expiring"), std::string::npos);
    upstream << chunk("data: more\n\ndata: half");
    g.s.client().discards();
    g.s.after(1100ms);
    upstream << chunk("\n\ndata: too late");
    EXPECT_EQ(g.s.client().unread().find("too late"), std::string::npos);
    g.hears("event: auth_expired");
}

TEST(StreamCredentials, half_an_event_is_waited_for_but_not_for_ever) {
    Believing g;
    Peer& upstream = g.streams(g.bearer());
    upstream << chunk("data: half");
    g.s.client() >> bytes(chunk("data: half"));
    g.s.after(61s);
    g.s.client() >> silence();
    g.s.after(2s);
    g.hears("event: error\ndata: {\"error\":\"token_expired\"");
}

TEST(StreamCredentials, a_token_that_is_about_to_expire_is_told_at_once) {
    Believing g;
    g.s.client() << get("/chat", g.bearer(10s));
    g.s.upstream("chat") >> request("GET", "/chat")
        << "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    g.s.client() >> response(200).head_only();
    g.s.after(100ms);
    g.hears("event: auth_expiring\ndata: {\"message\":\"The token expires soon; come back with a new one\",\"expires_in\":10}");
    g.s.client() << hang_up;
}

TEST(StreamCredentials, a_revoked_token_ends_its_stream_at_once_and_no_other) {
    Believing g;
    Peer& first = g.streams(g.bearer(60s, "t1"), "first");
    Peer& second = g.streams(g.bearer(60s, "t2"), "second");
    g.revoke_token("t1");
    EXPECT_TRUE(first.ended());
    g.hears("event: auth_expired\ndata: {\"error\":\"token_revoked\"", "first");
    g.s.client("second") >> silence();
    EXPECT_FALSE(second.ended());
    g.revoke_subject("alice");
    EXPECT_TRUE(second.ended());
    g.hears("event: auth_expired\ndata: {\"error\":\"token_revoked\"", "second");
}

TEST(StreamCredentials, what_was_revoked_while_its_answer_was_on_its_way_does_not_stream) {
    Believing g;
    g.s.client() << get("/chat", g.bearer());
    Peer& upstream = g.s.upstream("chat") >> request("GET", "/chat");
    g.revoke_token("t1");
    upstream << "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("data: secret\n\n");
    g.s.client() >> response(200).head_only();
    EXPECT_EQ(g.s.client().unread().find("secret"), std::string::npos);
    g.hears("event: auth_expired");
}

TEST(StreamCredentials, a_long_answer_that_is_no_stream_is_left_alone) {
    Believing g;
    g.s.client() << get("/chat", g.bearer());
    Peer& upstream = g.s.upstream("chat") >> request("GET", "/chat");
    upstream << "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("one");
    g.s.client() >> response(200).head_only() >> bytes(chunk("one"));
    for (int i = 0; i < 4; ++i) {
        g.s.after(20s);
        upstream << chunk("more");
        g.s.client() >> bytes(chunk("more"));
    }
    upstream << last_chunk;
    g.s.client() >> bytes(std::string(last_chunk));
}

TEST(StreamCredentials, a_drain_that_comes_first_ends_it_as_ever) {
    Believing g;
    g.streams(g.bearer());
    g.s.worker().drain(10s);
    g.s.after(10s);
    g.hears("retry: ");
}

// What EventSource does when it has heard auth_expiring.
TEST(StreamCredentials, who_comes_back_to_an_event_stream_with_a_newer_token_gets_what_was_missed) {
    Believing g(chat("sse: {heartbeat: 0, replay: {}}"));
    const std::string begins = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    const std::string one = "id: 1\ndata: a\n\n", two = "id: 2\ndata: b\n\n", three = "id: 3\ndata: c\n\n";
    g.s.client("first") << get("/chat", g.bearer(60s, "t1"));
    g.s.upstream("chat") >> request("GET", "/chat") << begins << chunk(one + two);
    g.s.client("first") >> response(200).head_only() >> bytes(chunk(one + two)) << hang_up;

    g.s.client("again") << get("/chat", g.bearer(90s, "t2") + "last-event-id: 1\r\n");
    g.s.upstream("chat") >> request("GET", "/chat").with("last-event-id", "2") << begins << chunk(three);
    g.s.client("again") >> response(200).head_only() >> bytes(chunk(two)) >> bytes(chunk(three)) << hang_up;

    g.s.client("bob") << get("/chat", "authorization: Bearer " + g.token(60s, "t3", "bob") + "\r\nlast-event-id: 1\r\n");
    g.s.upstream("chat") >> request("GET", "/chat").with("last-event-id", "1") << begins << chunk(three);
    g.s.client("bob") >> response(200).head_only() >> bytes(chunk(three)) << hang_up;
}

// ---- WebSockets

constexpr std::string_view kAsk =
    "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr std::string_view kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const std::string kExpired = "\x88\x0F\x03\xF0token expired";
const std::string kRevoked = "\x88\x0F\x03\xF0token revoked";

Peer& opens_websocket(Believing& g, const std::string& fields = {}) {
    g.s.client() << get("/chat", (fields.empty() ? g.bearer() : fields) + std::string(kAsk));
    Peer& upstream = g.s.upstream("chat") >> request("GET", "/chat");
    upstream << kSwitched;
    g.s.client() >> response(101).head_only();
    return upstream;
}

TEST(StreamCredentials, a_websocket_closes_with_1008_when_its_token_expires) {
    Believing g;
    Peer& upstream = opens_websocket(g);
    g.s.after(59s);
    g.s.client() >> silence();
    upstream >> silence();
    g.s.after(1100ms);
    g.s.client() >> bytes(kExpired);
    EXPECT_TRUE(upstream.unread().starts_with("\x88"));
    upstream.discards() << hang_up;
    g.s.client() >> closed();
}

TEST(StreamCredentials, a_websocket_closes_with_1008_when_its_token_is_revoked) {
    Believing g;
    Peer& upstream = opens_websocket(g);
    g.revoke_subject("alice");
    g.s.after(10ms);
    g.s.client() >> bytes(kRevoked);
    upstream.discards() << hang_up;
    g.s.client() >> closed();
}

// ---- WebSockets whose client shows a newer token

namespace ws = http::ws;

std::string frame(unsigned first, std::string payload, bool masked) {
    ws::FrameHead head;
    head.masked = masked;
    head.length = payload.size();
    if (masked) head.mask = {0x11, 0x22, 0x33, 0x44};
    std::array<char, ws::kMaxHead> space{};
    std::size_t size = ws::write_head(space, head);
    space[0] = static_cast<char>(first);
    if (masked) ws::mask_bytes(payload, payload.data(), head.mask, 0);
    return std::string(space.data(), size) + payload;
}
std::string said(std::string payload, unsigned first = 0x81) { return frame(first, std::move(payload), true); }    // by the client
std::string told(std::string payload, unsigned first = 0x81) { return frame(first, std::move(payload), false); }   // to it
std::string policy(const std::string& reason) { return told("\x03\xF0" + reason, 0x88); }
std::string shows(const std::string& token) { return said(R"({"type":"auth","token":")" + token + "\"}"); }

std::string renewing(const std::string& more = {}) { return chat("auth: {renew_in_band: true" + more + "}"); }
const std::string kExpiring = told(R"({"type":"auth_expiring","message":"The token expires soon; send a new one","expires_in":30})");

TEST(StreamCredentials, a_websocket_goes_on_when_its_client_shows_a_newer_token_in_time) {
    Believing g(renewing());
    Peer& upstream = opens_websocket(g);
    g.s.after(29s);
    g.s.client() >> silence();
    g.s.after(2s);
    g.s.client() >> bytes(kExpiring);
    g.s.client() << shows(g.token(90s, "t2"));
    g.s.client() >> bytes(told(R"({"type":"auth_ok","expires_in":90})"));
    upstream >> silence();
    g.s.after(50s);
    upstream << told("still here");
    g.s.client() >> bytes(told("still here"));
    g.s.after(12s);
    g.s.client() >> bytes(kExpiring);
    g.s.after(29s);
    g.s.client() >> bytes(kExpired);
    upstream.discards() << hang_up;
    g.s.client() >> closed();
}

TEST(StreamCredentials, a_newer_token_may_come_as_older_clients_say_it_and_among_other_messages) {
    Believing g(renewing());
    Peer& upstream = opens_websocket(g);
    std::string envelope = said(R"({"id":"7","type":"auth","channel":"c","data":{"token":")" + g.token(90s) + R"("},"timestamp":1})");
    std::string before = said("one") + said(R"({"type":"chat","text":"say \"auth\" to me"})"), after = said("two", 0x82) + said("{") + said("", 0x89);
    g.s.client() << before + envelope + after;
    upstream >> bytes(before + after);
    g.s.client() >> bytes(told(R"({"type":"auth_ok","expires_in":90})"));
}

TEST(StreamCredentials, what_comes_in_pieces_is_kept_until_it_is_known_for_whom_it_is) {
    Believing g(renewing());
    Peer& upstream = opens_websocket(g);
    std::string message = said(R"({"type":"chat","to":"auth"})");
    for (char c : message) g.s.client() << std::string(1, c);
    upstream >> bytes(message);
    std::string big = said(R"({"type":"chat","text":")" + std::string(3000, 'x') + "\"}");
    g.s.client() << big.substr(0, 200);
    upstream >> bytes(big.substr(0, 200));
    g.s.client() << big.substr(200);
    upstream >> bytes(big.substr(200));
    for (char c : shows(g.token(90s))) g.s.client() << std::string(1, c);
    upstream >> silence();
    g.s.client() >> bytes(told(R"({"type":"auth_ok","expires_in":90})"));
}

TEST(StreamCredentials, an_answer_to_the_client_stands_between_two_messages) {
    Believing g(renewing());
    Peer& upstream = opens_websocket(g);
    upstream << told("first half, ", 0x01);
    g.s.client() >> bytes(told("first half, ", 0x01));
    g.s.client() << shows(g.token(90s));
    g.s.client() >> silence();
    upstream << told("", 0x89) + told("second half", 0x80) + told("next");
    g.s.client() >> bytes(told("", 0x89) + told("second half", 0x80) + told(R"({"type":"auth_ok","expires_in":90})") + told("next"));
}

TEST(StreamCredentials, a_token_of_somebody_else_closes) {
    Believing g(renewing());
    Peer& upstream = opens_websocket(g);
    g.s.client() << shows(g.token(90s, "t2", "bob"));
    g.s.client() >> bytes(policy("the token is somebody else's"));
    upstream.discards() << hang_up;
    g.s.client() >> closed();
}

TEST(StreamCredentials, a_token_that_is_no_good_changes_nothing) {
    Believing g(renewing());
    Peer& upstream = opens_websocket(g);
    g.s.client() << shows(g.token(-100s));
    g.hears(R"({"type":"auth_failed","code":"token_expired","message":)");
    g.s.client() << shows(g.token(90s) + "x");
    g.hears(R"({"type":"auth_failed","code":"invalid_token","message":)");
    g.s.client() << said(R"({"type":"auth"})");
    g.hears(R"("code":"invalid_token")");
    g.revoke_token("t2");
    g.s.client() << shows(g.token(90s, "t2"));
    g.hears(R"("code":"token_revoked")");
    upstream >> silence();
    g.s.after(31s);
    g.s.client() >> bytes(kExpiring);
    g.s.after(30s);
    g.s.client() >> bytes(kExpired);
    upstream.discards() << hang_up;
    g.s.client() >> closed();
}

TEST(StreamCredentials, a_newer_token_needs_all_that_the_route_wants) {
    Believing g(renewing(", roles: [doctor]"));
    opens_websocket(g, "authorization: Bearer " + g.token(60s, "t1", "alice", R"(,"roles":["doctor"])") + "\r\n");
    g.s.client() << shows(g.token(90s, "t2"));
    g.hears(R"({"type":"auth_failed","code":"forbidden")");
    g.s.client() << shows(g.token(90s, "t3", "alice", R"(,"roles":["nurse","doctor"])"));
    g.hears(R"({"type":"auth_ok")");
}

TEST(StreamCredentials, who_shows_tokens_all_the_time_is_closed) {
    Believing g(renewing());
    Peer& upstream = opens_websocket(g);
    for (int i = 0; i < 5; ++i) {
        g.s.client() << shows("x");
        g.hears("auth_failed");
    }
    g.s.client() << shows(g.token(90s));
    g.s.client() >> bytes(policy("too many tokens were shown"));
    upstream.discards() << hang_up;
    g.s.client() >> closed();
}

TEST(StreamCredentials, after_a_renewal_the_newer_token_is_the_one_whose_revocation_counts) {
    Believing g(renewing());
    Peer& upstream = opens_websocket(g);
    g.s.client() << shows(g.token(90s, "t2"));
    g.hears("auth_ok");
    g.revoke_token("t1");
    g.s.client() >> silence();
    g.revoke_token("t2");
    g.s.after(10ms);
    g.s.client() >> bytes(kRevoked);
    upstream.discards() << hang_up;
    g.s.client() >> closed();
}

TEST(StreamCredentials, a_newer_token_does_not_put_off_a_drain) {
    Believing g(renewing());
    Peer& upstream = opens_websocket(g);
    g.s.worker().drain(100s);
    g.s.client() << shows(g.token(3600s, "t2"));
    g.hears("auth_ok");
    g.s.after(100s);
    EXPECT_NE(g.s.client().unread().find("the gateway is going away"), std::string::npos);
    g.s.client().discards();
    upstream.discards();
    g.s.client() >> closed();
}

TEST(StreamCredentials, where_tokens_are_renewed_nothing_is_compressed) {
    Believing g(renewing());
    g.s.client() << get("/chat", g.bearer() + "sec-websocket-extensions: permessage-deflate\r\n" + std::string(kAsk));
    g.s.upstream("chat") >> request("GET", "/chat").without("sec-websocket-extensions") << kSwitched;
    g.s.client() >> response(101).head_only().without("sec-websocket-extensions");
}

TEST(StreamCredentials, where_only_binary_messages_pass_the_newer_token_comes_in_one) {
    Believing g(chat("auth: {renew_in_band: true}, websocket: {allow: binary}"));
    Peer& upstream = opens_websocket(g);
    g.s.client() << said("{\"auth\"", 0x82);
    upstream >> bytes(said("{\"auth\"", 0x82));
    g.s.after(31s);
    g.s.client() >> bytes(told(R"({"type":"auth_expiring","message":"The token expires soon; send a new one","expires_in":30})", 0x82));
    g.s.client() << said(R"({"type":"auth","token":")" + g.token(90s, "t2") + "\"}", 0x82);
    g.s.client() >> bytes(told(R"({"type":"auth_ok","expires_in":90})", 0x82));
    g.s.after(50s);
    upstream >> silence();
}

TEST(StreamCredentials, where_text_may_pass_a_binary_message_is_the_services) {
    Believing g(renewing());
    Peer& upstream = opens_websocket(g);
    std::string message = said(R"({"type":"auth","token":")" + g.token(90s) + "\"}", 0x82);
    g.s.client() << message;
    upstream >> bytes(message);
    g.s.client() >> silence();
}

TEST(StreamCredentials, on_other_routes_such_messages_are_the_services) {
    Believing g;
    Peer& upstream = opens_websocket(g);
    std::string message = shows(g.token(90s));
    g.s.client() << message;
    upstream >> bytes(message);
}

TEST(StreamCredentials, who_came_without_a_token_has_none_to_renew) {
    Believing g(renewing(", mode: optional"));
    Peer& upstream = opens_websocket(g, "x-nobody: 1\r\n");
    std::string message = shows(g.token(90s));
    g.s.client() << message;
    upstream >> bytes(message);
}

// Long after the request's own deadline.
TEST(StreamCredentials, the_server_that_knows_a_token_is_asked_about_a_newer_one) {
    Believing g(one_service("chat", {.route = "timeout: 5s, auth: {renew_in_band: true}",
                                     .rest = "auth: {methods: [introspection], introspection: {url: 'http://10.0.0.9/introspect'}}\n"}));
    auto knows = [&](const std::string& token, Duration lifetime) {
        auto expires = g.s.loop().clock().wall().time_since_epoch() / 1s + lifetime / 1s;
        g.s.upstream("10.0.0.9:80") >> request("POST", "/introspect", "token=" + token + "&token_type_hint=access_token")
            << ok(R"({"active":true,"sub":"alice","exp":)" + std::to_string(expires) + "}");
    };
    g.s.client() << get("/chat", "authorization: Bearer opaque-1\r\n" + std::string(kAsk));
    knows("opaque-1", 60s);
    Peer& upstream = g.s.upstream("chat") >> request("GET", "/chat");
    upstream << kSwitched;
    g.s.client() >> response(101).head_only();
    g.s.after(20s);
    g.s.client() << shows("opaque-2");
    knows("opaque-2", 90s);
    g.s.client() >> bytes(told(R"({"type":"auth_ok","expires_in":90})"));
}

// ---- gRPC

TEST(StreamCredentials, a_call_ends_as_unauthenticated_between_two_messages) {
    Believing g(chat(""));
    const std::string message = http::grpc_frame_head(0, 5) + "hello";
    g.s.client() << "POST /chat HTTP/1.1\r\nhost: api\r\ncontent-type: application/grpc\r\n" + g.bearer() + "content-length: 10\r\n\r\n" + message;
    Peer& upstream = g.s.upstream("chat") >> request("POST", "/chat", message);
    upstream << "HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(message);
    g.s.client() >> response(200).head_only() >> bytes(chunk(message));
    g.s.after(50s);
    upstream << chunk(message.substr(0, 7));
    g.s.client() >> bytes(chunk(message.substr(0, 7)));
    g.s.after(10100ms);
    g.s.client() >> silence();
    upstream << chunk(message.substr(7) + message.substr(0, 3));
    g.s.client() >> bytes(chunk(message.substr(7)));
    g.hears("0\r\ngrpc-status: 16\r\n");
    EXPECT_TRUE(upstream.ended());
    EXPECT_EQ(g.s.counted_grpc(16), 1u);
}

}  // namespace
}  // namespace suoke::scene
