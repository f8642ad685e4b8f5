// SPDX-License-Identifier: MIT
#include "store/redis_kv.h"

#include <algorithm>
#include <set>

#include "rt/scope.h"
#include "store/whole_number.h"

namespace suoke::store {
namespace {

constexpr std::size_t kReadTogether = 256;        // values of a listing, in one write
constexpr int kMostScans = 1'000'000;             // a cursor that never ends is a server's mistake
const std::string kScanned = "1000";              // keys the server looks at before it answers

const char* const kReplace = R"(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1)";

// The sum is read back as text: a number of Lua has 53 bits.
const char* const kAdd = R"(
local fresh = redis.call('EXISTS', KEYS[1]) == 0
redis.call('INCRBY', KEYS[1], ARGV[1])
if fresh and ARGV[2] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('GET', KEYS[1]))";

// In whole milliseconds, up; "0" is for ever.
std::string milliseconds_of(Duration lifetime) {
    if (lifetime <= Duration::zero()) return "0";
    return std::to_string((lifetime.count() - 1) / 1'000'000 + 1);
}

// A key that stands for itself in a pattern of SCAN.
std::string escaped(const std::string& key) {
    std::string out;
    for (char c : key) {
        if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\' || c == '^' || c == '-') out += '\\';
        out += c;
    }
    return out;
}

}  // namespace

struct RedisKv::Listing {
    std::string pattern;
    std::size_t most;
    std::set<std::string> keys;   // with the prefix; SCAN may tell one twice
    std::vector<Entry> entries;
    std::optional<Error> failed;
};

RedisKv::RedisKv(rt::Loop& loop, Redis& redis, std::string space)
    : loop_(loop), redis_(redis), prefix_(redis.options().key_prefix + std::move(space)), replace_(kReplace), add_(kAdd) {}

rt::Task<Result<std::optional<std::string>>> RedisKv::get(std::string key) {
    key.insert(0, prefix_);
    std::vector<std::string> args{"GET", key};
    Result<RedisValue> reply = co_await redis_.command_for(std::move(key), std::move(args), Effect::idempotent);
    if (!reply) co_return reply.error();
    if (reply->is_nil()) co_return std::optional<std::string>();
    if (!reply->is(RedisValue::Kind::string)) co_return redis_surprise("GET", *reply);
    co_return std::optional<std::string>(std::move(reply->text));
}

rt::Task<Result<void>> RedisKv::put(std::string key, std::string value, Duration lifetime) {
    key.insert(0, prefix_);
    std::vector<std::string> args{"SET", key, std::move(value)};
    if (lifetime > Duration::zero()) args.insert(args.end(), {"PX", milliseconds_of(lifetime)});
    Result<RedisValue> reply = co_await redis_.command_for(std::move(key), std::move(args), Effect::idempotent);
    if (!reply) co_return reply.error();
    co_return Result<void>();
}

rt::Task<Result<bool>> RedisKv::put_if_absent(std::string key, std::string value, Duration lifetime) {
    key.insert(0, prefix_);
    std::vector<std::string> args{"SET", key, std::move(value), "NX"};
    if (lifetime > Duration::zero()) args.insert(args.end(), {"PX", milliseconds_of(lifetime)});
    Result<RedisValue> reply = co_await redis_.command_for(std::move(key), std::move(args), Effect::once);
    if (!reply) co_return reply.error();
    co_return !reply->is_nil();
}

rt::Task<Result<bool>> RedisKv::replace(std::string key, std::string expected, std::string value, Duration lifetime) {
    key.insert(0, prefix_);
    std::vector<std::string> keys{std::move(key)};
    std::vector<std::string> args{std::move(expected), std::move(value), milliseconds_of(lifetime)};
    Result<RedisValue> reply = co_await redis_.script(replace_, std::move(keys), std::move(args), Effect::once);
    if (!reply) co_return reply.error();
    if (!reply->is(RedisValue::Kind::integer)) co_return redis_surprise("a script", *reply);
    co_return reply->number == 1;
}

