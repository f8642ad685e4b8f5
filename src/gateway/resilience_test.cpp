// SPDX-License-Identifier: MIT
// Services with several endpoints of which some fail: retries, ejection, breakers, hedging, limits.
#include <gtest/gtest.h>

#include "testing/scene.h"

namespace suoke::scene {
namespace {

// A service at 10.0.0.1, .2 and .3, and a route /<name> that keeps its prefix.
std::string service_of_three(const std::string& service_keys = "", const std::string& route_keys = "", const std::string& rest = "") {
    auto more = [](const std::string& keys) { return keys.empty() ? keys : ", " + keys; };
    return "services:\n  users: {endpoints: [{host: 10.0.0.1}, {host: 10.0.0.2}, {host: 10.0.0.3}]" + more(service_keys) +
           "}\nroutes:\n  - {name: users, prefix: /users, service: users, strip_prefix: false" + more(route_keys) + "}\n" + rest;
}

class Resilience : public ::testing::Test {
 protected:
    static std::string name(int i) { return "10.0.0." + std::to_string(i) + ":80"; }

    // Sends a GET and lets every endpoint that is asked answer 200; tells whom it was.
    static int ask(Scene& s, const std::string& client = "client") {
        s.client(client) << get("/users/7");
        int who = whoever_was_asked(s);
        if (who == 0) return 0;
        s.upstream(name(who)) >> request("GET", "/users/7") << ok("seven");
        s.client(client) >> response(200, "seven");
        return who;
    }
    static int whoever_was_asked(Scene& s) {
        for (int i = 1; i <= 3; ++i)
            for (std::size_t k = 0; k < s.upstream(name(i)).dials(); ++k)
                if (s.upstream(name(i)).has_unread()) return i;
        return 0;
    }
    static int count_events(const Scene& s, std::string_view type) {
        int n = 0;
        for (const Event& event : s.events()) n += event.type == type;
        return n;
    }
};

TEST_F(Resilience, each_endpoint_in_turn) {
    Scene s(service_of_three());
    std::map<int, int> asked;
    for (int i = 0; i < 9; ++i) ++asked[ask(s)];
    EXPECT_EQ(asked, (std::map<int, int>{{1, 3}, {2, 3}, {3, 3}}));
}

TEST_F(Resilience, a_refused_connection_costs_nobody_anything_and_is_met_once) {
    Scene s(service_of_three());
    s.upstream(name(2)).refuses();
    for (int i = 0; i < 12; ++i) EXPECT_NE(ask(s), 2);
    EXPECT_EQ(s.upstream(name(2)).dials(), 1u) << "one request met it, and was answered by another";
    EXPECT_EQ(count_events(s, "endpoint.ejected"), 1);
    EXPECT_EQ(s.counted_status(200), 12u);
    s.upstream(name(2)).accepts();
    s.after(11s);
    std::map<int, int> asked;
    for (int i = 0; i < 6; ++i) ++asked[ask(s)];
    EXPECT_EQ(asked[2], 2) << "after the ejection it has its share again";
}

TEST_F(Resilience, the_last_endpoint_is_never_ejected) {
    Scene s(service_of_three());
    for (int i = 1; i <= 3; ++i) s.upstream(name(i)).refuses();
    for (int i = 0; i < 3; ++i) {
        s.client() << get("/users/7");
        s.client() >> response(503).saying("refused by 10.0.0.");
    }
    s.upstream(name(1)).accepts();
    s.upstream(name(2)).accepts();
    s.upstream(name(3)).accepts();
    EXPECT_NE(ask(s), 0);
}

TEST_F(Resilience, a_get_that_an_endpoint_fails_is_asked_of_another) {
    Scene s(service_of_three());
    s.client() << get("/users/7");
    int first = whoever_was_asked(s);
    s.upstream(name(first)) >> request("GET", "/users/7") << answer(503, "sorry");
    s.after(300ms);
    int second = whoever_was_asked(s);
    ASSERT_NE(second, 0);
    EXPECT_NE(second, first);
    s.upstream(name(second)) >> request("GET", "/users/7") << ok("seven");
    s.client() >> response(200, "seven").with("x-gateway-instance", name(second));
}

TEST_F(Resilience, a_post_is_not) {
    Scene s(service_of_three());
    s.client() << post("/users", "new");
    int first = whoever_was_asked(s);
    s.upstream(name(first)) >> request("POST", "/users", "new") << answer(503, "sorry");
    s.after(300ms);
    EXPECT_EQ(whoever_was_asked(s), 0);
    s.client() >> response(503, "sorry");
}

TEST_F(Resilience, a_post_with_an_idempotency_key_is_with_its_whole_body) {
    Scene s(service_of_three());
    s.client() << post("/users", "new one", "idempotency-key: 17\r\n");
    int first = whoever_was_asked(s);
    s.upstream(name(first)) >> request("POST", "/users", "new one") << reset;
    s.after(300ms);
    int second = whoever_was_asked(s);
    ASSERT_NE(second, 0);
    s.upstream(name(second)) >> request("POST", "/users", "new one") << ok("made");
    s.client() >> response(200, "made");
}

TEST_F(Resilience, a_body_that_comes_in_pieces_is_kept_for_another_attempt) {
    Scene s(service_of_three());
    s.client() << "PUT /users/7 HTTP/1.1\r\nhost: api\r\ncontent-length: 10\r\n\r\nfirst";
    int first = whoever_was_asked(s);
    s.client() << "-last";
    s.upstream(name(first)) >> request("PUT", "/users/7", "first-last") << reset;
    s.after(300ms);
    int second = whoever_was_asked(s);
    ASSERT_NE(second, 0);
    s.upstream(name(second)) >> request("PUT", "/users/7", "first-last") << ok("put");
    s.client() >> response(200, "put");
}

TEST_F(Resilience, what_no_connection_has_seen_may_be_a_post_with_a_body_yet_to_come) {
    Scene s(service_of_three());
    for (int i = 1; i <= 2; ++i) s.upstream(name(i)).refuses();
    for (int i = 0; i < 3; ++i) {
        s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ncontent-length: 10\r\n\r\nfirst";
        s.client() << "-last";
        s.upstream(name(3)) >> request("POST", "/users", "first-last") << ok("made");
        s.client() >> response(200, "made");
    }
}

TEST_F(Resilience, a_body_goes_on_when_the_answer_is_there_already) {
    Scene s(service_of_three());
    s.client() << "PUT /users/7 HTTP/1.1\r\nhost: api\r\ncontent-length: 15\r\n\r\nfirst";
    std::string endpoint = name(whoever_was_asked(s));
    s.upstream(endpoint) >> request("PUT", "/users/7").head_only();
    s.upstream(endpoint).connection(0) >> bytes("first") << "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nea";
    s.client() >> response(200).head_only() >> bytes("ea");
    s.client() << "-then";
    s.upstream(endpoint).connection(0) >> bytes("-then");
    s.client() << "-last";
    s.upstream(endpoint).connection(0) >> bytes("-last") << "rly";
    s.client() >> bytes("rly");
}

TEST_F(Resilience, a_body_that_is_too_large_to_keep_is_there_for_an_endpoint_that_takes_the_connection) {
    Scene s(service_of_three("retry: {max_body: 2B}"));
    for (int i = 1; i <= 2; ++i) s.upstream(name(i)).refuses();
    for (int i = 0; i < 3; ++i) {
        s.client() << "PUT /users/7 HTTP/1.1\r\nhost: api\r\ncontent-length: 10\r\n\r\nfirst";
        s.client() << "-last";
        s.upstream(name(3)) >> request("PUT", "/users/7", "first-last") << ok("put");
        s.client() >> response(200, "put");
    }
}

TEST_F(Resilience, a_body_too_large_to_keep_is_sent_once) {
    Scene s(service_of_three("retry: {max_body: 1KB}"));
    std::string large(3000, 'x');
    s.client() << "PUT /users/7 HTTP/1.1\r\nhost: api\r\ncontent-length: 3000\r\n\r\n";
    int first = whoever_was_asked(s);
    s.client() << large;
    s.upstream(name(first)) >> request("PUT", "/users/7", large) << answer(503, "sorry");
    s.after(300ms);
    EXPECT_EQ(whoever_was_asked(s), 0);
    s.client() >> response(503, "sorry");
}

TEST_F(Resilience, an_answer_that_asks_for_more_patience_than_there_is_is_the_answer) {
    Scene s(service_of_three());
    s.client() << get("/users/7");
    int first = whoever_was_asked(s);
    s.upstream(name(first)) >> request("GET", "/users/7") << answer(503, "later", "retry-after: 30\r\n");
    s.after(300ms);
    s.client() >> response(503, "later").with("retry-after", "30");
}

TEST_F(Resilience, an_answer_that_says_when_to_come_again_is_heeded) {
    Scene s(service_of_three("retry: {max_delay: 5s}"));
    s.client() << get("/users/7");
    int first = whoever_was_asked(s);
    s.upstream(name(first)) >> request("GET", "/users/7") << answer(503, "soon", "retry-after: 2\r\n");
    s.after(1900ms);
    EXPECT_EQ(whoever_was_asked(s), 0);
    s.after(3200ms);
    int second = whoever_was_asked(s);
    ASSERT_NE(second, 0);
    s.upstream(name(second)) >> request("GET", "/users/7") << ok("seven");
    s.client() >> response(200, "seven");
}

TEST_F(Resilience, retries_stay_within_their_budget) {
    Scene s(service_of_three("outlier_detection: false"));
    int attempts = 0;
    for (int i = 0; i < 100; ++i) {
        s.client() << get("/users/7");
        for (;;) {
            int who = whoever_was_asked(s);
            if (who == 0) break;
            ++attempts;
            s.upstream(name(who)) >> request("GET", "/users/7") << answer(503, "no");
            s.after(5ms);
            if (whoever_was_asked(s) == 0) s.after(250ms);
        }
        s.client() >> response(503, "no");
    }
    EXPECT_LE(attempts, 120 + 10);
    EXPECT_GT(attempts, 105);
}

TEST_F(Resilience, a_route_can_switch_retries_off) {
    Scene s(service_of_three("", "retry: 0"));
    s.client() << get("/users/7");
    int first = whoever_was_asked(s);
    s.upstream(name(first)) >> request("GET", "/users/7") << answer(502, "no");
    s.after(300ms);
    s.client() >> response(502, "no");
}

TEST_F(Resilience, consecutive_failures_eject) {
    Scene s(service_of_three("outlier_detection: {consecutive_failures: 3}", "retry: 0"));
    int failed = 0;
    for (int i = 0; i < 12; ++i) {
        s.client() << get("/users/7");
        int who = whoever_was_asked(s);
        bool bad = who == 2;
        failed += bad;
        s.upstream(name(who)) >> request("GET", "/users/7") << answer(bad ? 503 : 200, "x");
        s.client() >> response(bad ? 503 : 200, "x");
    }
    EXPECT_EQ(failed, 3);
}

// ---- breakers

TEST_F(Resilience, the_breaker_of_a_service_opens_says_until_when_and_closes_again) {
    Scene s(service_of_three("circuit_breaker: {failure_threshold: 3, recovery_timeout: 30s, success_threshold: 2, half_open_requests: 1}, "
                             "retry: {enabled: false}, outlier_detection: false"));
    for (int i = 0; i < 3; ++i) {
        s.client() << get("/users/7");
        s.upstream(name(whoever_was_asked(s))) >> request("GET", "/users/7") << answer(500, "broken");
        s.client() >> response(500, "broken");
    }
    s.client() << get("/users/7");
    s.client() >> response(503).with("retry-after", "30").saying("circuit breaker of users is open");
    s.after(30s);
    // Half-open: one at a time.
    s.client("a") << get("/users/7");
    s.client("b") << get("/users/7");
    s.client("b") >> response(503).saying("circuit_open");
    s.upstream(name(whoever_was_asked(s))) >> request("GET", "/users/7") << ok("well");
    s.client("a") >> response(200, "well");
    EXPECT_NE(ask(s), 0);
    EXPECT_NE(ask(s, "b"), 0);
    EXPECT_EQ(count_events(s, "breaker.opened"), 1);
    EXPECT_EQ(count_events(s, "breaker.closed"), 1);
}

TEST_F(Resilience, an_open_breaker_answers_with_the_fallback) {
    Scene s(service_of_three("circuit_breaker: {failure_threshold: 1}, retry: {enabled: false}, outlier_detection: false, "
                             "fallback: {status: 200, body: '{\"users\":[]}'}"));
    s.client() << get("/users/7");
    s.upstream(name(whoever_was_asked(s))) >> request("GET", "/users/7") << answer(500, "broken");
    s.client() >> response(500, "broken");
    s.client() << get("/users/7");
    s.client() >> response(200, "{\"users\":[]}").with("content-type", "application/json");
    EXPECT_EQ(s.counted(Code::circuit_open), 1u);
}

TEST_F(Resilience, the_fallback_answers_when_nobody_can_be_reached) {
    Scene s(service_of_three("fallback: {status: 200, body: '{}'}"));
    for (int i = 1; i <= 3; ++i) s.upstream(name(i)).refuses();
    s.client() << get("/users/7");
    s.client() >> response(200, "{}");
    EXPECT_EQ(s.counted(Code::connect_failed), 1u);
}

TEST_F(Resilience, errors_of_its_own_do_not_make_an_endpoint_one_that_does_not_answer) {
    Scene s(service_of_three("retry: {enabled: false}"));
    for (int i = 0; i < 30; ++i) {
        s.client() << get("/users/7");
        int who = whoever_was_asked(s), status = i % 15 == 14 ? 503 : 500;
        s.upstream(name(who)) >> request("GET", "/users/7") << answer(status, "x");
        s.client() >> response(status, "x");
    }
    EXPECT_EQ(count_events(s, "endpoint.ejected"), 0);
}

TEST_F(Resilience, who_uploads_slowly_says_nothing_about_the_endpoint) {
    Scene s(service_of_three("circuit_breaker: {failure_threshold: 1, slow_call: 1s}", "timeout: 20s"));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ncontent-length: 5\r\n\r\n";
    for (char c : std::string("slow!")) {
        s.after(2s);
        s.client() << std::string(1, c);
    }
    s.upstream(name(whoever_was_asked(s))) >> request("POST", "/users", "slow!") << ok("made");
    s.client() >> response(200, "made");
    EXPECT_EQ(count_events(s, "breaker.opened"), 0);

    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ncontent-length: 5\r\n\r\n";
    std::string endpoint = name(whoever_was_asked(s));
    s.upstream(endpoint) >> request("POST", "/users").head_only();
    s.after(21s);
    s.client() >> response(504).saying("deadline_exceeded");
    EXPECT_EQ(count_events(s, "breaker.opened"), 0) << "the route's time went by while the client sent nothing";
}

TEST_F(Resilience, the_breaker_of_an_endpoint_leaves_the_others_alone) {
    Scene s(service_of_three("circuit_breaker: {scope: endpoint, failure_threshold: 2}, retry: {enabled: false}, outlier_detection: false"));
    int failed = 0;
    for (int i = 0; i < 12; ++i) {
        s.client() << get("/users/7");
        int who = whoever_was_asked(s);
        failed += who == 1;
        s.upstream(name(who)) >> request("GET", "/users/7") << answer(who == 1 ? 500 : 200, "x");
        s.client() >> response(who == 1 ? 500 : 200, "x");
    }
    EXPECT_EQ(failed, 2);
}

// ---- limits

TEST_F(Resilience, a_service_has_so_many_requests_at_once_and_so_many_wait) {
    Scene s(service_of_three("concurrency: {max_requests: 1, max_waiting: 1, max_wait: 1s}"));
    s.client("a") << get("/users/7");
    s.client("b") << get("/users/7");
    s.client("c") << get("/users/7");
    s.client("c") >> response(503).saying("concurrency_limit");
    s.upstream(name(whoever_was_asked(s))) >> request("GET", "/users/7") << ok("seven");
    s.client("a") >> response(200, "seven");
    s.upstream(name(whoever_was_asked(s))) >> request("GET", "/users/7") << ok("eight");
    s.client("b") >> response(200, "eight");
}

TEST_F(Resilience, who_waits_too_long_is_told) {
    Scene s(service_of_three("concurrency: {max_requests: 1, max_waiting: 5, max_wait: 1s}"));
    s.client("a") << get("/users/7");
    s.client("b") << get("/users/7");
    s.after(1100ms);
    s.client("b") >> response(503).saying("concurrency_limit");
    s.upstream(name(whoever_was_asked(s))) >> request("GET", "/users/7") << ok("seven");
    s.client("a") >> response(200, "seven");
    EXPECT_NE(ask(s), 0);
}

TEST_F(Resilience, who_leaves_the_queue_leaves_the_place_to_others) {
    Scene s(service_of_three("concurrency: {max_requests: 1, max_waiting: 5, max_wait: 10s}"));
    s.client("a") << get("/users/7");
    s.client("b") << get("/users/7");
    s.client("c") << get("/users/7");
    s.client("b") << hang_up;
    s.upstream(name(whoever_was_asked(s))) >> request("GET", "/users/7") << ok("seven");
    s.client("a") >> response(200, "seven");
    s.upstream(name(whoever_was_asked(s))) >> request("GET", "/users/7") << ok("nine");
    s.client("c") >> response(200, "nine");
}

// ---- hedging

TEST_F(Resilience, a_slow_endpoint_has_company_and_the_first_answer_counts) {
    Scene s(service_of_three("", "hedge: 100ms"));
    s.client() << get("/users/7");
    int slow = whoever_was_asked(s);
    s.upstream(name(slow)) >> request("GET", "/users/7");
    s.after(110ms);
    int other = whoever_was_asked(s);
    ASSERT_NE(other, 0);
    EXPECT_NE(other, slow);
    s.upstream(name(other)) >> request("GET", "/users/7") << ok("quick");
    s.client() >> response(200, "quick").with("x-gateway-instance", name(other));
    EXPECT_EQ(s.upstream(name(slow)).open_connections(), 0u) << "the loser is given up";
}

// ---- sessions

TEST_F(Resilience, a_session_stays_with_its_endpoint) {
    Scene s(service_of_three("load_balancer: {strategy: random, sticky_session: true}"));
    s.client() << get("/users/7");
    int home = whoever_was_asked(s);
    s.upstream(name(home)) >> request("GET", "/users/7") << ok("seven");
    Message first = s.client().take_response();
    std::string cookie = first.field("set-cookie").value_or("");
    ASSERT_TRUE(cookie.starts_with("suoke_endpoint=")) << cookie;
    std::string pair = cookie.substr(0, cookie.find(';'));
    for (int i = 0; i < 8; ++i) {
        s.client() << get("/users/7", "cookie: " + pair + "\r\n");
        EXPECT_EQ(whoever_was_asked(s), home);
        s.upstream(name(home)) >> request("GET", "/users/7") << ok("seven");
        s.client() >> response(200, "seven").without("set-cookie");
    }
    // What we did not sign chooses nothing.
    std::string forged = pair.substr(0, pair.size() - 1) + (pair.back() == '0' ? "1" : "0");
    s.client() << get("/users/7", "cookie: " + forged + "\r\n");
    s.upstream(name(whoever_was_asked(s))) >> request("GET", "/users/7") << ok("seven");
    s.client() >> response(200, "seven").having("set-cookie");
}

TEST_F(Resilience, requests_with_the_same_header_go_to_the_same_endpoint) {
    Scene s(service_of_three("load_balancer: {strategy: consistent_hash, hash_by: header, hash_name: x-user, bounded_load_percent: 0}"));
    std::map<std::string, int> home;
    for (int round = 0; round < 3; ++round)
        for (std::string user : {"an", "bo", "cy", "di"}) {
            s.client() << get("/users/7", "x-user: " + user + "\r\n");
            int who = whoever_was_asked(s);
            s.upstream(name(who)) >> request("GET", "/users/7") << ok("seven");
            s.client() >> response(200, "seven");
            EXPECT_EQ(home.try_emplace(user, who).first->second, who);
        }
}

TEST_F(Resilience, requests_of_the_same_subject_go_to_the_same_endpoint) {
    Scene s(service_of_three("load_balancer: {strategy: consistent_hash, hash_by: subject, bounded_load_percent: 0}"));
    // {"sub":"an"}, {"sub":"bo"} with other claims beside, and {"sub":"an"} of a later token.
    const std::pair<const char*, const char*> tokens[] = {{"an", "e30.eyJzdWIiOiJhbiJ9.c2ln"}, {"bo", "e30.eyJpYXQiOjEsInN1YiI6ImJvIn0.c2ln"}, {"an", "e30.eyJzdWIiOiJhbiIsImlhdCI6Mn0.other"}};
    std::map<std::string, int> home;
    for (int round = 0; round < 3; ++round)
        for (const auto& [subject, token] : tokens) {
            s.client() << get("/users/7", std::string("authorization: Bearer ") + token + "\r\n");
            int who = whoever_was_asked(s);
            s.upstream(name(who)) >> request("GET", "/users/7") << ok("seven");
            s.client() >> response(200, "seven");
            EXPECT_EQ(home.try_emplace(subject, who).first->second, who);
        }
    for (const char* odd : {"Bearer", "Bearer a.b", "Bearer a.!!.c", "Basic e30.eyJzdWIiOiJhbiJ9.c2ln", "Bearer e30.W10.x"}) {
        s.client() << get("/users/7", std::string("authorization: ") + odd + "\r\n");
        s.upstream(name(whoever_was_asked(s))) >> request("GET", "/users/7") << ok("seven");
        s.client() >> response(200, "seven");
    }
}

// ---- what else a request says

TEST_F(Resilience, x_request_timeout_ends_the_exchange_and_goes_on_with_what_is_left) {
    Scene s(service_of_three());
    s.client() << get("/users/7", "x-request-timeout: 2\r\n");
    int who = whoever_was_asked(s);
    s.upstream(name(who)) >> request("GET", "/users/7").with("x-request-timeout", "2000ms");
    s.after(2100ms);
    s.client() >> response(504).saying("deadline_exceeded");
    EXPECT_EQ(count_events(s, "endpoint.ejected"), 0);
    s.client() << get("/users/7", "x-request-timeout: soon\r\n");
    s.client() >> response(400).saying("X-Request-Timeout");
}

TEST_F(Resilience, an_endpoint_that_hangs_until_the_routes_timeout_is_left_out) {
    Scene s(service_of_three("retry: {enabled: false}, outlier_detection: {consecutive_failures: 2}", "timeout: 1s, response_timeout: 30s"));
    int hung = 0;
    for (int i = 0; i < 12 && count_events(s, "endpoint.ejected") == 0; ++i) {
        s.client() << get("/users/7");
        int who = whoever_was_asked(s);
        Peer& asked = s.upstream(name(who)) >> request("GET", "/users/7");
        if (who != 1) {
            asked << ok("seven");
            s.client() >> response(200, "seven");
            continue;
        }
        ++hung;
        s.after(1100ms);
        s.client() >> response(504).saying("deadline_exceeded");
    }
    EXPECT_EQ(hung, 2);
    EXPECT_EQ(count_events(s, "endpoint.ejected"), 1);
}

TEST_F(Resilience, who_gives_an_endpoint_no_time_to_connect_says_nothing_about_it) {
    Scene s(service_of_three("circuit_breaker: {failure_threshold: 1}"));
    for (int i = 1; i <= 3; ++i) s.upstream(name(i)).does_not_answer();
    for (int i = 0; i < 20; ++i) {
        s.client() << get("/users/7", "x-request-timeout: 20ms\r\n");
        s.after(50ms);
        s.client() >> response(504).saying("deadline_exceeded");
    }
    EXPECT_EQ(count_events(s, "endpoint.ejected"), 0);
    EXPECT_EQ(count_events(s, "breaker.opened"), 0);
}

TEST_F(Resilience, a_reload_forgets_no_ejection_and_closes_no_connection) {
    Scene s(service_of_three());
    s.upstream(name(2)).refuses();
    for (int i = 0; i < 6; ++i) ask(s);
    std::size_t dials = s.upstream(name(1)).dials() + s.upstream(name(3)).dials();
    s.reload(service_of_three("", "timeout: 9s"));
    for (int i = 0; i < 6; ++i) EXPECT_NE(ask(s), 2);
    EXPECT_EQ(s.upstream(name(2)).dials(), 1u);
    EXPECT_EQ(s.upstream(name(1)).dials() + s.upstream(name(3)).dials(), dials);
}

TEST_F(Resilience, a_split_sends_each_service_its_share) {
    Scene s("services:\n  old: {host: 10.0.0.1}\n  new: {host: 10.0.0.2}\n"
            "routes:\n  - {name: users, prefix: /users, split: [{service: old, weight: 3}, {service: new, weight: 1}], strip_prefix: false}\n");
    std::map<int, int> asked;
    for (int i = 0; i < 200; ++i) {
        s.client() << get("/users/7");
        int who = s.upstream(name(1)).dials() && s.upstream(name(1)).has_unread() ? 1 : 2;
        ++asked[who];
        s.upstream(name(who)) >> request("GET", "/users/7").with("x-gateway-service", who == 1 ? "old" : "new") << ok("seven");
        s.client() >> response(200, "seven").with("x-gateway-service", who == 1 ? "old" : "new");
    }
    EXPECT_NEAR(asked[2], 50, 20);
}

TEST_F(Resilience, a_split_asks_each_service_in_its_own_way) {
    Scene s("services:\n  old: {host: 10.0.0.1}\n  new: {host: 10.0.0.2, upstream_prefix: /v2, host_header: new.internal}\n"
            "routes:\n  - {name: users, prefix: /users, split: [{service: old, weight: 1}, {service: new, weight: 1}], strip_prefix: false}\n");
    bool seen[3] = {};
    for (int i = 0; i < 40; ++i) {
        s.client() << get("/users/7");
        int who = s.upstream(name(1)).dials() && s.upstream(name(1)).has_unread() ? 1 : 2;
        seen[who] = true;
        s.upstream(name(who)) >> request("GET", who == 1 ? "/users/7" : "/v2/users/7").with("host", who == 1 ? "10.0.0.1:80" : "new.internal") << ok("seven");
        s.client() >> response(200, "seven");
    }
    EXPECT_TRUE(seen[1] && seen[2]);
}

TEST_F(Resilience, a_mirror_is_asked_in_its_own_way_and_left_alone_when_it_fails) {
    Scene s("services:\n  users: {host: 10.0.0.1, upstream_prefix: /v1}\n"
            "  shadow: {endpoints: [{host: 10.0.0.2}, {host: 10.0.0.3}], upstream_prefix: /v2, host_header: shadow.internal}\n"
            "routes:\n  - {name: users, prefix: /users, service: users, mirror: {service: shadow}, strip_prefix: false}\n");
    s.upstream(name(2)).refuses();
    for (int i = 0; i < 6; ++i) {
        s.client() << get("/users/7");
        s.upstream("users") >> request("GET", "/v1/users/7") << ok("seven");
        s.client() >> response(200, "seven");
        if (s.upstream(name(3)).dials() && s.upstream(name(3)).has_unread())
            s.upstream(name(3)) >> request("GET", "/v2/users/7").with("host", "shadow.internal") << ok("seen");
    }
    EXPECT_EQ(s.upstream(name(2)).dials(), 1u);
    EXPECT_EQ(count_events(s, "endpoint.ejected"), 1);
}

TEST_F(Resilience, a_mirror_gets_a_copy_and_nobody_waits_for_it) {
    Scene s("services:\n  users: {host: 10.0.0.1}\n  shadow: {host: 10.0.0.2}\n"
            "routes:\n  - {name: users, prefix: /users, service: users, mirror: {service: shadow}, strip_prefix: false}\n");
    s.client() << post("/users", "new one");
    s.upstream("users") >> request("POST", "/users", "new one") << ok("made");
    s.client() >> response(200, "made");
    s.upstream("shadow") >> request("POST", "/users", "new one") << answer(500, "not for anybody");
    s.upstream("shadow").does_not_answer();
    s.client() << get("/users/7");
    s.upstream("users") >> request("GET", "/users/7") << ok("seven");
    s.client() >> response(200, "seven");
    s.upstream("shadow") >> request("GET", "/users/7") << ok("lost");
}

TEST_F(Resilience, when_memory_is_short_the_least_important_are_refused_first) {
    Scene s("load_shedding: {max_memory_percent: 1}\nservices:\n  files: {host: 10.0.0.1}\n"
            "routes:\n  - {name: files, prefix: /files, service: files, strip_prefix: false}\n"
            "  - {name: extras, prefix: /extras, service: files, importance: low, strip_prefix: false}\n"
            "  - {name: vital, prefix: /vital, service: files, importance: critical, strip_prefix: false}\n");
    std::vector<std::string> slow;
    for (int i = 0; i < 8; ++i) {
        slow.push_back("slow" + std::to_string(i));
        s.client(slow.back()).stops_reading() << get("/files/large");
        s.upstream("files") >> request("GET", "/files/large") << ok(std::string(600'000, 'x'));
    }
    s.client("extra") << get("/extras/7");
    s.client("extra") >> response(503).saying("load_shed").having("retry-after");
    s.client("vital") << get("/vital/7");
    s.upstream("files") >> request("GET", "/vital/7") << ok("alive");
    s.client("vital") >> response(200, "alive");
    for (const std::string& name : slow) {
        s.client(name).reads_again();
        s.client(name) >> response(200);
    }
    s.client("extra") << get("/extras/7");
    s.upstream("files") >> request("GET", "/extras/7") << ok("there again");
    s.client("extra") >> response(200, "there again");
}

// ---- who is in a service

TEST_F(Resilience, an_instance_that_joins_gets_traffic_and_one_that_drains_gets_none) {
    Scene s(service_of_three());
    balance::Instance fourth;
    fourth.host = "10.0.0.4";
    s.directory().found("users", "test", {fourth});
    s.settle();
    std::map<std::string, int> asked;
    auto answer_all = [&](int times) {
        for (int i = 0; i < times; ++i) {
            s.client() << get("/users/7");
            for (int k = 1; k <= 4; ++k)
                if (s.upstream(name(k)).has_unread()) {
                    s.upstream(name(k)) >> request("GET", "/users/7") << ok("seven");
                    ++asked[name(k)];
                }
            s.client() >> response(200, "seven");
        }
    };
    answer_all(8);
    EXPECT_EQ(asked[name(4)], 2);
    fourth.draining = true;
    s.directory().found("users", "test", {fourth});
    asked.clear();
    answer_all(8);
    EXPECT_EQ(asked[name(4)], 0);
}

}  // namespace
}  // namespace suoke::scene
