// SPDX-License-Identifier: MIT
#include "app/idempotency_desk.h"
#include "filters/filters.h"
#include "rt/pause.h"
#include "store/memory_kv.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

const std::string kKey = "idempotency-key: \"8e03978e-40d5\"\r\n";

std::string once(const std::string& keys = {}, const std::string& route = {}) {
    return one_service("orders", {.route = "idempotency: {anonymous: true" + keys + "}" + route, .service = {}, .rest = {}});
}

// A store that may be away, or take its time to say what it has done.
class Store final : public gateway::AnswerStore {
 public:
    explicit Store(rt::Loop& loop) : kv_(loop), desk_(loop, tasks_, [this]() -> store::Kv& { return kv_; }) {}
    bool away = false;
    Duration delay{};

    rt::Task<Result<std::optional<std::string>>> claim(rt::Loop& own, std::string key, std::string mark, Duration lifetime) override {
        if (away) co_return Error(Code::store_unavailable, "away");
        auto found = co_await desk_.claim(own, key, mark, lifetime);
        rt::Pause pause(own, own.now() + delay);
        co_await pause;
        co_return found;
    }
    rt::Task<Result<bool>> settle(rt::Loop& own, std::string key, std::string mark, std::string answer, Duration lifetime) override {
        return desk_.settle(own, key, mark, answer, lifetime);
    }
    rt::Task<Result<void>> release(rt::Loop& own, std::string key, std::string mark) override { return desk_.release(own, key, mark); }
    std::size_t size() const { return kv_.size(); }

 private:
    store::MemoryKv kv_;
    rt::TaskScope tasks_;
    app::IdempotencyDesk desk_;
};

struct Stage {
    explicit Stage(const std::string& yaml) : s(yaml), store(s.loop()) { s.worker().keep_answers_in(&store); }
    // The client's request under kKey, as the service gets it.
    Peer& begins() {
        s.client() << post("/orders", "one tea", kKey);
        return s.upstream("orders") >> request("POST", "/orders", "one tea");
    }
    // The same, and the client is gone when it has half of the answer.
    Peer& begins_and_is_left() {
        Peer& upstream = begins() << "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\none";
        s.client() >> response(200).head_only() >> bytes("one");
        s.client() << hang_up;
        return upstream;
    }
    // Who asks again finds nothing that was kept.
    void is_done_anew() {
        s.client("again") << post("/orders", "one tea", kKey);
        s.upstream("orders") >> request("POST", "/orders", "one tea") << ok("7");
        s.client("again") >> response(200, "7");
    }

    Scene s;
    Store store;
};

TEST(Idempotency, who_asks_again_gets_the_first_answer_and_the_service_nothing) {
    Stage stage(once());
    Scene& s = stage.s;
    s.client() << post("/orders", "one tea", kKey);
    s.upstream("orders") >> request("POST", "/orders", "one tea").with("idempotency-key", "\"8e03978e-40d5\"")
                                << answer(201, "order 7", "content-type: text/plain\r\nlocation: /orders/7\r\nset-cookie: a=b\r\nx-more: 1\r\n");
    s.client() >> response(201, "order 7").without("idempotency-replayed").with("set-cookie", "a=b");
    s.client("again") << post("/orders", "one tea", kKey);
    s.client("again") >> response(201, "order 7")
                             .with("idempotency-replayed", "true")
                             .with("content-type", "text/plain")
                             .with("location", "/orders/7")
                             .without("set-cookie")
                             .without("x-more");
    EXPECT_EQ(s.upstream("orders").dials(), 1u);
}

TEST(Idempotency, a_key_may_be_bare_and_headers_may_be_kept_by_name) {
    Stage stage(once(", headers: [X-More]"));
    Scene& s = stage.s;
    s.client() << post("/orders", "one tea", kKey);
    s.upstream("orders") >> request("POST", "/orders", "one tea") << ok("7", "x-more: 1\r\n");
    s.client() >> response(200, "7");
    s.client() << post("/orders", "one tea", "idempotency-key: 8e03978e-40d5\r\n");
    s.client() >> response(200, "7").with("idempotency-replayed", "true").with("x-more", "1");
}

