// SPDX-License-Identifier: MIT
// Two gateways and a real Redis. How shares move is limits/shares_test.cpp's business, in simulated time.
#include "app/limit_shares.h"

#include <gtest/gtest.h>

#include <functional>

#include "testing/passing_time.h"
#include "testing/redis_server.h"

namespace suoke::app {
namespace {

using namespace std::chrono_literals;
using scene::RedisServer;

struct Gateway {
    Gateway(rt::Loop& loop, upstream::Dialer& dialer, const Clock& clock, const config::Config& config)
        : events(clock), log(quiet(), clock), stores(loop, dialer, events, log, status), shares(loop, dialer, limiter, events, status) {
        stores.adopt(config);
        shares.adopt(config, stores);
    }
    static LogOptions quiet() {
        LogOptions options;
        options.listener = [](std::string_view) {};
        return options;
    }
    Events events;
    Log log;
    endpoints::Status status;
    limits::Limiter limiter;
    Stores stores;
    LimitShares shares;
};

class LimitSharesTest : public ::testing::Test {
 protected:
    void SetUp() override {
        if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
        server = std::make_unique<RedisServer>();
        config.redis.host = server->host();
        config.redis.port = server->port();
        config.store.path.clear();
        config.rate_limit.max_keys = 1000;
        limits::PolicyRules rules;
        rules.name = "default";
        rules.rate = *parse_rate("100/hour");
        rules.shared = LimitShares::wanted(config);
        policy = limits::make_policy(std::move(rules), 0);
        for (auto* each : {&one, &other}) *each = std::make_unique<Gateway>(loop, dialer, clock, config);
    }

    void until(const std::function<bool()>& true_at_last) {
        TimePoint deadline = loop.fresh_now() + 30s;
        while (!true_at_last() && loop.fresh_now() < deadline) turn();
        EXPECT_TRUE(true_at_last());
    }
    void turn() {
        loop.settle();
        scene::nap();
    }
    bool ask(Gateway& gateway, std::string_view client) {
        limits::KeyedHash hash = gateway.limiter.key_for(*policy);
        hash.add(client);
        limits::Charge charges[] = {{policy.get(), hash.finish(), 1}};
        return gateway.limiter.take(charges, loop.fresh_now()).granted;
    }
    bool both_know_of_each_other() {
        return one->limiter.usual_share(*policy) == 32768 && other->limiter.usual_share(*policy) == 32768;
    }

    SystemClock clock;
    rt::Loop loop{clock};
    upstream::SocketDialer dialer{loop};
    std::unique_ptr<RedisServer> server;
    config::Config config;
    limits::PolicyPtr policy;
    std::unique_ptr<Gateway> one, other;
};

TEST_F(LimitSharesTest, are_wanted_where_there_is_a_redis_unless_memory_is_said) {
    config::Config none;
    EXPECT_FALSE(LimitShares::wanted(none));
    EXPECT_TRUE(LimitShares::wanted(config));
    config.rate_limit.storage = config::LimitStorage::memory;
    EXPECT_FALSE(LimitShares::wanted(config));
    none.rate_limit.storage_url = "redis://localhost:6379/1";
    EXPECT_TRUE(LimitShares::wanted(none));
}

TEST_F(LimitSharesTest, two_gateways_let_one_limit_through) {
    until([this] { return both_know_of_each_other(); });
    EXPECT_EQ(one->limiter.seed(), other->limiter.seed());
    int granted = 0;
    for (int i = 0; i < 400; ++i) {
        granted += ask(*one, "192.0.2.1");
        granted += ask(*other, "192.0.2.1");
        turn();
    }
    EXPECT_GE(granted, 90);
    EXPECT_LE(granted, 101);
}

TEST_F(LimitSharesTest, a_client_of_one_gateway_gets_the_whole_limit) {
    until([this] { return both_know_of_each_other(); });
    int granted = 0;
    until([&] { return (granted += ask(*one, "192.0.2.1")) >= 99; });
    for (int i = 0; i < 100; ++i) granted += ask(*one, "192.0.2.1"), turn();
    EXPECT_LE(granted, 101);
}

TEST_F(LimitSharesTest, go_on_alone_while_redis_is_away) {
    until([this] { return both_know_of_each_other(); });
    server->kill();
    until([this] { return one->status.limits_alone.load(); });
    EXPECT_EQ(count(one->events, "limits.alone"), 1);
    EXPECT_EQ(one->limiter.usual_share(*policy), 32768u);   // as many as there were
    int granted = 0;
    for (int i = 0; i < 100; ++i) granted += ask(*one, "192.0.2.2"), turn();
    EXPECT_EQ(granted, 50);
    server->start();
    until([this] { return !one->status.limits_alone.load(); });
    EXPECT_EQ(count(one->events, "limits.shared"), 1);
}

TEST_F(LimitSharesTest, who_is_back_first_does_not_take_the_others_for_gone) {
    until([this] { return both_know_of_each_other(); });
    server->kill();
    until([this] { return one->status.limits_alone.load(); });
    other.reset();     // it is not back yet
    server->start();   // and has forgotten them
    until([this] { return !one->status.limits_alone.load(); });
    EXPECT_EQ(one->limiter.usual_share(*policy), 32768u);
    int granted = 0;
    for (int i = 0; i < 100; ++i) granted += ask(*one, "192.0.2.3"), turn();   // asked for the first time
    EXPECT_EQ(granted, 50);
}

TEST_F(LimitSharesTest, who_starts_while_redis_is_away_keeps_to_the_share_it_is_told_of) {
    one.reset();
    other.reset();
    server->kill();
    config.rate_limit.gateways = 4;
    one = std::make_unique<Gateway>(loop, dialer, clock, config);
    until([this] { return one->status.limits_alone.load(); });
    int granted = 0;
    for (int i = 0; i < 100; ++i) granted += ask(*one, "192.0.2.4"), turn();
    EXPECT_EQ(granted, 25);
    server->start();
    until([this] { return !one->status.limits_alone.load(); });
    EXPECT_EQ(one->limiter.usual_share(*policy), 16384u);   // the others may not be back yet
}

TEST_F(LimitSharesTest, another_redis_is_not_shown_the_usual_ones_password) {
    config.redis.password = Secret("usual");
    config.rate_limit.storage_url = "redis://elsewhere:6380/1";
    std::vector<config::Problem> problems;
    auto options = LimitShares::other_redis(config, problems);
    ASSERT_TRUE(options);
    EXPECT_TRUE(options->password.empty());
    EXPECT_EQ(options->nodes.at(0).host, "elsewhere");
    config.rate_limit.storage_url = "redis://host:port:port";
    EXPECT_FALSE(LimitShares::other_redis(config, problems));
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_EQ(problems[0].key, "rate_limit.storage_url");
}

}  // namespace
}  // namespace suoke::app
