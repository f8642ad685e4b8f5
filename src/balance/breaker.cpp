// SPDX-License-Identifier: MIT
#include "balance/breaker.h"

namespace suoke::balance {

namespace {
constexpr auto kRelaxed = std::memory_order_relaxed;
std::int64_t count_of(TimePoint t) { return t.time_since_epoch().count(); }
}  // namespace

Breaker::Admission Breaker::admit(TimePoint now, const BreakerRules& rules) {
    State state = state_.load(std::memory_order_acquire);
    if (state == State::closed) return Admission::pass;
    if (state == State::open) {
        if (count_of(now) < open_until_.load(kRelaxed)) return Admission::no;
        // Whoever turns it clears what the last half-open time left; others see it half-open already.
        if (state_.compare_exchange_strong(state, State::half_open, std::memory_order_acq_rel)) successes_.store(0, kRelaxed);
    }
    if (probing_.fetch_add(1, kRelaxed) < rules.probes) return Admission::probe;
    probing_.fetch_sub(1, kRelaxed);
    return Admission::no;
}

void Breaker::give_up(Admission admission) {
    if (admission == Admission::probe) probing_.fetch_sub(1, kRelaxed);
}

std::optional<Breaker::State> Breaker::record(bool ok, Admission admission, TimePoint now, const BreakerRules& rules) {
    give_up(admission);
    State state = state_.load(std::memory_order_acquire);
    if (admission == Admission::probe && state == State::half_open) return record_probe(ok, now, rules);
    if (admission == Admission::pass && state == State::closed) return record_closed(ok, now, rules);
    return std::nullopt;
}

std::optional<Breaker::State> Breaker::record_closed(bool ok, TimePoint now, const BreakerRules& rules) {
    bool by_rate = rules.error_rate > 0;
    if (by_rate) window_.add(now, rules.window, !ok);
    if (ok) {
        if (failures_.load(kRelaxed) != 0) failures_.store(0, kRelaxed);
        return std::nullopt;
    }
    std::uint32_t in_a_row = failures_.fetch_add(1, kRelaxed) + 1;
    bool too_many = rules.consecutive_failures > 0 && in_a_row >= rules.consecutive_failures;
    if (!too_many && by_rate) {
        Window::Sum sum = window_.sum(now, rules.window);
        too_many = sum.all >= rules.minimum_requests && sum.rate() >= rules.error_rate;
    }
    if (too_many && open(State::closed, now, rules)) return State::open;
    return std::nullopt;
}

std::optional<Breaker::State> Breaker::record_probe(bool ok, TimePoint now, const BreakerRules& rules) {
    if (!ok) return open(State::half_open, now, rules) ? std::optional(State::open) : std::nullopt;
    if (successes_.fetch_add(1, kRelaxed) + 1 < rules.successes) return std::nullopt;
    State half_open = State::half_open;
    failures_.store(0, kRelaxed);
    window_.clear();
    if (!state_.compare_exchange_strong(half_open, State::closed, std::memory_order_acq_rel)) return std::nullopt;
    return State::closed;
}

bool Breaker::open(State from, TimePoint now, const BreakerRules& rules) {
    open_until_.store(count_of(now + rules.open_for), kRelaxed);  // before anybody can see it open
    if (!state_.compare_exchange_strong(from, State::open, std::memory_order_acq_rel)) return false;
    openings_.fetch_add(1, kRelaxed);
    return true;
}

TimePoint Breaker::open_until() const {
    if (state() != State::open) return {};
    return TimePoint(Duration(open_until_.load(kRelaxed)));
}

}  // namespace suoke::balance
