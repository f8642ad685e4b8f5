// SPDX-License-Identifier: MIT
#include "upstream/pools.h"

namespace suoke::upstream {

Berth Pools::of(const EndpointAddress& endpoint) {
    Berth berth;
    auto use = [&](auto& pool, auto... made_with) {
        if (!pool) {
            using P = std::remove_reference_t<decltype(*pool)>;
            pool = std::make_unique<P>(loop_, dialer_, made_with..., endpoint);
            pool->set_limits(limits_);
        }
        ++pool->users;
        return pool.get();
    };
    if (endpoint.protocol == Protocol::h2)
        berth.h2 = use(h2_[endpoint.identity()], std::ref(buffers_));
    else
        berth.h1 = use(h1_[endpoint.identity()]);
    return berth;
}

void Pools::release(const Berth& berth) {
    if (berth.h1 && --berth.h1->users == 0) berth.h1->close_idle();
    if (berth.h2 && --berth.h2->users == 0) berth.h2->close_idle();
}

void Pools::set_limits(const PoolLimits& limits) {
    limits_ = limits;
    for (auto& [name, pool] : h1_) pool->set_limits(limits);
    for (auto& [name, pool] : h2_) pool->set_limits(limits);
}

void Pools::forget_unused() {
    auto unused = [](const auto& each) { return each.second->users == 0 && each.second->unused(); };
    std::erase_if(h1_, unused);
    std::erase_if(h2_, unused);
}

PoolCounts Pools::counts() const {
    PoolCounts sum;
    for (const auto& [name, pool] : h1_) sum += pool->counts();
    for (const auto& [name, pool] : h2_) sum += pool->counts();
    return sum;
}

}  // namespace suoke::upstream
