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

Pool::Pool(rt::Loop& loop, Dialer& dialer, EndpointAddress endpoint)
    : loop_(loop), dialer_(dialer), endpoint_(std::move(endpoint)), queue_(loop), expiry_(std::make_unique<Expiry>(*this)) {}
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

rt::Task<Result<Lease>> Pool::open(TimePoint connect_deadline, TimePoint pool_deadline, std::string preamble) {
    while (counts_.open >= limits_.connections) {
        if (queue_.size() >= limits_.waiting) co_return Error(Code::pool_exhausted, "too many requests wait for " + endpoint_.to_string());
        Queue::Turn turn(queue_, pool_deadline);
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
    EndpointAddress endpoint = endpoint_;
    endpoint.preamble = std::move(preamble);
    Result<rt::StreamPtr> stream = co_await reach(dialer_, std::move(endpoint), connect_deadline);
    if (!stream) {
        ++counts_.failed;
        co_return stream.error();
    }
    opening.done = true;
    ++counts_.opened;
    co_return Lease(this, std::move(*stream), false);
}

void Pool::give_back(rt::StreamPtr stream) {
    if (endpoint_.for_one_client || idle_.size() >= limits_.idle || stream->hung_up()) {
        stream.reset();
        return closed();
    }
    idle_.push_back(std::make_unique<Idle>(*this, std::move(stream)));
    ++counts_.idle;
    if (!expiry_->armed()) loop_.timers().arm(*expiry_, loop_.now() + limits_.idle_expiry);
    queue_.call_next();
}

void Pool::closed() {
    --counts_.open;
    queue_.call_next();
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

}  // namespace suoke::upstream
