// SPDX-License-Identifier: MIT
#include "testing/scene.h"

namespace suoke::scene {
namespace {

const std::string kStream = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const std::string kAda = "authorization: Bearer ada\r\n";

std::string replaying(const std::string& keys = {}) {
    return one_service("news", {.route = "sse: {heartbeat: 0, replay: {" + keys + "}}", .service = {}, .rest = {}});
}
std::string seen(const std::string& id) { return "last-event-id: " + id + "\r\n"; }
std::string event(const std::string& id, const std::string& data) { return "id: " + id + "\ndata: " + data + "\n\n"; }

// Asks, is let in, and hears `events`, if any are given, before the connection breaks.
void hear(Scene& s, const std::string& fields, const std::string& events) {
    s.client("first") << get("/news", fields);
    s.upstream("news") >> request("GET", "/news") << kStream << chunk(events);
    s.client("first") >> response(200).head_only() >> bytes(chunk(events)) << hang_up;
}

TEST(SseReplay, a_client_that_comes_back_gets_what_it_missed) {
    Scene s(replaying());
    hear(s, kAda, event("1", "one") + event("2", "two") + ": silence\n\n" + event("3", "three"));
    s.client("again") << get("/news", kAda + seen("1"));
    Peer& upstream = s.upstream("news") >> request("GET", "/news").with("last-event-id", "3");
    upstream << kStream << chunk(event("4", "four"));
    s.client("again") >> response(200).head_only() >> bytes(chunk(event("2", "two") + event("3", "three")))
                      >> bytes(chunk(event("4", "four"))) << hang_up;
    // What came then is known as well.
    s.client("third") << get("/news", kAda + seen("3"));
    s.upstream("news") >> request("GET", "/news").with("last-event-id", "4") << kStream << chunk(event("5", "five"));
    s.client("third") >> response(200).head_only() >> bytes(chunk(event("4", "four"))) >> bytes(chunk(event("5", "five"))) << hang_up;
}

TEST(SseReplay, the_upstream_decides_whether_the_client_is_let_in_again) {
    Scene s(replaying());
    hear(s, kAda, event("1", "one") + event("2", "two"));
    s.client("again") << get("/news", kAda + seen("1"));
    s.upstream("news") >> request("GET", "/news") << answer(401, "expired");
    s.client("again") >> response(401, "expired");
}

TEST(SseReplay, nothing_more_to_come_still_brings_what_was_missed) {
    Scene s(replaying());
    hear(s, kAda, event("1", "one") + event("2", "the end"));
    s.client("again") << get("/news", kAda + seen("1"));
    s.upstream("news") >> request("GET", "/news").with("last-event-id", "2") << "HTTP/1.1 204 No Content\r\n\r\n";
    s.client("again") >> response(200, event("2", "the end")).with("content-type", "text/event-stream");
    s.client("again") << get("/news", kAda + seen("2"));
    s.upstream("news") >> request("GET", "/news").with("last-event-id", "2") << "HTTP/1.1 204 No Content\r\n\r\n";
    s.client("again") >> response(204);
}

TEST(SseReplay, nobody_is_given_anothers_events) {
    Scene s(replaying());
    hear(s, kAda, event("1", "one") + event("2", "two"));
    const std::string kOthers[] = {"authorization: Bearer bob\r\n", "", "authorization: \r\n"};
    for (const std::string& other : kOthers) {
        s.client(other) << get("/news", other + seen("1"));
        s.upstream("news") >> request("GET", "/news").with("last-event-id", "1") << kStream << chunk(event("9", "x"));
        s.client(other) >> response(200).head_only() >> bytes(chunk(event("9", "x"))) << hang_up;
    }
    s.client("else") << get("/news/else", kAda + seen("1"));
    s.upstream("news") >> request("GET", "/news/else").with("last-event-id", "1") << answer(404, "no such");
    s.client("else") >> response(404, "no such");
}

TEST(SseReplay, an_id_that_is_not_kept_goes_on_as_it_is) {
    Scene s(replaying("events: 1"));
    hear(s, kAda, event("1", "one") + event("2", "two"));
    s.client("again") << get("/news", kAda + seen("1"));
    s.upstream("news") >> request("GET", "/news").with("last-event-id", "1") << kStream << chunk(event("2", "two"));
    s.client("again") >> response(200).head_only() >> bytes(chunk(event("2", "two"))) << hang_up;
}

TEST(SseReplay, is_off_where_the_route_does_not_ask_for_it) {
    Scene s(one_service("news", {.route = "sse: {heartbeat: 0}", .service = {}, .rest = {}}));
    hear(s, kAda, event("1", "one") + event("2", "two"));
    s.client("again") << get("/news", kAda + seen("1"));
    s.upstream("news") >> request("GET", "/news").with("last-event-id", "1") << kStream << chunk(event("3", "three"));
    s.client("again") >> response(200).head_only() >> bytes(chunk(event("3", "three"))) << hang_up;
}

TEST(SseReplay, a_cookie_may_say_who_it_is) {
    Scene s(replaying("subject: cookie, subject_name: sid"));
    hear(s, "cookie: a=b; sid=ada; c=d\r\n", event("1", "one") + event("2", "two"));
    s.client("again") << get("/news", "cookie: sid=ada\r\n" + seen("1"));
    s.upstream("news") >> request("GET", "/news").with("last-event-id", "2") << kStream << chunk(event("3", "three"));
    s.client("again") >> response(200).head_only() >> bytes(chunk(event("2", "two"))) >> bytes(chunk(event("3", "three"))) << hang_up;
}

TEST(SseReplay, events_are_told_apart_however_they_arrive) {
    std::string all = "id: 1\r\ndata: a\r\n\r\nid: 2\rdata: b\r\rid: 3\ndata: c\n\n";
    for (std::size_t step = 1; step < all.size(); step += 3) {
        Scene s(replaying());
        s.client("first") << get("/news", kAda);
        Peer& upstream = s.upstream("news") >> request("GET", "/news");
        upstream << kStream;
        for (std::size_t at = 0; at < all.size(); at += step) upstream << chunk(all.substr(at, step));
        s.client("first").discards();
        s.client("first") << hang_up;
        s.client("again") << get("/news", kAda + seen("2"));
        s.upstream("news") >> request("GET", "/news").with("last-event-id", "3") << answer(204, "");
        Message got = s.client("again").take_response();
        EXPECT_EQ(got.body, "id: 3\ndata: c\n\n") << step;
    }
}

}  // namespace
}  // namespace suoke::scene
