// SPDX-License-Identifier: MIT
#include "app/cache_second_level.h"

#include <utility>

#include "rt/ask_task.h"

namespace suoke::app {
namespace {

using store::RedisValue;
using Values = Result<std::vector<std::string>>;

constexpr std::int64_t kMostWaiting = 8 << 20;           // bytes of answers on their way; more are not written
constexpr std::size_t kTogether = 100, kOneLook = 1000;  // records told, and read, at once
constexpr std::size_t kMostRecords = 10'000;             // of the log
constexpr Duration kRemembered = cache::SecondLevel::kLongest + std::chrono::hours(1);
constexpr std::int64_t kEpoch = 1'577'836'800'000;       // 2020, in milliseconds: a Stamp has 40 bits

// A sorted set: what was purged, by when. Scores are milliseconds of the server's clock, but each is greater than all
// before and than what the asker has seen, whatever becomes of the clock. What is purged again moves to the end. The
// second key is the score of the last record that was dropped.
// ARGV: what the asker has read, its first record, how long and how many records are kept, how many are read, records.
// Gives {the floor, the last score, records and scores}.
const char* const kLog = R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local old = now - tonumber(ARGV[3])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
now = math.max(now, tonumber(ARGV[1]) + 1, last[2] and tonumber(last[2]) + 1 or 0)
local function add(record)
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), record)
  now = now + 1
end
if not last[2] then add(ARGV[2]) end
for i = 6, #ARGV do add(ARGV[i]) end
local many = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[4])
local dropped = {}
if many > 0 then dropped = redis.call('ZRANGE', KEYS[1], many - 1, many - 1, 'WITHSCORES') end
if many <= 0 and #ARGV > 5 then dropped = redis.call('ZREVRANGEBYSCORE', KEYS[1], string.format('%.0f', old), '-inf', 'WITHSCORES', 'LIMIT', 0, 1) end
if dropped[2] then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', dropped[2])
  redis.call('SET', KEYS[2], dropped[2])
end
local news = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[5])
local top = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {redis.call('GET', KEYS[2]) or '0', top[2] or '0', news})";

std::string score_of(cache::Stamp stamp) { return std::to_string(stamp == 0 ? 0 : static_cast<std::int64_t>(stamp) + kEpoch); }

// Nothing: it is none that a gateway can have written.
std::optional<cache::Stamp> stamp_of(const RedisValue& score) {
    auto number = score.as_integer();
    if (!number || *number < 0) return std::nullopt;
    if (*number <= kEpoch) return cache::Stamp{0};
    auto stamp = static_cast<cache::Stamp>(*number - kEpoch);
    return stamp < cache::Stamp{1} << 40 ? std::optional(stamp) : std::nullopt;
}

// Bytes that are no longer on their way when it ends.
class Arriving {
 public:
    Arriving(std::atomic<std::int64_t>& waiting, std::int64_t bytes) : waiting_(waiting), bytes_(bytes) {}
    ~Arriving() { waiting_.fetch_sub(bytes_, std::memory_order_relaxed); }
    Arriving(const Arriving&) = delete;
    Arriving& operator=(const Arriving&) = delete;

 private:
    std::atomic<std::int64_t>& waiting_;
    const std::int64_t bytes_;
};

struct Page {
    cache::Stamp floor = 0, top = 0;
    std::vector<cache::SecondLevel::News> news;
};
std::optional<Page> read_page(RedisValue& reply) {
    bool whole = reply.is(RedisValue::Kind::array) && reply.items.size() == 3 && reply.items[2].is(RedisValue::Kind::array) && reply.items[2].items.size() % 2 == 0;
    if (!whole) return std::nullopt;
    auto floor = stamp_of(reply.items[0]), top = stamp_of(reply.items[1]);
    if (!floor || !top) return std::nullopt;
    Page page{*floor, *top, {}};
    std::vector<RedisValue>& items = reply.items[2].items;
    for (std::size_t i = 0; i < items.size(); i += 2) {
        auto when = stamp_of(items[i + 1]);
        if (!when) return std::nullopt;
        page.news.push_back({std::move(items[i].text), *when});
    }
    return page;
}

}  // namespace

CacheSecondLevel::CacheSecondLevel(rt::Loop& loop, cache::Store& store, CacheCells& cells)
    : loop_(loop), store_(store), cells_(cells), level_(store, cells, *this), log_(kLog), hurry_(loop) {}

CacheSecondLevel::~CacheSecondLevel() {
    store_.set_second(nullptr);
    store_.marks().set_herald(nullptr);
    tasks_.cancel();
}

bool CacheSecondLevel::wanted(const config::Config& config) {
    return config.cache.enabled && config.cache.type == config::CacheType::redis && config.redis.wanted();
}

void CacheSecondLevel::adopt(const config::Config& config, Stores& stores) {
    store::Redis* redis = wanted(config) ? stores.redis() : nullptr;
    std::string prefix = redis ? redis->options().key_prefix + config.cache.key_prefix : std::string();
    if (redis == redis_ && prefix == prefix_) return;
    tasks_.cancel();
    level_.out_of_step();
    redis_ = redis;
    prefix_ = std::move(prefix);
    store_.set_second(redis_ ? &level_ : nullptr);
    store_.marks().set_herald(redis_ ? &level_ : nullptr);
    if (!redis_) return;
    // What was purged while nobody was told, nobody knows; and another prefix has another log.
    if (std::exchange(was_on_, true)) {
        level_.begin_again();
        level_.purged(cache::Purge{});
    }
    tasks_.spawn(follow());
}

