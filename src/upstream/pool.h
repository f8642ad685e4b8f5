// SPDX-License-Identifier: MIT
#pragma once
// Connections to one endpoint, owned by one worker. They outlive configurations: a pool is found by
// the endpoint's address. A connection whose peer closes it while it is idle leaves at once, told by
// the loop, so taking one costs no system call.

#include <memory>
#include <string>
#include <vector>

#include "upstream/dialer.h"
#include "upstream/queue.h"

namespace suoke::upstream {

struct PoolLimits {
    std::uint32_t connections = 1024;   // open at a time
    std::uint32_t idle = 128;           // kept for reuse
    std::uint32_t waiting = 1024;       // exchanges that wait for a free one
    Duration idle_expiry = std::chrono::seconds(60);
};

// What a worker has seen of its upstream connections; read by anyone.
struct PoolCounts {
    std::uint64_t opened = 0, reused = 0, expired = 0, failed = 0;
    std::uint64_t open = 0, idle = 0;

    PoolCounts& operator+=(const PoolCounts& other) {
        opened += other.opened, reused += other.reused, expired += other.expired;
        failed += other.failed, open += other.open, idle += other.idle;
        return *this;
    }
};

class Pool;

// A leased connection. Dropping the lease closes it; give_back() keeps it for the next exchange.
class Lease {
 public:
    Lease() = default;
    Lease(Lease&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), stream_(std::move(other.stream_)), reused_(other.reused_) {}
    Lease& operator=(Lease&& other) noexcept {
        drop();
        pool_ = std::exchange(other.pool_, nullptr);
        stream_ = std::move(other.stream_);
        reused_ = other.reused_;
        return *this;
    }
    ~Lease() { drop(); }
    explicit operator bool() const { return stream_ != nullptr; }
    rt::Stream& stream() const { return *stream_; }
    bool reused() const { return reused_; }
    void drop();
    // Only after a completely read response with nothing behind it.
    void give_back();

 private:
    friend class Pool;
    Lease(Pool* pool, rt::StreamPtr stream, bool reused) : pool_(pool), stream_(std::move(stream)), reused_(reused) {}
    Pool* pool_ = nullptr;
    rt::StreamPtr stream_;
    bool reused_ = false;
};

class Pool {
 public:
    Pool(rt::Loop& loop, Dialer& dialer, EndpointAddress endpoint);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    void set_limits(const PoolLimits& limits) { limits_ = limits; }
    // An idle connection, if there is one: the usual case, and no coroutine.
    Lease take_idle();
    // A new connection, or one that comes free in time.
    // `preamble`: of an endpoint that is told the client first (EndpointAddress::for_one_client).
    rt::Task<Result<Lease>> open(TimePoint connect_deadline, TimePoint pool_deadline, std::string preamble = {});
    void close_idle();
    std::uint32_t users = 0;   // views that may take connections (Pools)
    bool unused() const { return counts_.open == 0 && queue_.size() == 0; }
    const PoolCounts& counts() const { return counts_; }
    const EndpointAddress& endpoint() const { return endpoint_; }

 private:
    friend class Lease;
    class Idle;
    class Expiry;

    void give_back(rt::StreamPtr stream);
    void closed();
    void forget(Idle& idle);
    void expire();

    rt::Loop& loop_;
    Dialer& dialer_;
    EndpointAddress endpoint_;
    PoolLimits limits_;
    PoolCounts counts_;
    std::vector<std::unique_ptr<Idle>> idle_;  // the last one in is the first one out
    Queue queue_;
    std::unique_ptr<Expiry> expiry_;
};

}  // namespace suoke::upstream
