// SPDX-License-Identifier: MIT
// The response cache as clients and a service see it.
#include <gtest/gtest.h>

#include "testing/scene.h"

namespace suoke::scene {
namespace {

std::string cached(const std::string& route = {}, const std::string& section = {}) {
    return one_service("users", {.route = route, .rest = "cache: {enabled: true" + (section.empty() ? section : ", " + section) + "}\n"});
}

constexpr const char* kMinute = "cache-control: max-age=60\r\n";

// Asks, has the service answer, and takes the answer.
void ask_and_answer(Scene& s, const std::string& target, const std::string& body, const std::string& fields, const std::string& request_fields = {}) {
    s.client() << get(target, request_fields);
    s.upstream("users") >> request("GET", target) << ok(body, fields);
    s.client() >> response(200, body);
}

// ---- hits and misses

TEST(Cache, answers_again_what_may_be_answered_again) {
    Scene s(cached());
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << ok("seven", kMinute);
    s.client() >> response(200, "seven").with("x-cache", "MISS").with("cache-status", "suoke-gateway; fwd=uri-miss; fwd-status=200; stored; ttl=60").without("age");
    s.after(10s);
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").with("x-cache", "HIT").with("cache-status", "suoke-gateway; hit; ttl=50").with("age", "10").having("date").with("content-length", "5");
    EXPECT_EQ(s.upstream("users").dials(), 1u);
    EXPECT_EQ(s.worker().cells().cache[static_cast<std::size_t>(CacheResult::hit)].value(), 1u);
    EXPECT_EQ(s.worker().cells().cache[static_cast<std::size_t>(CacheResult::miss)].value(), 1u);
}

TEST(Cache, is_off_unless_somebody_says_so) {
    Scene s(one_service("users"));
    for (int i = 0; i < 2; ++i) ask_and_answer(s, "/users/7", "seven", kMinute);
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << ok("seven");
    s.client() >> response(200, "seven").without("x-cache").without("cache-status");
}

TEST(Cache, a_route_can_stay_out_of_it) {
    Scene s(cached("cache: false"));
    for (int i = 0; i < 2; ++i) ask_and_answer(s, "/users/7", "seven", kMinute);
}

TEST(Cache, asks_again_when_it_is_no_longer_fresh) {
    Scene s(cached());
    ask_and_answer(s, "/users/7", "old", kMinute);
    s.after(60s);
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7").without("if-none-match") << ok("new", kMinute);
    s.client() >> response(200, "new").with("x-cache", "MISS");
}

TEST(Cache, the_query_and_the_host_are_part_of_what_is_asked_for) {
    Scene s(cached());
    ask_and_answer(s, "/users/7?a=1", "one", kMinute);
    ask_and_answer(s, "/users/7?a=2", "two", kMinute);
    ask_and_answer(s, "/users/7", "none", kMinute);
    ask_and_answer(s, "/users/7?", "empty", kMinute);
    s.client() << "GET /users/7 HTTP/1.1\r\nhost: other\r\n\r\n";
    s.upstream("users") >> request("GET", "/users/7") << ok("of another", kMinute);
    s.client() >> response(200, "of another");
    s.client() << get("/users/7?a=1");
    s.client() >> response(200, "one").with("x-cache", "HIT");
}

TEST(Cache, leaves_alone_what_says_nothing_or_forbids_it) {
    for (const char* said : {"", "cache-control: no-store\r\n", "cache-control: private, max-age=60\r\n", "cache-control: max-age=60\r\nset-cookie: a=b\r\n", "cache-control: max-age=60\r\nvary: *\r\n"}) {
        Scene s(cached());
        for (int i = 0; i < 2; ++i) {
            s.client() << get("/users/7");
            s.upstream("users") >> request("GET", "/users/7") << ok("seven", said);
            s.client() >> response(200, "seven").with("x-cache", "MISS");
        }
    }
}

TEST(Cache, takes_an_answer_of_unknown_length) {
    Scene s(cached());
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("one") + chunk("two") + std::string(last_chunk);
    s.client() >> response(200, "onetwo");
    s.client() << get("/users/7");
    s.client() >> response(200, "onetwo").with("x-cache", "HIT").with("content-length", "6");
}

TEST(Cache, an_answer_without_a_body_is_one) {
    Scene s(cached());
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << "HTTP/1.1 204 No Content\r\ncache-control: max-age=60\r\n\r\n";
    s.client() >> response(204);
    s.client() << get("/users/7");
    s.client() >> response(204).with("x-cache", "HIT").without("content-length");
}

TEST(Cache, errors_that_say_how_long_are_answers) {
    Scene s(cached());
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << answer(404, "nobody", kMinute);
    s.client() >> response(404, "nobody");
    s.client() << get("/users/7");
    s.client() >> response(404, "nobody").with("x-cache", "HIT");
}

TEST(Cache, fields_of_one_hop_and_those_that_the_answer_names_are_not_kept) {
    Scene s(cached());
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7")
                               << ok("seven", "connection: x-hop\r\nx-hop: 1\r\ncache-control: max-age=60, no-cache=\"x-mine\"\r\nx-mine: 1\r\nx-all: 1\r\nproxy-authenticate: Basic\r\n");
    s.client() >> response(200, "seven").with("x-mine", "1").with("x-all", "1").without("x-hop");
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").without("x-mine").with("x-all", "1").without("proxy-authenticate").without("x-hop");
}

TEST(Cache, cookies_go_to_the_one_they_are_for) {
    Scene s(cached("cache: {set_cookie: strip}"));
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << ok("seven", "cache-control: max-age=60\r\nset-cookie: a=b\r\n");
    s.client() >> response(200, "seven").with("set-cookie", "a=b");
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").with("x-cache", "HIT").without("set-cookie");
}

TEST(Cache, an_age_from_upstream_counts) {
    Scene s(cached());
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << ok("seven", "cache-control: max-age=60\r\nage: 50\r\n");
    s.client() >> response(200, "seven").with("age", "50");
    s.after(5s);
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").with("age", "55");
    s.after(5s);
    ask_and_answer(s, "/users/7", "new", kMinute);
}

TEST(Cache, what_is_truncated_is_not_kept) {
    Scene s(cached());
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 10\r\n\r\nhalf" << hang_up;
    s.client() >> response(200).head_only() >> bytes("half") >> broken();
    s.client("again") << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << ok("whole", kMinute);
    s.client("again") >> response(200, "whole");
}

TEST(Cache, what_is_larger_than_it_may_be_passes) {
    Scene s(cached({}, "max_object: 1000"));
    std::string body(5000, 'x');
    ask_and_answer(s, "/users/7", body, kMinute);
    ask_and_answer(s, "/users/7", body, kMinute);
    s.client("chunked") << get("/users/8");
    s.upstream("users") >> request("GET", "/users/8") << "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(body) + std::string(last_chunk);
    s.client("chunked") >> response(200, body);
    s.client("chunked") << get("/users/8");
    s.upstream("users") >> request("GET", "/users/8") << ok("small", kMinute);
    s.client("chunked") >> response(200, "small");
}

// ---- requests that say how

TEST(Cache, no_store_and_no_cache_of_a_request_are_heeded) {   // RFC 9111 §5.2.1
    Scene s(cached());
    ask_and_answer(s, "/users/7", "one", kMinute);
    s.client() << get("/users/7", "cache-control: no-store\r\n");
    s.upstream("users") >> request("GET", "/users/7") << ok("two", kMinute);
    s.client() >> response(200, "two").with("x-cache", "BYPASS");
    s.client() << get("/users/7");
    s.client() >> response(200, "one").with("x-cache", "HIT");
    s.client() << get("/users/7", "cache-control: no-cache\r\n");
    s.upstream("users") >> request("GET", "/users/7") << ok("three", kMinute);
    s.client() >> response(200, "three").with("cache-status", "suoke-gateway; fwd=request; fwd-status=200; stored; ttl=60");
    s.client() << get("/users/7");
    s.client() >> response(200, "three").with("x-cache", "HIT");
}

TEST(Cache, only_if_cached_is_504_when_it_is_not) {   // RFC 9111 §5.2.1.7
    Scene s(cached());
    s.client() << get("/users/7", "cache-control: only-if-cached\r\n");
    s.client() >> response(504).saying("not_in_cache");
    EXPECT_EQ(s.upstream("users").dials(), 0u);
    ask_and_answer(s, "/users/7", "seven", kMinute);
    s.client() << get("/users/7", "cache-control: only-if-cached\r\n");
    s.client() >> response(200, "seven").with("x-cache", "HIT");
}

TEST(Cache, max_stale_takes_what_is_old) {   // RFC 9111 §5.2.1.2
    Scene s(cached());
    ask_and_answer(s, "/users/7", "seven", kMinute);
    s.after(65s);
    s.client() << get("/users/7", "cache-control: max-stale=10\r\n");
    s.client() >> response(200, "seven").with("x-cache", "STALE").with("age", "65").with("cache-status", "suoke-gateway; hit; ttl=-5");
}

// ---- conditions

TEST(Cache, a_client_that_has_it_already_is_told_so) {   // RFC 9111 §4.3.2
    Scene s(cached());
    ask_and_answer(s, "/users/7", "seven", "cache-control: max-age=60\r\netag: \"a\"\r\nlast-modified: Wed, 01 Jan 2020 00:00:00 GMT\r\ncontent-type: text/plain\r\nx-more: 1\r\n");
    s.client() << get("/users/7", "if-none-match: \"b\", \"a\"\r\n");
    s.client() >> response(304, "").with("etag", "\"a\"").with("cache-control", "max-age=60").having("date").having("age").with("x-more", "1").without("content-type").without("last-modified").without("content-length");
    s.client() << get("/users/7", "if-modified-since: Thu, 02 Jan 2020 00:00:00 GMT\r\n");
    s.client() >> response(304, "").with("x-cache", "HIT");
    s.client() << get("/users/7", "if-none-match: \"b\"\r\nif-modified-since: Thu, 02 Jan 2020 00:00:00 GMT\r\n");
    s.client() >> response(200, "seven");
}

TEST(Cache, the_condition_of_one_client_is_kept_from_the_service) {
    Scene s(cached());
    s.client() << get("/users/7", "if-none-match: \"a\"\r\n");
    s.upstream("users") >> request("GET", "/users/7").without("if-none-match") << ok("seven", "cache-control: max-age=60\r\netag: \"a\"\r\n");
    s.client() >> response(304, "").with("etag", "\"a\"").with("x-cache", "MISS");
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").with("x-cache", "HIT");
}

TEST(Cache, validates_what_is_stale) {   // RFC 9111 §4.3
    Scene s(cached());
    ask_and_answer(s, "/users/7", "seven", "cache-control: max-age=60\r\netag: \"a\"\r\nlast-modified: Wed, 01 Jan 2020 00:00:00 GMT\r\nx-old: 1\r\nx-both: 1\r\n");
    s.after(61s);
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7").with("if-none-match", "\"a\"").with("if-modified-since", "Wed, 01 Jan 2020 00:00:00 GMT")
                               << "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\nx-both: 2\r\ncache-control: max-age=30\r\n\r\n";
    s.client() >> response(200, "seven").with("x-old", "1").with("x-both", "2").with("cache-control", "max-age=30").with("age", "0").with("cache-status", "suoke-gateway; fwd=stale; fwd-status=304; stored; ttl=30");
    s.after(29s);
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").with("x-cache", "HIT").with("x-both", "2");
}

TEST(Cache, a_304_about_something_else_is_no_answer) {   // RFC 9111 §4.3.4
    Scene s(cached());
    ask_and_answer(s, "/users/7", "seven", "cache-control: max-age=60\r\netag: \"a\"\r\n");
    s.after(61s);
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7").with("if-none-match", "\"a\"") << "HTTP/1.1 304 Not Modified\r\netag: \"b\"\r\n\r\n";
    s.upstream("users") >> request("GET", "/users/7").without("if-none-match") << ok("eight", "cache-control: max-age=60\r\netag: \"b\"\r\n");
    s.client() >> response(200, "eight");
}

