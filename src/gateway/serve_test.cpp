// SPDX-License-Identifier: MIT
// What an exchange promises whatever its upstream does: deadlines, framing, errors, reloads.
#include <gtest/gtest.h>

#include "base/random.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

// ---- timeouts, each at its second

TEST(Timeouts, a_head_that_does_not_arrive_is_answered_with_408) {
    Scene s(one_service("users", {.rest = "server: {header_timeout: 10s}\n"}));
    s.client() << "GET /users/7 HT";
    s.after(9900ms);
    s.client() >> silence();
    s.after(200ms);
    s.client() >> response(408).saying("request_timeout").with("connection", "close") >> closed();
}

TEST(Timeouts, a_connection_that_says_nothing_at_all_is_closed_without_a_word) {
    Scene s(one_service("users", {.rest = "server: {header_timeout: 10s}\n"}));
    s.client();
    s.after(11s);
    s.client() >> closed();
}

TEST(Timeouts, an_idle_connection_is_closed_after_keepalive) {
    Scene s(one_service("users", {.rest = "server: {keepalive: 75s}\n"}));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client() >> response(200, "all");
    s.after(74s);
    s.client() >> silence();
    s.after(2s);
    s.client() >> closed();
}

TEST(Timeouts, a_body_that_stops_is_answered_with_408) {
    Scene s(one_service("users", {.rest = "server: {body_timeout: 30s}\n"}));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ncontent-length: 100\r\n\r\nten bytes.";
    s.upstream("users") >> request("POST", "/users").head_only() >> bytes("ten bytes.");
    s.after(29s);
    s.client() >> silence();
    s.after(2s);
    s.client() >> response(408).saying("body_timeout") >> closed();
}

TEST(Timeouts, a_body_that_drips_is_answered_with_408) {
    Scene s(one_service("users", {.rest = "server: {body_timeout: 30s, min_body_rate: 256}\n"}));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ncontent-length: 1000\r\n\r\n";
    for (int i = 0; i < 29; ++i) {
        s.client() << "x";
        s.after(1s);
    }
    s.client() >> silence();
    s.after(3s);
    s.client() >> response(408).saying("body_timeout") >> closed();
    s.upstream("users").connection(0).discards();
}

TEST(Timeouts, an_upstream_that_does_not_begin_is_answered_for_with_504) {
    Scene s(one_service("users", {.route = "response_timeout: 3s"}));
    s.client() << get("/users");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    s.after(2900ms);
    s.client() >> silence();
    s.after(200ms);
    s.client() >> response(504).saying("upstream_timeout");
    EXPECT_TRUE(upstream.ended());
}

TEST(Timeouts, the_response_timeout_begins_when_the_request_has_been_sent) {
    Scene s(one_service("users", {.route = "response_timeout: 3s"}));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ncontent-length: 2\r\n\r\na";
    s.after(10s);
    s.client() << "b";
    s.after(2s);
    s.upstream("users") >> request("POST", "/users", "ab") << ok("done");
    s.client() >> response(200, "done");
}

TEST(Timeouts, an_upstream_that_falls_silent_in_its_answer_is_cut) {
    Scene s(one_service("users", {.route = "idle_timeout: 5s"}));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users")
                               << "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf ";
    s.client() >> response(200).head_only() >> bytes("half ");
    s.after(4900ms);
    s.client() >> silence();
    s.after(200ms);
    s.client() >> broken();
    EXPECT_EQ(s.counted(Code::upstream_idle), 1u);
}

TEST(Timeouts, an_answer_that_breaks_before_its_first_byte_of_body_is_not_lost) {
    Scene s(one_service("users", {.route = "idle_timeout: 5s"}));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users")
                               << "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n";
    s.client() >> response(200).head_only() >> silence();  // heads do not wait for bodies
    s.after(6s);
    s.client() >> broken();
}

TEST(Timeouts, the_total_timeout_ends_an_exchange_that_has_not_begun_to_answer) {
    Scene s(one_service("users", {.route = "timeout: 4s"}));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users");
    s.after(4100ms);
    s.client() >> response(504);
}

