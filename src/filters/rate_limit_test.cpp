// SPDX-License-Identifier: MIT
// Limits as clients meet them. The arithmetic is limits/limits_test.cpp's business.
#include <gtest/gtest.h>

#include "auth/api_keys.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

const std::string kApiKey = "sk_live_5f2b9c7e1d";

std::string limited(const std::string& section, const std::string& route = {}, const std::string& rest = {}) {
    return one_service("users", {.route = route, .rest = "rate_limit: {" + section + "}\n" + rest});
}

class Limited {
 public:
    explicit Limited(const std::string& yaml) : scene(yaml) {}

    void from(const std::string& address) {
        scene.comes_from(address);
        name_ = address;
    }
    // One request of the client that is at it, let through to the service.
    void passes(const std::string& target = "/users", const std::string& fields = {}, Place place = Place::current()) {
        scene.client(name_) << get(target, fields);
        scene.upstream("users") >> request("GET", target, {}, place) << ok("fine");
        scene.client(name_) >> response(200, "fine", place);
    }
    void is_refused(const std::string& retry_after, const std::string& target = "/users", const std::string& fields = {}, Place place = Place::current()) {
        scene.client(name_) << get(target, fields);
        scene.client(name_) >> response(429, place).with("retry-after", retry_after).saying("\"error\":\"Rate limit exceeded\"");
    }

    Scene scene;

 private:
    std::string name_ = "client";
};

TEST(RateLimit, nothing_is_limited_unless_somebody_says_so) {
    Scene s(one_service("users"));
    for (int i = 0; i < 200; ++i) {
        s.client() << get("/users");
        s.upstream("users") >> request("GET", "/users") << ok("fine");
        s.client() >> response(200, "fine").without("x-ratelimit-limit").without("ratelimit");
    }
}