TEST(Cache, something_new_takes_the_place_of_what_is_stale) {
    Scene s(cached());
    ask_and_answer(s, "/users/7", "seven", "cache-control: max-age=60\r\netag: \"a\"\r\n");
    s.after(61s);
    s.client() << get("/users/7", "if-none-match: \"a\"\r\n");
    s.upstream("users") >> request("GET", "/users/7").with("if-none-match", "\"a\"") << ok("eight", "cache-control: max-age=60\r\netag: \"b\"\r\n");
    s.client() >> response(200, "eight");
    s.client() << get("/users/7");
    s.client() >> response(200, "eight").with("x-cache", "HIT");
}

TEST(Cache, no_cache_answers_are_validated_each_time) {   // RFC 9111 §5.2.2.4
    Scene s(cached());
    ask_and_answer(s, "/users/7", "seven", "cache-control: no-cache\r\netag: \"a\"\r\n");
    for (int i = 0; i < 2; ++i) {
        s.client() << get("/users/7");
        s.upstream("users") >> request("GET", "/users/7").with("if-none-match", "\"a\"") << "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n";
        s.client() >> response(200, "seven");
    }
}

// ---- HEAD and ranges

TEST(Cache, head_is_answered_from_what_get_brought) {
    Scene s(cached());
    ask_and_answer(s, "/users/7", "seven", kMinute);
    s.client() << "HEAD /users/7 HTTP/1.1\r\nhost: api\r\n\r\n";
    s.client() >> response(200, "").to_head().with("content-length", "5").with("x-cache", "HIT");
    s.client() << "HEAD /users/8 HTTP/1.1\r\nhost: api\r\n\r\n";
    s.upstream("users") >> request("HEAD", "/users/8") << "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 5\r\n\r\n";
    s.client() >> response(200, "").to_head();
    ask_and_answer(s, "/users/8", "eight", kMinute);
}

