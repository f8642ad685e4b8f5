// SPDX-License-Identifier: MIT
#pragma once
// HTTP/2 connections to one endpoint, owned by one worker. Exchanges share them; another one is
// opened when all are full.

#include <cstdint>
#include <memory>
#include <vector>

#include "http/client_h2.h"
#include "rt/scope.h"
#include "upstream/pool.h"

namespace suoke::upstream {

// On a new HTTP/2 connection. alone: nobody's request goes before ours.
enum class Company : std::uint8_t { shared, alone };

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
    // One with room: another exchange makes it, or a new connection. Company::alone: a new one, whose first exchange is the caller's.
    rt::Task<Result<Client>> open(TimePoint connect_deadline, TimePoint pool_deadline, Company company = Company::shared);
    void close_idle();   // no new exchanges on what is open
    std::uint32_t users = 0;   // views that may take connections (Pools)
    bool unused() const { return counts_.open == 0 && waiting() == 0; }
    const PoolCounts& counts() const { return counts_; }

 private:
    class Call;
    class Dialing;

    void changed() override;
    bool has_place() const { return counts_.open + dialing_ < limits_.connections; }
    std::uint32_t waiting() const { return sharers_.size() + loners_.size(); }
    Queue& queue_of(Company company) { return company == Company::alone ? loners_ : sharers_; }
    void offer_place(Company first);
    rt::Task<void> keep(Client client);

    rt::Loop& loop_;
    Dialer& dialer_;
    rt::BufferPool& buffers_;
    EndpointAddress endpoint_;
    PoolLimits limits_;
    PoolCounts counts_;
    std::vector<Client> clients_;
    std::uint32_t dialing_ = 0;
    Queue sharers_, loners_;     // who can use room on what is open, and who only a place for a connection
    rt::TaskScope connections_;  // ends before everything above
};

}  // namespace suoke::upstream
