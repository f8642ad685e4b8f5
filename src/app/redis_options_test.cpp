// SPDX-License-Identifier: MIT
#include "app/redis_options.h"

#include <gtest/gtest.h>

#include <fstream>

#include "testing/files.h"

namespace suoke::app {
namespace {

class RedisOptionsTest : public ::testing::Test {
 protected:
    std::string key_of_problem() {
        std::vector<config::Problem> problems;
        auto options = redis_options(redis, problems);
        EXPECT_EQ(options.has_value(), problems.empty());
        return problems.empty() ? "" : problems.front().key;
    }
    config::Redis redis;
};

TEST_F(RedisOptionsTest, what_is_wrong_is_a_problem_of_its_key) {
    redis.host = "redis";
    EXPECT_EQ(key_of_problem(), "");
    redis.ca_file = scene::own_file("no such authorities.pem");
    EXPECT_EQ(key_of_problem(), "redis.ca_file");
    for (const char* nothing : {"", " \n", "no certificate"}) {
        std::ofstream(redis.ca_file) << nothing;
        EXPECT_EQ(key_of_problem(), "redis.ca_file") << "and never the system's authorities";
    }
    redis.ca_file.clear();
    redis.mode = config::RedisMode::sentinel;
    EXPECT_EQ(key_of_problem(), "redis.master_name");
    redis.master_name = "mymaster";
    redis.nodes = {"s1:26379", "s2:x"};
    EXPECT_EQ(key_of_problem(), "redis.nodes[1]");
    redis.url = "redis://:a/b@host";
    EXPECT_EQ(key_of_problem(), "redis.url");
}

TEST_F(RedisOptionsTest, each_piece_arrives) {
    redis.mode = config::RedisMode::sentinel;
    redis.nodes = {"s1", "[2001:db8::1]:7", "unix:/run/sentinel.sock"};
    redis.master_name = "mymaster";
    redis.username = "gateway";
    redis.password = Secret("secret");
    redis.sentinel_username = "watcher";
    redis.sentinel_password = Secret("other");
    std::vector<config::Problem> problems;
    auto options = redis_options(redis, problems);
    ASSERT_TRUE(options);
    EXPECT_EQ(options->nodes, (std::vector<store::RedisNode>{{"s1", 26379}, {"2001:db8::1", 7}, {"unix:/run/sentinel.sock", 26379}}));
    EXPECT_EQ(options->username, "gateway");
    EXPECT_EQ(options->password.reveal(), "secret");
    EXPECT_EQ(options->sentinel_username, "watcher");
    EXPECT_EQ(options->sentinel_password.reveal(), "other");
}

TEST_F(RedisOptionsTest, a_login_beside_the_url_comes_first) {
    redis.url = "redis+sentinel://old:word@s1/mymaster";
    redis.username = "gateway";
    redis.password = Secret("secret");
    redis.sentinel_password = Secret("other");
    std::vector<config::Problem> problems;
    auto options = redis_options(redis, problems);
    ASSERT_TRUE(options);
    EXPECT_EQ(options->username, "gateway");
    EXPECT_EQ(options->password.reveal(), "secret");
    EXPECT_EQ(options->sentinel_password.reveal(), "other");
}

}  // namespace
}  // namespace suoke::app