TEST(Cache, head_tells_of_what_is_stored) {   // RFC 9111 §4.3.5
    Scene s(cached());
    ask_and_answer(s, "/users/7", "seven", "cache-control: max-age=60\r\nx-a: 1\r\n");
    s.after(61s);
    s.client() << "HEAD /users/7 HTTP/1.1\r\nhost: api\r\n\r\n";
    s.upstream("users") >> request("HEAD", "/users/7") << "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\nx-a: 2\r\ncontent-length: 5\r\n\r\n";
    s.client() >> response(200, "").to_head();
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").with("x-cache", "HIT").with("x-a", "2");
    s.after(61s);
    s.client() << "HEAD /users/7 HTTP/1.1\r\nhost: api\r\n\r\n";
    s.upstream("users") >> request("HEAD", "/users/7") << "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 9\r\n\r\n";
    s.client() >> response(200, "").to_head();
    ask_and_answer(s, "/users/7", "ninechars", kMinute);
}

TEST(Cache, a_range_is_cut_from_the_whole) {   // RFC 9110 §14
    Scene s(cached());
    ask_and_answer(s, "/users/7", "0123456789", "cache-control: max-age=60\r\netag: \"a\"\r\n");
    s.client() << get("/users/7", "range: bytes=2-4\r\n");
    s.client() >> response(206, "234").with("content-range", "bytes 2-4/10").with("content-length", "3").with("etag", "\"a\"").with("x-cache", "HIT");
    s.client() << get("/users/7", "range: bytes=-3\r\n");
    s.client() >> response(206, "789").with("content-range", "bytes 7-9/10");
    s.client() << get("/users/7", "range: bytes=10-\r\n");
    s.client() >> response(416).with("content-range", "bytes */10");
    s.client() << get("/users/7", "range: bytes=0-1, 4-5\r\n");
    s.client() >> response(200, "0123456789");
    s.client() << get("/users/7", "range: bytes=0-1\r\nif-range: \"a\"\r\n");
    s.client() >> response(206, "01");
    s.client() << get("/users/7", "range: bytes=0-1\r\nif-range: \"b\"\r\n");
    s.client() >> response(200, "0123456789");
}

// Asks for a range, has the service answer with a part, and takes it.
void ask_for_part(Scene& s, const std::string& body, const std::string& content_range, const std::string& fields = kMinute, const std::string& request_fields = {}) {
    s.client() << get("/users/7", "range: bytes=4-6\r\n" + request_fields);
    s.upstream("users") >> request("GET", "/users/7").with("range", "bytes=4-6") << answer(206, body, "content-range: " + content_range + "\r\n" + fields);
    s.client() >> response(206, body).with("x-cache", "MISS");
}

