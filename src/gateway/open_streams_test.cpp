// SPDX-License-Identifier: MIT
#include "http/grpc.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

const std::string kStream = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

// Two services with a route each; `chat` and `news` are more keys of the routes, `port` the port of
// chat's endpoint.
std::string two(const std::string& chat = {}, const std::string& news = {}, int port = 80) {
    return "services:\n"
           "  chat: {endpoints: [{host: 10.0.0.1, port: " + std::to_string(port) + "}]}\n"
           "  news: {endpoints: [{host: 10.0.0.2, port: 80}]}\n"
           "routes:\n"
           "  - {name: chat, prefix: /chat, service: chat, strip_prefix: false" + chat + "}\n"
           "  - {name: news, prefix: /news, service: news, strip_prefix: false" + news + "}\n";
}

const std::string kOnlyNews =
    "services: {news: {endpoints: [{host: 10.0.0.2, port: 80}]}}\n"
    "routes: [{name: news, prefix: /news, service: news, strip_prefix: false}]\n";

Peer& open(Scene& s, const std::string& client, const std::string& name) {
    s.client(client) << get("/" + name);
    Peer& upstream = s.upstream(name) >> request("GET", "/" + name);
    upstream << kStream << chunk("data: a\n\n");
    s.client(client) >> response(200).head_only() >> bytes(chunk("data: a\n\n"));
    return upstream;
}

// The stream ended in order, with a hint when to come back.
bool said_goodbye(Peer& client) {
    std::string said = client.unread();
    client.discards();
    return said.find("retry: ") != said.npos && said.ends_with("0\r\n\r\n");
}

const std::string kMessage = http::grpc_frame_head(0, 5) + "hello";
const std::string kGrpc = "HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n";

// A call whose first answer has come.
Peer& call(Scene& s, const std::string& client) {
    s.client(client) << "POST /chat HTTP/1.1\r\nhost: api\r\ncontent-type: application/grpc\r\ncontent-length: 10\r\n\r\n" + kMessage;
    Peer& upstream = s.upstream("chat") >> request("POST", "/chat", kMessage);
    upstream << kGrpc << chunk(kMessage);
    s.client(client) >> response(200).head_only() >> bytes(chunk(kMessage));
    return upstream;
}

bool said_unavailable(Peer& client) {
    std::string said = client.unread();
    client.discards();
    return said.find("0\r\ngrpc-status: 14\r\n") != said.npos && said.ends_with("\r\n\r\n");
}

TEST(OpenStreams, are_listed_with_their_facts) {
    Scene s(two());
    Peer& chat = open(s, "ada", "chat");
    open(s, "bob", "news");
    s.after(3s);
    chat << chunk("data: b\n\n");
    s.client("ada").discards();
    s.after(2s);
    auto list = s.worker().list_streams();
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].kind, "sse");
    EXPECT_EQ(list[0].route, "chat");
    EXPECT_EQ(list[0].bytes, 18u);
    EXPECT_EQ(list[0].age, 5s);
    EXPECT_EQ(list[0].quiet, 2s);
    EXPECT_EQ(list[1].route, "news");
    EXPECT_EQ(list[1].quiet, 5s);
    s.client("ada") << hang_up;
    EXPECT_EQ(s.worker().list_streams().size(), 1u);
    s.client("bob") << hang_up;
}

TEST(OpenStreams, calls_are_listed_as_well) {
    Scene s(two());
    call(s, "ada");
    s.after(3s);
    auto list = s.worker().list_streams();
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(list[0].kind, "grpc");
    EXPECT_EQ(list[0].bytes, 20u);
    EXPECT_EQ(list[0].quiet, 3s);
    s.client("ada") << hang_up;
    EXPECT_TRUE(s.worker().list_streams().empty());
}

// ---- reload

TEST(OpenStreams, a_reload_that_does_not_concern_them_leaves_them_alone) {
    Scene s(two());
    Peer& chat = open(s, "ada", "chat");
    s.reload(two("", ", timeout: 5s"));
    s.reload("logging: {level: debug}\n" + two("", ", priority: 3"));
    s.after(10s);
    chat << chunk("data: b\n\n");
    s.client("ada") >> bytes(chunk("data: b\n\n")) << hang_up;
}

TEST(OpenStreams, a_reload_ends_those_whose_route_has_changed) {
    Scene s(two());
    Peer& chat = open(s, "ada", "chat");
    Peer& news = open(s, "bob", "news");
    s.reload(two(", timeout: 5s"));
    s.after(6s);
    EXPECT_TRUE(said_goodbye(s.client("ada")));
    EXPECT_TRUE(chat.ended());
    news << chunk("data: b\n\n");
    s.client("bob") >> bytes(chunk("data: b\n\n")) << hang_up;
}

TEST(OpenStreams, a_reload_ends_those_whose_service_has_changed) {
    Scene s(two());
    open(s, "ada", "chat");
    open(s, "bob", "news");
    s.reload(two("", "", 81));
    s.after(6s);
    EXPECT_TRUE(said_goodbye(s.client("ada")));
    s.client("bob") >> silence() << hang_up;
}

TEST(OpenStreams, a_reload_ends_those_whose_route_has_gone) {
    Scene s(two());
    open(s, "ada", "chat");
    open(s, "bob", "news");
    s.reload(kOnlyNews);
    s.after(6s);
    EXPECT_TRUE(said_goodbye(s.client("ada")));
    s.client("bob") >> silence() << hang_up;
}

