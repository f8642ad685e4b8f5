// SPDX-License-Identifier: MIT
#include "rt/backoff.h"

#include <gtest/gtest.h>

namespace suoke::rt {
namespace {

TEST(Backoff, doubles_its_span_up_to_the_most_and_never_waits_for_nothing) {
    Random random(7);
    BackoffRules rules;
    rules.first = 1s;
    rules.most = 8s;
    Duration longest[6] = {};
    for (int round = 0; round < 500; ++round) {
        Backoff backoff(Random(random.next()), rules);
        for (Duration& most : longest) {
            Duration wait = backoff.next();
            EXPECT_GE(wait, rules.least);
            most = std::max(most, wait);
        }
    }
    double expected[6] = {1, 2, 4, 8, 8, 8};
    for (int i = 0; i < 6; ++i) {
        EXPECT_LE(seconds(longest[i]), expected[i]);
        EXPECT_GE(seconds(longest[i]), expected[i] * 0.9);
    }
    Backoff backoff(random, rules);
    for (int i = 0; i < 6; ++i) backoff.next();
    backoff.reset();
    EXPECT_LE(backoff.next(), 1s);
}

}  // namespace
}  // namespace suoke::rt
