// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"

namespace suoke {
namespace {

TEST(ErrorTable, every_row_can_be_shown_to_a_client) {
    std::set<std::string_view> reasons;
    for (const ErrorRow& kind : error_table()) {
        EXPECT_TRUE(reasons.insert(kind.reason).second) << kind.reason << " comes twice";
        EXPECT_GE(kind.status, 400) << kind.reason;
        EXPECT_LE(kind.status, 599) << kind.reason;
        EXPECT_EQ(kind.fault == Fault::client,
                  kind.status < 500 || kind.status == 501 || kind.status == 505)
            << kind.reason;
        EXPECT_FALSE(kind.title.empty());
        EXPECT_TRUE(kind.doc.ends_with('.')) << kind.reason;
        EXPECT_EQ(&row(kind.code), &kind);
    }
}

TEST(Random, the_same_seed_gives_the_same_numbers_and_another_seed_others) {
    Random a(7), b(7), c(8);
    std::uint64_t first = a.next();
    EXPECT_EQ(first, b.next());
    EXPECT_NE(first, c.next());
}

TEST(Random, stays_below_its_bound_and_reaches_everything_under_it) {
    Random random(1);
    int seen[10] = {};
    for (int i = 0; i < 10'000; ++i) ++seen[random.below(10)];
    for (int n : seen) EXPECT_GT(n, 800);
    for (int i = 0; i < 10'000; ++i) {
        double u = random.unit();
        ASSERT_GE(u, 0.0);
        ASSERT_LT(u, 1.0);
    }
}

}  // namespace
}  // namespace suoke
