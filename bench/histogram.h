// SPDX-License-Identifier: MIT
#pragma once
// Latencies in logarithmic buckets, as HdrHistogram does it: 128 steps per power of two, so that a
// percentile is at most 0.8 % above the truth, in 58 KiB and without sorting anything.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace suoke::bench {

class Histogram {
 public:
    void record(std::uint64_t value) {
        ++counts_[bucket_of(value)];
        ++count_;
        sum_ += value;
        max_ = std::max(max_, value);
    }

    std::uint64_t count() const { return count_; }
    std::uint64_t max() const { return max_; }
    double mean() const { return count_ ? double(sum_) / double(count_) : 0; }

    // The value that `share` (0 to 1) of all do not exceed; 0 when there is none.
    std::uint64_t percentile(double share) const {
        auto wanted = std::max<std::uint64_t>(1, std::llround(std::ceil(share * double(count_))));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen >= wanted) return std::min(last_of(i), max_);
        }
        return max_;
    }

 private:
    static constexpr int step_bits = 7;
    static constexpr std::uint64_t steps = 1 << step_bits;

    // The first two powers' worth of buckets hold one value each; above, the top bits choose.
    static std::size_t bucket_of(std::uint64_t value) {
        if (value < 2 * steps) return value;
        int shift = std::bit_width(value) - step_bits - 1;
        return std::size_t(shift) * steps + (value >> shift);
    }
    static std::uint64_t last_of(std::size_t bucket) {
        if (bucket < 2 * steps) return bucket;
        std::size_t shift = bucket / steps - 1;
        return ((bucket - shift * steps + 1) << shift) - 1;
    }

    std::array<std::uint64_t, (64 - step_bits + 1) * steps> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace suoke::bench
