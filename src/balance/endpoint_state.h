// SPDX-License-Identifier: MIT
#pragma once
// What the gateway knows of one real endpoint: one state, whichever routes and services lead there,
// shared by all workers, untouched by reloads. Found by EndpointAddress::identity().

#include <atomic>
#include <cstdint>
#include <string>

#include "balance/breaker.h"
#include "base/metrics.h"
#include "base/time.h"

namespace suoke::balance {

// Counts every change of anybody's health, so that whoever chose by it knows to look again.
using Epoch = std::atomic<std::uint64_t>;

enum class Why : std::uint8_t { refused, failures, errors, success_rate, latency };
constexpr const char* name_of(Why why) {
    constexpr const char* kNames[] = {"connection refused", "consecutive failures", "consecutive errors", "success rate", "latency"};
    return kNames[static_cast<int>(why)];
}

class alignas(kCacheLine) EndpointState {
 public:
    EndpointState(std::string identity, Epoch& epoch) : identity_(std::move(identity)), epoch_(epoch) {}
    EndpointState(const EndpointState&) = delete;
    EndpointState& operator=(const EndpointState&) = delete;

    const std::string& identity() const { return identity_; }

    // ---- traffic
    std::int32_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
    void begin() { in_flight_.fetch_add(1, std::memory_order_relaxed); }
    void end() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }
    // Peak EWMA: a slower answer counts at once, faster ones are believed as time goes by.
    void took(Duration latency, TimePoint now);
    // No answer until now: it would have taken longer.
    void took_at_least(Duration latency, TimePoint now);
    double latency() const;                       // nanoseconds; 0: not known yet
    // In a row, each counts the present one: failures, and those with errors of its own among them.
    std::uint32_t fail() {
        err();
        return failures_.fetch_add(1, std::memory_order_relaxed) + 1;
    }
    std::uint32_t err() { return errors_.fetch_add(1, std::memory_order_relaxed) + 1; }
    std::uint32_t errors_in_a_row() const { return errors_.load(std::memory_order_relaxed); }
    std::uint32_t failures_in_a_row() const { return failures_.load(std::memory_order_relaxed); }
    void end_failures() {
        if (failures_.load(std::memory_order_relaxed) != 0) failures_.store(0, std::memory_order_relaxed);
    }
    void succeed() {
        end_failures();
        if (errors_.load(std::memory_order_relaxed) != 0) errors_.store(0, std::memory_order_relaxed);
    }

    // ---- of the present interval, for statistics
    void sample(bool ok, Duration took);
    struct Interval {
        std::uint64_t all = 0, bad = 0;
        Duration mean{};
    };
    Interval take_interval();

    // ---- health
    enum class Checked : std::uint8_t { unknown, well, unwell };
    Checked checked() const { return checked_.load(std::memory_order_relaxed); }
    void set_checked(Checked checked, TimePoint now);
    void note_check(WallTime at) { checked_at_.store(at.time_since_epoch().count(), std::memory_order_relaxed); }
    WallTime checked_at() const { return WallTime(Duration(checked_at_.load(std::memory_order_relaxed))); }  // epoch: never
    bool ejected(TimePoint now) const { return ejected_until() > now; }
    TimePoint ejected_until() const { return TimePoint(Duration(ejected_until_.load(std::memory_order_relaxed))); }
    Why ejected_for() const { return ejected_for_.load(std::memory_order_relaxed); }
    std::uint64_t ejections() const { return ejections_.load(std::memory_order_relaxed); }
    // For the caller's sum of reasons; grows with how often it happened of late. False: it is already.
    bool eject(Why why, TimePoint now, const OutlierRules& rules);
    bool readmit(TimePoint now);                  // false: it was not ejected
    // Since when it has been fit for traffic, for slow start.
    TimePoint up_since() const { return TimePoint(Duration(up_since_.load(std::memory_order_relaxed))); }
    void rise(TimePoint now) { up_since_.store(now.time_since_epoch().count(), std::memory_order_relaxed); }

    Breaker breaker;
    void changed() { epoch_.fetch_add(1, std::memory_order_release); }

 private:
    std::atomic<std::int32_t> in_flight_{0};
    std::atomic<std::uint32_t> failures_{0}, errors_{0};
    std::atomic<std::uint64_t> latency_{0};       // float microseconds, then milliseconds of the clock
    std::atomic<Checked> checked_{Checked::unknown};
    std::atomic<std::int64_t> checked_at_{0};     // wall clock
    std::atomic<Why> ejected_for_{};
    std::atomic<std::int64_t> ejected_until_{0};
    std::atomic<std::int64_t> up_since_{0};
    std::atomic<std::uint32_t> of_late_{0};       // ejections
    std::atomic<std::uint64_t> ejections_{0};
    std::atomic<std::uint64_t> interval_all_{0}, interval_bad_{0}, interval_nanoseconds_{0};
    const std::string identity_;
    Epoch& epoch_;
};

}  // namespace suoke::balance
