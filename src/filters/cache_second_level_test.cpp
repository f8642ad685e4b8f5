// SPDX-License-Identifier: MIT
// The response cache with answers that another gateway has, as clients and a service see it.
#include <gtest/gtest.h>

#include <map>

#include "cache/second_level.h"
#include "rt/bell.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

constexpr const char* kMinute = "cache-control: max-age=60\r\n";
constexpr const char* kAuthorized = "authorization: Basic YTpi\r\n";

std::string cached(const std::string& route = {}) {
    return one_service("users", {.route = route, .rest = "redis: {host: 127.0.0.1}\ncache: {enabled: true, type: redis}\n"});
}

// Values that outlive the gateways that write them.
struct Elsewhere final : cache::SecondLevel::Remote {
    explicit Elsewhere(std::map<std::string, std::string>& values) : values(values) {}
    rt::Task<Result<std::vector<std::string>>> read(rt::Loop& own, std::vector<std::string> keys) override {
        ++reads;
        if (stuck) {
            rt::Bell bell(own);
            co_await bell.rung();
        }
        std::vector<std::string> found;
        for (const std::string& key : keys) found.push_back(values.contains(key) ? values.at(key) : std::string());
        co_return found;
    }
    void write(std::string key, std::string value, Duration) override { values[key] = std::move(value); }
    void erase(std::vector<std::string> keys) override {
        for (const std::string& key : keys) values.erase(key);
    }
    void purges_wait() override {}
    std::map<std::string, std::string>& values;
    int reads = 0;
    bool stuck = false;
};

// One gateway after another, on the same second level.
struct Gateway {
    explicit Gateway(std::map<std::string, std::string>& values, const std::string& yaml = cached()) : scene(yaml), elsewhere(values) {
        scene.worker().cache().set_second(&level);
        scene.worker().cache().marks().set_herald(&level);
        level.read({{cache::SecondLevel::first_record(), 1}}, 0);
        level.in_step(scene.loop().now());
    }
    ~Gateway() {
        scene.worker().cache().set_second(nullptr);
        scene.worker().cache().marks().set_herald(nullptr);
    }
    void in_step() { level.in_step(scene.loop().now()); }
    void ask_and_answer(const std::string& body, const std::string& fields, const std::string& request_fields = {}) {
        scene.client() << get("/users/7", request_fields);
        scene.upstream("users") >> request("GET", "/users/7") << ok(body, fields);
        scene.client() >> response(200, body);
    }
    Scene scene;
    CacheCells cells;
    Elsewhere elsewhere;
    cache::SecondLevel level{scene.worker().cache(), cells, elsewhere};
};

class SharedCache : public ::testing::Test {
 protected:
    // What the first gateway has learnt.
    void learn(const std::string& fields, const std::string& request_fields = {}) { Gateway(values).ask_and_answer("seven", fields, request_fields); }
    std::map<std::string, std::string> values;
};

TEST_F(SharedCache, a_miss_finds_what_another_gateway_fetched) {
    learn(kMinute);
    ASSERT_EQ(values.size(), 1u);
    Gateway g(values);
    g.scene.client() << get("/users/7");
    g.scene.client() >> response(200, "seven").with("x-cache", "HIT").with("cache-status", "suoke-gateway; hit; ttl=60; detail=redis").with("age", "0");
    g.scene.client() << get("/users/7");
    g.scene.client() >> response(200, "seven").with("cache-status", "suoke-gateway; hit; ttl=60");
    EXPECT_EQ(g.elsewhere.reads, 1);
    EXPECT_EQ(g.cells.second_hits, 1u);
    EXPECT_EQ(g.scene.upstream("users").dials(), 0u);
}

TEST_F(SharedCache, one_looks_there_for_all_who_ask_at_once) {
    learn(kMinute);
    Gateway g(values);
    for (const char* name : {"a", "b", "c"}) g.scene.client(name) << get("/users/7");
    for (const char* name : {"a", "b", "c"}) g.scene.client(name) >> response(200, "seven").with("x-cache", "HIT");
    EXPECT_EQ(g.elsewhere.reads, 1);
}

