// SPDX-License-Identifier: MIT
#pragma once
// Listens to channels, on a connection of its own (which a server takes for nothing else then). Messages
// are sent once and to those who listen: what was published while the connection was away is lost, so
// whoever must not miss anything reads it again whenever it is told of a subscription.
//
//   store::RedisSubscriber subscriber(loop, dialer, random, options, listener);
//   subscriber.subscribe("suoke:services");

#include <functional>
#include <set>

#include "rt/backoff.h"
#include "store/redis_find.h"

namespace suoke::store {

class RedisSubscriber final : RedisPushes {
 public:
    // Told at loop level; must not destroy the subscriber from inside.
    class Listener {
     public:
        // From now on messages come. Every time a connection begins anew: read again what you missed.
        virtual void subscribed(const std::string& channel) = 0;
        virtual void message(const std::string& channel, const std::string& text) = 0;
        // Nothing comes at present, until subscribed() is told again.
        virtual void away(const Error&) {}

     protected:
        ~Listener() = default;
    };

    RedisSubscriber(rt::Loop& loop, upstream::Dialer& dialer, Random random, RedisOptions options, Listener& listener);
    RedisSubscriber(const RedisSubscriber&) = delete;
    RedisSubscriber& operator=(const RedisSubscriber&) = delete;

    void subscribe(const std::string& channel);
    // A Cluster's nodes as they are now; any of them hears everything. One that is not among them is left.
    void set_nodes(std::function<std::vector<RedisNode>()> nodes) { nodes_ = std::move(nodes); }
    bool up() const { return connection_ && !connection_->broken(); }

 private:
    void pushed(RedisValue value) override;
    rt::Task<void> keep();
    rt::Task<void> listen();
    void say_subscribe(const std::string& channel);
    RedisOptions options_now() const;
    bool is_elsewhere() const;

    rt::Loop& loop_;
    upstream::Dialer& dialer_;
    rt::Backoff backoff_;
    const RedisOptions options_;
    std::function<std::vector<RedisNode>()> nodes_;
    Listener& listener_;
    std::set<std::string> channels_;
    std::unique_ptr<RedisConnection> connection_;
    bool moving_ = false;       // to a node of the Cluster
    WaitList start_{loop_};
    rt::TaskScope scope_;
};

}  // namespace suoke::store