TEST(Cache, a_range_is_cut_from_a_part) {   // RFC 9111 §3.3
    Scene s(cached());
    s.client() << get("/users/7", "range: bytes=-6\r\n");
    s.upstream("users") >> request("GET", "/users/7").with("range", "bytes=-6") << answer(206, "456789", "cache-control: max-age=60\r\ncontent-range: bytes 4-9/10\r\netag: \"a\"\r\n");
    s.client() >> response(206, "456789").with("cache-status", "suoke-gateway; fwd=uri-miss; fwd-status=206; stored; ttl=60");
    s.after(10s);
    s.client() << get("/users/7", "range: bytes=5-6\r\n");
    s.client() >> response(206, "56").with("content-range", "bytes 5-6/10").with("content-length", "2").with("etag", "\"a\"").with("age", "10").with("cache-status", "suoke-gateway; hit; ttl=50; detail=part");
    s.client() << get("/users/7", "range: bytes=-1\r\n");
    s.client() >> response(206, "9").with("content-range", "bytes 9-9/10");
    s.client() << get("/users/7", "range: bytes=4-\r\nif-range: \"a\"\r\ncache-control: only-if-cached\r\n");
    s.client() >> response(206, "456789").with("x-cache", "HIT");
}

TEST(Cache, a_part_is_never_taken_for_the_whole) {   // RFC 9111 §3.3
    Scene s(cached());
    ask_for_part(s, "456", "bytes 4-6/10");
    s.client() << get("/users/7", "cache-control: only-if-cached\r\n");
    s.client() >> response(504);
    ask_and_answer(s, "/users/7", "0123456789", kMinute);
}

TEST(Cache, what_is_not_in_a_part_is_asked_for) {
    for (const char* wanted : {"range: bytes=3-4\r\n", "range: bytes=6-7\r\n", "range: bytes=10-\r\n", "range: bytes=4-4, 6-6\r\n", "range: bytes=4-4\r\nif-range: \"b\"\r\n",
                               "range: bytes=4-4\r\nif-none-match: \"a\"\r\n", "range: bytes=4-4\r\ncache-control: no-cache\r\n"}) {
        Scene s(cached());
        ask_for_part(s, "456", "bytes 4-6/10", "cache-control: max-age=60\r\netag: \"a\"\r\n");
        s.client() << get("/users/7", wanted);
        s.upstream("users") >> request("GET", "/users/7").having("range") << answer(200, "whole");
        s.client() >> response(200, "whole").with("x-cache", "MISS");
    }
}

TEST(Cache, a_part_that_is_not_what_it_says_is_not_kept) {
    for (const char* said : {"bytes 4-7/10", "bytes 4-5/10", "bytes 4-6/*", "bytes 4-6/6", "items 4-6/10"}) {
        Scene s(cached());
        for (int i = 0; i < 2; ++i) ask_for_part(s, "456", said);
    }
}

TEST(Cache, a_part_that_was_not_read_to_its_end_is_not_kept) {
    Scene s(cached());
    s.client() << get("/users/7", "range: bytes=4-6\r\n");
    s.upstream("users") >> request("GET", "/users/7") << "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 4-6/10\r\ncache-control: max-age=60\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("45") + std::string(last_chunk);
    s.client() >> response(206, "45");
    ask_for_part(s, "456", "bytes 4-6/10");
}

TEST(Cache, a_part_is_kept_no_longer_and_for_no_more_than_a_whole_would_be) {
    for (const char* said : {"", "cache-control: no-store\r\n", "cache-control: private, max-age=60\r\n", "cache-control: no-cache\r\netag: \"a\"\r\n", "cache-control: max-age=60\r\nset-cookie: a=b\r\n", "cache-control: max-age=60\r\nvary: *\r\n"}) {
        Scene s(cached());
        for (int i = 0; i < 2; ++i) ask_for_part(s, "456", "bytes 4-6/10", said);
    }
    Scene s(cached());
    ask_for_part(s, "456", "bytes 4-6/10");
    s.after(60s);
    ask_for_part(s, "456", "bytes 4-6/10", "cache-control: max-age=60\r\nvary: x-lang\r\n", "x-lang: de\r\n");
    s.client() << get("/users/7", "range: bytes=4-4\r\nx-lang: de\r\n");
    s.client() >> response(206, "4").with("x-cache", "HIT");
    ask_for_part(s, "456", "bytes 4-6/10", kMinute, "x-lang: en\r\n");
}

TEST(Cache, a_part_told_to_one_client_with_its_credentials_is_told_to_nobody_else) {   // RFC 9111 §3.5
    Scene s(cached());
    ask_for_part(s, "456", "bytes 4-6/10", kMinute, "authorization: Basic YTpi\r\n");
    s.client() << get("/users/7", "range: bytes=4-6\r\nauthorization: Basic YTpi\r\n");
    s.client() >> response(206, "456").with("x-cache", "HIT");
    ask_for_part(s, "789", "bytes 4-6/10", kMinute, "authorization: Basic YTpj\r\n");
    ask_for_part(s, "123", "bytes 4-6/10");
    ask_for_part(s, "123", "bytes 4-6/10", kMinute, "authorization: Basic YTpk\r\n");
}

