// SPDX-License-Identifier: MIT
#pragma once
// All upstream connections of a worker. They outlive configurations: an endpoint is found by what it
// is, its address and what is spoken there.

#include <map>
#include <memory>
#include <string>
#include <vector>

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
    Berth of(const EndpointAddress& endpoint, const PoolLimits& limits);
    // Forgets what nobody uses and `keep` does not name (EndpointAddress::identity()).
    void retain(const std::vector<std::string>& keep);
    PoolCounts counts() const;

 private:
    rt::Loop& loop_;
    Dialer& dialer_;
    rt::BufferPool& buffers_;
    std::map<std::string, std::unique_ptr<Pool>> h1_;
    std::map<std::string, std::unique_ptr<H2Pool>> h2_;
};

}  // namespace suoke::upstream
