// SPDX-License-Identifier: MIT
#include "endpoints/cache_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/second_level.h"
#include "endpoints/prometheus.h"

namespace suoke::endpoints {
namespace {

using Place = PurgeWish::Place;

PurgeWish wish(std::string_view body) {
    auto read = read_purge(body);
    if (auto* faults = std::get_if<Faults>(&read)) {
        ADD_FAILURE() << faults->front().field << ": " << faults->front().message;
        return {};
    }
    return std::get<PurgeWish>(read);
}
bool refused(std::string_view body) { return std::holds_alternative<Faults>(read_purge(body)); }

TEST(Purge, takes_urls_prefixes_and_tags_one_or_many) {
    PurgeWish all = wish(R"({"urls": ["https://API.suoke.life:8443/a/../b?c=1#d", "/x//y"], "prefix": "/api/users/", "tags": ["a", "b"]})");
    EXPECT_EQ(all.urls, (std::vector<Place>{{"api.suoke.life", "/b?c=1"}, {"", "/x/y"}}));
    EXPECT_EQ(all.prefixes, (std::vector<Place>{{"", "/api/users/"}}));
    EXPECT_EQ(all.tags, (std::vector<std::string>{"a", "b"}));
    EXPECT_FALSE(all.all);
    EXPECT_TRUE(wish(R"({"all": true})").all);
    EXPECT_EQ(wish(R"({"url": "http://api"})").urls, (std::vector<Place>{{"api", "/"}}));
}

TEST(Purge, refuses_what_names_nothing) {
    for (const char* body : {"", "[]", "{}", R"({"all": false})", R"({"all": 1})", R"({"urls": "a/b"})", R"({"urls": [1]})", R"({"urls": [""]})", R"({"urls": ["http://user@api/"]})", R"({"tags": {}})",
                             R"({"urls": ["/..;/admin"]})"})
        EXPECT_TRUE(refused(body)) << body;
}

TEST(Purge, refuses_more_than_it_can_do_at_once) {
    std::string many = R"({"tags": ["a")";
    for (int i = 0; i < 1000; ++i) many += R"(,"a")";
    EXPECT_TRUE(refused(many + "]}"));
}

// ---- how it does

using ::testing::HasSubstr;
using ::testing::Not;

struct Nowhere final : cache::SecondLevel::Remote {
    rt::Task<Result<std::vector<std::string>>> read(rt::Loop&, std::vector<std::string> keys) override { co_return std::vector<std::string>(keys.size()); }
    void write(std::string, std::string, Duration) override {}
    void erase(std::vector<std::string>) override {}
    void purges_wait() override {}
};

TEST(CacheState, of_memory_alone_says_memory) {
    MetricsRegistry metrics(2);
    metrics.worker(0).cache[static_cast<std::size_t>(CacheResult::hit)].add(2);
    metrics.worker(1).cache[static_cast<std::size_t>(CacheResult::stale)].add(1);
    metrics.worker(1).cache[static_cast<std::size_t>(CacheResult::miss)].add(1);
    cache::Store store(metrics.cache());
    std::string state = state_of_cache(store, metrics, TimePoint(), 1.5);
    EXPECT_THAT(state, HasSubstr(R"("type":"memory")"));
    EXPECT_THAT(state, HasSubstr(R"("hits":3,"stale_hits":1,"misses":1,"bypassed":0,"hit_ratio":0.75)"));
    EXPECT_THAT(state, Not(HasSubstr("redis")));
}

TEST(CacheState, with_redis_behind_it_tells_of_both) {
    MetricsRegistry metrics(1);
    cache::Store store(metrics.cache());
    Nowhere nowhere;
    cache::SecondLevel second(store, metrics.cache(), nowhere);
    store.set_second(&second);
    metrics.cache().second_hits = 1;
    metrics.cache().second_misses = 2;
    metrics.cache().second_errors = 3;
    metrics.cache().second_writes = 4;
    std::string away = state_of_cache(store, metrics, TimePoint(), 1.5);
    EXPECT_THAT(away, HasSubstr(R"("type":"redis","entries":0)"));
    EXPECT_THAT(away, HasSubstr(R"("redis":{"reachable":false,"hits":1,"misses":2,"errors":3,"writes":4})"));
    second.in_step(TimePoint());
    EXPECT_THAT(state_of_cache(store, metrics, TimePoint(), 1.5), HasSubstr(R"("redis":{"reachable":true,)"));
    store.set_second(nullptr);
}

TEST(CacheMetrics, tell_how_redis_does) {
    MetricsRegistry metrics(1);
    metrics.cache().second_hits = 1;
    metrics.cache().second_misses = 2;
    metrics.cache().second_errors = 3;
    metrics.cache().second_writes = 4;
    std::string page = render(metrics, {});
    for (const char* line : {"hits_total 1", "misses_total 2", "errors_total 3", "writes_total 4"}) EXPECT_THAT(page, HasSubstr(std::string("\nsuoke_gateway_cache_redis_") + line + "\n"));
    EXPECT_THAT(page, HasSubstr("# TYPE suoke_gateway_cache_redis_hits_total counter"));
}

}  // namespace
}  // namespace suoke::endpoints
