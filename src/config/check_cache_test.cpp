// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace suoke::config {
namespace {

using testing::HasSubstr;

std::string with_route(const std::string& keys, const std::string& rest = "cache: {enabled: true}\n") {
    return "services:\n  users: {host: 127.0.0.1, port: 80}\nroutes:\n  - {prefix: /users, service: users, " + keys + "}\n" + rest;
}

// The first problem, or nothing.
std::string problem(const std::string& yaml) {
    Loaded loaded = load_text(yaml, "c.yaml");
    return loaded.problems.empty() ? "" : to_string(loaded.problems.front());
}

Config good(const std::string& yaml) {
    Loaded loaded = load_text(yaml, "c.yaml");
    EXPECT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
    return loaded.config;
}

TEST(CacheKeys, the_predecessors_spellings_work) {
    Config c = good("cache: {enabled: true, type: memory, ttl: 60, max_size: 1000, include_headers: [X-Tenant]}\n");
    EXPECT_TRUE(c.cache.enabled);
    EXPECT_EQ(c.cache.default_ttl, 60s);
    EXPECT_EQ(c.cache.max_entries, 1000u);
    EXPECT_EQ(c.cache.include_headers, std::vector<std::string>{"X-Tenant"});
    Sources sources;
    sources.environment = {{"CACHE_ENABLED", "true"}, {"CACHE_DEFAULT_TTL", "300"}, {"CACHE_MAX_SIZE", "5"}};
    Config from_environment = load(sources).config;
    EXPECT_TRUE(from_environment.cache.enabled);
    EXPECT_EQ(from_environment.cache.default_ttl, 300s);
    EXPECT_EQ(from_environment.cache.max_entries, 5u);
}

TEST(CacheKeys, a_route_says_it_in_a_word_or_in_many) {
    EXPECT_EQ(good(with_route("cache: true")).routes[0].cache->enabled, true);
    EXPECT_EQ(good(with_route("cache: false")).routes[0].cache->enabled, false);
    RouteCache cache = *good(with_route("cache: {ttl: 5m, stale_if_error: 1h, set_cookie: strip}")).routes[0].cache;
    EXPECT_EQ(cache.ttl, 5min);
    EXPECT_EQ(cache.stale_if_error, 1h);
    EXPECT_EQ(cache.set_cookie, SetCookies::strip);
    EXPECT_EQ(cache.enabled, std::nullopt);
}

TEST(CacheKeys, older_words_of_a_route_are_folded_and_its_own_count) {
    RouteCache cache = *good(with_route("cache_enabled: true, cache_ttl: 300")).routes[0].cache;
    EXPECT_EQ(cache.enabled, true);
    EXPECT_EQ(cache.ttl, 300s);
    EXPECT_EQ(good(with_route("cache_ttl: 300, cache: {ttl: 5}")).routes[0].cache->ttl, 5s);
    EXPECT_EQ(good(with_route("timeout: 5s")).routes[0].cache, std::nullopt);
}

TEST(CacheKeys, strategies_are_lifetimes_with_a_name) {
    Config c = good(with_route("cache: {strategy: static_content}", "cache: {enabled: true, strategies: {static_content: {ttl: 3600}}}\n"));
    EXPECT_EQ(c.cache.strategies.at("static_content").ttl, 1h);
    EXPECT_THAT(problem(with_route("cache: {strategy: statik_content}", "cache: {enabled: true, strategies: {static_content: {ttl: 3600}}}\n")),
                HasSubstr("there is no strategy 'statik_content' in cache.strategies; did you mean 'static_content'?"));
    EXPECT_THAT(problem(with_route("cache: {strategy: a, ttl: 5}", "cache: {enabled: true, strategies: {a: {ttl: 1}}}\n")), HasSubstr("stands beside ttl"));
}

TEST(CacheKeys, a_rule_says_something) {
    EXPECT_THAT(problem("cache: {enabled: true, rules: [{pattern: /a}]}\n"), HasSubstr("cache.rules[0]: says nothing"));
    EXPECT_THAT(problem("cache: {enabled: true, rules: [{pattern: /a, force: true, stale_if_error: 5}]}\n"), HasSubstr("no ttl to enforce"));
    EXPECT_THAT(problem("cache: {enabled: true, rules: [{pattern: /a, ttl: 5, methods: [POST]}]}\n"), HasSubstr("GET or HEAD"));
    EXPECT_THAT(problem(with_route("cache: {force: true}")), HasSubstr("has no ttl to enforce"));
}

TEST(CacheKeys, redis_is_behind_memory_where_there_is_one) {
    Config c = good("redis: {host: r}\ncache: {enabled: true, type: redis, key_prefix: 'answers:', redis_wait: 20ms, redis_max_object: 64KB}\n");
    EXPECT_EQ(c.cache.type, CacheType::redis);
    EXPECT_EQ(c.cache.key_prefix, "answers:");
    EXPECT_EQ(c.cache.redis_wait, 20ms);
    EXPECT_EQ(c.cache.redis_max_object, 64u << 10);
    EXPECT_THAT(problem("redis: {host: r}\ncache: {enabled: true, type: redis, redis_wait: 5s}\n"), HasSubstr("between 1ms and 1s"));
    EXPECT_THAT(problem("redis: {host: r}\ncache: {enabled: true, type: redis, redis_max_object: 32MB}\n"), HasSubstr("from 1KB to 4MB"));
}

TEST(CacheKeys, what_cannot_be_is_said) {
    EXPECT_THAT(problem("cache: {enabled: true, max_object: 100MB}\n"), HasSubstr("more than cache.max_memory"));
    EXPECT_THAT(problem("cache: {enabled: true, type: redis}\n"), HasSubstr("answers are kept in memory"));
    EXPECT_THAT(problem(with_route("cache: true", "")), HasSubstr("without effect: cache.enabled is false"));
    EXPECT_THAT(problem("cache: {enabled: true}\nroutes: [{prefix: /a, respond: {status: 204}, cache: true}]\n"), HasSubstr("this route answers itself"));
}

}  // namespace
}  // namespace suoke::config
