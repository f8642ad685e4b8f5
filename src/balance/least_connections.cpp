// SPDX-License-Identifier: MIT
// The one with the fewest requests under way for its weight, counted over all workers. Ties go to each
// in turn. Looks at every candidate: for hundreds of them two_choices is cheaper and nearly as good.
#include "balance/balancer.h"

namespace suoke::balance {
namespace {

class LeastConnections final : public Balancer {
 public:
    explicit LeastConnections(Candidates candidates) : candidates_(candidates) {}
    std::uint32_t pick(const Ask& ask) override {
        auto count = static_cast<std::uint32_t>(candidates_.size());
        auto start = static_cast<std::uint32_t>(ask.random.below(count));
        std::uint32_t best = start;
        double least = load(start);
        for (std::uint32_t step = 1; step < count; ++step) {
            std::uint32_t i = start + step < count ? start + step : start + step - count;
            double here = load(i);
            if (here < least) least = here, best = i;
        }
        return best;
    }

 private:
    double load(std::uint32_t i) const { return (candidates_[i].state->in_flight() + 1) / candidates_[i].weight; }
    Candidates candidates_;
};

}  // namespace

std::unique_ptr<Balancer> least_connections(Candidates candidates) { return std::make_unique<LeastConnections>(candidates); }

}  // namespace suoke::balance