TEST(Cache, a_change_voids_a_part_as_well) {   // RFC 9111 §4.4
    Scene s(cached());
    ask_for_part(s, "456", "bytes 4-6/10");
    s.client() << "DELETE /users/7 HTTP/1.1\r\nhost: api\r\n\r\n";
    s.upstream("users") >> request("DELETE", "/users/7") << ok("gone");
    s.client() >> response(200, "gone");
    ask_for_part(s, "456", "bytes 4-6/10");
}

TEST(Cache, the_whole_is_preferred_to_an_older_part) {
    Scene s(cached());
    ask_for_part(s, "456", "bytes 4-6/10", "cache-control: max-age=600\r\netag: \"a\"\r\n");
    s.after(1s);
    ask_and_answer(s, "/users/7", "abcdefghij", "cache-control: max-age=60\r\netag: \"b\"\r\n");
    s.client() << get("/users/7", "range: bytes=4-6\r\n");
    s.client() >> response(206, "efg").with("etag", "\"b\"");
    s.after(61s);
    s.client() << get("/users/7", "range: bytes=4-6\r\n");
    s.upstream("users") >> request("GET", "/users/7").with("if-none-match", "\"b\"") << "HTTP/1.1 304 Not Modified\r\netag: \"b\"\r\ncache-control: max-age=60\r\n\r\n";
    s.client() >> response(206, "efg");
}

// ---- who asks, and in what words

TEST(Cache, requests_that_differ_in_what_the_answer_varies_by_are_different) {   // RFC 9111 §4.1
    Scene s(cached());
    const std::string varied = "cache-control: max-age=60\r\nvary: x-lang\r\n";
    ask_and_answer(s, "/users/7", "sieben", varied, "x-lang: de\r\n");
    s.client() << get("/users/7", "x-lang: en\r\n");
    s.upstream("users") >> request("GET", "/users/7").with("x-lang", "en") << ok("seven", varied);
    s.client() >> response(200, "seven").with("cache-status", "suoke-gateway; fwd=vary-miss; fwd-status=200; stored; ttl=60");
    s.client() << get("/users/7", "x-lang: de\r\nx-other: 1\r\n");
    s.client() >> response(200, "sieben").with("x-cache", "HIT");
    s.client() << get("/users/7", "x-lang: en\r\n");
    s.client() >> response(200, "seven").with("x-cache", "HIT");
}

TEST(Cache, followers_who_ask_in_other_words_ask_for_themselves) {
    Scene s(cached());
    const std::string varied = "cache-control: max-age=60\r\nvary: x-lang\r\n";
    s.client("de") << get("/users/7", "x-lang: de\r\n");
    s.client("en") << get("/users/7", "x-lang: en\r\n");
    s.upstream("users") >> request("GET", "/users/7").with("x-lang", "de") << ok("sieben", varied);
    s.client("de") >> response(200, "sieben");
    s.upstream("users") >> request("GET", "/users/7").with("x-lang", "en") << ok("seven", varied);
    s.client("en") >> response(200, "seven");
}

TEST(Cache, what_one_client_is_told_with_its_credentials_is_told_to_nobody_else) {   // RFC 9111 §3.5
    Scene s(cached());
    const std::string ada = "authorization: Bearer ada\r\n", bob = "authorization: Bearer bob\r\n";
    ask_and_answer(s, "/users/me", "I am Ada", kMinute, ada);
    ask_and_answer(s, "/users/me", "I am Bob", kMinute, bob);
    ask_and_answer(s, "/users/me", "nobody", kMinute);
    s.client() << get("/users/me", ada);
    s.client() >> response(200, "I am Ada").with("x-cache", "HIT");
    s.client() << get("/users/me", bob);
    s.client() >> response(200, "I am Bob").with("x-cache", "HIT");
}

TEST(Cache, what_is_for_everyone_is_told_to_everyone) {   // RFC 9111 §3.5
    for (const char* said : {"cache-control: max-age=60, public\r\n", "cache-control: s-maxage=60\r\n", "cache-control: max-age=60, must-revalidate\r\n"}) {
        Scene s(cached());
        ask_and_answer(s, "/users/all", "everyone", said, "authorization: Bearer ada\r\n");
        s.client() << get("/users/all", "authorization: Bearer bob\r\n");
        s.client() >> response(200, "everyone").with("x-cache", "HIT");
        s.client() << get("/users/all");
        s.client() >> response(200, "everyone").with("x-cache", "HIT");
    }
}

TEST(Cache, a_version_of_the_api_has_answers_of_its_own) {
    Scene s(cached("versioning: {supported: [v1, v2], default: v1, strategy: custom_header}"));
    ask_and_answer(s, "/users/7", "one", kMinute, "x-api-version: v1\r\n");
    ask_and_answer(s, "/users/7", "two", kMinute, "x-api-version: v2\r\n");
    s.client() << get("/users/7");
    s.client() >> response(200, "one").with("x-cache", "HIT");
}

TEST(Cache, headers_that_the_operator_names_make_answers_of_their_own) {
    Scene s(cached("cache: {include_headers: [x-tenant]}"));
    ask_and_answer(s, "/users/7", "of a", kMinute, "x-tenant: a\r\n");
    ask_and_answer(s, "/users/7", "of b", kMinute, "x-tenant: b\r\n");
    s.client() << get("/users/7", "x-tenant: a\r\n");
    s.client() >> response(200, "of a").with("x-cache", "HIT");
}

// ---- the operator's lifetimes

TEST(Cache, a_route_gives_a_lifetime_to_answers_that_have_none) {
    Scene s(cached("cache: {ttl: 30s}"));
    ask_and_answer(s, "/users/7", "seven", "");
    s.after(29s);
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").with("x-cache", "HIT");
    s.after(2s);
    ask_and_answer(s, "/users/7", "new", "cache-control: no-store\r\n");
}

