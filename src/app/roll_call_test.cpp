// SPDX-License-Identifier: MIT
#include "app/roll_call.h"

#include <gtest/gtest.h>

#include "rt/scope.h"

namespace suoke::app {
namespace {

class RollCall : public ::testing::Test {
 protected:
    static rt::Task<void> call(rt::Loop& own, std::vector<rt::Loop*> others, bool& over) {
        co_await call_the_roll(own, std::move(others), 1s);
        over = true;
    }
    void begin(std::vector<rt::Loop*> others) {
        scope.spawn(call(own, std::move(others), over));
        own.settle();
    }
    void answer(rt::Loop& loop) {
        loop.settle();
        own.settle();
    }

    ManualClock clock;
    rt::Loop own{clock}, one{clock}, two{clock};
    bool over = false;
    rt::TaskScope scope;
};

TEST_F(RollCall, is_over_when_the_last_one_has_done_what_it_was_told_before) {
    bool told = false;
    one.post([&told] { told = true; });
    begin({&one, &two});
    answer(two);
    EXPECT_FALSE(over);
    answer(one);
    EXPECT_TRUE(over);
    EXPECT_TRUE(told);
}

TEST_F(RollCall, asks_all_at_once) {
    begin({&one, &two});
    one.settle();
    two.settle();
    own.settle();
    EXPECT_TRUE(over);
}

TEST_F(RollCall, does_not_wait_for_ever_for_one_that_has_stopped) {
    begin({&one, &two});
    answer(one);
    clock.advance(990ms);
    own.settle();
    EXPECT_FALSE(over);
    clock.advance(20ms);
    own.settle();
    EXPECT_TRUE(over);
    answer(two);  // late, and nobody is there
}

TEST_F(RollCall, of_nobody_is_over_at_once) {
    begin({});
    EXPECT_TRUE(over);
}

TEST_F(RollCall, may_be_broken_off) {
    begin({&one, &two});
    scope.cancel();
    answer(one);
    answer(two);
    EXPECT_FALSE(over);
}

}  // namespace
}  // namespace suoke::app
