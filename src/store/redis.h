// SPDX-License-Identifier: MIT
#pragma once
// Redis as everyone uses it: one client per loop, for one server, a master behind Sentinels, or a
// Cluster. It keeps its connections by itself; while they are away commands fail after a short grace
// with Code::store_unavailable, and nothing waits in a queue for better times.
//
//   store::Redis redis(loop, dialer, Random::from_system(), options);
//   std::vector<std::string> get{"GET", key};          // named: g++ 12 and braces in co_await
//   auto value = co_await redis.command_for(key, std::move(get), store::Effect::idempotent);
//   if (!value) ... value.error().detail == "Redis at 10.0.0.7:6379 refused: OOM command not allowed ..."
//
// Keys are sent as they are given; `options().key_prefix` is for whoever makes them. It outlives all who
// wait for its answers.

#include "rt/list.h"
#include "store/redis_routes.h"
#include "store/redis_script.h"

namespace suoke::store {

// May a command be sent again when nobody knows whether the first one was carried out? What the server
// cannot have seen is sent again in either case.
enum class Effect : std::uint8_t { once, idempotent };

class Redis final : RedisRoutes::Owner {
 public:
    // Told at loop level, when it changes and once in the beginning. Leaves by being destroyed.
    class Listener : public rt::ListHook<Listener> {
     public:
        virtual void redis_up() = 0;
        virtual void redis_down(const Error& why) = 0;

     protected:
        ~Listener() = default;
    };

    Redis(rt::Loop& loop, upstream::Dialer& dialer, Random random, RedisOptions options);
    ~Redis();
    Redis(const Redis&) = delete;
    Redis& operator=(const Redis&) = delete;

    // An error reply is an Error here; errors inside lists stay values. In a Cluster: to any node.
    rt::Task<Result<RedisValue>> command(std::vector<std::string> args, Effect effect = Effect::once);
    // ... to the node that has `key`.
    rt::Task<Result<RedisValue>> command_for(std::string key, std::vector<std::string> args, Effect effect = Effect::once);
    // ... to this node; see masters().
    rt::Task<Result<RedisValue>> command_at(RedisNode node, std::vector<std::string> args, Effect effect = Effect::once);
    // All keys must be of one slot: in a Cluster give them a common {tag}.
    rt::Task<Result<RedisValue>> script(Script script, std::vector<std::string> keys, std::vector<std::string> args,
                                        Effect effect = Effect::once);

    // Up: every command could be sent. In a Cluster of which a part is away, commands for the others go on.
    bool up() const { return told_up_.value_or(false); }
    void listen(Listener& listener) { listeners_.push_back(listener); }
    std::vector<RedisNode> masters() const { return routes_->masters(); }  // without a Cluster: one, unnamed
    bool is_cluster() const { return options_.mode == RedisMode::cluster; }
    const RedisOptions& options() const { return options_; }

 private:
    rt::Task<Result<RedisValue>> run(RedisRoute route, std::vector<std::string> args, Effect effect);
    rt::Task<Result<RedisValue>> attempt(RedisRoute route, std::vector<std::string> args, Effect effect);
    rt::Task<RedisConnection*> connection_for(const RedisRoute& route, TimePoint deadline);
    Error why_no_connection(const RedisRoute& route);
    void routes_changed() override;

    rt::Loop& loop_;
    const RedisOptions options_;
    rt::List<Listener> listeners_;
    std::optional<bool> told_up_;
    std::size_t waiting_ = 0;    // for a connection
    WaitList changed_{loop_}, pause_{loop_};
    std::unique_ptr<RedisRoutes> routes_;
};

}  // namespace suoke::store
