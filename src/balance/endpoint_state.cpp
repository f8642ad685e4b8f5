// SPDX-License-Identifier: MIT
#include "balance/endpoint_state.h"

#include <algorithm>
#include <bit>

namespace suoke::balance {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr double kDecayMilliseconds = 10'000;  // an old peak is half forgotten after this long without samples

std::uint64_t packed(float microseconds, std::uint32_t at) {
    return std::uint64_t{std::bit_cast<std::uint32_t>(microseconds)} << 32 | at;
}
float value_of(std::uint64_t packed) { return std::bit_cast<float>(static_cast<std::uint32_t>(packed >> 32)); }

std::uint32_t milliseconds_of(TimePoint now) {
    return static_cast<std::uint32_t>(now.time_since_epoch() / std::chrono::milliseconds(1));
}

}  // namespace

void EndpointState::took(Duration latency, TimePoint now) {
    std::uint64_t before = latency_.load(kRelaxed);
    float old = value_of(before), sample = static_cast<float>(latency.count()) / 1000.0F;
    std::uint32_t at = milliseconds_of(now);
    float next = sample;
    if (sample < old) {
        // At least 1 in 64, so that a busy endpoint's peak is forgotten within a few dozen answers.
        double gone = at - static_cast<std::uint32_t>(before);
        auto weight = static_cast<float>(std::max(1.0 / 64, gone / (gone + kDecayMilliseconds)));
        next = old + (sample - old) * weight;
    }
    // Losing the race to another worker loses one sample of many.
    latency_.compare_exchange_weak(before, packed(next, at), kRelaxed);
}

void EndpointState::took_at_least(Duration latency, TimePoint now) {
    if (static_cast<double>(latency.count()) > this->latency()) took(latency, now);
}

double EndpointState::latency() const { return static_cast<double>(value_of(latency_.load(kRelaxed))) * 1000; }

void EndpointState::sample(bool ok, Duration took) {
    interval_all_.fetch_add(1, kRelaxed);
    if (!ok) interval_bad_.fetch_add(1, kRelaxed);
    interval_nanoseconds_.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, took.count())), kRelaxed);
}

EndpointState::Interval EndpointState::take_interval() {
    Interval interval;
    interval.all = interval_all_.exchange(0, kRelaxed);
    interval.bad = interval_bad_.exchange(0, kRelaxed);
    std::uint64_t sum = interval_nanoseconds_.exchange(0, kRelaxed);
    if (interval.all > 0) interval.mean = Duration(static_cast<std::int64_t>(sum / interval.all));
    return interval;
}

void EndpointState::set_checked(Checked checked, TimePoint now) {
    if (checked_.exchange(checked, kRelaxed) == Checked::unwell && checked == Checked::well) rise(now);
    changed();
}

bool EndpointState::eject(Why why, TimePoint now, const OutlierRules& rules) {
    std::int64_t until = ejected_until_.load(kRelaxed);
    if (TimePoint(Duration(until)) > now) return false;
    // What happened long ago is forgotten: ten times the base without an ejection.
    bool of_late = until != 0 && now - TimePoint(Duration(until)) < 10 * rules.base_ejection;
    std::uint32_t times = of_late ? of_late_.load(kRelaxed) + 1 : 1;
    Duration length = std::min<Duration>(rules.max_ejection, rules.base_ejection * times);
    TimePoint end = now + length;
    if (!ejected_until_.compare_exchange_strong(until, end.time_since_epoch().count(), kRelaxed)) return false;
    of_late_.store(times, kRelaxed);
    ejected_for_.store(why, kRelaxed);
    ejections_.fetch_add(1, kRelaxed);
    failures_.store(0, kRelaxed);
    errors_.store(0, kRelaxed);
    rise(end);
    changed();
    return true;
}

bool EndpointState::readmit(TimePoint now) {
    std::int64_t until = ejected_until_.load(kRelaxed);
    if (TimePoint(Duration(until)) <= now) return false;
    if (!ejected_until_.compare_exchange_strong(until, now.time_since_epoch().count(), kRelaxed)) return false;
    rise(now);
    changed();
    return true;
}

}  // namespace suoke::balance
