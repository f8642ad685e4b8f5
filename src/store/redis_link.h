// SPDX-License-Identifier: MIT
#pragma once
// Keeps one connection alive: opens it, watches it, and when it breaks opens another one, waiting longer
// each time. Whoever wants to speak looks whether there is one.

#include "rt/backoff.h"
#include "store/redis_find.h"

namespace suoke::store {

class RedisLink {
 public:
    // Told at loop level whenever there is a connection where there was none, the other way round, or an
    // attempt failed; must not destroy the link from inside.
    class Owner {
     public:
        virtual void link_changed() = 0;

     protected:
        ~Owner() = default;
    };

    RedisLink(rt::Loop& loop, upstream::Dialer& dialer, Random random, RedisOptions options, Owner& owner);
    RedisLink(const RedisLink&) = delete;
    RedisLink& operator=(const RedisLink&) = delete;

    RedisConnection* connection() { return is_up() ? connection_.get() : nullptr; }
    bool is_up() const { return connection_ && !connection_->broken(); }
    const Error& why() const { return is_up() || !connection_ ? why_ : connection_->why(); }  // it is not
    // Until then it is worth waiting for one: a moment after one was lost, and while the very first
    // attempt is under way.
    TimePoint worth_waiting_until() const;
    void renew(Error why);                // this connection is of no use (READONLY, a switched master)
    bool tried() const { return tried_; }  // the first attempt has ended, well or not

 private:
    rt::Task<void> keep();
    rt::Task<void> watch();
    void lost(Error why);

    rt::Loop& loop_;
    upstream::Dialer& dialer_;
    rt::Backoff backoff_;
    const RedisOptions options_;
    Owner& owner_;
    std::unique_ptr<RedisConnection> connection_;
    Error why_{Code::store_unavailable, "Redis has not been reached yet"};
    bool tried_ = false;
    TimePoint away_since_;
    WaitList hurry_{loop_};
    rt::TaskScope scope_;
};

}  // namespace suoke::store
