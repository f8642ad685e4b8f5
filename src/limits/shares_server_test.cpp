// SPDX-License-Identifier: MIT
// The script inside a real Redis against the model of it that the simulations use.
#include <gtest/gtest.h>

#include "base/random.h"
#include "limits/shares.h"
#include "store/redis.h"
#include "testing/limit_records.h"
#include "testing/redis_server.h"

namespace suoke::limits {
namespace {

using scene::RedisServer;
using store::RedisValue;

class SharesServer : public ::testing::Test {
 protected:
    void SetUp() override {
        if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
        server = std::make_unique<RedisServer>();
        store::RedisOptions options;
        options.nodes = {{server->host(), server->port()}};
        options.command_timeout = options.connect_timeout = options.silence = std::chrono::seconds(20);   // the machine may be busy
        redis = std::make_unique<store::Redis>(loop, dialer, Random::from_system(), options);
    }

    Result<RedisValue> settle(const std::string& key, const std::string& me, const Report& told, const std::string& now) {
        std::vector<std::string> keys{key};
        std::vector<std::string> args{me, std::to_string(kLease / std::chrono::microseconds(1)), std::to_string(kReturn / std::chrono::microseconds(1)), now};
        for (std::int64_t number : {std::int64_t{told.have}, told.ahead, std::int64_t{told.want}, std::int64_t{told.usual}, std::int64_t{told.least}, told.depth,
                                    std::int64_t{told.served}, std::int64_t{told.leaves}})
            args.push_back(std::to_string(number));
        return scene::await(loop, redis->script(script, std::move(keys), std::move(args), store::Effect::idempotent));
    }

    SystemClock clock;
    rt::Loop loop{clock};
    upstream::SocketDialer dialer{loop};
    std::unique_ptr<RedisServer> server;
    std::unique_ptr<store::Redis> redis;
    const store::Script script{kSettle};
};

TEST_F(SharesServer, decides_as_the_model_does) {
    Random random(11);
    auto one_of = [&](std::initializer_list<std::int64_t> all) { return *(all.begin() + random.below(all.size())); };
    scene::LimitRecords model;
    std::int64_t now = 1'700'000'000'000'000;
    for (int round = 0; round < 60; ++round) {
        std::string key = "key-" + std::to_string(round);
        std::int64_t burst = one_of({3, 10, 100, 1000, 100'000}), depth = burst * one_of({50, 1000, 600'000, 36'000'000});
        std::map<std::string, std::uint32_t> holds;
        for (int i = 0; i < 30; ++i) {
            now += one_of({100, 5000, 50'000, 250'000, 3'000'000, 11'000'000});
            std::string me = "gateway-" + std::to_string(random.below(4));
            bool known = holds.contains(me);
            Report told;
            told.have = known ? holds[me] : static_cast<std::uint32_t>(one_of({16384, 21846, 65536}));
            if (known && random.below(3) == 0) told.have = std::max<std::uint32_t>(told.have / 2, 1);
            told.ahead = one_of({0, depth / 3, depth});
            told.want = static_cast<std::uint32_t>(one_of({0, 1, 1000, 16384, 30'000, 65536}));
            told.usual = 16384;
            told.least = static_cast<std::uint32_t>((65536 + burst - 1) / burst);
            told.depth = depth;
            told.served = !known && random.below(3) == 0;
            told.leaves = random.below(10) == 0;
            Answer expected = model.settle(key, me, told, now);
            auto value = settle(key, me, told, std::to_string(now));
            ASSERT_TRUE(value) << value.error().detail;
            ASSERT_EQ(value->items.size(), 4u) << value->to_string();
            EXPECT_EQ(value->items[0].number, expected.share) << key << ", " << i;
            EXPECT_EQ(value->items[1].number, expected.target) << key << ", " << i;
            EXPECT_NEAR(static_cast<double>(value->items[2].number), static_cast<double>(expected.further), 100) << key << ", " << i;   // Lua has doubles
            EXPECT_EQ(value->items[3].number != 0, expected.busy) << key << ", " << i;
            holds[me] = std::max<std::uint32_t>(expected.share, 1);
            if (told.leaves) holds.erase(me);
        }
    }
}

TEST_F(SharesServer, goes_by_its_own_clock_when_none_is_given) {
    Report told{.have = 16384, .ahead = 1000, .want = 16384, .usual = 16384, .least = 656, .depth = 60'000'000};
    auto value = settle("key", "gateway-1", told, "");
    ASSERT_TRUE(value) << value.error().detail;
    EXPECT_EQ(value->items.at(0).number, 16384);
    std::vector<std::string> ttl{"PTTL", "key"};
    auto left = scene::await(loop, redis->command_for("key", std::move(ttl)));
    ASSERT_TRUE(left);
    EXPECT_GT(left->number, 120'000);   // as long as anything is owed
    EXPECT_LT(left->number, 200'000);
}

TEST_F(SharesServer, greets_every_gateway_with_how_many_there_are) {
    const store::Script greet{kGreet};
    auto hello = [&](const char* id, const char* seed) {
        std::vector<std::string> keys{"gateways", "seed"};
        std::vector<std::string> args{id, "60000", seed};
        return scene::await(loop, redis->script(greet, std::move(keys), std::move(args)))->to_string();
    };
    auto text = [](const RedisValue& value) { return value.to_string(); };
    EXPECT_EQ(hello("one", "aa"), text(RedisValue::array({RedisValue::integer(1), RedisValue::string("aa")})));
    EXPECT_EQ(hello("two", "bb"), text(RedisValue::array({RedisValue::integer(2), RedisValue::string("aa")})));
    EXPECT_EQ(hello("one", "aa"), text(RedisValue::array({RedisValue::integer(2), RedisValue::string("aa")})));
}

}  // namespace
}  // namespace suoke::limits
