// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace suoke::config {
namespace {

using testing::HasSubstr;

// The first problem, or nothing.
std::string problem(const std::string& yaml) {
    Loaded loaded = load_text(yaml, "c.yaml");
    return loaded.problems.empty() ? "" : to_string(loaded.problems.front());
}

TEST(Stores, the_port_of_kubernetes_is_one) {
    for (const char* wrong : {"66443", "0", "-1", "https"})
        EXPECT_THAT(problem(std::string("service_discovery: {kubernetes: {port: ") + wrong + "}}\n"), HasSubstr("from 1 to 65535")) << wrong;
    Sources sources;
    sources.environment = {{"KUBERNETES_SERVICE_PORT", "6443"}};
    EXPECT_EQ(load(sources).config.service_discovery.kubernetes.port, 6443);
}

TEST(Stores, the_sentinels_have_a_login_of_their_own) {
    Loaded loaded = load_text("redis: {mode: sentinel, nodes: [s1], master_name: m, sentinel_username: watcher, sentinel_password: secret}\n", "c.yaml");
    ASSERT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
    EXPECT_EQ(loaded.config.redis.sentinel_username, "watcher");
    EXPECT_EQ(loaded.config.redis.sentinel_password.reveal(), "secret");
}

}  // namespace
}  // namespace suoke::config
