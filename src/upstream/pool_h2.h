// SPDX-License-Identifier: MIT
#pragma once
// HTTP/2 connections to one endpoint, owned by one worker. Exchanges share them; another one is
// opened when all are full.

#include <memory>
#include <vector>

#include "http/client_h2.h"
#include "rt/scope.h"
#include "upstream/pool.h"

namespace suoke::upstream {

class H2Pool final : public http::H2Client::Watcher {
 public:
    H2Pool(rt::Loop& loop, Dialer& dialer, rt::BufferPool& buffers, EndpointAddress endpoint);
    ~H2Pool();
    H2Pool(const H2Pool&) = delete;
    H2Pool& operator=(const H2Pool&) = delete;

    void set_limits(const PoolLimits& limits) { limits_ = limits; }
    using Client = std::shared_ptr<http::H2Client>;
    // One with room, if there is one: the usual case, and no coroutine.
    Client take();
    // One with room: another exchange makes it, or a new connection. `alone`: a new one, whose first exchange is the caller's.
    rt::Task<Result<Client>> open(TimePoint connect_deadline, TimePoint pool_deadline, bool alone = false);
    void close_idle();   // no new exchanges on what is open
    std::uint32_t users = 0;   // views that may take connections (Pools)
    bool unused() const { return counts_.open == 0 && queue_.size() == 0; }
    const PoolCounts& counts() const { return counts_; }

 private:
    void changed() override;
    rt::Task<void> keep(Client client);

    rt::Loop& loop_;
    Dialer& dialer_;
    rt::BufferPool& buffers_;
    EndpointAddress endpoint_;
    PoolLimits limits_;
    PoolCounts counts_;
    std::vector<Client> clients_;
    std::uint32_t dialing_ = 0;
    Queue queue_;
    rt::TaskScope connections_;  // ends before everything above
};

}  // namespace suoke::upstream
