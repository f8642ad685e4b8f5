// SPDX-License-Identifier: MIT
#include "bench/histogram.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>

namespace suoke::bench {
namespace {

TEST(Histogram, has_no_percentile_of_nothing) {
    Histogram none;
    EXPECT_EQ(none.percentile(0.5), 0u);
    EXPECT_EQ(none.mean(), 0);
}

TEST(Histogram, is_exact_for_small_values) {
    Histogram histogram;
    for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
    EXPECT_EQ(histogram.percentile(0.5), 50u);
    EXPECT_EQ(histogram.percentile(0.99), 99u);
    EXPECT_EQ(histogram.percentile(1), 100u);
    EXPECT_EQ(histogram.mean(), 50.5);
}

TEST(Histogram, never_understates_and_overstates_by_less_than_a_hundredth) {
    for (std::uint64_t value : {255u, 256u, 257u, 1'000u, 65'535u, 65'536u, 12'345'678u}) {
        Histogram histogram;
        histogram.record(value);
        histogram.record(value * 4);  // so that the maximum does not answer for the bucket
        EXPECT_GE(histogram.percentile(0.5), value);
        EXPECT_LE(double(histogram.percentile(0.5)), double(value) * 1.008);
    }
}

TEST(Histogram, takes_the_largest_value_there_is) {
    Histogram histogram;
    histogram.record(std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(histogram.percentile(1), std::numeric_limits<std::uint64_t>::max());
}

TEST(Histogram, finds_the_slow_one_in_a_thousand) {
    Histogram histogram;
    for (int i = 0; i < 999; ++i) histogram.record(10);
    histogram.record(5'000);
    EXPECT_EQ(histogram.percentile(0.99), 10u);
    EXPECT_EQ(histogram.percentile(1), 5'000u);
    EXPECT_EQ(histogram.max(), 5'000u);
}

}  // namespace
}  // namespace suoke::bench
