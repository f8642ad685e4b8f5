// SPDX-License-Identifier: MIT
#include "upstream/pools.h"

#include <algorithm>

namespace suoke::upstream {

Berth Pools::of(const EndpointAddress& endpoint, const PoolLimits& limits) {
    Berth berth;
    if (endpoint.protocol == Protocol::h2) {
        auto& pool = h2_[endpoint.identity()];
        if (!pool) pool = std::make_unique<H2Pool>(loop_, dialer_, buffers_, endpoint);
        berth.h2 = pool.get();
        berth.h2->set_limits(limits);
    } else {
        auto& pool = h1_[endpoint.identity()];
        if (!pool) pool = std::make_unique<Pool>(loop_, dialer_, endpoint);
        berth.h1 = pool.get();
        berth.h1->set_limits(limits);
    }
    return berth;
}

template <class Map>
static void retain_in(Map& pools, const std::vector<std::string>& keep) {
    for (auto it = pools.begin(); it != pools.end();) {
        bool named = std::find(keep.begin(), keep.end(), it->first) != keep.end();
        if (!named) it->second->close_idle();
        it = !named && it->second->unused() ? pools.erase(it) : std::next(it);
    }
}

void Pools::retain(const std::vector<std::string>& keep) {
    retain_in(h1_, keep);
    retain_in(h2_, keep);
}

PoolCounts Pools::counts() const {
    PoolCounts sum;
    for (const auto& [name, pool] : h1_) sum += pool->counts();
    for (const auto& [name, pool] : h2_) sum += pool->counts();
    return sum;
}

}  // namespace suoke::upstream
