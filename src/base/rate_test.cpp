// SPDX-License-Identifier: MIT
#include "base/rate.h"

#include <gtest/gtest.h>

namespace suoke {
namespace {

TEST(Rate, is_read_as_people_write_it) {
    EXPECT_EQ(parse_rate("100/minute"), (Rate{100, 1min}));
    EXPECT_EQ(parse_rate("5/second"), (Rate{5, 1s}));
    EXPECT_EQ(parse_rate("5/sec"), (Rate{5, 1s}));
    EXPECT_EQ(parse_rate("5/s"), (Rate{5, 1s}));
    EXPECT_EQ(parse_rate("7/min"), (Rate{7, 1min}));
    EXPECT_EQ(parse_rate("7/m"), (Rate{7, 1min}));
    EXPECT_EQ(parse_rate("100/Hour"), (Rate{100, 1h}));
    EXPECT_EQ(parse_rate("100/h"), (Rate{100, 1h}));
    EXPECT_EQ(parse_rate(" 1 / day "), (Rate{1, 24h}));
    EXPECT_EQ(parse_rate("20/30s"), (Rate{20, 30s}));
    EXPECT_EQ(parse_rate("20/5m"), (Rate{20, 5min}));
}

TEST(Rate, may_be_none) {
    EXPECT_TRUE(parse_rate("unlimited")->is_unlimited());
    EXPECT_TRUE(parse_rate("0")->is_unlimited());
}

TEST(Rate, is_nothing_else) {
    for (const char* text : {"", "100", "100/", "/minute", "x/minute", "100/fortnight", "0/minute", "-1/minute", "1.5/minute", "100/minute/2",
                             "10000000000/second", "1/0s", "1/400d"})
        EXPECT_FALSE(parse_rate(text)) << text;
}

TEST(Rate, reads_back_what_it_writes) {
    for (const char* text : {"100/minute", "5/second", "9/hour", "1/day", "20/30s", "unlimited"})
        EXPECT_EQ(format_rate(*parse_rate(text)), text);
}

}  // namespace
}  // namespace suoke
