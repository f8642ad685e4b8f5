// SPDX-License-Identifier: MIT
#include "auth/refused_tokens.h"

#include <gtest/gtest.h>

#include <string>

#include "rt/digest.h"

namespace suoke::auth {
namespace {

constexpr TimePoint kNow{1h};

std::string digest(int token) { return rt::digest_of({std::to_string(token)}); }

TEST(RefusedTokens, a_token_is_refused_for_the_same_reason_until_its_time_is_over) {
    RefusedTokens refused;
    EXPECT_EQ(refused.find(digest(1), kNow, 1), std::nullopt);
    refused.put(digest(1), Code::token_expired, kNow + 5s, 1);
    EXPECT_EQ(refused.find(digest(1), kNow, 1), Code::token_expired);
    EXPECT_EQ(refused.find(digest(2), kNow, 1), std::nullopt);
    EXPECT_EQ(refused.find(digest(1), kNow + 5s, 1), std::nullopt);
}

TEST(RefusedTokens, what_was_refused_under_other_rules_does_not_count) {
    RefusedTokens refused;
    refused.put(digest(1), Code::invalid_token, kNow + 5s, 1);
    EXPECT_EQ(refused.find(digest(1), kNow, 2), std::nullopt);
}

TEST(RefusedTokens, there_are_never_more_than_so_many_and_the_newest_is_among_them) {
    RefusedTokens refused;
    constexpr int kMany = 10 * static_cast<int>(RefusedTokens::kMost);
    for (int token = 0; token < kMany; ++token) {
        refused.put(digest(token), Code::invalid_token, kNow + 5s, 1);
        ASSERT_EQ(refused.find(digest(token), kNow, 1), Code::invalid_token);
    }
    std::size_t known = 0;
    for (int token = 0; token < kMany; ++token) known += refused.find(digest(token), kNow, 1).has_value();
    EXPECT_LE(known, RefusedTokens::kMost);
    EXPECT_GT(known, RefusedTokens::kMost / 2);
}

TEST(RefusedTokens, what_is_no_digest_is_not_remembered) {
    RefusedTokens refused;
    refused.put("", Code::invalid_token, kNow + 5s, 1);
    EXPECT_EQ(refused.find("", kNow, 1), std::nullopt);
}

}  // namespace
}  // namespace suoke::auth
