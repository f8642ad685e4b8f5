// SPDX-License-Identifier: MIT
// Any of them, by weight. Needs to know nothing, so gateways that know nothing of each other do not
// fall into step.
#include "balance/weighted_draw.h"

namespace suoke::balance {
namespace {

class RandomChoice final : public Balancer {
 public:
    explicit RandomChoice(Candidates candidates) : draw_(candidates) {}
    std::uint32_t pick(const Ask& ask) override { return draw_.draw(ask.random); }

 private:
    WeightedDraw draw_;
};

}  // namespace

std::unique_ptr<Balancer> random_choice(Candidates candidates) { return std::make_unique<RandomChoice>(candidates); }

}  // namespace suoke::balance
