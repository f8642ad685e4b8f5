// SPDX-License-Identifier: MIT
#pragma once
// From options to a connection one can use: the server, the master the Sentinels name, or any node of a
// Cluster. One attempt; trying again is the caller's.

#include "rt/backoff.h"
#include "store/redis_connection.h"

namespace suoke::store {

using RedisConnectionResult = Result<std::unique_ptr<RedisConnection>>;

// Sentinel: a master is believed when it says itself that it is one (ROLE), since Sentinels can be late.
rt::Task<RedisConnectionResult> open_redis(rt::Loop& loop, upstream::Dialer& dialer, RedisOptions options);

// What the first Sentinel that answers says.
rt::Task<Result<RedisNode>> ask_sentinels(rt::Loop& loop, upstream::Dialer& dialer, RedisOptions options);

// How long to wait before the next attempt. The first one comes soon: a server that was restarted is back at once.
inline rt::BackoffRules between_attempts(const RedisOptions& options) {
    return {std::chrono::milliseconds(50), options.max_reconnect_delay, Duration::zero()};
}

// The same options for speaking to one node, and to the Sentinels themselves.
RedisOptions for_node(RedisOptions options, RedisNode node);
RedisOptions for_sentinels(RedisOptions options);

}  // namespace suoke::store
