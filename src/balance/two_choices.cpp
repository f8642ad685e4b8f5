// SPDX-License-Identifier: MIT
// Draws two and takes the one that is expected to answer sooner: its recent latency (peak EWMA) times
// the requests it has under way. Two draws keep a herd from running to the one that looks best.
#include "balance/weighted_draw.h"

namespace suoke::balance {
namespace {

class TwoChoices final : public Balancer {
 public:
    explicit TwoChoices(Candidates candidates) : candidates_(candidates), draw_(candidates) {}
    std::uint32_t pick(const Ask& ask) override {
        std::uint32_t a = draw_.draw(ask.random);
        if (candidates_.size() == 1) return a;
        std::uint32_t b = draw_.draw(ask.random);
        for (int tries = 0; b == a && tries < 3; ++tries) b = draw_.draw(ask.random);
        if (b == a) b = a + 1 < candidates_.size() ? a + 1 : 0;
        return cost(b) < cost(a) ? b : a;
    }

 private:
    // One that is not known yet is tried soon, but not by everybody before it has answered once.
    double cost(std::uint32_t i) const {
        constexpr double kUntilKnown = 1e9;   // a second
        const EndpointState& state = *candidates_[i].state;
        double latency = state.latency(), in_flight = state.in_flight();
        if (latency == 0 && in_flight > 0) latency = kUntilKnown;
        return (latency + 1) * (in_flight + 1);
    }
    Candidates candidates_;
    WeightedDraw draw_;
};

}  // namespace

std::unique_ptr<Balancer> two_choices(Candidates candidates) { return std::make_unique<TwoChoices>(candidates); }

}  // namespace suoke::balance
