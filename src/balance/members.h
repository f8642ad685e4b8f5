// SPDX-License-Identifier: MIT
#pragma once
// A service as the workers see it: immutable, made by control whenever the service or who is in it
// changes, shared by all workers. The states it points to live on when it is replaced.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "balance/adaptive.h"
#include "balance/endpoint_state.h"
#include "balance/gate.h"
#include "balance/instance.h"
#include "balance/rules.h"
#include "base/events.h"

namespace suoke::balance {

// Of one service, by its name; as lasting as an endpoint's.
struct ServiceState {
    ServiceState(Events& e, Epoch& c) : events(e), epoch(c) {}
    Events& events;
    Epoch& epoch;
    Breaker breaker;
    alignas(kCacheLine) Gate gate;              // written by every request, unlike what is above
    alignas(kCacheLine) Adaptive adaptive;
    std::atomic<std::uint64_t> over_limit{0};   // that the adaptive limit turned, or would have turned, away
    std::mutex ejecting;                        // so that the share of ejected ones holds
};

struct Member {
    upstream::EndpointAddress address;
    std::string name;              // "10.0.0.7:8080", for headers and logs
    const Instance* instance = nullptr;  // as its source described it; one of Members::owners has it
    std::uint32_t level = 0;       // of preference; 0 first
    std::uint64_t hash = 0;        // of its name: the same in every gateway
    std::shared_ptr<EndpointState> state;
};

struct Members {
    std::string service;
    Rules rules;
    std::vector<Member> all;
    std::shared_ptr<ServiceState> state;
    std::vector<std::shared_ptr<const void>> owners;  // of the instances
    std::vector<std::uint16_t> table;  // of consistent_hash: a member for each slot (maglev.h)
};
using MembersPtr = std::shared_ptr<const Members>;

inline bool is_up(const Member& member, TimePoint now) {
    const EndpointState& state = *member.state;
    return state.checked() != EndpointState::Checked::unwell && !state.ejected(now);
}

}  // namespace suoke::balance