rt::Task<Result<bool>> RedisKv::erase(std::string key) {
    key.insert(0, prefix_);
    std::vector<std::string> args{"DEL", key};
    Result<RedisValue> reply = co_await redis_.command_for(std::move(key), std::move(args), Effect::once);
    if (!reply) co_return reply.error();
    if (!reply->is(RedisValue::Kind::integer)) co_return redis_surprise("DEL", *reply);
    co_return reply->number > 0;
}

rt::Task<Result<std::int64_t>> RedisKv::add(std::string key, std::int64_t amount, Duration lifetime) {
    key.insert(0, prefix_);
    std::vector<std::string> keys{std::move(key)};
    std::vector<std::string> args{std::to_string(amount), milliseconds_of(lifetime)};
    Result<RedisValue> reply = co_await redis_.script(add_, std::move(keys), std::move(args), Effect::once);
    if (!reply) co_return reply.error();
    auto sum = reply->as_integer();
    if (!sum) co_return redis_surprise("a script", *reply);
    co_return *sum;
}

// Redis has no order of keys, so all masters go through theirs, and the first `most` are kept. It is for
// what is listed now and then (at a start, for an operator), not for a request's path.
rt::Task<Result<std::vector<Entry>>> RedisKv::list(std::string prefix, std::size_t most) {
    Listing listing{escaped(prefix_ + prefix) + "*", most, {}, {}, {}};
    for (const RedisNode& node : redis_.masters()) {
        Result<void> scanned = co_await scan(node, listing);
        if (!scanned) co_return scanned.error();
    }
    if (redis_.masters().empty()) {  // a Cluster nobody has found yet
        std::vector<std::string> ping{"PING"};
        Result<RedisValue> reply = co_await redis_.command(std::move(ping), Effect::idempotent);
        if (!reply) co_return reply.error();
        co_return Error(Code::store_unavailable, "the Redis Cluster has no masters");
    }
    while (!listing.keys.empty()) {
        rt::TaskScope batch;
        for (std::size_t i = 0; i < kReadTogether && !listing.keys.empty(); ++i) {
            batch.spawn(read(std::move(listing.keys.extract(listing.keys.begin()).value()), listing));
        }
        co_await batch.all_done();
        if (listing.failed) co_return *listing.failed;
    }
    std::sort(listing.entries.begin(), listing.entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
    co_return std::move(listing.entries);
}

rt::Task<Result<void>> RedisKv::scan(RedisNode node, Listing& listing) {
    std::string cursor = "0";
    for (int i = 0; i < kMostScans; ++i) {
        std::vector<std::string> args{"SCAN", cursor, "MATCH", listing.pattern, "COUNT", kScanned, "TYPE", "string"};
        Result<RedisValue> reply = co_await redis_.command_at(node, std::move(args), Effect::idempotent);
        if (!reply) co_return reply.error();
        bool understood = reply->is(RedisValue::Kind::array) && reply->items.size() == 2 && reply->items[1].is(RedisValue::Kind::array);
        if (!understood) co_return redis_surprise("SCAN", *reply);
        for (RedisValue& key : reply->items[1].items) {
            listing.keys.insert(std::move(key.text));
            if (listing.keys.size() > listing.most) listing.keys.erase(std::prev(listing.keys.end()));
        }
        cursor = std::move(reply->items[0].text);
        if (cursor == "0") co_return Result<void>();
    }
    co_return Error(Code::store_unavailable, "Redis does not come to an end with SCAN");
}

rt::Task<void> RedisKv::read(std::string key, Listing& listing) {
    std::string name = key.substr(std::min(prefix_.size(), key.size()));
    Result<std::optional<std::string>> value = co_await get(name);
    if (!value) listing.failed = value.error();
    else if (*value) listing.entries.push_back({std::move(name), std::move(**value)});  // else it is gone by now
}

}  // namespace suoke::store
