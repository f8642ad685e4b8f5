// SPDX-License-Identifier: MIT
#pragma once
// A way to choose among candidates that are all fit for traffic. One per worker, service and level,
// made anew when the candidates change; what it needs of other workers is in the endpoints' states.

#include <memory>
#include <span>

#include "balance/members.h"
#include "base/random.h"

namespace suoke::balance {

struct Candidate {
    std::uint32_t member;      // index in Members::all
    double weight;             // above zero
    const EndpointState* state;
};

struct Ask {
    Random& random;
    std::uint64_t hash = 0;    // of what the request is to be told by (Rules::hash)
    std::uint32_t again = 0;   // how many of this request's choices were not to be had
};

class Balancer {
 public:
    virtual ~Balancer() = default;
    virtual std::uint32_t pick(const Ask& ask) = 0;  // index of a candidate
};
using Candidates = std::span<const Candidate>;  // never empty; outlives the balancer

// `cursor` goes on from one balancer to the next, so that a change does not begin at the first again; of
// several levels' balancers one keeps it.
std::unique_ptr<Balancer> round_robin(Candidates candidates, std::uint32_t& cursor, bool keeps_cursor, Random& random);
std::unique_ptr<Balancer> least_connections(Candidates candidates);
std::unique_ptr<Balancer> random_choice(Candidates candidates);
std::unique_ptr<Balancer> two_choices(Candidates candidates);
std::unique_ptr<Balancer> consistent_hash(Candidates candidates, const Members& members);

inline bool weigh_the_same(Candidates candidates) {
    for (const Candidate& each : candidates)
        if (each.weight != candidates.front().weight) return false;
    return true;
}

}  // namespace suoke::balance