TEST(Cache, the_default_lifetime_is_for_routes_that_ask_for_it) {
    Scene asks(cached("cache: true", "default_ttl: 30s"));
    ask_and_answer(asks, "/users/7", "seven", "");
    asks.client() << get("/users/7");
    asks.client() >> response(200, "seven").with("x-cache", "HIT");
    Scene silent(cached({}, "default_ttl: 30s"));
    for (int i = 0; i < 2; ++i) ask_and_answer(silent, "/users/7", "seven", "");
}

TEST(Cache, the_older_words_of_a_route_work) {
    Scene s(cached("cache_enabled: true, cache_ttl: 30"));
    ask_and_answer(s, "/users/7", "seven", "");
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").with("x-cache", "HIT").with("cache-status", "suoke-gateway; hit; ttl=30");
}

TEST(Cache, rules_give_lifetimes_by_path_and_by_what_the_answer_says) {
    Scene s(cached({}, R"(rules: [{pattern: '/users/\d+$', ttl: 300, conditions: {headers: {cache-control: public}}}, {pattern: /users/a, ttl: 10}])"));
    ask_and_answer(s, "/users/7", "seven", "cache-control: public\r\n");
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").with("cache-status", "suoke-gateway; hit; ttl=300");
    for (int i = 0; i < 2; ++i) ask_and_answer(s, "/users/8", "eight", "");
    ask_and_answer(s, "/users/abc", "abc", "");
    s.client() << get("/users/abc");
    s.client() >> response(200, "abc").with("cache-status", "suoke-gateway; hit; ttl=10");
}

// ---- changes

std::string with_method(const std::string& method, const std::string& target) { return method + " " + target + " HTTP/1.1\r\nhost: api\r\ncontent-length: 0\r\n\r\n"; }

TEST(Cache, what_a_request_changed_is_asked_for_anew) {   // RFC 9111 §4.4
    for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "M-SEARCH"}) {
        Scene s(cached());
        ask_and_answer(s, "/users/7", "old", kMinute);
        ask_and_answer(s, "/users/8", "other", kMinute);
        s.client() << with_method(method, "/users/7");
        s.upstream("users") >> request(method, "/users/7") << ok("done");
        s.client() >> response(200, "done").with("x-cache", "BYPASS").with("cache-status", "suoke-gateway; fwd=method; fwd-status=200");
        ask_and_answer(s, "/users/7", "new", kMinute);
        s.client() << get("/users/8");
        s.client() >> response(200, "other").with("x-cache", "HIT");
    }
}

TEST(Cache, what_failed_changed_nothing) {
    Scene s(cached());
    ask_and_answer(s, "/users/7", "seven", kMinute);
    s.client() << with_method("POST", "/users/7");
    s.upstream("users") >> request("POST", "/users/7") << answer(500, "no");
    s.client() >> response(500, "no");
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").with("x-cache", "HIT");
}

TEST(Cache, where_the_change_is_said_to_be_is_changed_as_well) {   // RFC 9111 §4.4
    Scene s(cached());
    for (const char* target : {"/users/7", "/users/8", "/users/9", "/users/10"}) ask_and_answer(s, target, "old", kMinute);
    s.client() << with_method("POST", "/users/list");
    s.upstream("users") >> request("POST", "/users/list") << answer(201, "made", "location: /users/7\r\ncontent-location: http://api/users/8\r\n");
    s.client() >> response(201, "made");
    s.client() << with_method("POST", "/users/list");
    s.upstream("users") >> request("POST", "/users/list") << answer(201, "made", "location: http://elsewhere/users/9\r\ncontent-location: 10\r\n");
    s.client() >> response(201, "made");
    for (const char* target : {"/users/7", "/users/8", "/users/10"}) ask_and_answer(s, target, "new", kMinute);
    s.client() << get("/users/9");
    s.client() >> response(200, "old").with("x-cache", "HIT");
}

TEST(Cache, an_answer_that_was_on_its_way_during_a_change_is_not_used_again) {
    Scene s(cached());
    s.client("reader") << get("/users/7");
    Peer& slow = s.upstream("users") >> request("GET", "/users/7");
    s.client("writer") << with_method("PUT", "/users/7");
    s.upstream("users") >> request("PUT", "/users/7") << ok("done");
    s.client("writer") >> response(200, "done");
    s.client("late") << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << ok("new", kMinute);
    s.client("late") >> response(200, "new");
    slow << ok("old", kMinute);
    s.client("reader") >> response(200, "old");
    s.client("late") << get("/users/7");
    s.client("late") >> response(200, "new").with("x-cache", "HIT");
}

TEST(Cache, tags_prefixes_and_everything_can_be_purged) {
    Scene s(cached());
    cache::Marks& marks = s.worker().cache().marks();
    ask_and_answer(s, "/users/7", "seven", "cache-control: max-age=60\r\ncache-tag: red, blue\r\n");
    marks.purge_tag("blue");
    ask_and_answer(s, "/users/7", "seven", "cache-control: max-age=60\r\nsurrogate-key: red blue\r\n");
    marks.purge_tag("red");
    ask_and_answer(s, "/users/7", "seven", kMinute);
    marks.purge_prefix("api", "/users");
    ask_and_answer(s, "/users/7", "seven", kMinute);
    marks.purge_url("", "/users/7");
    ask_and_answer(s, "/users/7", "seven", kMinute);
    marks.purge_all();
    ask_and_answer(s, "/users/7", "seven", kMinute);
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").with("x-cache", "HIT");
}

