// SPDX-License-Identifier: MIT
#pragma once
// A service as one worker has it: its view of the members, with the connections to each, and what it
// counts itself. Found by name; without members it is an empty shell.

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <string>
#include <vector>

#include "balance/retry_budget.h"
#include "balance/view.h"
#include "upstream/pools.h"

namespace suoke::gateway {

// A view whose members have connections. Pools are made when first needed: a gateway of thousands of
// endpoints has those it uses.
class ServiceView final : public balance::View {
 public:
    ServiceView(balance::MembersPtr members, Random& random, std::uint32_t start, upstream::Pools& pools)
        : View(std::move(members), random, start), pools_(pools), berths_(this->members().all.size()) {}
    ~ServiceView() override {
        for (const upstream::Berth& berth : berths_) pools_.release(berth);
    }
    const upstream::Berth& berth(const balance::Member& member) {
        upstream::Berth& berth = berths_[index_of(member)];
        if (!berth.h1 && !berth.h2) [[unlikely]]
            berth = pools_.of(member.address);
        return berth;
    }
    // What is connected stays connected when the list of members changes around it.
    void keep_connections_of(const ServiceView& before);

 private:
    upstream::Pools& pools_;
    std::vector<upstream::Berth> berths_;  // by member
};
using ServiceViewPtr = boost::intrusive_ptr<ServiceView>;

struct LocalService {
    std::string name;
    ServiceViewPtr view;
    balance::RetryBudget budget;
};

}  // namespace suoke::gateway
