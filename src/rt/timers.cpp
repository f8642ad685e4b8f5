// SPDX-License-Identifier: MIT
#include "rt/timers.h"

#include <algorithm>
#include <bit>

namespace suoke::rt {

void Timers::arm(Timer& timer, TimePoint deadline) {
    timer.disarm();
    timer.deadline_ = deadline;
    if (deadline == kNever) return;
    // Rounded up, so that a slot is never looked at before its timers are due.
    std::uint64_t due = deadline <= start_ ? 0 : tick_of(deadline - Duration(1)) + 1;
    place(timer, due);
}

void Timers::place(Timer& timer, std::uint64_t due) {
    due = std::max(due, tick_ + 1);
    int level = 0;
    while (level + 1 < kLevels && (due >> (kBits * level)) - (tick_ >> (kBits * level)) >= kSlots) ++level;
    std::uint64_t slot = due >> (kBits * level);
    // Farther than the wheel reaches: wait in its last slot and be placed again from there.
    if (slot - (tick_ >> (kBits * level)) >= kSlots) slot = (tick_ >> (kBits * level)) + kSlots - 1;
    slot %= kSlots;
    levels_[level].slots[slot].push_back(timer);
    levels_[level].used |= 1ull << slot;
}

void Timers::cascade(int level) {
    std::uint64_t slot = (tick_ >> (kBits * level)) % kSlots;
    if (slot == 0 && level + 1 < kLevels) cascade(level + 1);
    Level& from = levels_[level];
    if (!(from.used & (1ull << slot))) return;
    from.used &= ~(1ull << slot);
    List<Timer> moving;
    from.slots[slot].splice_to(moving);
    while (Timer* timer = moving.pop_front()) {
        std::uint64_t due = timer->deadline_ <= start_ ? 0 : tick_of(timer->deadline_ - Duration(1)) + 1;
        if (due <= tick_) {
            levels_[0].slots[tick_ % kSlots].push_back(*timer);
            levels_[0].used |= 1ull << (tick_ % kSlots);
        } else {
            place(*timer, due);
        }
    }
}

int Timers::advance(TimePoint now) {
    if (now < start_) return 0;
    std::uint64_t target = tick_of(now);
    int fired = 0;
    while (tick_ < target) {
        // Skip what is empty: nothing can be due before the next used slot or the next cascade.
        TimePoint soonest = next();
        if (soonest > now) {
            tick_ = std::max(tick_, target);
            break;
        }
        tick_ = std::max(tick_ + 1, std::min(tick_of(soonest), target));
        if (tick_ % kSlots == 0) cascade(1);
        Level& level = levels_[0];
        std::uint64_t slot = tick_ % kSlots;
        if (!(level.used & (1ull << slot))) continue;
        level.used &= ~(1ull << slot);
        level.slots[slot].splice_to(firing_);
        while (Timer* timer = firing_.pop_front()) {
            ++fired;
            timer->expired();
        }
    }
    return fired;
}

TimePoint Timers::next() const {
    std::uint64_t soonest = UINT64_MAX;
    for (int i = 0; i < kLevels; ++i) {
        const Level& level = levels_[i];
        std::uint64_t here = tick_ >> (kBits * i);
        while (level.used) {
            // The nearest used slot after `here`; farther levels count from their cascade.
            int shift = static_cast<int>((here + 1) % kSlots);
            auto distance = static_cast<std::uint64_t>(std::countr_zero(std::rotr(level.used, shift))) + 1;
            std::uint64_t slot = (here + distance) % kSlots;
            if (level.slots[slot].empty()) {  // everything in it was disarmed
                level.used &= ~(1ull << slot);
                continue;
            }
            soonest = std::min(soonest, (here + distance) << (kBits * i));
            break;
        }
    }
    return soonest == UINT64_MAX ? kNever : start_ + kTick * static_cast<std::int64_t>(soonest);
}

}  // namespace suoke::rt