TEST(Timeouts, the_total_timeout_cuts_an_answer_that_keeps_dripping) {
    Scene s(one_service("users", {.route = "timeout: 4s, idle_timeout: 10s"}));
    s.client() << get("/users");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    upstream << "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";
    for (int i = 0; i < 5; ++i) {
        upstream << "x";
        s.after(1s);
    }
    s.client() >> response(200).head_only() >> bytes("xxxx") >> broken();
    EXPECT_EQ(s.counted(Code::deadline_exceeded), 1u);
}

TEST(Timeouts, a_client_that_stops_reading_is_cut) {
    Scene s(one_service("users", {.rest = "server: {write_timeout: 30s}\n"}));
    s.pipes_hold(1024);
    s.client().stops_reading() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok(std::string(100'000, 'x'));
    s.after(29s);
    EXPECT_EQ(s.upstream("users").open_connections(), 1u);
    s.after(2s);
    EXPECT_EQ(s.upstream("users").open_connections(), 0u);
    EXPECT_EQ(s.leased(), 0u);
    s.client().reads_again().discards();
}

TEST(Timeouts, an_upstream_that_stops_reading_the_body_is_answered_for_with_504) {
    Scene s(one_service("users", {.rest = "performance: {timeouts: {write: 7s}}\n"}));
    s.client();
    s.pipes_hold(1024);
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ncontent-length: 100000\r\n\r\n";
    s.upstream("users").connection(0).stops_reading();
    s.client() << std::string(100'000, 'x');
    s.after(6900ms);
    s.client() >> silence();
    s.after(200ms);
    s.client() >> response(504).saying("upstream_idle");
    s.upstream("users").connection(0).discards();
}

TEST(Timeouts, waiting_for_a_free_connection_ends_with_503) {
    Scene s(one_service(
        "users",
        {.rest = "performance: {timeouts: {pool: 2s}, connection_pool: {max_connections: 1}}\n"}));
    s.client("first") << get("/users/1");
    Peer& busy = s.upstream("users") >> request("GET", "/users/1");
    s.client("second") << get("/users/2");
    s.after(1900ms);
    s.client("second") >> silence();
    s.after(200ms);
    s.client("second") >> response(503).saying("pool_exhausted");
    busy << ok("one");
    s.client("first") >> response(200, "one");
}

// ---- clients that come and go

TEST(Clients, pipelined_requests_are_answered_in_their_order) {
    Scene s(one_service("users"));
    s.client() << get("/users/1") + get("/users/2") + get("/users/3");
    for (const char* n : {"1", "2", "3"}) {
        s.upstream("users") >> request("GET", std::string("/users/") + n) << ok(n);
        s.client() >> response(200, n);
    }
}

TEST(Clients, a_request_behind_a_body_is_found) {
    Scene s(one_service("users"));
    s.client() << post("/users", "ada") + get("/users/2");
    s.upstream("users") >> request("POST", "/users", "ada") << ok("1");
    s.upstream("users") >> request("GET", "/users/2") << ok("2");
    s.client() >> response(200, "1") >> response(200, "2");
}

TEST(Clients, http_1_0_is_answered_and_closed) {
    Scene s(one_service("users"));
    s.client() << "GET /users HTTP/1.0\r\nhost: api\r\n\r\n";
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client() >> response(200, "all").with("connection", "close") >> closed();
}

TEST(Clients, http_1_0_gets_a_body_of_unknown_length_until_the_end) {
    Scene s(one_service("users"));
    s.client() << "GET /users HTTP/1.0\r\nhost: api\r\n\r\n";
    s.upstream("users") >> request("GET", "/users")
                               << "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                               << chunk("one ") << chunk("two") << last_chunk;
    s.client() >> response(200, "one two").without("transfer-encoding").without("content-length") >>
        closed();
}

TEST(Clients, one_that_asks_to_close_is_closed) {
    Scene s(one_service("users"));
    s.client() << get("/users", "connection: close\r\n");
    s.upstream("users") >> request("GET", "/users").without("connection") << ok("all");
    s.client() >> response(200, "all").with("connection", "close") >> closed();
}

TEST(Clients, one_that_leaves_during_the_answer_ends_the_upstreams_work) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    upstream << "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" << chunk("event");
    s.client() >> response(200).head_only() >> bytes(chunk("event"));
    s.client() << reset;
    EXPECT_TRUE(upstream.ended());
    EXPECT_EQ(s.counted(Code::client_gone), 1u);
}

TEST(Clients, one_that_leaves_during_its_upload_ends_the_upstreams_work) {
    Scene s(one_service("users"));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ncontent-length: 100\r\n\r\nhalf";
    Peer& upstream = s.upstream("users") >> request("POST", "/users").head_only() >> bytes("half");
    s.client() << hang_up;
    EXPECT_TRUE(upstream.ended());
}

TEST(Clients, an_idle_connection_holds_no_buffer) {
    Scene s(one_service("users"));
    s.client("a") << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client("a") >> response(200, "all");
    s.client("b");
    EXPECT_EQ(s.leased(), 0u);
}

// ---- bodies

TEST(Bodies, head_is_answered_with_the_length_and_no_body) {
    Scene s(one_service("users"));
    s.client() << "HEAD /users HTTP/1.1\r\nhost: api\r\n\r\n";
    s.upstream("users") >> request("HEAD", "/users")
                               << "HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n";
    s.client() >> response(200).to_head().with("content-length", "1234") >> silence();
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client() >> response(200, "all");
    EXPECT_EQ(s.upstream("users").dials(), 1u);
}

TEST(Bodies, answers_without_content_have_none) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << "HTTP/1.1 204 No Content\r\n\r\n";
    s.client() >> response(204, "").without("content-length").without("transfer-encoding");
    s.client() << get("/users", "if-none-match: \"x\"\r\n");
    s.upstream("users") >> request("GET", "/users")
                               << "HTTP/1.1 304 Not Modified\r\netag: \"x\"\r\n\r\n";
    s.client() >> response(304, "").with("etag", "\"x\"");
    EXPECT_EQ(s.upstream("users").dials(), 1u);
}

TEST(Bodies, trailers_go_through_in_both_directions) {
    Scene s(one_service("users"));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ntransfer-encoding: chunked\r\n\r\n" +
                      chunk("ada") + "0\r\nx-sum: 1\r\n\r\n";
    s.upstream("users") >> request("POST", "/users", "ada").in_chunks().trailing("x-sum", "1")
                               << "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" +
                                      chunk("hi") + "0\r\nx-sum: 2\r\n\r\n";
    s.client() >> response(200, "hi").in_chunks().trailing("x-sum", "2");
}

TEST(Bodies, an_answer_that_ends_with_its_connection_is_chunked_for_the_client) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users")
                               << "HTTP/1.1 200 OK\r\n\r\nall of it" << hang_up;
    s.client() >> response(200, "all of it").in_chunks();
}