TEST(RateLimit, tells_clients_how_they_stand) {
    Scene s(limited("default_rate: 2/minute"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("fine", "x-ratelimit-limit: 7\r\nx-ratelimit-remaining: 7\r\n");
    s.client() >> response(200, "fine")
                      .with("x-ratelimit-limit", "2")
                      .with("x-ratelimit-remaining", "1")
                      .with("x-ratelimit-reset", "1735690630")   // the scene's clock says 1735690600
                      .with("ratelimit", "\"default\";r=1;t=30")
                      .with("ratelimit-policy", "\"default\";q=2;w=60");
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("fine");
    s.client() >> response(200, "fine").with("x-ratelimit-remaining", "0");
}

TEST(RateLimit, a_refused_client_is_told_when_to_come_again_and_then_gets_in) {
    Limited s(limited("default_rate: 2/minute"));
    s.passes(), s.passes();
    s.scene.after(500ms);
    s.scene.client() << get("/users");
    s.scene.client() >> response(429)
                            .with("retry-after", "30")
                            .with("x-ratelimit-limit", "2")
                            .with("x-ratelimit-remaining", "0")
                            .with("ratelimit", "\"default\";r=0;t=30")
                            .saying("\"error\":\"Rate limit exceeded\"")
                            .saying("\"message\":\"Too many requests\"")
                            .saying("\"code\":\"rate_limited\"");
    s.scene.after(29499ms);
    s.is_refused("1");
    s.scene.after(1ms);
    s.passes();
    EXPECT_EQ(s.scene.counted(Code::rate_limited), 2u);
}

TEST(RateLimit, headers_may_be_switched_off) {
    Scene s(limited("default_rate: 1/minute, headers: false"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("fine");
    s.client() >> response(200, "fine").without("x-ratelimit-limit").without("ratelimit-policy");
    s.client() << get("/users");
    s.client() >> response(429).without("ratelimit").with("retry-after", "60");
}

TEST(RateLimit, clients_are_told_apart_by_address) {
    Limited s(limited("default_rate: 1/minute"));
    s.from("192.0.2.1");
    s.passes();
    s.is_refused("60");
    s.from("192.0.2.2");
    s.passes();
    s.from("2001:db8:1:2::1");
    s.passes();
    s.from("2001:db8:1:2:ffff::2");   // the same network
    s.is_refused("60");
    s.from("2001:db8:1:3::1");
    s.passes();
}

TEST(RateLimit, only_trusted_proxies_say_who_the_client_is) {
    Limited strangers(limited("default_rate: 1/minute"));
    strangers.passes("/users", "x-forwarded-for: 203.0.113.1\r\n");
    strangers.is_refused("60", "/users", "x-forwarded-for: 203.0.113.2\r\n");

    Limited proxies(limited("default_rate: 1/minute", {}, "server: {trusted_proxies: [192.0.2.0/24]}\n"));
    proxies.passes("/users", "x-forwarded-for: 203.0.113.1\r\n");
    proxies.passes("/users", "x-forwarded-for: 203.0.113.2\r\n");
    proxies.is_refused("60", "/users", "x-forwarded-for: 203.0.113.1\r\n");
}

TEST(RateLimit, what_nobody_serves_counts_too) {
    Limited s(limited("default_rate: 2/minute"));
    s.scene.client() << get("/nothing");
    s.scene.client() >> response(404).with("x-ratelimit-remaining", "1");
    s.passes();
    s.is_refused("30", "/nothing");
}

TEST(RateLimit, the_platforms_login_has_its_own_limit) {
    Limited s("services: {users: {endpoints: [{host: 10.0.0.1, port: 80}]}}\n"
              "routes: [{name: all, prefix: /, service: users, strip_prefix: false}]\n"
              "rate_limit: {enabled: true, endpoints: {/api/v1/auth/slow: 1/minute}}\n");
    for (int i = 0; i < 10; ++i) s.passes("/api/v1/auth/login");
    s.is_refused("6", "/api/v1/auth/refresh");
    s.passes("/api/v1/authors");        // of the client's own 100/minute
    s.passes("/api/v1/auth/slow/x");    // the longest path counts
    s.is_refused("60", "/api/v1/auth/slow/x");
    for (int i = 0; i < 5; ++i) s.passes("/api/v1/upload/face");
    s.is_refused("12", "/api/v1/upload/face");
}

TEST(RateLimit, a_route_may_say_its_own) {
    Limited s(limited("default_rate: 100/minute", "rate_limit: 1/minute"));
    s.passes();
    s.is_refused("60");
    Limited alone(one_service("users", {.route = "rate_limit: {limit: 1, window: 30s}"}));   // and no section
    alone.passes();
    alone.is_refused("30");
    Limited free(limited("default_rate: 1/minute", "rate_limit: {enabled: false}"));
    free.passes(), free.passes();
    Limited off(limited("enabled: false", "rate_limit: 1/minute"));
    off.passes(), off.passes();
}

TEST(RateLimit, a_route_may_cost_more) {
    Limited s(limited("default_rate: 10/minute", "rate_limit: {cost: 4}"));
    s.passes(), s.passes();
    s.is_refused("12");   // two tokens are left, and two are to come
}

TEST(RateLimit, a_request_is_charged_to_all_policies_or_to_none) {
    Limited s(limited("default_rate: 3/minute, policies: {writes: {rate: 1/minute, paths: [/users], methods: [DELETE]}, slow: {rate: 2/minute, by: route, paths: [/users/slow]}}"));
    const std::string erase = "DELETE /users HTTP/1.1\r\nhost: api\r\n\r\n";
    s.scene.client() << erase;
    s.scene.upstream("users") >> request("DELETE", "/users") << ok("fine");
    s.scene.client() >> response(200, "fine").with("ratelimit", "\"writes\";r=0;t=60").with("ratelimit-policy", "\"writes\";q=1;w=60");
    for (int i = 0; i < 3; ++i) {
        s.scene.client() << erase;
        s.scene.client() >> response(429).with("ratelimit", "\"writes\";r=0;t=60");
    }
    s.passes(), s.passes();   // the refused ones took nothing of 3/minute
    s.is_refused("20");
}

TEST(RateLimit, a_policy_holds_where_a_route_names_it) {
    Limited s(one_service("users", {.route = "rate_limit: {policies: [partners]}", .rest = "rate_limit: {policies: {partners: {rate: 1/minute, by: header, header: X-Partner}}}\n"}));
    s.passes("/users", "x-partner: a\r\n");
    s.is_refused("60", "/users", "x-partner: a\r\n");
    s.passes("/users", "x-partner: b\r\n");
    s.passes();   // by address
    s.is_refused("60");
}

TEST(RateLimit, what_a_client_has_used_outlives_a_reload) {
    Limited s(limited("default_rate: 2/minute"));
    s.passes(), s.passes();
    s.scene.reload(limited("default_rate: 2/minute", "timeout: 5s"));
    s.is_refused("30");
    s.scene.reload(limited("default_rate: 4/minute"));
    s.is_refused("15");   // it had used all, so it has used all
}

TEST(RateLimit, counts_what_is_under_way) {
    Scene s(one_service("users", {.route = "rate_limit: {max_concurrent: 1}"}));
    s.client("first") << get("/users");
    s.upstream("users") >> request("GET", "/users");
    s.client("second") << get("/users");
    s.client("second") >> response(429).with("retry-after", "1").saying("Too many requests at once").saying("too_many_at_once");
    s.upstream("users").connection(0) << ok("fine");
    s.client("first") >> response(200, "fine");
    s.client("second") << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("fine");
    s.client("second") >> response(200, "fine");
}

TEST(RateLimit, a_client_that_leaves_gives_its_place_back) {
    Scene s(one_service("users", {.route = "rate_limit: {max_concurrent: 1}"}));
    s.client("first") << get("/users");
    s.upstream("users") >> request("GET", "/users");
    s.client("first") << hang_up;
    s.client("second") << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("fine");
    s.client("second") >> response(200, "fine");
}

TEST(RateLimit, who_is_refused_again_and_again_is_shut_out) {
    Limited s(limited("penalties: {enabled: true, strikes: 3, duration: 2m}", "rate_limit: 1/minute"));
    s.passes();
    s.is_refused("60"), s.is_refused("60"), s.is_refused("60");
    s.scene.client() << get("/nothing");   // whatever it asks
    s.scene.client() >> response(429).with("retry-after", "120").saying("Too many refused requests");
    s.scene.comes_from("192.0.2.9");
    s.scene.client("another") << get("/users");
    s.scene.upstream("users") >> request("GET", "/users") << ok("fine");
    s.scene.client("another") >> response(200, "fine");
    s.scene.after(2min);
    s.from("192.0.2.1");
    s.passes();
    int told = 0;
    for (const Event& event : s.scene.events()) told += event.type == "client.shut_out";
    EXPECT_EQ(told, 1);
}

TEST(RateLimit, guessing_passwords_at_a_service_is_a_reason_as_well) {
    Scene s(limited("penalties: {enabled: true, strikes: 2}"));
    for (int i = 0; i < 2; ++i) {
        s.client() << get("/users");
        s.upstream("users") >> request("GET", "/users") << answer(401, "no");
        s.client() >> response(401, "no");
    }
    s.client() << get("/users");
    s.client() >> response(429).with("retry-after", "60");
}

TEST(RateLimit, goes_by_what_a_client_is) {
    std::string keys = "{vip: {hashes: ['" + auth::api_key_hash(kApiKey) + "'], user_type: premium}}";
    Limited s(limited("default_rate: 1/minute, user_types: {premium: 3/minute}", {}, "auth: {mode: optional, methods: [api_key], api_keys: " + keys + "}\n"));
    s.passes();
    s.is_refused("60");
    std::string key = "x-api-key: " + kApiKey + "\r\n";
    for (int i = 0; i < 3; ++i) s.passes("/users", key);
    s.is_refused("20", "/users", key);
    s.from("192.0.2.9");   // from wherever it comes
    s.is_refused("20", "/users", key);
}

TEST(RateLimit, each_class_has_its_figure_and_who_shows_nothing_is_known_by_address) {
    std::string keys = "{machine: {hashes: ['" + auth::api_key_hash(kApiKey) + "']}}";
    Limited s(limited("default_rate: 100/minute, user_types: {anonymous: 1/minute, authenticated: 2/minute}", {},
                      "auth: {mode: optional, methods: [api_key], api_keys: " + keys + "}\n"));
    const std::string key = "x-api-key: " + kApiKey + "\r\n";
    s.passes("/users", key), s.passes("/users", key);
    s.is_refused("30", "/users", key);
    s.passes();   // the same address, without the key
    s.is_refused("60");
    s.from("192.0.2.9");
    s.passes();   // another address has shown nothing either, and has its own
    s.is_refused("60");
    s.is_refused("30", "/users", key);
}

TEST(RateLimit, a_path_counts_whatever_is_below_it_and_whoever_asks_for_himself) {
    Limited s(limited("default_rate: 100/minute, endpoints: {/users/search: 2/minute}"));
    s.passes("/users/search/a?q=1"), s.passes("/users/search/b?q=2");
    s.is_refused("30", "/users/search/c?q=3");
    s.is_refused("30", "/users/search");
    s.passes("/users/searches");
    s.from("192.0.2.9");
    s.passes("/users/search/c?q=3");
}

TEST(RateLimit, an_address_that_is_shut_out_is_let_in_when_it_was_told_though_it_knocked) {
    Limited s(limited("penalties: {enabled: true, strikes: 2, duration: 40s}", "rate_limit: 1/30s"));
    s.passes();
    s.is_refused("30"), s.is_refused("30");
    for (int i = 0; i < 10; ++i) s.is_refused("40");
    s.scene.after(39999ms);
    s.is_refused("1");
    s.scene.after(1ms);
    s.passes();
}

TEST(RateLimit, limits_by_address_hold_for_who_brings_wrong_credentials) {
    std::string keys = "{vip: {hashes: ['" + auth::api_key_hash(kApiKey) + "']}}";
    Scene s(limited("policies: {doors: {rate: 2/minute, by: ip, paths: [/]}}", {}, "auth: {mode: required, methods: [api_key], api_keys: " + keys + "}\n"));
    for (int i = 0; i < 2; ++i) {
        s.client() << get("/users", "x-api-key: wrong\r\n");
        s.client() >> response(401).having("x-ratelimit-remaining");
    }
    s.client() << get("/users", "x-api-key: " + kApiKey + "\r\n");
    s.client() >> response(429).with("retry-after", "30");
}

}  // namespace
}  // namespace suoke::scene
