// SPDX-License-Identifier: MIT
#include "rt/loop.h"

#include <gtest/gtest.h>

#include <thread>

#include "rt/hop.h"
#include "rt/scope.h"

namespace suoke::rt {
namespace {

TEST(Loop, runs_what_other_threads_post_each_once_and_in_their_order) {
    SystemClock clock;
    Loop loop(clock);
    constexpr int kThreads = 4, kEach = 500;
    std::vector<std::vector<int>> seen(kThreads);
    int total = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < kEach; ++i)
                loop.post([&, t, i] {
                    seen[static_cast<std::size_t>(t)].push_back(i);
                    if (++total == kThreads * kEach) loop.stop();
                });
        });
    loop.run();
    for (auto& thread : threads) thread.join();
    for (const auto& order : seen) {
        ASSERT_EQ(order.size(), static_cast<std::size_t>(kEach));
        EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    }
}

Task<void> ask_for(Loop& own, Loop& other, std::thread::id& answered_in,
                   std::thread::id& came_back_to) {
    std::function<std::thread::id()> question = [] { return std::this_thread::get_id(); };
    Ask<std::thread::id> asked(own, other, std::move(question));
    answered_in = co_await asked;
    came_back_to = std::this_thread::get_id();
    own.stop();
}

TEST(Loop, a_question_to_another_loop_is_answered_there_and_heard_here) {
    SystemClock clock;
    Loop own(clock), other(clock);
    std::thread thread([&] { other.run(); });
    std::thread::id answered_in, came_back_to;
    TaskScope scope;
    scope.spawn(ask_for(own, other, answered_in, came_back_to));
    own.run();
    EXPECT_EQ(answered_in, thread.get_id());
    EXPECT_EQ(came_back_to, std::this_thread::get_id());
    other.post([&] { other.stop(); });
    thread.join();
}

struct Again final : Deferred {
    explicit Again(Loop& l) : loop(l) {}
    void run() override {
        if (++runs < 3) loop.defer(*this);
    }
    Loop& loop;
    int runs = 0;
};

TEST(Loop, settling_goes_on_while_there_is_deferred_work) {
    ManualClock clock;
    Loop loop(clock);
    Again again(loop);
    loop.defer(again);
    loop.defer(again);
    loop.settle();
    EXPECT_EQ(again.runs, 3);
}

TEST(Loop, deferred_work_that_died_is_forgotten) {
    ManualClock clock;
    Loop loop(clock);
    auto again = std::make_unique<Again>(loop);
    loop.defer(*again);
    again.reset();
    loop.settle();
}

}  // namespace
}  // namespace suoke::rt
