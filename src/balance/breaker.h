// SPDX-License-Identifier: MIT
#pragma once
// A circuit breaker: what failed too often is left alone for a while, then tried by a few. One for an
// endpoint, one for a service, shared by all workers; closed, the usual case, it costs two loads.
//
//   Breaker::Admission admission = breaker.admit(now, rules);
//   if (admission == Breaker::Admission::no) ...
//   breaker.record(ok, admission, now, rules);      // or give_up(admission) when nothing was learnt

#include <atomic>
#include <cstdint>
#include <optional>

#include "balance/rules.h"
#include "balance/window.h"

namespace suoke::balance {

class Breaker {
 public:
    enum class State : std::uint8_t { closed, open, half_open };
    enum class Admission : std::uint8_t { no, pass, probe };

    Admission admit(TimePoint now, const BreakerRules& rules);
    // The new state, if this changed it. What was let in before the state changed says nothing.
    std::optional<State> record(bool ok, Admission admission, TimePoint now, const BreakerRules& rules);
    void give_up(Admission admission);

    State state() const { return state_.load(std::memory_order_relaxed); }
    // Until when nobody is let in; in the past, or TimePoint{}, when somebody might be.
    TimePoint open_until() const;
    std::uint64_t openings() const { return openings_.load(std::memory_order_relaxed); }

 private:
    bool open(State from, TimePoint now, const BreakerRules& rules);
    std::optional<State> record_closed(bool ok, TimePoint now, const BreakerRules& rules);
    std::optional<State> record_probe(bool ok, TimePoint now, const BreakerRules& rules);

    std::atomic<State> state_{State::closed};
    std::atomic<std::uint32_t> failures_{0};   // in a row, while closed
    std::atomic<std::uint32_t> probing_{0};
    std::atomic<std::uint32_t> successes_{0};  // of probes
    std::atomic<std::int64_t> open_until_{0};
    std::atomic<std::uint64_t> openings_{0};
    Window window_;
};

constexpr const char* name_of(Breaker::State state) {
    return state == Breaker::State::closed ? "closed" : state == Breaker::State::open ? "open" : "half_open";
}

}  // namespace suoke::balance
