// SPDX-License-Identifier: MIT
#include "balance/seat.h"

namespace suoke::balance {
namespace {

bool good_call(bool ok, Duration took, const BreakerRules& rules) {
    return ok && (rules.slow_call <= Duration::zero() || took <= rules.slow_call);
}

void tell_change(const Members& members, const std::string* endpoint, Breaker::State state) {
    const char* type = state == Breaker::State::open ? "breaker.opened" : "breaker.closed";
    Level level = state == Breaker::State::open ? Level::warning : Level::info;
    if (endpoint)
        members.state->events.tell(level, type, {{"service", members.service}, {"endpoint", *endpoint}});
    else
        members.state->events.tell(level, type, {{"service", members.service}});
}

}  // namespace

void Seat::tell(Verdict verdict, Duration took, TimePoint now) {
    const BreakerRules& rules = members_->rules.endpoint_breaker;
    Breaker::Admission admission = std::exchange(admission_, Breaker::Admission::no);
    if (rules.enabled) {
        auto changed = member_->state->breaker.record(good_call(verdict == Verdict::ok, took, rules), admission, now, rules);
        if (changed) {
            member_->state->changed();
            tell_change(*members_, &member_->name, *changed);
        }
    }
    judge(*members_, *member_, verdict, took, now);
}

Fuse::Fuse(const Members& members, TimePoint now) {
    if (!members.rules.service_breaker.enabled) return;
    members_ = &members;
    admission_ = members.state->breaker.admit(now, members.rules.service_breaker);
}

void Fuse::tell(bool ok, Duration took, TimePoint now) {
    if (!members_) return;
    const BreakerRules& rules = members_->rules.service_breaker;
    Breaker::Admission admission = std::exchange(admission_, Breaker::Admission::no);
    auto changed = members_->state->breaker.record(good_call(ok, took, rules), admission, now, rules);
    if (changed) tell_change(*members_, nullptr, *changed);
}

}  // namespace suoke::balance