std::vector<std::string> CacheSecondLevel::named(std::vector<std::string> keys) const {
    for (std::string& key : keys) key.insert(0, prefix_);
    return keys;
}

// ---- of the workers

rt::Task<Values> CacheSecondLevel::read(rt::Loop& own, std::vector<std::string> keys) {
    std::function<rt::Task<Values>()> question = [this, keys = std::move(keys)] { return get(keys); };
    rt::AskTask<Values> asked(own, loop_, tasks_, std::move(question));
    co_return co_await asked;
}

void CacheSecondLevel::write(std::string key, std::string value, Duration lifetime) {
    auto size = static_cast<std::int64_t>(value.size());
    if (waiting_.fetch_add(size, std::memory_order_relaxed) + size > kMostWaiting) {
        waiting_.fetch_sub(size, std::memory_order_relaxed);
        return;
    }
    loop_.post([this, size, key = std::move(key), value = std::move(value), lifetime]() mutable {
        if (redis_) tasks_.spawn(set(std::move(key), std::move(value), lifetime));
        else waiting_.fetch_sub(size, std::memory_order_relaxed);
    });
}

void CacheSecondLevel::erase(std::vector<std::string> keys) {
    loop_.post([this, keys = std::move(keys)]() mutable {
        if (redis_) tasks_.spawn(remove(std::move(keys)));
    });
}

void CacheSecondLevel::purges_wait() {
    loop_.post([this] { hurry_.tell(); });
}

// ---- in the control loop

rt::Task<Values> CacheSecondLevel::get(std::vector<std::string> keys) {
    if (!redis_) co_return Error(Code::store_unavailable, "there is no second level any more");
    std::size_t wanted = keys.size();
    std::vector<std::string> args = named(std::move(keys));
    std::string first = args.front();
    args.insert(args.begin(), "MGET");
    Result<RedisValue> reply = co_await redis_->command_for(std::move(first), std::move(args), store::Effect::idempotent);
    if (!reply) co_return reply.error();
    if (!reply->is(RedisValue::Kind::array) || reply->items.size() != wanted) co_return store::redis_surprise("MGET", *reply);
    std::vector<std::string> values;
    for (RedisValue& item : reply->items) values.push_back(std::move(item.text));   // of nil: empty
    co_return values;
}

rt::Task<void> CacheSecondLevel::set(std::string key, std::string value, Duration lifetime) {
    Arriving arriving(waiting_, static_cast<std::int64_t>(value.size()));
    key.insert(0, prefix_);
    std::vector<std::string> args{"SET", key, std::move(value), "PX", std::to_string(lifetime / std::chrono::milliseconds(1))};
    Result<RedisValue> reply = co_await redis_->command_for(std::move(key), std::move(args), store::Effect::idempotent);
    (reply ? cells_.second_writes : cells_.second_errors).fetch_add(1, std::memory_order_relaxed);
}

rt::Task<void> CacheSecondLevel::remove(std::vector<std::string> keys) {
    std::vector<std::string> args = named(std::move(keys));
    std::string first = args.front();
    args.insert(args.begin(), "DEL");
    Result<RedisValue> reply = co_await redis_->command_for(std::move(first), std::move(args), store::Effect::idempotent);
    if (!reply) cells_.second_errors.fetch_add(1, std::memory_order_relaxed);
}

rt::Task<void> CacheSecondLevel::follow() {
    for (;;) {
        bool reached = co_await look();
        if (!reached) level_.out_of_step();
        if (reached && more_) continue;
        Duration wait = reached ? kLook : std::chrono::seconds(1);
        bool hurried = co_await hurry_.wait(loop_.now() + wait);
        if (!reached && hurried) co_await hurry_.wait(loop_.now() + wait);   // nobody is served by asking who is away
    }
}

// Tells what was purged here and reads what was purged anywhere, in one command. Until all of it was read nobody may
// use what lies there.
rt::Task<bool> CacheSecondLevel::look() {
    std::vector<std::string> records = level_.take_purges(kTogether);
    std::vector<std::string> keys{prefix_ + "{log}:purged", prefix_ + "{log}:floor"};
    cache::Stamp position = level_.position();
    std::vector<std::string> args{score_of(position), cache::SecondLevel::first_record(), std::to_string(kRemembered / std::chrono::milliseconds(1)),
                                  std::to_string(kMostRecords), std::to_string(kOneLook)};
    bool all_told = records.size() < kTogether;
    args.insert(args.end(), std::make_move_iterator(records.begin()), std::make_move_iterator(records.end()));
    Result<RedisValue> reply = co_await redis_->script(log_, std::move(keys), std::move(args), store::Effect::idempotent);
    std::optional<Page> page = reply ? read_page(*reply) : std::nullopt;
    if (!page) {
        level_.give_back_purges();
        cells_.second_errors.fetch_add(1, std::memory_order_relaxed);
        co_return false;
    }
    more_ = page->news.size() == kOneLook || !all_told;
    if (page->top < position) {
        level_.begin_again();
        more_ = true;
        co_return true;
    }
    level_.read(page->news, page->floor);
    if (!more_) level_.in_step(loop_.now());
    co_return true;
}

}  // namespace suoke::app