TEST(Bodies, an_answer_cut_short_cuts_the_client_too) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users")
                               << "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf" << hang_up;
    s.client() >> response(200).head_only() >> bytes("half") >> broken();
    EXPECT_EQ(s.counted(Code::upstream_truncated), 1u);
}

TEST(Bodies, a_chunked_answer_cut_short_has_no_last_chunk) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users")
                               << "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" +
                                      chunk("half")
                               << hang_up;
    s.client() >> response(200).head_only() >> bytes(chunk("half"));
    EXPECT_TRUE(s.client().ended());
}

TEST(Bodies, garbage_behind_an_answer_costs_the_connection_and_reaches_nobody) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all") + "HTTP/1.1 200 OK\r\n";
    s.client() >> response(200, "all") >> silence();
    EXPECT_EQ(s.upstream("users").open_connections(), 0u);
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("again");
    s.client() >> response(200, "again");
}

TEST(Bodies, garbage_on_an_idle_connection_spoils_it) {
    Scene s(one_service("users"));
    s.upstream("users").keeps_one_idle_connection();
    s.upstream("users").connection(0) << "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("good");
    s.client() >> response(200, "good");
}

TEST(Bodies, an_answer_that_is_not_http_is_a_502) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << "SSH-2.0-OpenSSH\r\n\r\n";
    s.client() >> response(502).saying("upstream_invalid");
}

