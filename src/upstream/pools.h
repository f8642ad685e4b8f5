// SPDX-License-Identifier: MIT
#pragma once
// All upstream connections of a worker. They outlive configurations: an endpoint is found by what it
// is, its address and what is spoken there.

#include <memory>
#include <string>
#include <unordered_map>

#include "upstream/pool.h"
#include "upstream/pool_h2.h"

namespace suoke::upstream {

// Where the connections to one endpoint are; one of the two, by its protocol.
struct Berth {
    Pool* h1 = nullptr;
    H2Pool* h2 = nullptr;
};

class Pools {
 public:
    Pools(rt::Loop& loop, Dialer& dialer, rt::BufferPool& buffers) : loop_(loop), dialer_(dialer), buffers_(buffers) {}
    // Each answer is one more user of the endpoint's pool, until it is released.
    Berth of(const EndpointAddress& endpoint);
    // The last user closes what is idle; the pool goes once nothing of it is open.
    void release(const Berth& berth);
    void set_limits(const PoolLimits& limits);
    void forget_unused();
    PoolCounts counts() const;

 private:
    rt::Loop& loop_;
    Dialer& dialer_;
    rt::BufferPool& buffers_;
    PoolLimits limits_;
    template <class P>
    using Users = std::unordered_map<std::string, std::unique_ptr<P>>;  // by EndpointAddress::identity()
    Users<Pool> h1_;
    Users<H2Pool> h2_;
};

}  // namespace suoke::upstream