TEST(OpenStreams, a_later_reload_is_compared_with_the_site_the_stream_began_on) {
    Scene s(two());
    open(s, "ada", "chat");
    s.reload(two("", ", priority: 1"));
    s.reload(two("", ", priority: 2"));
    s.after(6s);
    s.client("ada") >> silence();
    s.reload(two(", priority: 1"));
    s.after(6s);
    EXPECT_TRUE(said_goodbye(s.client("ada")));
}

const std::string kFirst = "sha256:47d4c7addaae1e7da948d5b59d9c1adb0a9c94b3f374c0f07e4daf6465ac8726";    // first-key-of-this-test
const std::string kSecond = "sha256:3677ff807b54ceba1ea370f1ca7d5fbeb680bdddd5edb7bd88366460772c5a00";   // second-key-of-this-test

std::string with_key(const std::string& batch) {
    return "auth: {api_keys: {" + batch + "other: {hashes: ['" + kSecond + "']}}}\nregistry: {service_paths: false}\n" + two();
}

TEST(OpenStreams, a_reload_ends_those_of_an_api_key_that_it_takes_out) {
    const std::string newer = "sha256:" + std::string(64, 'b');
    const std::string rotated = "batch: {hashes: ['" + newer + "', '" + kFirst + "']}, ";
    for (const std::string& without : {std::string(), "batch: {hashes: ['" + newer + "']}, "}) {
        Scene s(with_key("batch: {hashes: ['" + kFirst + "']}, "));
        for (auto [client, key] : {std::pair("ada", "first"), std::pair("bob", "second")}) {
            s.client(client) << get("/chat", std::string("x-api-key: ") + key + "-key-of-this-test\r\n");
            s.upstream("chat") >> request("GET", "/chat") << kStream << chunk("data: a\n\n");
            s.client(client) >> response(200).head_only() >> bytes(chunk("data: a\n\n"));
        }
        s.reload(with_key(rotated));
        s.after(6s);
        s.client("ada") >> silence();
        s.reload(with_key(without));
        s.after(100ms);
        EXPECT_NE(s.client("ada").unread().find("event: auth_expired\ndata: {\"error\":\"token_revoked\""), std::string::npos);
        s.client("ada").discards();
        s.client("bob") >> silence() << hang_up;
    }
}

// ---- drain

TEST(OpenStreams, a_drain_ends_them_one_by_one) {
    Scene s(two());
    for (int i = 0; i < 40; ++i) open(s, "client-" + std::to_string(i), "chat");
    s.worker().drain(10s);
    std::size_t most = 0, last = 40;
    for (int second = 0; second < 8; ++second) {
        s.after(1s);
        std::size_t open_now = s.worker().list_streams().size();
        most = std::max(most, last - open_now);
        last = open_now;
    }
    s.after(100ms);
    EXPECT_TRUE(s.worker().list_streams().empty());
    EXPECT_LT(most, 14u) << "a stampede";
    std::set<std::string> hints;
    for (int i = 0; i < 40; ++i) {
        Peer& client = s.client("client-" + std::to_string(i));
        std::string said = client.unread();
        hints.insert(said.substr(said.find("retry: "), 11));
        EXPECT_TRUE(said_goodbye(client));
    }
    EXPECT_GT(hints.size(), 20u);
}

TEST(OpenStreams, a_drain_waits_for_the_end_of_an_event) {
    Scene s(two());
    Peer& chat = open(s, "ada", "chat");
    chat << chunk("data: b\n");
    s.client("ada").discards();
    s.worker().drain();
    s.after(1s);
    s.client("ada") >> silence();
    chat << chunk("\ndata: c");
    s.client("ada") >> bytes(chunk("\n"));  // and nothing of the next one
    EXPECT_TRUE(said_goodbye(s.client("ada")));
}

TEST(OpenStreams, a_call_ends_between_two_messages_as_unavailable) {
    Scene s(two());
    Peer& quiet = call(s, "ada");
    Peer& busy = call(s, "bob");
    busy << chunk(kMessage.substr(0, 7));
    s.client("bob") >> bytes(chunk(kMessage.substr(0, 7)));
    s.worker().drain();
    s.after(1s);
    EXPECT_TRUE(said_unavailable(s.client("ada")));
    EXPECT_TRUE(quiet.ended());
    s.client("bob") >> silence();
    busy << chunk(kMessage.substr(7) + kMessage.substr(0, 3));
    s.client("bob") >> bytes(chunk(kMessage.substr(7)));  // and nothing of the next one
    EXPECT_TRUE(said_unavailable(s.client("bob")));
    EXPECT_EQ(s.counted_grpc(14), 2u);
}

TEST(OpenStreams, half_a_message_does_not_hold_a_drain_for_ever) {
    Scene s(two());
    Peer& busy = call(s, "ada");
    busy << chunk(kMessage.substr(0, 7));
    s.client("ada") >> bytes(chunk(kMessage.substr(0, 7)));
    s.worker().drain();
    s.after(2100ms);
    EXPECT_TRUE(s.client("ada").ended());
    EXPECT_TRUE(busy.ended());
}

TEST(OpenStreams, a_drain_does_not_wait_for_ever) {
    Scene s(two());
    Peer& chat = open(s, "ada", "chat");
    chat << chunk("data: b\n");
    s.client("ada").discards();
    s.worker().drain();
    s.after(2100ms);
    std::string said = s.client("ada").unread();
    EXPECT_NE(said.find("event: error\ndata: {\"error\":\"draining\""), said.npos) << said;
    s.client("ada").discards();
}

TEST(OpenStreams, a_stream_that_opens_while_draining_ends_as_well) {
    Scene s(two());
    s.client("ada");
    s.worker().drain(2s);
    open(s, "ada", "chat");
    s.after(2s);
    EXPECT_TRUE(said_goodbye(s.client("ada")));
}

}  // namespace
}  // namespace suoke::scene
