// SPDX-License-Identifier: MIT
#include "balance/adaptive.h"

#include <algorithm>
#include <cmath>

namespace suoke::balance {

constexpr auto kRelaxed = std::memory_order_relaxed;

void Adaptive::sample(Duration latency, std::uint32_t inside, TimePoint now, const LimitRules& rules) {
    sum_.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(1, latency.count())), kRelaxed);
    count_.fetch_add(1, kRelaxed);
    if (inside > most_inside_.load(kRelaxed)) most_inside_.store(inside, kRelaxed);
    std::int64_t end = window_end_.load(kRelaxed), moment = now.time_since_epoch().count();
    if (moment < end || count_.load(kRelaxed) < kLeastSamples) return;
    if (window_end_.compare_exchange_strong(end, moment + kWindow.count(), kRelaxed)) end_window(rules);
}

void Adaptive::end_window(const LimitRules& rules) {
    std::uint64_t sum = sum_.exchange(0, kRelaxed);
    std::uint32_t count = count_.exchange(0, kRelaxed), inside = most_inside_.exchange(0, kRelaxed);
    if (count == 0) return;
    double latency = static_cast<double>(sum) / count, at_ease = at_ease_.load(kRelaxed);
    if (at_ease == 0) at_ease = latency;
    // Faster is believed at once, slower only in the long run: or overload would become the norm.
    at_ease += (latency - at_ease) * (latency < at_ease ? 0.5 : 0.005);
    at_ease_.store(at_ease, kRelaxed);

    double limit = limit_.load(kRelaxed);
    if (limit == 0) limit = std::max<double>(rules.least, std::min<double>(rules.most, 2.0 * inside));
    double gradient = std::clamp(kTolerance * at_ease / latency, 0.5, 1.0);
    double wanted = limit * gradient + std::sqrt(limit);
    // A limit that nobody comes near says nothing about more.
    if (wanted > limit && inside * 2.0 < limit) wanted = limit;
    limit = std::clamp(limit * 0.8 + wanted * 0.2, static_cast<double>(rules.least), static_cast<double>(rules.most));
    limit_.store(limit, kRelaxed);
}

}  // namespace suoke::balance