TEST(Idempotency, an_answer_without_content_is_kept_as_well) {
    for (const std::string& said : {std::string("HTTP/1.1 204 No Content\r\nlocation: /orders/7\r\n\r\n"), ok("", "location: /orders/7\r\n")}) {
        int status = said.starts_with("HTTP/1.1 204") ? 204 : 200;
        Stage stage(once());
        Scene& s = stage.s;
        s.client() << post("/orders", "one tea", kKey);
        s.upstream("orders") >> request("POST", "/orders", "one tea") << said;
        s.client() >> response(status, "").without("idempotency-replayed");
        s.client() << post("/orders", "one tea", kKey);
        s.client() >> response(status, "").with("idempotency-replayed", "true").with("location", "/orders/7");
        EXPECT_EQ(s.upstream("orders").dials(), 1u);
        EXPECT_FALSE(s.upstream("orders").has_unread());
    }
}

TEST(Idempotency, while_it_is_under_way_the_same_key_is_a_conflict) {
    Stage stage(once());
    Scene& s = stage.s;
    Peer& upstream = stage.begins();
    s.client("again") << post("/orders", "one tea", kKey);
    s.client("again") >> response(409).saying("idempotency_key_in_use").with("retry-after", "1");
    upstream << ok("7");
    s.client() >> response(200, "7");
    s.client("again") << post("/orders", "one tea", kKey);
    s.client("again") >> response(200, "7").with("idempotency-replayed", "true");
}

TEST(Idempotency, another_request_under_the_same_key_is_refused) {
    Stage stage(once());
    Scene& s = stage.s;
    s.client() << post("/orders", "one tea", kKey);
    s.upstream("orders") >> request("POST", "/orders", "one tea") << ok("7");
    s.client() >> response(200, "7");
    for (const std::string& other : {post("/orders", "two teas", kKey), post("/orders?fast=1", "one tea", kKey), post("/orders/new", "one tea", kKey)}) {
        s.client() << other;
        s.client() >> response(422).saying("idempotency_key_reused");
    }
}

TEST(Idempotency, what_failed_may_be_tried_again) {
    Stage stage(once({}, ", retry: 0"));
    Scene& s = stage.s;
    for (int status : {500, 503, 429}) {
        s.client() << post("/orders", "one tea", kKey);
        s.upstream("orders") >> request("POST", "/orders", "one tea") << answer(status, "not now");
        s.client() >> response(status, "not now");
    }
    s.upstream("orders").connection(0) << hang_up;
    s.upstream("orders").refuses();
    s.client() << post("/orders", "one tea", kKey);
    s.client() >> response(503);
    s.after(1min);   // until the endpoint is believed again
    s.upstream("orders").accepts();
    s.client() << post("/orders", "one tea", kKey);
    s.upstream("orders") >> request("POST", "/orders", "one tea") << answer(404, "no tea");
    s.client() >> response(404, "no tea");
    s.client() << post("/orders", "one tea", kKey);
    s.client() >> response(404, "no tea").with("idempotency-replayed", "true");
}

TEST(Idempotency, a_claim_whose_client_left_ends_with_the_time_the_request_had) {
    Stage stage(once({}, ", timeout: 10s"));
    Scene& s = stage.s;
    stage.begins();
    s.client() << hang_up;
    s.client("again") << post("/orders", "one tea", kKey);
    s.client("again") >> response(409);
    s.after(16s);
    stage.is_done_anew();
}

TEST(Idempotency, a_client_that_left_before_the_answer_came_finds_it_when_it_asks_again) {
    Stage stage(once());
    Scene& s = stage.s;
    s.client() << post("/orders", "one tea", kKey);
    Peer& upstream = s.upstream("orders") >> request("POST", "/orders", "one tea").with("content-length", "7");
    s.client() << hang_up;
    EXPECT_FALSE(upstream.ended());
    s.client("again") << post("/orders", "one tea", kKey);
    s.client("again") >> response(409).saying("idempotency_key_in_use");
    upstream << answer(201, "order 7", "location: /orders/7\r\n");
    s.client("again") << post("/orders", "one tea", kKey);
    s.client("again") >> response(201, "order 7").with("idempotency-replayed", "true").with("location", "/orders/7");
    EXPECT_EQ(s.upstream("orders").dials(), 1u);
    EXPECT_EQ(s.counted(Code::client_gone), 1u);
}

TEST(Idempotency, who_left_before_anything_was_begun_takes_the_key_from_nobody) {
    Stage stage(once());
    Scene& s = stage.s;
    stage.store.delay = 1s;
    s.client() << post("/orders", "one tea", kKey);
    s.client() << hang_up;
    EXPECT_EQ(s.upstream("orders").dials(), 0u);
    stage.store.delay = {};
    stage.is_done_anew();
}