// ---- one asks, the others wait

TEST(Cache, one_request_is_enough_for_all_who_ask_at_once) {
    Scene s(cached());
    for (const char* name : {"a", "b", "c"}) s.client(name) << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << ok("seven", kMinute);
    s.client("a") >> response(200, "seven").with("cache-status", "suoke-gateway; fwd=uri-miss; fwd-status=200; stored; ttl=60");
    for (const char* name : {"b", "c"}) s.client(name) >> response(200, "seven").with("cache-status", "suoke-gateway; fwd=uri-miss; stored; collapsed; ttl=60");
    EXPECT_EQ(s.upstream("users").dials(), 1u);
}

TEST(Cache, the_others_go_on_when_the_first_one_leaves) {
    Scene s(cached());
    s.client("a") << get("/users/7");
    s.client("b") << get("/users/7");
    Peer& upstream = s.upstream("users") >> request("GET", "/users/7");
    s.client("a") << hang_up;
    EXPECT_FALSE(upstream.ended());
    upstream << ok("seven", kMinute);
    s.client("b") >> response(200, "seven");
    EXPECT_EQ(s.upstream("users").dials(), 1u);
}

TEST(Cache, the_first_one_may_leave_in_the_middle) {
    Scene s(cached());
    s.client("a") << get("/users/7");
    Peer& upstream = s.upstream("users") >> request("GET", "/users/7") << "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 6\r\n\r\none";
    s.client("a") >> response(200).head_only() >> bytes("one");
    s.client("b") << get("/users/7");
    s.client("b") >> response(200).head_only().with("content-length", "6").having("age") >> bytes("one");
    s.client("a") << hang_up;
    upstream << "two";
    s.client("b") >> bytes("two");
    s.client("c") << get("/users/7");
    s.client("c") >> response(200, "onetwo").with("x-cache", "HIT");
}

TEST(Cache, when_all_have_left_the_service_is_left_as_well) {
    Scene s(cached());
    s.client("a") << get("/users/7");
    s.client("b") << get("/users/7");
    Peer& upstream = s.upstream("users") >> request("GET", "/users/7");
    s.client("a") << hang_up;
    s.client("b") << hang_up;
    EXPECT_TRUE(upstream.ended());
    ask_and_answer(s, "/users/7", "seven", kMinute);
}

TEST(Cache, what_was_begun_is_finished_where_the_operator_wants_that) {
    Scene s(cached({}, "finish_fills: true"));
    s.client("a") << get("/users/7");
    Peer& upstream = s.upstream("users") >> request("GET", "/users/7");
    s.client("a") << hang_up;
    EXPECT_FALSE(upstream.ended());
    upstream << ok("seven", kMinute);
    s.client("b") << get("/users/7");
    s.client("b") >> response(200, "seven").with("x-cache", "HIT");
}

TEST(Cache, a_slow_client_holds_up_nobody_else) {
    Scene s(cached());
    std::string body(300'000, 'x');
    s.client("slow").stops_reading();
    s.client("slow") << get("/users/7");
    s.client("quick") << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << ok(body, kMinute);
    s.client("quick") >> response(200, body);
    s.client("slow").reads_again() >> response(200, body);
}

TEST(Cache, what_cannot_be_shared_is_asked_for_by_each_at_the_same_time) {
    Scene s(cached());
    for (const char* name : {"a", "b", "c"}) s.client(name) << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << ok("1", "cache-control: no-store\r\n");
    s.client("a") >> response(200, "1").with("cache-status", "suoke-gateway; fwd=uri-miss; fwd-status=200; detail=no-store");
    Peer& second = s.upstream("users") >> request("GET", "/users/7");
    Peer& third = s.upstream("users") >> request("GET", "/users/7");
    third << ok("3", "cache-control: no-store\r\n");
    second << ok("2", "cache-control: no-store\r\n");
    std::string both = s.client("b").take_response().body + s.client("c").take_response().body;
    EXPECT_TRUE(both == "23" || both == "32") << both;
}

TEST(Cache, who_comes_after_something_that_cannot_be_shared_waits_for_nobody) {
    Scene s(cached());
    ask_and_answer(s, "/users/7", "1", "cache-control: no-store\r\n");
    s.client("a") << get("/users/7");
    s.client("b") << get("/users/7");
    Peer& first = s.upstream("users") >> request("GET", "/users/7");
    Peer& second = s.upstream("users") >> request("GET", "/users/7");
    second << ok("x");
    first << ok("x");
    s.client("a") >> response(200, "x");
    s.client("b") >> response(200, "x");
}

TEST(Cache, a_failure_is_shared_by_those_who_wait) {
    Scene s(cached());
    s.upstream("users").does_not_answer();
    s.client("a") << get("/users/7");
    s.client("b") << get("/users/7");
    EXPECT_EQ(s.upstream("users").dials(), 1u);
    s.after(6s);
    s.client("a") >> response(504).saying("connect_timeout");
    s.client("b") >> response(504).saying("connect_timeout");
}

TEST(Cache, a_client_waits_no_longer_than_its_route_lets_it) {
    Scene s(cached("timeout: 2s"));
    s.client("a") << get("/users/7");
    s.after(1s);
    s.client("b") << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7");
    s.after(1100ms);
    s.client("a") >> response(504).saying("deadline_exceeded");
    s.after(1s);
    s.client("b") >> response(504);
}

TEST(Cache, many_who_wait_for_validation_need_one) {
    Scene s(cached());
    ask_and_answer(s, "/users/7", "seven", "cache-control: max-age=60\r\netag: \"a\"\r\n");
    s.after(61s);
    for (const char* name : {"a", "b"}) s.client(name) << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7").with("if-none-match", "\"a\"") << "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n";
    for (const char* name : {"a", "b"}) s.client(name) >> response(200, "seven");
    s.upstream("users") >> silence();
}