TEST(Bodies, an_upload_streams_while_the_answer_already_comes) {
    Scene s(one_service("users"));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ntransfer-encoding: chunked\r\n\r\n" +
                      chunk("one");
    Peer& upstream =
        s.upstream("users") >> request("POST", "/users").head_only() >> bytes(chunk("one"));
    upstream << "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("got one");
    s.client() >> response(200).head_only() >> bytes(chunk("got one"));
    s.client() << chunk("two");
    upstream >> bytes(chunk("two")) << chunk("got two");
    s.client() >> bytes(chunk("got two"));
    s.client() << last_chunk;
    upstream >> bytes(std::string(last_chunk)) << last_chunk;
    s.client() >> bytes(std::string(last_chunk));
}

TEST(Bodies, an_early_refusal_reaches_the_client_and_closes_its_connection) {
    Scene s(one_service("users"));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ncontent-length: 100000\r\n\r\nbegin";
    s.upstream("users") >> request("POST", "/users").head_only() >>
        bytes("begin") << answer(413, "too much") << hang_up;
    s.client() >> response(413, "too much").with("connection", "close");
    EXPECT_TRUE(s.client().ended());
}

TEST(Bodies, expect_100_continue_is_passed_on_and_answered_by_the_upstream) {
    Scene s(one_service("users"));
    s.client()
        << "POST /users HTTP/1.1\r\nhost: api\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n";
    Peer& upstream =
        s.upstream("users") >> request("POST", "/users").head_only().with("expect", "100-continue");
    s.client() >> silence();
    upstream << "HTTP/1.1 100 Continue\r\n\r\n";
    s.client() >> response(100);
    s.client() << "ada";
    upstream >> bytes("ada") << ok("hello");
    s.client() >> response(200, "hello");
}

TEST(Bodies, interim_answers_go_through_and_the_final_one_follows) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users")
                               << "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n"
                               << ok("all");
    s.client() >> response(103).with("link", "</a.css>") >> response(200, "all");
}

TEST(Bodies, switching_protocols_unasked_is_refused) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users")
                               << "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n";
    s.client() >> response(502).saying("upstream_invalid");
}

// ---- back-pressure

