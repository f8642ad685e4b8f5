// SPDX-License-Identifier: MIT
#include "gateway/stream_end.h"

#include <gtest/gtest.h>

namespace suoke::gateway {
namespace {

const TimePoint kStart{1h};

TEST(StreamEnd, the_earliest_counts) {
    StreamEnd end;
    EXPECT_EQ(end.at(), kNever);
    EXPECT_TRUE(end.ask(kStart + 60s, EndReason::token_expired));
    EXPECT_FALSE(end.ask(kStart + 90s, EndReason::leaving));
    EXPECT_EQ(end.why(), EndReason::token_expired);
    EXPECT_TRUE(end.ask(kStart + 10s, EndReason::token_revoked));
    EXPECT_EQ(end.at(), kStart + 10s);
    EXPECT_EQ(end.why(), EndReason::token_revoked);
    EXPECT_FALSE(end.is_overdue(kStart + 11s));
    EXPECT_TRUE(end.is_overdue(kStart + 12s));
}

TEST(StreamEnd, a_newer_credential_puts_off_what_the_old_one_brought_and_nothing_else) {
    StreamEnd end;
    end.ask(kStart + 60s, EndReason::token_expired);
    end.ask(kStart + 90s, EndReason::leaving);   // no later than the other, so far
    end.renew(kStart + 3600s);
    EXPECT_EQ(end.at(), kStart + 90s);
    EXPECT_EQ(end.why(), EndReason::leaving);
    end.ask(kStart + 5s, EndReason::token_revoked);
    end.renew(kNever);
    EXPECT_EQ(end.at(), kStart + 5s);
    EXPECT_EQ(end.why(), EndReason::token_revoked);
}

}  // namespace
}  // namespace suoke::gateway