TEST(Idempotency, a_client_that_left_in_the_middle_of_the_answer_finds_all_of_it) {
    Stage stage(once());
    Scene& s = stage.s;
    Peer& upstream = stage.begins_and_is_left();
    EXPECT_FALSE(upstream.ended());
    upstream << "two";
    s.client("again") << post("/orders", "one tea", kKey);
    s.client("again") >> response(200, "onetwo").with("idempotency-replayed", "true");
}

TEST(Idempotency, what_is_done_without_its_client_outlives_the_configuration) {
    Stage stage(once());
    Scene& s = stage.s;
    Peer& upstream = stage.begins();
    s.client() << hang_up;
    s.reload(once(", max_body: 3"));
    s.client("else") << get("/orders");
    s.upstream("orders") >> request("GET", "/orders") << ok("all");
    s.client("else") >> response(200, "all");   // an exchange that ends takes what no exchange uses any more
    upstream << ok("order 7");
    s.reload(once());
    s.client("again") << post("/orders", "one tea", kKey);
    s.client("again") >> response(200, "order 7").with("idempotency-replayed", "true");
}

TEST(Idempotency, an_answer_that_breaks_off_when_its_client_has_left_is_nobodys) {
    Stage stage(once({}, ", timeout: 10s"));
    Scene& s = stage.s;
    Peer& upstream = stage.begins_and_is_left();
    upstream << hang_up;
    s.client("again") << post("/orders", "one tea", kKey);
    s.client("again") >> response(409);
    s.after(16s);
    stage.is_done_anew();
}

TEST(Idempotency, without_its_client_nothing_is_read_that_is_not_kept) {
    Stage stage(once(", max_body: 10"));
    Scene& s = stage.s;
    Peer& upstream = stage.begins();
    s.client() << hang_up;
    upstream << "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("012345");
    EXPECT_FALSE(upstream.ended());
    upstream << chunk("67890");
    EXPECT_TRUE(upstream.ended());
    stage.is_done_anew();
}

TEST(Idempotency, without_its_client_a_request_ends_with_its_claim) {
    Stage stage(once(", in_flight: 20s"));
    Scene& s = stage.s;
    Peer& upstream = stage.begins_and_is_left();
    s.after(19s);
    EXPECT_FALSE(upstream.ended());
    s.after(2s);
    EXPECT_TRUE(upstream.ended());
    stage.is_done_anew();
}

TEST(Idempotency, who_leaves_makes_no_room_for_another_request_at_once) {
    Stage stage(one_service("orders", {.route = "idempotency: {anonymous: true}", .service = {}, .rest = "rate_limit: {max_concurrent: 1}\n"}));
    Scene& s = stage.s;
    Peer& upstream = stage.begins();
    s.client() << hang_up;
    s.client("else") << post("/orders", "two teas", "idempotency-key: another\r\n");
    s.client("else") >> response(429);
    upstream << ok("7");
    s.client("later") << post("/orders", "two teas", "idempotency-key: another\r\n");
    s.upstream("orders") >> request("POST", "/orders", "two teas") << ok("8");
    s.client("later") >> response(200, "8");
}

TEST(Idempotency, the_service_gets_the_request_as_its_client_sent_it) {
    Stage stage(once());
    Scene& s = stage.s;
    s.client() << "PATCH /orders/7?fast=1 HTTP/1.1\r\nhost: api\r\nif-none-match: *\r\nx-request-timeout: 5s\r\ntransfer-encoding: chunked\r\n" + kKey + "\r\n" +
                      chunk("one ") + chunk("tea") + std::string(last_chunk);
    s.upstream("orders") >> request("PATCH", "/orders/7?fast=1", "one tea").with("if-none-match", "*").having("x-request-timeout").with("content-length", "7")
                                << ok("7");
    s.client() >> response(200, "7");
    s.client() << post("/orders", "", "idempotency-key: nothing\r\n");
    s.upstream("orders") >> request("POST", "/orders").with("content-length", "0") << ok("8");
    s.client() >> response(200, "8");
}

TEST(Idempotency, what_the_gateway_says_for_the_service_is_not_what_it_did) {
    Stage stage(one_service("orders", {.route = "idempotency: {anonymous: true}, retry: 0", .service = "fallback: {status: 200, body: '{}'}", .rest = {}}));
    Scene& s = stage.s;
    s.upstream("orders").refuses();
    s.client() << post("/orders", "one tea", kKey);
    s.client() >> response(200, "{}");
    s.after(1min);   // until the endpoint is believed again
    s.upstream("orders").accepts();
    s.client() << post("/orders", "one tea", kKey);
    s.upstream("orders") >> request("POST", "/orders", "one tea") << ok("7");
    s.client() >> response(200, "7");
}

