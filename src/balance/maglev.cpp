// SPDX-License-Identifier: MIT
#include "balance/maglev.h"

#include <algorithm>
#include <cstring>

#include "balance/balancer.h"

namespace suoke::balance {
namespace {

constexpr std::uint16_t kNobody = 0xffff;

std::uint64_t mixed(std::uint64_t z) {  // splitmix64's finish
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

// A prime with a hundred slots for each, so that shares are right within a hundredth.
std::size_t table_size(std::size_t members) {
    for (std::size_t prime : {1009U, 4001U, 16001U, 65537U})
        if (members * 100 <= prime) return prime;
    return 65537;
}

class ConsistentHash final : public Balancer {
 public:
    ConsistentHash(Candidates candidates, const Members& members) : candidates_(candidates), members_(members), at_(members.all.size(), -1) {
        for (std::size_t i = 0; i < candidates.size(); ++i) at_[candidates[i].member] = static_cast<std::int32_t>(i);
    }
    // The table's choice when it is a candidate and not overloaded, else the choice for what the hash
    // makes of itself: every key of a lost member goes elsewhere on its own, and back again.
    std::uint32_t pick(const Ask& ask) override {
        std::uint64_t hash = ask.hash;
        for (std::uint32_t skip = 0; skip < ask.again; ++skip) hash = mixed(hash + 1);
        const double most = most_in_flight();
        std::int32_t first = -1;
        for (int tries = 0; tries < kTries && !members_.table.empty(); ++tries, hash = mixed(hash + 1)) {
            std::uint16_t member = members_.table[hash % members_.table.size()];
            std::int32_t i = member == kNobody ? -1 : at_[member];
            if (i < 0) continue;
            if (candidates_[static_cast<std::size_t>(i)].state->in_flight() < most) return static_cast<std::uint32_t>(i);
            if (first < 0) first = i;
        }
        return first >= 0 ? static_cast<std::uint32_t>(first) : highest(ask.hash);
    }

 private:
    static constexpr int kTries = 16;
    double most_in_flight() const {
        if (members_.rules.bounded_load <= 0) return 1e9;
        double mean = (members_.state->gate.inside() + 1.0) / static_cast<double>(candidates_.size());
        return std::max(1.0, members_.rules.bounded_load * mean);
    }
    // When few are left of many: rendezvous hashing among those.
    std::uint32_t highest(std::uint64_t hash) const {
        std::uint32_t best = 0;
        std::uint64_t most = 0;
        for (std::uint32_t i = 0; i < candidates_.size(); ++i) {
            std::uint64_t here = mixed(hash ^ members_.all[candidates_[i].member].hash);
            if (here >= most) most = here, best = i;
        }
        return best;
    }

    Candidates candidates_;
    const Members& members_;
    std::vector<std::int32_t> at_;  // by member: its candidate; -1: none
};

}  // namespace

std::uint64_t stable_hash(std::string_view text, std::uint64_t seed) {
    std::uint64_t hash = mixed(seed ^ text.size() ^ 0x9e3779b97f4a7c15ULL);
    for (std::size_t at = 0; at < text.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, std::min<std::size_t>(8, text.size() - at));
        hash = mixed(hash ^ word) + 0x9e3779b97f4a7c15ULL;
    }
    return mixed(hash);
}

std::vector<std::uint16_t> maglev_table(const std::vector<Member>& members) {
    struct Walk {
        std::size_t at, step;
        double weight, turns = 0;
        std::uint16_t member;
    };
    std::vector<Walk> walks;
    const std::size_t size = table_size(members.size());
    double heaviest = 0;
    for (std::size_t i = 0; i < members.size() && i < kNobody; ++i) {
        const Instance& instance = *members[i].instance;
        if (instance.weight == 0) continue;
        std::uint64_t hash = members[i].hash;
        heaviest = std::max<double>(heaviest, instance.weight);
        walks.push_back({hash % size, mixed(hash + 1) % (size - 1) + 1, static_cast<double>(instance.weight), 0, static_cast<std::uint16_t>(i)});
    }
    if (walks.empty()) return {};
    // Whoever comes first in the round has the first choice: that must not depend on the list's order.
    std::sort(walks.begin(), walks.end(), [&](const Walk& a, const Walk& b) { return members[a.member].name < members[b.member].name; });
    std::vector<std::uint16_t> table(size, kNobody);
    std::size_t filled = 0;
    while (filled < size) {
        for (Walk& walk : walks) {
            // Lighter ones sit rounds out; each round is worth weight / heaviest of a slot.
            walk.turns += walk.weight / heaviest;
            if (walk.turns < 1) continue;
            walk.turns -= 1;
            while (table[walk.at] != kNobody) walk.at = (walk.at + walk.step) % size;
            table[walk.at] = walk.member;
            if (++filled == size) break;
        }
    }
    return table;
}

std::unique_ptr<Balancer> consistent_hash(Candidates candidates, const Members& members) {
    return std::make_unique<ConsistentHash>(candidates, members);
}

}  // namespace suoke::balance
