// SPDX-License-Identifier: MIT
#include "testing/scene.h"

namespace suoke::scene {
namespace {

const std::string kStream = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
constexpr const char* kBeat = ": heartbeat\n\n";

std::string streams(const std::string& route = {}, const std::string& rest = {}) {
    return one_service("chat", {.route = route, .service = {}, .rest = rest});
}

std::string error_json(const std::string& code) { return "event: error\ndata: {\"error\":\"" + code + "\""; }

// A client that has asked, and an upstream that has begun to stream.
struct Stream {
    explicit Stream(Scene& scene) : s(scene), upstream(begin(scene)) {}
    static Peer& begin(Scene& s) {
        s.client() << get("/chat", "accept: text/event-stream\r\nx-request-id: req-1\r\n");
        Peer& upstream = s.upstream("chat") >> request("GET", "/chat");
        upstream << kStream;
        s.client() >> response(200).head_only();
        return upstream;
    }
    void sends(const std::string& text) { upstream << chunk(text); }
    void hears(const std::string& text, Place place = Place::current()) {
        s.client() >> bytes(chunk(text), place);
    }
    // One chunk that holds this.
    void hears_of(const std::string& text, Place place = Place::current()) {
        Peer& client = s.client();
        std::string all = client.unread();
        EXPECT_NE(all.find(text), all.npos) << place.line() << ": " << text << " is not in " << all;
        client.discards();
    }
    Scene& s;
    Peer& upstream;
};

TEST(Sse, brings_each_event_as_it_comes) {
    Scene s(streams());
    s.client() << get("/chat");
    Peer& upstream = s.upstream("chat") >> request("GET", "/chat");
    upstream << kStream;
    s.client() >> response(200).head_only().with("content-type", "text/event-stream")
                      .with("cache-control", "no-cache").with("x-accel-buffering", "no").in_chunks();
    for (const char* event : {"data: one\n\n", "data: two\n\n"}) {
        upstream << chunk(event);
        s.client() >> bytes(chunk(event)) >> silence();
    }
    upstream << last_chunk;
    s.client() >> bytes(std::string(last_chunk));
    EXPECT_EQ(s.worker().cells().sse_events.value(), 2u);
    EXPECT_EQ(s.worker().cells().sse_bytes.value(), 22u);
    EXPECT_EQ(s.worker().cells().sse_open.value(), 0);
}

TEST(Sse, keeps_the_upstreams_own_cache_control_and_drops_its_length) {
    Scene s(streams());
    s.client() << get("/chat");
    s.upstream("chat") >> request("GET", "/chat")
        << "HTTP/1.1 200 OK\r\ncontent-type: Text/Event-Stream; charset=utf-8\r\n"
           "cache-control: no-store\r\ncontent-length: 9\r\n\r\ndata: a\n\n";
    s.client() >> response(200, "data: a\n\n").with("cache-control", "no-store").without("content-length").in_chunks();
}

TEST(Sse, leaves_other_answers_alone) {
    Scene s(streams());
    for (const char* type : {"text/plain", "application/json", "text/event-stream-not"}) {
        s.client() << get("/chat");
        s.upstream("chat") >> request("GET", "/chat") << ok("data: a\n\n", "content-type: " + std::string(type) + "\r\n");
        s.client() >> response(200, "data: a\n\n").without("x-accel-buffering").with("content-length", "9");
    }
    s.client() << get("/chat");
    s.upstream("chat") >> request("GET", "/chat") << answer(503, "no", "content-type: text/event-stream\r\n");
    s.client() >> response(503, "no").without("x-accel-buffering");
    s.client() << get("/chat");
    s.upstream("chat") >> request("GET", "/chat")
        << ok("gz", "content-type: text/event-stream\r\ncontent-encoding: gzip\r\n");
    s.client() >> response(200, "gz").without("x-accel-buffering");
}

TEST(Sse, plain_text_is_a_stream_where_the_route_says_so) {
    Scene s(streams("sse: {plain_text: true}"));
    s.client() << get("/chat");
    s.upstream("chat") >> request("GET", "/chat") << ok("data: [DONE]\n\n", "content-type: text/plain\r\n");
    s.client() >> response(200, "data: [DONE]\n\n").with("x-accel-buffering", "no").with("content-type", "text/plain");
}

// ---- heartbeats

TEST(Sse, heartbeats_fill_the_upstreams_silence) {
    Scene s(streams());
    Stream t(s);
    s.after(14s);
    s.client() >> silence();
    s.after(2s);
    t.hears(kBeat);
    t.sends("data: a\n\n");
    t.hears("data: a\n\n");
    s.after(14s);
    s.client() >> silence();
    s.after(17s);
    t.hears(kBeat);
    t.hears(kBeat);
    s.client() << hang_up;
}

TEST(Sse, heartbeats_stand_only_between_events) {
    Scene s(streams());
    Stream t(s);
    t.sends("data: a\n");
    t.hears("data: a\n");
    s.after(40s);
    s.client() >> silence();
    t.sends("\n");
    t.hears("\n");
    s.after(16s);
    t.hears(kBeat);
    s.client() << hang_up;
}

TEST(Sse, heartbeats_can_be_turned_off) {
    Scene s(streams("sse: {heartbeat: 0}"));
    Stream t(s);
    s.after(59s);
    s.client() >> silence() << hang_up;
}

TEST(Sse, a_byte_order_mark_behind_a_heartbeat_is_taken_out) {
    for (std::size_t cut : {1u, 2u, 3u, 5u}) {
        Scene s(streams());
        Stream t(s);
        s.after(16s);
        t.hears(kBeat);
        std::string marked = "\xEF\xBB\xBF" "data: a\n\n";
        t.sends(marked.substr(0, cut));
        t.sends(marked.substr(cut));
        std::string heard;
        for (std::string rest = s.client().unread(); !rest.empty();) {
            std::size_t size = std::stoul(rest, nullptr, 16), from = rest.find("\r\n") + 2;
            heard += rest.substr(from, size);
            rest = rest.substr(from + size + 2);
        }
        EXPECT_EQ(heard, "data: a\n\n") << cut;
        s.client().discards() << hang_up;
    }
}

// ---- time

TEST(Sse, has_no_total_timeout) {
    Scene s(streams("timeout: 5s"));
    Stream t(s);
    for (int minute = 0; minute < 5; ++minute) {
        t.sends("data: a\n\n");
        t.hears("data: a\n\n");
        s.after(10s);
    }
    t.upstream << last_chunk;
    s.client() >> bytes(std::string(last_chunk));
}

TEST(Sse, the_total_timeout_still_counts_until_the_head) {
    Scene s(streams("timeout: 5s, response_timeout: 60s"));
    s.client() << get("/chat");
    s.upstream("chat") >> request("GET", "/chat");
    s.after(4900ms);
    s.client() >> silence();
    s.after(200ms);
    s.client() >> response(504).saying("deadline_exceeded");
    EXPECT_EQ(s.upstream("chat").open_connections(), 0u);
}

TEST(Sse, the_total_timeout_still_counts_for_an_ordinary_body) {
    Scene s(streams("timeout: 5s"));
    s.client() << get("/chat");
    Peer& upstream = s.upstream("chat") >> request("GET", "/chat");
    upstream << "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf";
    s.client() >> response(200).head_only() >> bytes("half");
    s.after(5100ms);
    s.client() >> broken();
    EXPECT_EQ(s.counted(Code::deadline_exceeded), 1u);
}

TEST(Sse, the_first_event_has_its_time) {
    Scene s(streams("sse: {first_event_timeout: 5s, heartbeat: 0}"));
    Stream t(s);
    t.sends(": comments do not count\n\n");
    t.hears(": comments do not count\n\n");
    s.after(5100ms);
    t.hears_of(error_json("upstream_timeout"));
    EXPECT_TRUE(t.upstream.ended());
    EXPECT_EQ(s.counted(Code::upstream_timeout), 1u);
}

TEST(Sse, further_events_have_theirs_whatever_the_idle_timeout) {
    Scene s(streams("idle_timeout: 2s, sse: {event_timeout: 30s, heartbeat: 0}"));
    Stream t(s);
    t.sends("data: a\n\n");
    t.hears("data: a\n\n");
    s.after(29s);
    s.client() >> silence();
    t.sends(": the upstream's own heartbeat\n\n");
    t.hears(": the upstream's own heartbeat\n\n");
    s.after(29s);
    t.sends("data: a drip is no event\n");
    t.hears("data: a drip is no event\n");
    s.after(1100ms);
    t.hears_of(error_json("upstream_idle"));
    EXPECT_TRUE(t.upstream.ended());
}

TEST(Sse, a_client_that_reads_slowly_does_not_count_against_the_upstream) {
    Scene s(streams("sse: {event_timeout: 5s}", "server: {write_timeout: 0}\n"));
    s.pipes_hold(1024);
    Stream t(s);
    s.client().stops_reading();
    for (int i = 0; i < 8; ++i) t.sends("data: " + std::string(512, 'x') + "\n\n");
    s.after(60s);
    s.client().reads_again();
    EXPECT_EQ(s.client().unread().find("event: error"), std::string::npos);
    s.client().discards() << hang_up;
}

// ---- ends

TEST(Sse, an_upstream_that_breaks_is_told_as_an_event) {
    Scene s(streams());
    Stream t(s);
    t.sends("id: 7\ndata: a\n\n");
    t.hears("id: 7\ndata: a\n\n");
    t.upstream << hang_up;
    std::string said = s.client().unread();
    EXPECT_NE(said.find(error_json("upstream_truncated")), said.npos) << said;
    EXPECT_NE(said.find("\"request_id\":\""), said.npos) << said;
    EXPECT_TRUE(said.ends_with("}\n\n\r\n0\r\n\r\n")) << said;
    s.client().discards();
    EXPECT_EQ(s.counted(Code::upstream_truncated), 1u);
    // The connection is as good as before.
    s.client() << get("/chat");
    s.upstream("chat") >> request("GET", "/chat") << ok("again");
    s.client() >> response(200, "again");
}

TEST(Sse, half_an_event_becomes_the_error_event) {
    Scene s(streams());
    Stream t(s);
    t.sends("id: 7\ndata: a\n\nid: 8\ndata: hel");
    t.hears("id: 7\ndata: a\n\nid: 8\ndata: hel");
    t.upstream << reset;
    t.hears_of("\nid: 7\nevent: error\ndata: {\"error\":\"upstream_truncated\"");
}

TEST(Sse, an_upstream_that_ends_in_order_ends_the_stream_in_order) {
    Scene s(streams());
    Stream t(s);
    t.sends("data: a\n\ndata: b");
    t.hears("data: a\n\ndata: b");
    t.upstream << last_chunk;
    s.client() >> bytes(std::string(last_chunk)) >> silence();
}

TEST(Sse, an_upstream_that_breaks_before_its_first_byte_is_a_status) {
    Scene s(streams());
    s.client() << get("/chat");
    s.upstream("chat") >> request("GET", "/chat") << hang_up;
    s.client() >> response(502).saying("upstream_reset");
}

TEST(Sse, a_client_that_leaves_takes_the_upstream_with_it) {
    Scene s(streams());
    Stream t(s);
    t.sends("data: a\n\n");
    t.hears("data: a\n\n");
    EXPECT_EQ(s.worker().cells().sse_open.value(), 1);
    s.client() << hang_up;
    EXPECT_TRUE(t.upstream.ended());
    EXPECT_EQ(s.worker().cells().sse_open.value(), 0);
    EXPECT_TRUE(s.worker().list_streams().empty());
}

// ---- early

TEST(SseEarly, answers_before_the_upstream_does) {
    Scene s(streams("response_timeout: 60s, sse: {early: true}"));
    s.client() << get("/chat", "accept-encoding: gzip\r\n");
    Peer& upstream = s.upstream("chat") >> request("GET", "/chat").without("accept-encoding");
    s.client() >> response(200).head_only().with("content-type", "text/event-stream").in_chunks();
    s.after(16s);
    s.client() >> bytes(chunk(kBeat)) >> silence();
    upstream << kStream << chunk("data: a\n\n");
    s.client() >> bytes(chunk("data: a\n\n"));
    upstream << last_chunk;
    s.client() >> bytes(std::string(last_chunk));
}

TEST(SseEarly, sends_a_body_and_keeps_the_connection) {
    Scene s(streams("sse: {early: true}"));
    s.client() << post("/chat", "question");
    Peer& upstream = s.upstream("chat") >> request("POST", "/chat", "question");
    s.client() >> response(200).head_only().without("connection");
    upstream << kStream << chunk("data: a\n\n") << last_chunk;
    s.client() >> bytes(chunk("data: a\n\n") + std::string(last_chunk)) >> silence();
}

TEST(SseEarly, tells_a_refusal_as_an_event) {
    Scene s(streams("sse: {early: true}"));
    s.client() << get("/chat");
    Peer& upstream = s.upstream("chat") >> request("GET", "/chat");
    s.client() >> response(200).head_only();
    upstream << answer(503, "too many questions");
    std::string said = s.client().unread();
    EXPECT_NE(said.find(error_json("upstream_status")), said.npos) << said;
    EXPECT_NE(said.find("answered 503"), said.npos) << said;
    s.client().discards();
}

TEST(SseEarly, tells_a_broken_upstream_as_an_event) {
    Scene s(streams("sse: {early: true}"));
    s.client() << get("/chat");
    Peer& upstream = s.upstream("chat") >> request("GET", "/chat");
    s.client() >> response(200).head_only();
    upstream << hang_up;
    std::string said = s.client().unread();
    EXPECT_NE(said.find(error_json("upstream_reset")), said.npos) << said;
    s.client().discards();
}

TEST(SseEarly, what_fails_at_once_is_a_status) {
    Scene s(streams("sse: {early: true}"));
    s.upstream("chat").refuses();
    s.client() << get("/chat");
    s.client() >> response(503).saying("connect_failed");
}

TEST(SseEarly, lets_no_interim_answer_through) {
    Scene s(streams("sse: {early: true}"));
    s.client() << get("/chat");
    Peer& upstream = s.upstream("chat") >> request("GET", "/chat");
    s.client() >> response(200).head_only();
    upstream << "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
    s.client() >> silence();
    upstream << kStream << chunk("data: a\n\n") << last_chunk;
    s.client() >> bytes(chunk("data: a\n\n") + std::string(last_chunk));
}

TEST(SseEarly, a_client_that_leaves_takes_the_question_with_it) {
    Scene s(streams("sse: {early: true}"));
    s.client() << get("/chat");
    Peer& upstream = s.upstream("chat") >> request("GET", "/chat");
    s.client() >> response(200).head_only();
    s.after(1s);
    s.client() << hang_up;
    EXPECT_TRUE(upstream.ended());
}

TEST(SseEarly, no_early_answer_for_head_and_for_a_client_that_waits_for_100) {
    Scene s(streams("sse: {early: true}"));
    s.client() << "HEAD /chat HTTP/1.1\r\nhost: api\r\n\r\n";
    Peer& upstream = s.upstream("chat") >> request("HEAD", "/chat");
    s.client() >> silence();
    upstream << "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    s.client() >> response(200).to_head();
}

}  // namespace
}  // namespace suoke::scene