TEST(Idempotency, answers_that_cannot_be_kept_are_passed_on_and_done_again) {
    Stage stage(once(", max_body: 10"));
    Scene& s = stage.s;
    for (int i = 0; i < 2; ++i) {
        s.client() << post("/orders", "one tea", kKey);
        s.upstream("orders") >> request("POST", "/orders", "one tea") << ok("01234567890");
        s.client() >> response(200, "01234567890");
    }
    for (int i = 0; i < 2; ++i) {
        s.client() << post("/orders", "one tea", kKey);
        s.upstream("orders") >> request("POST", "/orders", "one tea") << "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk("012345") + chunk("67890") + std::string(last_chunk);
        s.client() >> response(200, "01234567890");
    }
    s.client() << post("/orders", "01234567890", kKey);
    s.client() >> response(413).saying("body_too_large");
}

TEST(Idempotency, event_streams_are_not_kept) {
    Stage stage(once());
    Scene& s = stage.s;
    for (const char* who : {"first", "second"}) {
        s.client(who) << post("/orders", "one tea", kKey);
        s.upstream("orders") >> request("POST", "/orders", "one tea") << ok("data: 1\n\n", "content-type: text/event-stream\r\n");
        s.client(who) >> response(200);
    }
}

TEST(Idempotency, keys_belong_to_who_uses_them) {
    Stage stage(once());
    Scene& s = stage.s;
    s.client() << post("/orders", "one tea", kKey);
    s.upstream("orders") >> request("POST", "/orders", "one tea") << ok("7");
    s.client() >> response(200, "7");
    s.comes_from("192.0.2.2");
    s.client("else") << post("/orders", "one tea", kKey);
    s.upstream("orders") >> request("POST", "/orders", "one tea") << ok("8");
    s.client("else") >> response(200, "8");
}

TEST(Idempotency, other_methods_and_requests_without_a_key_are_as_they_were) {
    Stage stage(once());
    Scene& s = stage.s;
    for (int i = 0; i < 2; ++i) {
        s.client() << get("/orders", kKey);
        s.upstream("orders") >> request("GET", "/orders") << ok("all");
        s.client() >> response(200, "all");
        s.client() << post("/orders", "one tea");
        s.upstream("orders") >> request("POST", "/orders", "one tea") << ok("7");
        s.client() >> response(200, "7");
    }
    EXPECT_EQ(stage.store.size(), 0u);
}

TEST(Idempotency, a_key_may_be_required_and_must_be_one) {
    Stage stage(once(", required: true"));
    Scene& s = stage.s;
    s.client() << post("/orders", "");
    s.client() >> response(422).saying(R"("loc":["header","idempotency-key"])").saying("Field required");
    for (const std::string& wrong : {std::string("\"\""), std::string("\"a"), std::string("a b"), std::string("\"a\\b\""), std::string(256, 'x'), std::string("a\r\nidempotency-key: b")}) {
        s.client() << post("/orders", "", "idempotency-key: " + wrong + "\r\n");
        s.client() >> response(422).saying("one key of at most 255");
    }
    EXPECT_EQ(s.upstream("orders").dials(), 0u);
}

TEST(Idempotency, without_the_store_nothing_is_done_unless_that_is_wanted) {
    {
        Stage stage(once());
        stage.store.away = true;
        stage.s.client() << post("/orders", "one tea", kKey);
        stage.s.client() >> response(503).saying("store_unavailable").having("retry-after");
        EXPECT_EQ(stage.s.upstream("orders").dials(), 0u);
    }
    Stage stage(once(", when_store_is_away: pass"));
    stage.store.away = true;
    stage.s.client() << post("/orders", "one tea", kKey);
    stage.s.upstream("orders") >> request("POST", "/orders", "one tea") << ok("7");
    stage.s.client() >> response(200, "7");
}

TEST(Idempotency, the_section_is_for_routes_where_a_key_can_belong_to_somebody) {
    config::Config config;
    config.idempotency.enabled = true;
    config.auth.enabled = true;
    config::Route route;
    route.service = "orders";
    EXPECT_TRUE(filters::idempotency(config, route));
    route.auth.mode = config::AuthMode::none;
    EXPECT_FALSE(filters::idempotency(config, route));
}

}  // namespace
}  // namespace suoke::scene
