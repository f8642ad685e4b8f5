// SPDX-License-Identifier: MIT
#pragma once
// Time is passed in, never asked for: a Loop has a Clock, a test has a ManualClock.

#include <chrono>
#include <cstdint>
#include <ctime>

namespace suoke {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;  // monotonic
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;   // UTC
using namespace std::chrono_literals;

constexpr TimePoint kNever = TimePoint::max();

// `from + wait`, where a wait of zero or less means "no limit".
constexpr TimePoint deadline_after(TimePoint from, Duration wait) {
    return wait <= Duration::zero() || from > kNever - wait ? kNever : from + wait;
}

constexpr double seconds(Duration d) { return static_cast<double>(d.count()) / 1e9; }
constexpr double milliseconds(Duration d) { return static_cast<double>(d.count()) / 1e6; }

class Clock {
 public:
    virtual ~Clock() = default;
    virtual TimePoint now() const = 0;
    virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
 public:
    TimePoint now() const override { return TimePoint(read(CLOCK_MONOTONIC)); }
    WallTime wall() const override { return WallTime(read(CLOCK_REALTIME)); }

 private:
    static Duration read(clockid_t id) {
        timespec t{};
        ::clock_gettime(id, &t);
        return std::chrono::seconds(t.tv_sec) + Duration(t.tv_nsec);
    }
};

// A test's clock: stands still until told otherwise.
class ManualClock final : public Clock {
 public:
    TimePoint now() const override { return TimePoint(since_start_); }
    WallTime wall() const override { return start_ + since_start_; }
    void advance(Duration d) { since_start_ += d; }

 private:
    Duration since_start_{std::chrono::seconds(1000)};
    WallTime start_{std::chrono::seconds(1'735'689'600)};  // 2025-01-01T00:00:00Z
};

}  // namespace suoke
