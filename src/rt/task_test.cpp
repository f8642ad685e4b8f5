// SPDX-License-Identifier: MIT
#include "rt/task.h"

#include <gtest/gtest.h>

#include <memory>

#include "rt/scope.h"

namespace suoke::rt {
namespace {

// Something a test lets coroutines wait for.
struct Gate {
    std::coroutine_handle<> waiter;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> h) { waiter = h; }
    void await_resume() {}
    void open() { std::exchange(waiter, {}).resume(); }
};

// Counts those of its kind that are alive.
struct Token {
    explicit Token(int& n) : alive(n) { ++alive; }
    ~Token() { --alive; }
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
    int& alive;
};

Task<int> number(int n) {
    co_return n;
}
Task<int> number_after(Gate& gate, int n) {
    co_await gate;
    co_return n;
}
Task<int> sum(Gate& gate) {
    int a = co_await number(1);
    int b = co_await number_after(gate, 2);
    co_return a + b;
}
Task<void> hold(Gate& gate, int& alive, int& finished) {
    Token token(alive);
    co_await gate;
    ++finished;
}
Task<std::unique_ptr<int>> boxed(int n) {
    co_return std::make_unique<int>(n);
}
Task<int> many_without_waiting(int n) {
    int total = 0;
    for (int i = 0; i < n; ++i) total += co_await number(1);
    co_return total;
}

TEST(Task, does_nothing_before_it_is_started) {
    Gate gate;
    int alive = 0, finished = 0;
    {
        Task<void> task = hold(gate, alive, finished);
        EXPECT_EQ(alive, 0);
    }
    EXPECT_EQ(alive, 0);
}

TEST(Task, gives_its_value_through_tasks_that_wait) {
    Gate gate;
    Task<int> task = sum(gate);
    EXPECT_FALSE(task.start());
    gate.open();
    ASSERT_TRUE(task.done());
    EXPECT_EQ(task.take(), 3);
}

TEST(Task, destroying_it_destroys_what_it_holds) {
    Gate gate;
    int alive = 0, finished = 0;
    Task<void> task = hold(gate, alive, finished);
    task.start();
    EXPECT_EQ(alive, 1);
    task.reset();
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(finished, 0);
    EXPECT_FALSE(task);
}

TEST(Task, carries_values_that_only_move) {
    Task<std::unique_ptr<int>> task = boxed(7);
    ASSERT_TRUE(task.start());
    EXPECT_EQ(*task.take(), 7);
}

TEST(Task, a_million_children_that_never_wait_do_not_grow_the_stack) {
    Task<int> task = many_without_waiting(1'000'000);
    ASSERT_TRUE(task.start());
    EXPECT_EQ(task.take(), 1'000'000);
}

TEST(TaskScope, knows_when_all_have_ended) {
    TaskScope scope;
    Gate first, second;
    int alive = 0, finished = 0;
    scope.spawn(hold(first, alive, finished));
    scope.spawn(hold(second, alive, finished));
    EXPECT_EQ(scope.size(), 2u);
    first.open();
    EXPECT_EQ(scope.size(), 1u);
    second.open();
    EXPECT_TRUE(scope.idle());
    EXPECT_EQ(finished, 2);
    EXPECT_EQ(alive, 0);
}

TEST(TaskScope, cancelling_ends_them_where_they_wait) {
    TaskScope scope;
    Gate first, second;
    int alive = 0, finished = 0;
    scope.spawn(hold(first, alive, finished));
    scope.spawn(hold(second, alive, finished));
    scope.cancel();
    EXPECT_TRUE(scope.idle());
    EXPECT_EQ(scope.size(), 0u);
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(finished, 0);
}

Task<void> wait_for(TaskScope& scope, bool& seen) {
    co_await scope.all_done();
    seen = true;
}

TEST(TaskScope, wakes_who_waits_for_the_last_one) {
    TaskScope scope;
    Gate gate;
    int alive = 0, finished = 0;
    bool seen = false;
    scope.spawn(hold(gate, alive, finished));
    Task<void> waiter = wait_for(scope, seen);
    waiter.start();
    EXPECT_FALSE(seen);
    gate.open();
    EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace suoke::rt