TEST_F(SharedCache, what_is_nowhere_is_asked_for_and_told) {
    Gateway g(values);
    g.scene.client() << get("/users/7");
    g.scene.upstream("users") >> request("GET", "/users/7") << ok("seven", kMinute);
    g.scene.client() >> response(200, "seven").with("cache-status", "suoke-gateway; fwd=uri-miss; fwd-status=200; stored; ttl=60");
    EXPECT_EQ(values.size(), 1u);
}

TEST_F(SharedCache, a_conditional_request_gets_its_304_from_there) {
    learn("cache-control: max-age=60\r\netag: \"a\"\r\n");
    Gateway g(values);
    g.scene.client() << get("/users/7", "if-none-match: \"a\"\r\n");
    g.scene.client() >> response(304).with("x-cache", "HIT");
}

TEST_F(SharedCache, head_and_ranges_are_answered_from_there) {
    for (const char* asked : {"HEAD", "GET"}) {
        values.clear();
        learn(kMinute);
        Gateway g(values);
        bool head = std::string(asked) == "HEAD";
        g.scene.client() << std::string(asked) + " /users/7 HTTP/1.1\r\nhost: api\r\n" + (head ? "" : "range: bytes=1-2\r\n") + "\r\n";
        if (head) g.scene.client() >> response(200, "").to_head().with("content-length", "5").with("cache-status", "suoke-gateway; hit; ttl=60; detail=redis");
        else g.scene.client() >> response(206, "ev").with("content-range", "bytes 1-2/5").with("x-cache", "HIT");
        EXPECT_EQ(g.elsewhere.reads, 1);
        EXPECT_EQ(g.scene.upstream("users").dials(), 0u);
    }
}

TEST_F(SharedCache, only_if_cached_is_answered_from_there_or_not_at_all) {   // RFC 9111 §5.2.1.7
    learn(kMinute);
    Gateway g(values);
    g.scene.client() << get("/users/7", "cache-control: only-if-cached\r\n");
    g.scene.client() >> response(200, "seven").with("x-cache", "HIT");
    g.scene.client() << get("/users/8", "cache-control: only-if-cached\r\n");
    g.scene.client() >> response(504);
    EXPECT_EQ(g.elsewhere.reads, 2);
}

TEST_F(SharedCache, head_and_ranges_go_to_the_service_when_nothing_is_there) {
    Gateway g(values);
    g.scene.client() << "HEAD /users/7 HTTP/1.1\r\nhost: api\r\n\r\n";
    g.scene.upstream("users") >> request("HEAD", "/users/7") << "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    g.scene.client() >> response(200, "").to_head().with("x-cache", "MISS");
    g.scene.client() << get("/users/7", "range: bytes=0-1\r\n");
    g.scene.upstream("users") >> request("GET", "/users/7").with("range", "bytes=0-1") << answer(206, "se", "cache-control: max-age=60\r\ncontent-range: bytes 0-1/5\r\n");
    g.scene.client() >> response(206, "se").with("x-cache", "MISS");
    EXPECT_EQ(g.elsewhere.reads, 2);
    EXPECT_TRUE(values.empty()) << "parts stay in memory";
}

TEST_F(SharedCache, who_is_in_a_hurry_does_not_make_it_look_slow) {
    learn(kMinute);
    Gateway g(values);
    g.scene.client() << "HEAD /users/7 HTTP/1.1\r\nhost: api\r\nx-request-timeout: 10ms\r\n\r\n";
    g.scene.upstream("users") >> request("HEAD", "/users/7") << "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    g.scene.client() >> response(200, "").to_head();
    EXPECT_EQ(g.elsewhere.reads, 0);
    EXPECT_EQ(g.cells.second_errors, 0u);
}

