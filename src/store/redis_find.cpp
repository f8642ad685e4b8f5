// SPDX-License-Identifier: MIT
#include "store/redis_find.h"

#include "store/redis_slots.h"

namespace suoke::store {
namespace {

// Each Sentinel in turn names a master; the first one that is one is taken.
rt::Task<Result<RedisNode>> ask_sentinel(rt::Loop& loop, upstream::Dialer& dialer, RedisNode sentinel, RedisOptions options) {
    std::string name = options.master_name;
    RedisOptions terms = for_sentinels(std::move(options));
    TimePoint deadline = loop.now() + terms.connect_timeout + terms.command_timeout;
    auto connection = co_await RedisConnection::open(loop, dialer, sentinel, std::move(terms));
    if (!connection) co_return connection.error();
    const std::vector<std::string> question{"SENTINEL", "get-master-addr-by-name", name};
    RedisOutcome outcome = co_await (*connection)->command(question, deadline);
    if (!outcome.reply) co_return outcome.reply.error();
    const RedisValue& answer = *outcome.reply;
    if (answer.is_error()) co_return redis_error(sentinel.to_string(), answer);
    if (answer.is_nil())
        co_return Error(Code::store_unavailable, "the Sentinel at " + sentinel.to_string() + " knows no master \"" + name + "\"");
    std::optional<RedisNode> node;
    if (answer.is(RedisValue::Kind::array) && answer.items.size() == 2) node = node_from(answer.items[0], answer.items[1]);
    if (!node) co_return redis_surprise("SENTINEL get-master-addr-by-name", answer);
    co_return std::move(*node);
}

rt::Task<Result<void>> expect_master(rt::Loop& loop, RedisConnection& connection, Duration patience) {
    const std::vector<std::string> question{"ROLE"};
    RedisOutcome outcome = co_await connection.command(question, deadline_after(loop.now(), patience));
    if (!outcome.reply) co_return outcome.reply.error();
    const RedisValue& role = *outcome.reply;
    if (role.error_word() == "NOPERM") co_return Result<void>();  // a replica will refuse the first write
    if (role.is_error()) co_return redis_error(connection.node().to_string(), role);
    if (!role.is(RedisValue::Kind::array) || role.items.empty()) co_return redis_surprise("ROLE", role);
    if (role.items[0].text != "master")
        co_return Error(Code::store_unavailable, "Redis at " + connection.node().to_string() + " is no master, though a Sentinel says so");
    co_return Result<void>();
}

rt::Task<RedisConnectionResult> open_master(rt::Loop& loop, upstream::Dialer& dialer, RedisOptions options) {
    Error last(Code::store_unavailable, "no Sentinel is known");
    for (std::size_t i = 0; i < options.nodes.size(); ++i) {
        Result<RedisNode> node = co_await ask_sentinel(loop, dialer, options.nodes[i], options);
        if (!node) {
            last = node.error();
            continue;
        }
        RedisConnectionResult connection = co_await RedisConnection::open(loop, dialer, *node, options);
        Result<void> master = connection ? Result<void>() : Result<void>(connection.error());
        if (connection) master = co_await expect_master(loop, **connection, options.command_timeout);
        if (master) co_return connection;
        last = master.error();
    }
    co_return last;
}

}  // namespace

rt::Task<Result<RedisNode>> ask_sentinels(rt::Loop& loop, upstream::Dialer& dialer, RedisOptions options) {
    Error last(Code::store_unavailable, "no Sentinel is known");
    for (std::size_t i = 0; i < options.nodes.size(); ++i) {
        Result<RedisNode> node = co_await ask_sentinel(loop, dialer, options.nodes[i], options);
        if (node) co_return node;
        last = node.error();
    }
    co_return last;
}

rt::Task<RedisConnectionResult> open_redis(rt::Loop& loop, upstream::Dialer& dialer, RedisOptions options) {
    if (options.mode == RedisMode::sentinel) {
        RedisConnectionResult master = co_await open_master(loop, dialer, std::move(options));
        co_return master;
    }
    Error last(Code::store_unavailable, "no address of Redis is known");
    for (std::size_t i = 0; i < options.nodes.size(); ++i) {
        RedisConnectionResult connection = co_await RedisConnection::open(loop, dialer, options.nodes[i], options);
        if (connection) co_return connection;
        last = connection.error();
    }
    co_return last;
}

RedisOptions for_node(RedisOptions options, RedisNode node) {
    options.mode = RedisMode::single;
    options.nodes.clear();
    options.nodes.push_back(std::move(node));
    return options;
}

RedisOptions for_sentinels(RedisOptions options) {
    options.mode = RedisMode::single;
    options.username = options.sentinel_username;
    options.password = options.sentinel_password;
    options.db = 0;
    return options;
}

}  // namespace suoke::store
