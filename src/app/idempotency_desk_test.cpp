// SPDX-License-Identifier: MIT
#include "app/idempotency_desk.h"

#include <gtest/gtest.h>

#include "store/memory_kv.h"
#include "store/sqlite_kv.h"
#include "testing/files.h"
#include "testing/passing_time.h"

namespace suoke::app {
namespace {

template <class T>
rt::Task<void> into(rt::Task<T> task, std::optional<T>& answer) {
    answer.emplace(co_await std::move(task));
}

class Desk : public testing::Test {
 protected:
    template <class T>
    T ask(rt::Task<T> task) {
        std::optional<T> answer;
        rt::TaskScope scope;
        scope.spawn(into(std::move(task), answer));
        loop_.settle();
        CHECK(answer);
        return std::move(*answer);
    }
    // What is there, or "ours" when nothing was.
    std::string claim(const std::string& mark, Duration lifetime = 1min) {
        auto found = ask(desk_.claim(loop_, "k", mark, lifetime));
        return !found ? found.error().detail : found->value_or("ours");
    }

    ManualClock clock_;
    rt::Loop loop_{clock_};
    store::MemoryKv kv_{loop_};
    store::Kv* store_ = &kv_;
    rt::TaskScope tasks_;
    IdempotencyDesk desk_{loop_, tasks_, [this]() -> store::Kv& { return *store_; }};
};

TEST_F(Desk, the_first_claim_wins_and_the_others_see_it) {
    EXPECT_EQ(claim("one"), "ours");
    EXPECT_EQ(claim("two"), "one");
}

TEST_F(Desk, an_answer_takes_the_place_of_its_claim_only) {
    EXPECT_EQ(claim("one"), "ours");
    EXPECT_FALSE(*ask(desk_.settle(loop_, "k", "two", "answer of another", 1h)));
    EXPECT_TRUE(*ask(desk_.settle(loop_, "k", "one", "answer", 1h)));
    EXPECT_EQ(claim("three"), "answer");
    let_pass(clock_, loop_, 2h);
    EXPECT_EQ(claim("three"), "ours");
}

TEST_F(Desk, who_crashes_holds_a_claim_until_it_ends) {
    EXPECT_EQ(claim("one", 5s), "ours");
    let_pass(clock_, loop_, 4s);
    EXPECT_EQ(claim("two"), "one");
    let_pass(clock_, loop_, 2s);
    EXPECT_EQ(claim("two"), "ours");
    EXPECT_FALSE(*ask(desk_.settle(loop_, "k", "one", "too late", 1h)));
}

TEST_F(Desk, what_is_released_may_be_claimed_at_once) {
    EXPECT_EQ(claim("one"), "ours");
    EXPECT_TRUE(ask(desk_.release(loop_, "k", "two")));   // not theirs: nothing changes
    EXPECT_EQ(claim("two"), "one");
    EXPECT_TRUE(ask(desk_.release(loop_, "k", "one")));
    EXPECT_EQ(claim("two"), "ours");
    EXPECT_EQ(claim("three"), "two");
}

TEST_F(Desk, answers_survive_a_restart_where_the_store_does) {
    std::string path = scene::own_file("answers.db");
    {
        auto first = store::SqliteKv::open(loop_, path);
        ASSERT_TRUE(first);
        store_ = first->get();
        EXPECT_EQ(claim("one"), "ours");
        EXPECT_TRUE(*ask(desk_.settle(loop_, "k", "one", "answer", 1h)));
    }
    auto second = store::SqliteKv::open(loop_, path);
    ASSERT_TRUE(second);
    store_ = second->get();
    EXPECT_EQ(claim("two"), "answer");
    store_ = &kv_;
}

}  // namespace
}  // namespace suoke::app
