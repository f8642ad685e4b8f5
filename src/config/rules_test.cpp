// SPDX-License-Identifier: MIT
#include "config/rules.h"

#include <gtest/gtest.h>

#include <string>

namespace suoke::config {
namespace {

TEST(Rules, an_address_of_redis_may_begin_with_whatever_its_reader_knows) {
    for (const char* scheme : {"redis", "rediss", "redis+unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster", "REDIS"})
        EXPECT_EQ(rules::redis_url(std::string(scheme) + "://host"), "") << scheme;
    EXPECT_EQ(rules::redis_url(""), "");
    for (const char* wrong : {"host:6379", "http://host", "rediss+unix:///run/x", "redis", "redis:/host", "redis+sentinels://host"})
        EXPECT_NE(rules::redis_url(wrong), "") << wrong;
}

}  // namespace
}  // namespace suoke::config
