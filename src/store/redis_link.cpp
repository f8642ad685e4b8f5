// SPDX-License-Identifier: MIT
#include "store/redis_link.h"

namespace suoke::store {

// A server that takes connections and drops them at once (too many clients, a proxy without a server
// behind it) is to be asked less and less often, too.
constexpr Duration kLivedWell = std::chrono::seconds(1);

RedisLink::RedisLink(rt::Loop& loop, upstream::Dialer& dialer, Random random, RedisOptions options, Owner& owner)
    : loop_(loop),
      dialer_(dialer),
      backoff_(random, between_attempts(options)),
      options_(std::move(options)),
      owner_(owner),
      away_since_(loop.now()) {
    scope_.spawn(keep());
    hurry_.tell();
}

TimePoint RedisLink::worth_waiting_until() const {
    if (!tried_) return kNever;
    // Broken, but not noticed by keep() yet: lost right now.
    return connection_ ? loop_.now() + options_.grace : away_since_ + options_.grace;
}

void RedisLink::renew(Error why) {
    if (connection()) connection_->give_up(std::move(why));
    hurry_.tell();
}

rt::Task<void> RedisLink::keep() {
    co_await hurry_.wait(kNever);  // at loop level: the owner is still being made
    for (;;) {
        RedisConnectionResult opened = co_await open_redis(loop_, dialer_, options_);
        if (opened) {
            TimePoint began = loop_.now();
            connection_ = std::move(*opened);
            tried_ = true;
            owner_.link_changed();
            co_await watch();
            if (loop_.now() - began >= kLivedWell) backoff_.reset();
            lost(connection_->why());
        } else {
            tried_ = true;
            lost(opened.error());
        }
        co_await hurry_.wait(loop_.now() + backoff_.next());
    }
}

void RedisLink::lost(Error why) {
    if (connection_) away_since_ = loop_.now();
    why_ = std::move(why);
    connection_.reset();
    owner_.link_changed();
}

// Until it breaks. One with nothing to do is asked whether it is there, so that it is known to be lost
// before somebody needs it.
rt::Task<void> RedisLink::watch() {
    const std::vector<std::string> ping{"PING"};
    while (!connection_->broken()) {
        TimePoint heard = connection_->last_heard();
        bool broke = co_await connection_->ended().wait(deadline_after(loop_.now(), options_.ping_after));
        if (broke || connection_->broken()) co_return;
        bool quiet = connection_->last_heard() == heard && connection_->in_flight() == 0;
        if (quiet) co_await connection_->command(ping, deadline_after(loop_.now(), options_.silence));
    }
}

}  // namespace suoke::store
