// SPDX-License-Identifier: MIT
#pragma once
// Deadlines on a hierarchical timer wheel: arming and disarming are O(1), which every request does
// several times and almost never needs. A timer fires at its deadline or up to one tick later, never
// early.

#include <array>
#include <cstdint>

#include "base/time.h"
#include "rt/list.h"

namespace suoke::rt {

// Something that happens later. Derive, or use Callback below; disarms itself when it dies.
class Timer : public ListHook<Timer> {
 public:
    bool armed() const { return linked(); }
    void disarm() { unlink(); }
    TimePoint deadline() const { return deadline_; }

 protected:
    ~Timer() = default;
    virtual void expired() = 0;  // disarmed by then; may destroy *this

 private:
    friend class Timers;
    TimePoint deadline_{};
};

class Timers {
 public:
    explicit Timers(TimePoint now) : start_(now) {}

    void arm(Timer& timer, TimePoint deadline);
    // Fires what is due. Returns how many fired.
    int advance(TimePoint now);
    // No timer is due before this; kNever when none is armed.
    TimePoint next() const;

 private:
    static constexpr Duration kTick = std::chrono::milliseconds(4);
    static constexpr int kLevels = 4;
    static constexpr int kBits = 6;  // 64 slots a level: 256 ms, 16 s, 17 min, 18 h
    static constexpr std::uint64_t kSlots = 1u << kBits;

    struct Level {
        std::array<List<Timer>, kSlots> slots;
        mutable std::uint64_t used = 0;  // a bit per slot that may have a timer
    };

    std::uint64_t tick_of(TimePoint t) const { return static_cast<std::uint64_t>((t - start_) / kTick); }
    void place(Timer& timer, std::uint64_t due);
    void cascade(int level);

    TimePoint start_;
    std::uint64_t tick_ = 0;  // every timer due at or before this tick was looked at
    std::array<Level, kLevels> levels_;
    List<Timer> firing_;
};

}  // namespace suoke::rt
