// SPDX-License-Identifier: MIT
#include "rt/timers.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "base/random.h"

namespace suoke::rt {
namespace {

class Alarm final : public Timer {
 public:
    int rung = 0;
    std::function<void()> then;

 private:
    void expired() override {
        ++rung;
        if (then) then();
    }
};

constexpr TimePoint kStart{std::chrono::seconds(1000)};
constexpr Duration kTick = 4ms;

TEST(Timers, fire_at_their_deadline_and_not_before) {
    Timers timers(kStart);
    Alarm alarm;
    timers.arm(alarm, kStart + 1s);
    EXPECT_EQ(timers.advance(kStart + 999ms), 0);
    EXPECT_EQ(timers.advance(kStart + 1s + kTick), 1);
    EXPECT_EQ(alarm.rung, 1);
    EXPECT_FALSE(alarm.armed());
}

TEST(Timers, a_deadline_in_the_past_fires_at_the_next_tick) {
    Timers timers(kStart);
    Alarm alarm;
    timers.arm(alarm, kStart - 1h);
    EXPECT_EQ(timers.advance(kStart + kTick), 1);
}

TEST(Timers, never_is_never) {
    Timers timers(kStart);
    Alarm alarm;
    timers.arm(alarm, kNever);
    EXPECT_FALSE(alarm.armed());
    EXPECT_EQ(timers.next(), kNever);
}

TEST(Timers, arming_again_replaces_the_deadline) {
    Timers timers(kStart);
    Alarm alarm;
    timers.arm(alarm, kStart + 1s);
    timers.arm(alarm, kStart + 2s);
    EXPECT_EQ(timers.advance(kStart + 1500ms), 0);
    EXPECT_EQ(timers.advance(kStart + 2s + kTick), 1);
}

TEST(Timers, farther_than_the_wheel_reaches_still_comes) {
    Timers timers(kStart);
    Alarm alarm;
    timers.arm(alarm, kStart + 100h);
    EXPECT_EQ(timers.advance(kStart + 99h), 0);
    EXPECT_EQ(timers.advance(kStart + 100h + kTick), 1);
}

TEST(Timers, a_timer_may_disarm_another_that_is_due_at_the_same_time) {
    Timers timers(kStart);
    Alarm first, second;
    first.then = [&] { second.disarm(); };
    timers.arm(first, kStart + 1s);
    timers.arm(second, kStart + 1s);
    timers.advance(kStart + 2s);
    EXPECT_EQ(first.rung, 1);
    EXPECT_EQ(second.rung, 0);
}

TEST(Timers, a_timer_that_arms_itself_again_while_firing_waits_for_its_turn) {
    Timers timers(kStart);
    Alarm alarm;
    alarm.then = [&] {
        if (alarm.rung < 3) timers.arm(alarm, kStart + 1s * (alarm.rung + 1));
    };
    timers.arm(alarm, kStart + 1s);
    EXPECT_EQ(timers.advance(kStart + 10s), 3);
}

TEST(Timers, one_that_dies_is_disarmed) {
    Timers timers(kStart);
    auto alarm = std::make_unique<Alarm>();
    timers.arm(*alarm, kStart + 1s);
    alarm.reset();
    EXPECT_EQ(timers.advance(kStart + 2s), 0);
    EXPECT_EQ(timers.next(), kNever);
}

// Against a model that keeps a deadline for each timer and looks at all of them.
class Model {
 public:
    explicit Model(std::uint64_t seed) : random_(seed) {
        for (int i = 0; i < kTimers; ++i) alarms_.push_back(std::make_unique<Alarm>());
    }

    void step() {
        std::size_t which = random_.below(kTimers);
        switch (random_.below(4)) {
            case 0:
            case 1:
                return arm(which);
            case 2:
                return disarm(which);
            default:
                return advance();
        }
    }

 private:
    static constexpr int kTimers = 40;

    // Spans that reach every level of the wheel, and beyond it.
    Duration span() {
        constexpr Duration kMost[] = {50ms, 2s, 1min, 30min, 24h, 200h};
        return Duration(random_.below(static_cast<std::uint64_t>(kMost[random_.below(6)].count())));
    }
    void arm(std::size_t which) {
        due_[which] = now_ + span();
        timers_.arm(*alarms_[which], due_[which]);
    }
    void disarm(std::size_t which) {
        due_.erase(which);
        alarms_[which]->disarm();
    }
    void advance() {
        TimePoint before = now_;
        now_ += span();
        std::map<std::size_t, int> rung;
        for (std::size_t i = 0; i < alarms_.size(); ++i) rung[i] = alarms_[i]->rung;
        TimePoint promised = timers_.next();
        timers_.advance(now_);
        for (std::size_t i = 0; i < alarms_.size(); ++i)
            check(i, alarms_[i]->rung - rung[i], promised, before);
    }
    void check(std::size_t i, int fired, TimePoint promised, TimePoint before) {
        auto due = due_.find(i);
        if (due == due_.end()) {
            ASSERT_EQ(fired, 0) << "fired though it was not armed";
            return;
        }
        if (fired) {
            ASSERT_EQ(fired, 1);
            ASSERT_LE(due->second, now_) << "fired early";
            ASSERT_LE(promised, now_) << "next() promised that nothing was due";
            due_.erase(due);
        } else {
            ASSERT_GT(due->second + kTick, now_)
                << "still waits, armed before " << (now_ - before).count();
        }
    }

    Random random_;
    TimePoint now_ = kStart;
    Timers timers_{kStart};
    std::vector<std::unique_ptr<Alarm>> alarms_;
    std::map<std::size_t, TimePoint> due_;
};

TEST(Timers, behave_like_a_sorted_list_whatever_is_armed_disarmed_and_advanced) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE(seed);
        Model model(seed);
        for (int i = 0; i < 600 && !::testing::Test::HasFatalFailure(); ++i) model.step();
    }
}

}  // namespace
}  // namespace suoke::rt
