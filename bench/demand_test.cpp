// SPDX-License-Identifier: MIT
#include "bench/demand.h"

#include <gtest/gtest.h>

namespace suoke::bench {
namespace {

using namespace std::chrono_literals;
const Demand::Time noon{1'000s};

TEST(Demand, of_requests_ends_with_the_last_one) {
    Demand demand = Demand::of_requests(2);
    demand.begin(noon);
    EXPECT_EQ(demand.take(noon), noon);
    EXPECT_EQ(demand.take(noon + 1s), noon + 1s);
    EXPECT_FALSE(demand.take(noon + 1s));
    EXPECT_TRUE(demand.ended(noon + 1s));
}

TEST(Demand, for_time_ends_with_the_time) {
    Demand demand = Demand::for_time(1s);
    demand.begin(noon);
    EXPECT_EQ(demand.take(noon + 999ms), noon + 999ms);
    EXPECT_FALSE(demand.take(noon + 1s));
}

TEST(Demand, at_rate_wants_nothing_before_its_instant) {
    Demand demand = Demand::at_rate(100, 1s);
    demand.begin(noon);
    EXPECT_EQ(demand.take(noon), noon);
    EXPECT_FALSE(demand.take(noon + 9ms));
    EXPECT_EQ(demand.next(noon), noon + 10ms);
    EXPECT_EQ(demand.take(noon + 10ms), noon + 10ms);
}

TEST(Demand, at_rate_counts_from_the_instant_it_was_wanted_however_late) {
    Demand demand = Demand::at_rate(100, 1s);
    demand.begin(noon);
    EXPECT_EQ(demand.take(noon + 500ms), noon);
    EXPECT_EQ(demand.take(noon + 500ms), noon + 10ms);
}

TEST(Demand, at_rate_asks_for_rate_times_duration_in_all) {
    Demand demand = Demand::at_rate(100, 1s);
    demand.begin(noon);
    int taken = 0;
    while (demand.take(noon + 1h)) ++taken;
    EXPECT_EQ(taken, 100);
}

}  // namespace
}  // namespace suoke::bench
