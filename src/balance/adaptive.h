// SPDX-License-Identifier: MIT
#pragma once
// Finds how many requests at once are good for a service: while its answers take as long as they do
// at ease, more are let in; when they take longer, fewer. (The gradient method: the limit is multiplied
// by the ratio of the two latencies, and grows by its square root to go on searching.)
// Shared by all workers; whoever ends a window does the sums.

#include <atomic>
#include <cstdint>

#include "balance/rules.h"

namespace suoke::balance {

class Adaptive {
 public:
    static constexpr Duration kWindow = std::chrono::milliseconds(250);
    static constexpr std::uint32_t kLeastSamples = 10;
    static constexpr double kTolerance = 1.5;  // of latency, before the limit shrinks

    void sample(Duration latency, std::uint32_t inside, TimePoint now, const LimitRules& rules);
    std::uint32_t limit() const { return static_cast<std::uint32_t>(limit_.load(std::memory_order_relaxed) + 0.5); }  // 0: not known yet

 private:
    void end_window(const LimitRules& rules);
    std::atomic<double> limit_{0};             // in fractions: growth is less than one at a time
    std::atomic<std::int64_t> window_end_{0};
    std::atomic<std::uint64_t> sum_{0};
    std::atomic<std::uint32_t> count_{0}, most_inside_{0};
    std::atomic<double> at_ease_{0};           // nanoseconds
};

}  // namespace suoke::balance
