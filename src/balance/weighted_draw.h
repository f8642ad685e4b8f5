// SPDX-License-Identifier: MIT
#pragma once
// Draws candidates by weight: one step when all weigh the same, else a search in the sums.

#include <algorithm>
#include <vector>

#include "balance/balancer.h"

namespace suoke::balance {

class WeightedDraw {
 public:
    explicit WeightedDraw(Candidates candidates) : count_(candidates.size()) {
        if (weigh_the_same(candidates)) return;
        double sum = 0;
        for (const Candidate& each : candidates) sums_.push_back(sum += each.weight);
    }
    std::uint32_t draw(Random& random) const {
        if (sums_.empty()) return static_cast<std::uint32_t>(random.below(count_));
        auto at = std::upper_bound(sums_.begin(), sums_.end(), random.unit() * sums_.back());
        return static_cast<std::uint32_t>(std::min<std::ptrdiff_t>(at - sums_.begin(), static_cast<std::ptrdiff_t>(count_) - 1));
    }

 private:
    std::size_t count_;
    std::vector<double> sums_;
};

}  // namespace suoke::balance
