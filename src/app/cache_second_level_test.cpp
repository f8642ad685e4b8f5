// SPDX-License-Identifier: MIT
// Two gateways and a real Redis. What an answer needs to be kept and taken is cache/second_level_test.cpp's business.
#include "app/cache_second_level.h"

#include <gtest/gtest.h>

#include <functional>

#include "testing/redis_server.h"

namespace suoke::app {
namespace {

using namespace std::chrono_literals;
using cache::SecondLevel;
using scene::RedisServer;

struct Gateway {
    Gateway(rt::Loop& loop, upstream::Dialer& dialer, const Clock& clock, const config::Config& config)
        : loop(loop), events(clock), log(quiet(), clock), stores(loop, dialer, events, log, status), elsewhere(loop, store, cells) {
        stores.adopt(config);
        elsewhere.adopt(config, stores);
    }
    static LogOptions quiet() {
        LogOptions options;
        options.listener = [](std::string_view) {};
        return options;
    }
    bool usable() { return elsewhere.level().usable(loop.fresh_now()); }
    void keep() {
        auto entry = std::make_shared<cache::Entry>();
        entry->life.lifetime = 1h;
        entry->received = loop.now();
        SecondLevel::Kept kept{{"key", {}}, false, entry, nothing, elsewhere.level().position(), 1 << 20};
        elsewhere.level().keep(loop, kept);
    }
    bool fetch() {
        SecondLevel::Question question{{"key", {}}, false, false, "api", "/a", nothing, store.marks().now(), loop.fresh_now() + 20s};
        return scene::await(loop, elsewhere.level().fetch(loop, question));
    }
    bool holds() { return store.find(store.key_of("key"), nothing).entry != nullptr; }
    rt::Loop& loop;
    Events events;
    Log log;
    endpoints::Status status;
    CacheCells cells;
    cache::Store store{cells};
    http::Headers nothing;
    Stores stores;
    CacheSecondLevel elsewhere;
};

class CacheInRedis : public ::testing::Test {
 protected:
    void SetUp() override {
        if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
        server = std::make_unique<RedisServer>();
        config.redis.host = server->host();
        config.redis.port = server->port();
        config.store.path.clear();
        config.cache.enabled = true;
        config.cache.type = config::CacheType::redis;
        one = make();
        other = make();
        until([this] { return one->usable() && other->usable(); });
    }
    std::unique_ptr<Gateway> make() { return std::make_unique<Gateway>(loop, dialer, clock, config); }
    void until(const std::function<bool()>& true_at_last) {
        TimePoint deadline = loop.fresh_now() + 30s;
        while (!true_at_last() && loop.fresh_now() < deadline) {
            loop.settle();
            scene::nap();
        }
        EXPECT_TRUE(true_at_last());
    }
    void keep_in_one() {
        std::uint64_t before = one->cells.second_writes;
        one->keep();
        until([this, before] { return one->cells.second_writes > before; });
    }

    SystemClock clock;
    rt::Loop loop{clock};
    upstream::SocketDialer dialer{loop};
    std::unique_ptr<RedisServer> server;
    config::Config config;
    std::unique_ptr<Gateway> one, other;
};

TEST_F(CacheInRedis, is_wanted_where_it_is_said_and_there_is_a_redis) {
    EXPECT_TRUE(CacheSecondLevel::wanted(config));
    config.cache.type = config::CacheType::memory;
    EXPECT_FALSE(CacheSecondLevel::wanted(config));
    config.cache.type = config::CacheType::redis;
    config.redis = {};
    EXPECT_FALSE(CacheSecondLevel::wanted(config));
}

TEST_F(CacheInRedis, one_gateway_has_what_the_other_kept_and_so_has_one_that_comes_later) {
    EXPECT_FALSE(other->fetch());
    keep_in_one();
    EXPECT_TRUE(other->fetch());
    EXPECT_TRUE(other->holds());
    one.reset();
    std::unique_ptr<Gateway> later = make();
    until([&] { return later->usable(); });
    EXPECT_TRUE(later->fetch());
}

TEST_F(CacheInRedis, a_purge_reaches_the_other_and_those_that_come_later) {
    keep_in_one();
    ASSERT_TRUE(other->fetch());
    one->store.marks().purge_prefix("api", "/a");
    EXPECT_FALSE(one->fetch());
    until([this] { return !other->holds(); });
    EXPECT_FALSE(other->fetch());
    std::unique_ptr<Gateway> later = make();
    until([&] { return later->usable(); });
    EXPECT_FALSE(later->fetch());
    keep_in_one();
    EXPECT_TRUE(other->fetch());
}

TEST_F(CacheInRedis, many_purges_reach_the_other) {
    keep_in_one();
    ASSERT_TRUE(other->fetch());
    for (int i = 0; i < 900; ++i) one->store.marks().purge_tag("tag-" + std::to_string(i));
    one->store.marks().purge_url("api", "/a");
    until([this] { return !other->holds(); });
    std::unique_ptr<Gateway> later = make();
    until([&] { return later->usable(); });
    EXPECT_EQ(later->elsewhere.level().position(), other->elsewhere.level().position());
}

TEST_F(CacheInRedis, without_redis_nobody_is_asked_and_purges_wait_until_it_is_back) {
    keep_in_one();
    ASSERT_TRUE(other->fetch());
    server->kill();
    until([this] { return !one->usable() && !other->usable(); });
    one->store.marks().purge_tag("tag");
    one->store.marks().purge_url("api", "/a");
    EXPECT_TRUE(other->holds());
    server->start();
    until([this] { return !other->holds(); });
    until([this] { return one->usable() && other->usable(); });
    EXPECT_FALSE(other->fetch());
    keep_in_one();
    EXPECT_TRUE(other->fetch());
}

TEST_F(CacheInRedis, is_left_when_the_configuration_says_memory_and_all_is_void_when_it_comes_back) {
    keep_in_one();
    config::Config memory = config;
    memory.cache.type = config::CacheType::memory;
    one->elsewhere.adopt(memory, one->stores);
    EXPECT_EQ(one->store.second(), nullptr);
    EXPECT_FALSE(one->usable());
    one->store.marks().purge_url("api", "/a");   // nobody is told
    one->elsewhere.adopt(config, one->stores);
    EXPECT_NE(one->store.second(), nullptr);
    until([this] { return one->usable(); });
    EXPECT_FALSE(one->fetch());
}

}  // namespace
}  // namespace suoke::app
