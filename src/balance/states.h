// SPDX-License-Identifier: MIT
#pragma once
// All states there are, found by identity. Control makes them; who uses one keeps it alive.

#include <memory>
#include <string>
#include <unordered_map>

#include "balance/members.h"

namespace suoke::balance {

class States {
 private:
    template <class Map, class Make>
    static auto found_in(Map& map, const std::string& name, Make make) {
        auto& weak = map[name];
        auto state = weak.lock();
        if (!state) weak = state = make();
        return state;
    }

 public:
    States(Events& events, Epoch& epoch) : events_(events), epoch_(epoch) {}
    std::shared_ptr<EndpointState> endpoint(const std::string& identity) {
        return found_in(endpoints_, identity, [&] { return std::make_shared<EndpointState>(identity, epoch_); });
    }
    std::shared_ptr<ServiceState> service(const std::string& name) {
        return found_in(services_, name, [&] { return std::make_shared<ServiceState>(events_, epoch_); });
    }
    Events& events() { return events_; }
    void forget_unused() {
        std::erase_if(endpoints_, [](const auto& each) { return each.second.expired(); });
        std::erase_if(services_, [](const auto& each) { return each.second.expired(); });
    }

 private:
    Events& events_;
    Epoch& epoch_;
    std::unordered_map<std::string, std::weak_ptr<EndpointState>> endpoints_;
    std::unordered_map<std::string, std::weak_ptr<ServiceState>> services_;
};

}  // namespace suoke::balance
