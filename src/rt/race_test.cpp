// SPDX-License-Identifier: MIT
#include "rt/race.h"

#include <gtest/gtest.h>

#include "rt/scope.h"

namespace suoke::rt {
namespace {

struct Gate {
    std::coroutine_handle<> waiter;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> h) { waiter = h; }
    void await_resume() {}
    void open() { std::exchange(waiter, {}).resume(); }
};

struct Token {
    explicit Token(int& n) : alive(n) { ++alive; }
    ~Token() { --alive; }
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
    int& alive;
};

Task<int> number_after(Gate& gate, int& alive, int n) {
    Token token(alive);
    co_await gate;
    co_return n;
}
Task<int> number(int n) {
    co_return n;
}
Task<void> nothing_after(Gate& gate) {
    co_await gate;
}

struct Races : ::testing::Test {
    ManualClock clock;
    Loop loop{clock};
    TaskScope scope;
    Gate gate;
    int alive = 0;
    std::optional<std::optional<int>> outcome;

    void after(Duration d) {
        clock.advance(d);
        loop.settle();
    }
};

Task<void> race(Loop& loop, Task<int> task, TimePoint deadline, std::optional<std::optional<int>>& outcome) {
    Within<int> within(loop, std::move(task), deadline);
    outcome = co_await within;
}

TEST_F(Races, a_task_that_need_not_wait_wins_without_a_timer) {
    scope.spawn(race(loop, number(7), loop.now() + 1s, outcome));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(*outcome, 7);
    EXPECT_EQ(loop.timers().next(), kNever);
}

TEST_F(Races, a_task_that_ends_in_time_wins_and_the_timer_is_gone) {
    scope.spawn(race(loop, number_after(gate, alive, 7), loop.now() + 1s, outcome));
    after(500ms);
    EXPECT_FALSE(outcome);
    gate.open();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(*outcome, 7);
    EXPECT_EQ(loop.timers().next(), kNever);
}

TEST_F(Races, a_deadline_that_comes_first_destroys_the_task) {
    scope.spawn(race(loop, number_after(gate, alive, 7), loop.now() + 1s, outcome));
    EXPECT_EQ(alive, 1);
    after(1100ms);
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(*outcome);
    EXPECT_EQ(alive, 0);
    EXPECT_TRUE(scope.idle());
}

TEST_F(Races, giving_up_the_race_gives_up_both) {
    scope.spawn(race(loop, number_after(gate, alive, 7), loop.now() + 1s, outcome));
    scope.cancel();
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(loop.timers().next(), kNever);
    EXPECT_FALSE(outcome);
}

Task<void> wait_and_tell(Loop& loop, Gate& gate, TimePoint deadline, Within<void>*& running, int& finished) {
    Within<void> within(loop, nothing_after(gate), deadline);
    running = &within;
    bool ended = co_await within;
    running = nullptr;
    finished = ended ? 1 : 2;
}

TEST_F(Races, the_deadline_may_move_while_it_is_awaited) {
    Within<void>* running = nullptr;
    int finished = 0;
    scope.spawn(wait_and_tell(loop, gate, kNever, running, finished));
    running->move_deadline(loop.now() + 2s);
    after(1900ms);
    EXPECT_EQ(finished, 0);
    after(200ms);
    EXPECT_EQ(finished, 2);
}

Task<void> join(Task<int>& task, int& result) {
    Join<int> joined(task);
    co_await joined;
    result = task.take();
}

TEST_F(Races, joining_waits_for_a_task_that_runs_already) {
    Task<int> task = number_after(gate, alive, 7);
    EXPECT_FALSE(task.start());
    int result = 0;
    scope.spawn(join(task, result));
    EXPECT_EQ(result, 0);
    gate.open();
    EXPECT_EQ(result, 7);
}

TEST_F(Races, a_join_that_is_given_up_leaves_the_task_running) {
    Task<int> task = number_after(gate, alive, 7);
    EXPECT_FALSE(task.start());
    int result = 0;
    scope.spawn(join(task, result));
    scope.cancel();
    EXPECT_EQ(alive, 1);
    scope.spawn(join(task, result));
    gate.open();
    EXPECT_EQ(result, 7);
}

}  // namespace
}  // namespace suoke::rt