// ---- stale answers

TEST(Cache, serves_stale_while_it_validates_in_the_background) {   // RFC 5861 §3
    Scene s(cached());
    ask_and_answer(s, "/users/7", "old", "cache-control: max-age=60, stale-while-revalidate=30\r\netag: \"a\"\r\n");
    s.after(70s);
    s.client() << get("/users/7");
    s.client() >> response(200, "old").with("x-cache", "STALE").with("age", "70").with("cache-status", "suoke-gateway; hit; ttl=-10");
    s.client("b") << get("/users/7");
    s.client("b") >> response(200, "old").with("x-cache", "STALE");
    s.upstream("users") >> request("GET", "/users/7").with("if-none-match", "\"a\"") << ok("new", kMinute);
    s.upstream("users") >> silence();
    s.client() << get("/users/7");
    s.client() >> response(200, "new").with("x-cache", "HIT").with("age", "0");
}

TEST(Cache, the_window_of_stale_while_revalidate_ends) {
    Scene s(cached());
    ask_and_answer(s, "/users/7", "old", "cache-control: max-age=60, stale-while-revalidate=30\r\n");
    s.after(91s);   // longer than idle connections are kept
    s.client("later") << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << ok("new", kMinute);
    s.client("later") >> response(200, "new");
}

TEST(Cache, a_background_validation_that_fails_is_not_repeated_at_once) {
    Scene s(cached());
    ask_and_answer(s, "/users/7", "old", "cache-control: max-age=60, stale-while-revalidate=600\r\n");
    s.after(70s);
    s.upstream("users").refuses();
    s.upstream("users").connection(0) << hang_up;
    std::size_t before = s.upstream("users").dials();
    for (int i = 0; i < 5; ++i) {
        s.client() << get("/users/7");
        s.client() >> response(200, "old").with("x-cache", "STALE");
    }
    EXPECT_EQ(s.upstream("users").dials(), before + 1);
}

TEST(Cache, serves_stale_when_the_service_fails) {   // RFC 5861 §4
    Scene s(cached());
    ask_and_answer(s, "/users/7", "old", "cache-control: max-age=60, stale-if-error=30\r\n");
    s.after(70s);
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << answer(500, "broken");
    s.client() >> response(200, "old").with("x-cache", "STALE").with("cache-status", "suoke-gateway; fwd=stale; fwd-status=500; ttl=-10; detail=stale-if-error");
    s.upstream("users").connection(0) << hang_up;
    s.upstream("users").refuses();
    s.client() << get("/users/7");
    s.client() >> response(200, "old").with("x-cache", "STALE");
    s.after(21s);
    s.client() << get("/users/7");
    s.client() >> response(503);
}

TEST(Cache, an_error_is_told_where_nobody_allows_stale_answers) {
    Scene s(cached());
    ask_and_answer(s, "/users/7", "old", kMinute);
    s.after(70s);
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << answer(500, "broken");
    s.client() >> response(500, "broken").with("x-cache", "MISS");
}

TEST(Cache, must_revalidate_is_never_stale) {   // RFC 9111 §5.2.2.2
    Scene s(cached({}, "stale_if_error: 1h, stale_while_revalidate: 1h"));
    ask_and_answer(s, "/users/7", "old", "cache-control: max-age=60, must-revalidate\r\n");
    s.after(70s);
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << answer(500, "broken");
    s.client() >> response(500, "broken");
}

// ---- what it keeps out of

TEST(Cache, an_event_stream_passes_as_it_comes) {
    Scene s(cached("cache: {ttl: 60s}"));
    s.client() << get("/users/events");
    Peer& upstream = s.upstream("users") >> request("GET", "/users/events") << "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("data: 1\n\n");
    s.client() >> response(200).head_only().with("content-type", "text/event-stream") >> bytes(chunk("data: 1\n\n"));
    upstream << chunk("data: 2\n\n");
    s.client() >> bytes(chunk("data: 2\n\n"));
    s.client() << hang_up;
    EXPECT_TRUE(upstream.ended());
}

TEST(Cache, a_get_with_a_body_passes) {
    Scene s(cached());
    for (int i = 0; i < 2; ++i) {
        s.client() << "GET /users/7 HTTP/1.1\r\nhost: api\r\ncontent-length: 2\r\n\r\nhi";
        s.upstream("users") >> request("GET", "/users/7", "hi") << ok("seven", kMinute);
        s.client() >> response(200, "seven");
    }
}

TEST(Cache, outlives_a_reload) {
    Scene s(cached());
    ask_and_answer(s, "/users/7", "seven", kMinute);
    s.reload(cached());
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").with("x-cache", "HIT");
}

TEST(Cache, a_fill_goes_on_across_a_reload) {
    Scene s(cached());
    s.client() << get("/users/7");
    Peer& upstream = s.upstream("users") >> request("GET", "/users/7");
    s.reload(cached());
    upstream << ok("seven", kMinute);
    s.client() >> response(200, "seven");
    s.client() << get("/users/7");
    s.client() >> response(200, "seven").with("x-cache", "HIT");
}

}  // namespace
}  // namespace suoke::scene
