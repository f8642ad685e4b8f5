// SPDX-License-Identifier: MIT
#include "gateway/local_service.h"

#include <unordered_map>

namespace suoke::gateway {

void ServiceView::keep_connections_of(const ServiceView& before) {
    std::unordered_map<const balance::EndpointState*, std::size_t> ours;
    for (std::size_t i = 0; i < members().all.size(); ++i) ours[members().all[i].state.get()] = i;
    for (std::size_t i = 0; i < before.berths_.size(); ++i) {
        if (!before.berths_[i].h1 && !before.berths_[i].h2) continue;
        auto found = ours.find(before.members().all[i].state.get());
        if (found != ours.end()) berths_[found->second] = pools_.of(members().all[found->second].address);
    }
}

}  // namespace suoke::gateway
