// SPDX-License-Identifier: MIT
// Each in turn, by weight: whoever is due next by its own period (earliest deadline first), so one with
// weight 3 comes three times as often, evenly spread.
#include <algorithm>

#include "balance/balancer.h"

namespace suoke::balance {
namespace {

class InTurn final : public Balancer {
 public:
    InTurn(std::size_t count, std::uint32_t& cursor, bool keeps_cursor)
        : count_(static_cast<std::uint32_t>(count)), at_(cursor), cursor_(keeps_cursor ? &cursor : nullptr) {}
    std::uint32_t pick(const Ask&) override {
        if (++at_ >= count_) at_ = 0;
        if (cursor_) *cursor_ = at_;
        return at_;
    }

 private:
    std::uint32_t count_, at_;
    std::uint32_t* cursor_;
};

class ByDeadline final : public Balancer {
 public:
    ByDeadline(Candidates candidates, Random& random) {
        for (std::uint32_t i = 0; i < candidates.size(); ++i) {
            double period = 1 / candidates[i].weight;
            // Each worker, and each new beginning, starts elsewhere in the round.
            due_.push_back({period * random.unit(), period, i});
        }
        std::make_heap(due_.begin(), due_.end(), later);
    }
    std::uint32_t pick(const Ask&) override {
        std::pop_heap(due_.begin(), due_.end(), later);
        Due& next = due_.back();
        std::uint32_t chosen = next.candidate;
        next.at += next.period;
        std::push_heap(due_.begin(), due_.end(), later);
        return chosen;
    }

 private:
    struct Due {
        double at, period;
        std::uint32_t candidate;
    };
    static bool later(const Due& a, const Due& b) { return a.at != b.at ? a.at > b.at : a.candidate > b.candidate; }
    std::vector<Due> due_;
};

}  // namespace

std::unique_ptr<Balancer> round_robin(Candidates candidates, std::uint32_t& cursor, bool keeps_cursor, Random& random) {
    if (weigh_the_same(candidates)) return std::make_unique<InTurn>(candidates.size(), cursor, keeps_cursor);
    return std::make_unique<ByDeadline>(candidates, random);
}

}  // namespace suoke::balance