TEST(BackPressure, a_slow_client_slows_the_upstream_and_little_is_buffered) {
    Scene s(one_service("users"));
    s.pipes_hold(2048);
    s.client().stops_reading() << get("/users");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    upstream << ok(std::string(1 << 20, 'x'));
    EXPECT_GT(upstream.unsent(), 800'000u);
    EXPECT_LE(s.leased(), 256u * 1024);
    s.client().reads_again() >> response(200, std::string(1 << 20, 'x'));
    EXPECT_EQ(upstream.unsent(), 0u);
    EXPECT_EQ(s.leased(), 0u);
}

TEST(BackPressure, a_slow_upstream_slows_the_client_and_little_is_buffered) {
    Scene s(one_service("users"));
    s.pipes_hold(2048);
    std::string body(1'000'000, 'y');
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ncontent-length: 1000000\r\n\r\n";
    Peer& upstream = s.upstream("users") >> request("POST", "/users").head_only();
    upstream.stops_reading();
    s.client() << body;
    EXPECT_GT(s.client().unsent(), 800'000u);
    EXPECT_LE(s.leased(), 256u * 1024);
    upstream.reads_again() >> bytes(body) << ok("thanks");
    s.client() >> response(200, "thanks");
    EXPECT_EQ(s.leased(), 0u);
}

// ---- reloads

TEST(Reload, a_running_exchange_ends_on_the_site_it_began_with) {
    Scene s(one_service("users", {.route = "response_headers: {set: {x-site: old}}"}));
    s.client("a") << get("/users/1");
    Peer& first = s.upstream("users") >> request("GET", "/users/1");
    s.reload(one_service("users", {.route = "response_headers: {set: {x-site: new}}"}));
    s.client("b") << get("/users/2");
    s.upstream("users") >> request("GET", "/users/2") << ok("two");
    s.client("b") >> response(200, "two").with("x-site", "new");
    first << ok("one");
    s.client("a") >> response(200, "one").with("x-site", "old");
    s.client("a") << get("/users/3");
    s.upstream("users") >> request("GET", "/users/3") << ok("three");
    s.client("a") >> response(200, "three").with("x-site", "new");
}

TEST(Reload, idle_connections_of_an_endpoint_that_stays_are_kept) {
    Scene s(one_service("users"));
    s.upstream("users").keeps_one_idle_connection();
    s.reload(one_service("users", {.route = "timeout: 9s"}));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client() >> response(200, "all");
    EXPECT_EQ(s.upstream("users").dials(), 1u);
}

TEST(Reload, idle_connections_of_an_endpoint_that_is_gone_are_closed) {
    Scene s(one_service("users"));
    s.upstream("users").keeps_one_idle_connection();
    EXPECT_EQ(s.upstream("users").open_connections(), 1u);
    s.reload("routes:\n  - {name: gone, prefix: /users, respond: {status: 410, body: gone}}\n");
    EXPECT_EQ(s.upstream("users").open_connections(), 0u);
    s.client() << get("/users");
    s.client() >> response(410, "gone");
}

TEST(Reload, an_endpoint_that_is_gone_still_finishes_what_it_began) {
    Scene s(one_service("users"));
    s.client() << get("/users");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    s.reload("routes:\n  - {name: gone, prefix: /users, respond: {status: 410, body: gone}}\n");
    upstream << ok("all");
    s.client() >> response(200, "all");
    EXPECT_EQ(s.upstream("users").open_connections(), 0u);
}

// ---- one dialogue, however it is cut

std::string dialogue(std::uint64_t seed) {
    Scene s(one_service("users"), 7);
    Random random(seed);
    auto piecewise = [&](Peer& to, const std::string& bytes) {
        for (std::size_t at = 0; at < bytes.size();) {
            std::size_t n = seed == 0 ? bytes.size() : 1 + (seed == 1 ? 0 : random.below(12));
            to << std::string_view(bytes).substr(at, n);
            at += n;
        }
    };
    std::string asked =
        post("/users", "ada") +
        "POST /users/2 HTTP/1.1\r\nhost: api\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("one") +
        chunk("two and more") + "0\r\nx-t: 1\r\n\r\n" + get("/users/3?q=1");
    piecewise(s.client(), asked);
    Peer& upstream = s.upstream("users") >> request("POST", "/users", "ada");
    piecewise(upstream, ok("first", "x-n: 1\r\n"));
    upstream >> request("POST", "/users/2", "onetwo and more");
    piecewise(upstream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("se") +
                            chunk("cond") + "0\r\nx-t: 2\r\n\r\n");
    upstream >> request("GET", "/users/3?q=1");
    piecewise(upstream, ok(std::string(300, 'z')));
    std::string heard;
    for (int i = 0; i < 3; ++i) {
        Message m = s.client().take_response();
        heard += m.start_line + "\n";
        for (const auto& [name, value] : m.fields) heard += name + "=" + value + "\n";
        heard += m.body + "\n";
        for (const auto& [name, value] : m.trailers)
            heard += "trailer " + name + "=" + value + "\n";
    }
    return heard;
}

TEST(Dialogue, is_the_same_byte_by_byte_and_in_random_pieces_as_in_one) {
    std::string whole = dialogue(0);
    EXPECT_EQ(dialogue(1), whole);
    for (std::uint64_t seed = 2; seed < 40; ++seed)
        EXPECT_EQ(dialogue(seed), whole) << "seed " << seed;
}

}  // namespace
}  // namespace suoke::scene