TEST_F(SharedCache, is_not_asked_where_the_client_wants_the_services_word) {
    learn(kMinute);
    Gateway g(values);
    g.ask_and_answer("new", kMinute, "cache-control: no-store\r\n");
    EXPECT_EQ(g.elsewhere.reads, 0);
}

TEST_F(SharedCache, slow_is_as_if_it_were_not_there) {
    learn(kMinute);
    Gateway g(values);
    g.elsewhere.stuck = true;
    g.scene.client() << get("/users/7");
    g.scene.after(60ms);
    g.scene.upstream("users") >> request("GET", "/users/7") << ok("new", kMinute);
    g.scene.client() >> response(200, "new").with("x-cache", "MISS");
    EXPECT_EQ(g.cells.second_errors, 1u);
    // Nobody else waits for it now.
    g.scene.client() << get("/users/8");
    g.scene.upstream("users") >> request("GET", "/users/8") << ok("eight", kMinute);
    g.scene.client() >> response(200, "eight");
    EXPECT_EQ(g.elsewhere.reads, 1);
}

TEST_F(SharedCache, stale_there_is_validated_and_the_news_are_told) {
    learn("cache-control: max-age=1, stale-if-error=60\r\netag: \"a\"\r\n");
    Gateway g(values);
    g.scene.after(5s);   // both began at the same time
    g.in_step();
    g.scene.client() << get("/users/7");
    g.scene.upstream("users") >> request("GET", "/users/7").with("if-none-match", "\"a\"") << "HTTP/1.1 304 Not Modified\r\ncache-control: max-age=100\r\netag: \"a\"\r\n\r\n";
    g.scene.client() >> response(200, "seven");
    Gateway other(values);
    other.scene.after(20s);
    other.in_step();
    other.scene.client() << get("/users/7");
    other.scene.client() >> response(200, "seven").with("x-cache", "HIT");
}

TEST_F(SharedCache, a_change_voids_what_lies_there_at_once) {
    learn(kMinute);
    Gateway g(values);
    g.scene.client() << "DELETE /users/7 HTTP/1.1\r\nhost: api\r\n\r\n";
    g.scene.upstream("users") >> request("DELETE", "/users/7") << ok("gone");
    g.scene.client() >> response(200, "gone");
    g.ask_and_answer("new", kMinute);
}

TEST_F(SharedCache, what_is_no_longer_kept_does_not_stay_there) {
    learn("cache-control: max-age=60\r\netag: \"a\"\r\n");
    Gateway g(values);
    g.scene.client() << get("/users/7");
    g.scene.client() >> response(200, "seven").with("x-cache", "HIT");
    g.ask_and_answer("new", "cache-control: no-store\r\n", "cache-control: no-cache\r\n");
    EXPECT_TRUE(values.empty());
}

TEST_F(SharedCache, credentials_that_only_this_gateway_has_hashed_share_nothing) {
    learn(kMinute, kAuthorized);
    EXPECT_TRUE(values.empty());
    learn("cache-control: public, max-age=60\r\n", kAuthorized);
    EXPECT_EQ(values.size(), 1u);
    Gateway g(values);
    g.scene.client() << get("/users/7", kAuthorized);
    g.scene.client() >> response(200, "seven").with("x-cache", "HIT");
}

TEST_F(SharedCache, a_large_answer_stays_in_memory_alone) {
    Gateway g(values, one_service("users", {.rest = "redis: {host: 127.0.0.1}\ncache: {enabled: true, type: redis, redis_max_object: 1KB}\n"}));
    g.ask_and_answer(std::string(1025, 'x'), kMinute);
    EXPECT_TRUE(values.empty());
}

TEST_F(SharedCache, memory_alone_is_memory_alone) {
    learn(kMinute);
    Gateway g(values, one_service("users", {.rest = "cache: {enabled: true}\n"}));
    g.ask_and_answer("seven", kMinute);
    EXPECT_EQ(g.elsewhere.reads, 0);
}

}  // namespace
}  // namespace suoke::scene
