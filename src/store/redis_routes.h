// SPDX-License-Identifier: MIT
#pragma once
// Which connection a command takes: the one there is, or in a Cluster the one of its key's node.

#include <optional>

#include "store/redis_link.h"
#include "store/redis_slots.h"

namespace suoke::store {

struct RedisRoute {
    std::optional<std::uint16_t> slot;  // of the key; none: any node will do
    std::optional<RedisNode> node;      // this one, whatever the slot
};

class RedisRoutes {
 public:
    // Told at loop level when something about the links has changed.
    class Owner {
     public:
        virtual void routes_changed() = 0;

     protected:
        ~Owner() = default;
    };

    virtual ~RedisRoutes() = default;
    // Null: nothing is known about where it goes (yet). Valid until the next wait.
    virtual RedisLink* find(const RedisRoute& route) = 0;
    // How long it makes sense to wait for find() to know something.
    virtual TimePoint worth_waiting_until() const = 0;
    virtual void moved(const RedisRedirect& redirect) = 0;  // a node says that a slot is elsewhere
    // The node answers as if it were not what we take it for. True: another attempt may find another one.
    virtual bool doubt(const RedisNode& node, const RedisValue& answer) = 0;
    virtual bool tried() const = 0;  // every first attempt has ended: down() is a fact
    virtual std::vector<RedisNode> masters() const = 0;
    virtual std::optional<Error> down() const = 0;  // nothing: everything can be reached
};

std::unique_ptr<RedisRoutes> one_redis(rt::Loop& loop, upstream::Dialer& dialer, Random random, RedisOptions options,
                                       RedisRoutes::Owner& owner);  // single and Sentinel
std::unique_ptr<RedisRoutes> redis_cluster(rt::Loop& loop, upstream::Dialer& dialer, Random random, RedisOptions options,
                                           RedisRoutes::Owner& owner);

}  // namespace suoke::store
