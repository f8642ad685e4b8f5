// SPDX-License-Identifier: MIT
#include "upstream/pool.h"

#include <algorithm>

namespace suoke::upstream {

void Lease::drop() {
    if (!stream_) return;
    stream_.reset();
    pool_->closed();
}

void Lease::give_back() { pool_->give_back(std::move(stream_)); }

// A connection nobody uses; leaves the pool by itself when its peer closes it.
class Pool::Idle final : rt::HangupListener {
 public:
    Idle(Pool& pool, rt::StreamPtr stream) : pool_(pool), stream_(std::move(stream)), since_(pool.loop_.now()) {
        stream_->set_hangup_listener(this);
    }
    rt::StreamPtr take() {
        stream_->set_hangup_listener(nullptr);
        return std::move(stream_);
    }
    // Bytes that nobody asked for, or an end: not to be used (RFC 9112 §9.2).
    bool spoiled() const { return stream_->maybe_readable() || stream_->hung_up(); }
    TimePoint since() const { return since_; }

 private:
    void on_hangup() override { pool_.forget(*this); }
    Pool& pool_;
    rt::StreamPtr stream_;
    TimePoint since_;
};

class Pool::Expiry final : public rt::Timer {
 public:
    explicit Expiry(Pool& pool) : pool_(pool) {}

 private:
    void expired() override { pool_.expire(); }
    Pool& pool_;
};

// A place in the queue for a connection.
class Pool::Turn final : public rt::ListHook<Turn>, public rt::Deferred, rt::Timer {
 public:
    Turn(Pool& pool, TimePoint deadline) : pool_(pool), deadline_(deadline) { ++pool_.waiters_; }
    ~Turn() {
        --pool_.waiters_;
        // Called, but gone before its turn came: what came free is for the next one.
        if (rt::Deferred::linked()) pool_.wake_one();
    }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
        waiter_ = waiter;
        pool_.queue_.push_back(*this);
        pool_.loop_.timers().arm(*this, deadline_);
    }
    bool await_resume() { return called_; }  // false: the deadline came first
    void call() {
        rt::ListHook<Turn>::unlink();
        called_ = true;
        disarm();
        pool_.loop_.defer(*this);
    }

 private:
    void run() override { waiter_.resume(); }
    void expired() override {
        rt::ListHook<Turn>::unlink();
        waiter_.resume();
    }
    Pool& pool_;
    TimePoint deadline_;
    std::coroutine_handle<> waiter_;
    bool called_ = false;
};

Pool::Pool(rt::Loop& loop, Dialer& dialer, EndpointAddress endpoint)
    : loop_(loop), dialer_(dialer), endpoint_(std::move(endpoint)), expiry_(std::make_unique<Expiry>(*this)) {}
Pool::~Pool() = default;

Lease Pool::take_idle() {
    while (!idle_.empty()) {
        auto idle = std::move(idle_.back());
        idle_.pop_back();
        --counts_.idle;
        if (idle->spoiled()) {
            --counts_.open;
            continue;
        }
        ++counts_.reused;
        return Lease(this, idle->take(), true);
    }
    return {};
}

rt::Task<Result<Lease>> Pool::open(TimePoint connect_deadline, TimePoint pool_deadline) {
    while (counts_.open >= limits_.connections) {
        if (waiters_ >= limits_.waiting) co_return Error(Code::pool_exhausted, "too many requests wait for " + endpoint_.to_string());
        Turn turn(*this, pool_deadline);
        bool called = co_await turn;
        if (!called) co_return Error(Code::pool_exhausted, "no free connection to " + endpoint_.to_string() + " in time");
        if (Lease lease = take_idle()) co_return lease;
    }
    // The place is taken before connecting, so that the limit holds; ~Opening gives it back.
    struct Opening {
        Pool& pool;
        bool done = false;
        ~Opening() {
            if (!done) pool.closed();
        }
    } opening{*this};
    ++counts_.open;
    Result<rt::StreamPtr> stream = co_await dialer_.dial(endpoint_, connect_deadline);
    if (stream && endpoint_.tls)
        stream = co_await rt::tls_connect(std::move(*stream), endpoint_.tls, endpoint_.host, endpoint_.to_string(), connect_deadline);
    if (!stream) {
        ++counts_.failed;
        co_return stream.error();
    }
    opening.done = true;
    ++counts_.opened;
    co_return Lease(this, std::move(*stream), false);
}

void Pool::give_back(rt::StreamPtr stream) {
    if (idle_.size() >= limits_.idle || stream->hung_up()) {
        stream.reset();
        return closed();
    }
    idle_.push_back(std::make_unique<Idle>(*this, std::move(stream)));
    ++counts_.idle;
    if (!expiry_->armed()) loop_.timers().arm(*expiry_, loop_.now() + limits_.idle_expiry);
    wake_one();
}

void Pool::closed() {
    --counts_.open;
    wake_one();
}

void Pool::wake_one() {
    if (Turn* turn = queue_.first()) turn->call();
}

void Pool::forget(Idle& gone) {
    auto at = std::find_if(idle_.begin(), idle_.end(), [&](const auto& idle) { return idle.get() == &gone; });
    if (at == idle_.end()) return;
    idle_.erase(at);
    --counts_.idle;
    closed();
}

void Pool::expire() {
    TimePoint limit = loop_.now() - limits_.idle_expiry;
    std::size_t old = 0;
    while (old < idle_.size() && idle_[old]->since() <= limit) ++old;  // the oldest are in front
    idle_.erase(idle_.begin(), idle_.begin() + static_cast<std::ptrdiff_t>(old));
    counts_.idle -= old;
    counts_.open -= old;
    counts_.expired += old;
    if (!idle_.empty()) loop_.timers().arm(*expiry_, idle_.front()->since() + limits_.idle_expiry);
}

void Pool::close_idle() {
    counts_.open -= idle_.size();
    counts_.idle = 0;
    idle_.clear();
}

Pool& Pools::of(const EndpointAddress& endpoint) {
    auto& pool = pools_[endpoint.key()];
    if (!pool) pool = std::make_unique<Pool>(loop_, dialer_, endpoint);
    return *pool;
}

void Pools::retain(const std::vector<std::string>& keep) {
    for (auto it = pools_.begin(); it != pools_.end();) {
        bool named = std::find(keep.begin(), keep.end(), it->first) != keep.end();
        if (!named) it->second->close_idle();
        it = !named && it->second->unused() ? pools_.erase(it) : std::next(it);
    }
}

PoolCounts Pools::counts() const {
    PoolCounts sum;
    for (const auto& [name, pool] : pools_) {
        const PoolCounts& c = pool->counts();
        sum.opened += c.opened;
        sum.reused += c.reused;
        sum.expired += c.expired;
        sum.failed += c.failed;
        sum.open += c.open;
        sum.idle += c.idle;
    }
    return sum;
}

}  // namespace suoke::upstream
