// SPDX-License-Identifier: MIT
#include "services/redis_ledger.h"

#include <charconv>

#include "base/text.h"
#include "rt/pause.h"

namespace suoke::services {
namespace {

using store::RedisValue;

// KEYS: a hash of records, a sorted set of when leases end, the revision, the data's birth, and the lease of
// who left this field while Redis was away.
// A record is "lease|host:port|registered|revision|ttl", a line break, and its JSON.
constexpr const char* kNow = R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
)";

const std::string kLoad = std::string(kNow) + R"(
redis.pcall('SET', KEYS[4], ARGV[1], 'NX')
return {tostring(now), redis.call('GET', KEYS[4]) or '', redis.call('HGETALL', KEYS[1]), redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')}
)";

// ARGV: field, JSON, host:port, the lease that was shown, a new one, ttl, channel, "again" when Redis is only
// told what it may have lost.
const std::string kHold = std::string(kNow) + R"(
if ARGV[8] == 'again' then
    if redis.call('GET', KEYS[5]) == ARGV[4] then return {'left'} end
else
    redis.call('DEL', KEYS[5])
end
local held = redis.call('HGET', KEYS[1], ARGV[1])
local lease, registered = ARGV[5], tostring(now)
if held then
    local his, address, since = string.match(held, '^([^|]*)|([^|]*)|([^|]*)|')
    local ends = redis.call('ZSCORE', KEYS[2], ARGV[1])
    if address ~= ARGV[3] and his ~= ARGV[4] and not (ends and tonumber(ends) <= now) then
        return {'held', held, tostring(ends and tonumber(ends) - now or 0)}
    end
    lease, registered = his, since
elseif ARGV[4] ~= '' then
    lease = ARGV[4]
end
local value = lease .. '|' .. ARGV[3] .. '|' .. registered .. '|' .. redis.call('INCR', KEYS[3]) .. '|' .. ARGV[6] .. '\n' .. ARGV[2]
redis.call('HSET', KEYS[1], ARGV[1], value)
if tonumber(ARGV[6]) > 0 then redis.call('ZADD', KEYS[2], now + ARGV[6], ARGV[1]) else redis.call('ZREM', KEYS[2], ARGV[1]) end
redis.call('PUBLISH', ARGV[7], 'c' .. value)
return {'ours', value, ARGV[6]}
)";

// ARGV: field.
const std::string kExtend = std::string(kNow) + R"(
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held then return {'none'} end
local ttl = tonumber(string.match(held, '^[^|]*|[^|]*|[^|]*|[^|]*|(%d+)'))
if ttl > 0 then redis.call('ZADD', KEYS[2], now + ttl, ARGV[1]) end
return {'ours', held, tostring(ttl)}
)";

// ARGV: field, JSON, lease, channel.
const std::string kChange = std::string(kNow) + R"(
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held then return {'none'} end
local lease, address, registered, ttl = string.match(held, '^([^|]*)|([^|]*)|([^|]*)|[^|]*|(%d+)')
if lease ~= ARGV[3] then return {'none'} end
local value = lease .. '|' .. address .. '|' .. registered .. '|' .. redis.call('INCR', KEYS[3]) .. '|' .. ttl .. '\n' .. ARGV[2]
redis.call('HSET', KEYS[1], ARGV[1], value)
redis.call('PUBLISH', ARGV[4], 'c' .. value)
local ends = redis.call('ZSCORE', KEYS[2], ARGV[1])
return {'ours', value, tostring(ends and tonumber(ends) - now or 0)}
)";

// ARGV: field, channel, the lease when it was released while Redis was away: others may still know it.
const std::string kRelease = R"(
if ARGV[3] ~= '' then
    redis.pcall('SET', KEYS[5], ARGV[3], 'PX', 3600000)
    redis.call('PUBLISH', ARGV[2], 'l' .. ARGV[3] .. '|' .. ARGV[1])
end
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return {'none'} end
redis.call('ZREM', KEYS[2], ARGV[1])
local revision = redis.call('INCR', KEYS[3])
redis.call('PUBLISH', ARGV[2], 'r' .. revision .. '|' .. ARGV[1])
return {'gone', tostring(revision)}
)";

const std::string kLapse = std::string(kNow) + R"(
local ends = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not ends then return {redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 and 'lasting' or 'none'} end
if tonumber(ends) > now then return {'lasting', tostring(tonumber(ends) - now)} end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
local revision = redis.call('INCR', KEYS[3])
redis.call('PUBLISH', ARGV[2], 'x' .. revision .. '|' .. ARGV[1])
return {'gone', tostring(revision)}
)";

std::string field_of(const std::string& service, const std::string& id) { return service + "/" + id; }

std::string address_of(const Record& record) { return record.instance.host + ":" + std::to_string(record.instance.port); }

std::int64_t milliseconds_of(Duration d) { return d / std::chrono::milliseconds(1); }

Error surprise() { return Error(Code::store_unavailable, "Redis answered the registry something else than its scripts say"); }

// "lease|host:port|registered|revision|ttl\n{...}"; `left` of the lease.
Result<Record> record_from(std::string_view value, Duration left, WallTime now) {
    std::size_t line = value.find('\n');
    if (line == value.npos) return surprise();
    std::string_view rest = value.substr(0, line);
    std::string_view parts[5];
    for (std::string_view& part : parts) {
        std::size_t end = std::min(rest.find('|'), rest.size());
        part = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    auto registered = parse_u64(parts[2]), revision = parse_u64(parts[3]), ttl = parse_u64(parts[4]);
    auto record = record_of(value.substr(line + 1));
    if (!record) return record.error();
    if (!registered || !revision || !ttl) return surprise();
    record->lease = parts[0];
    record->registered = WallTime(std::chrono::milliseconds(*registered));
    record->revision = *revision;
    record->ttl = std::chrono::milliseconds(*ttl);
    record->expires = now + left;
    return record;
}

}  // namespace

RedisLedger::RedisLedger(rt::Loop& loop, upstream::Dialer& dialer, Random random, store::Redis& redis, Events& events)
    : loop_(loop),
      redis_(redis),
      events_(events),
      load_(kLoad), hold_(kHold), extend_(kExtend), change_(kChange), release_(kRelease), lapse_(kLapse),
      subscriber_(loop, dialer, random, redis.options(), *this) {
    subscriber_.subscribe(channel());
}

rt::Task<Result<RedisValue>> RedisLedger::run(store::Script script, std::vector<std::string> args) {
    // One slot of a Cluster for all of it: the tag says so.
    std::string base = redis_.options().key_prefix + "{registry}:";
    std::vector<std::string> keys{base + "records", base + "leases", base + "revision", base + "born", base + "left:" + args.front()};
    auto value = co_await redis_.script(std::move(script), std::move(keys), std::move(args), store::Effect::idempotent);
    if (value && (!value->is(RedisValue::Kind::array) || value->items.empty())) co_return surprise();
    co_return value;
}

// ---- what is known

void RedisLedger::keep(const Record& record) {
    records_[{record.service, record.instance.id}] = record;
    listener_->changed(record);
}

void RedisLedger::drop(const Key& key, std::uint64_t revision, bool lapsed) {
    Key gone = key;
    records_.erase(gone);
    listener_->removed(gone.first, gone.second, revision, lapsed);
}

// {"ours", value, milliseconds left}
Result<Record> RedisLedger::taken(const RedisValue& value) {
    if (value.items.size() < 3) return surprise();
    auto left = value.items[2].as_integer();
    if (!left) return surprise();
    auto record = record_from(value.items[1].text, std::chrono::milliseconds(*left), loop_.clock().wall());
    if (record) keep(*record);
    return record;
}

rt::Task<Result<void>> RedisLedger::load() {
    std::vector<std::string> args{new_lease()};
    auto value = co_await run(load_, std::move(args));
    if (!value) co_return value.error();
    if (value->items.size() != 4) co_return surprise();
    const auto& [now, born, hash, leases] = std::tie(value->items[0], value->items[1], value->items[2], value->items[3]);
    auto time = now.as_integer();
    if (!time) co_return surprise();
    std::map<std::string, std::int64_t> ends;
    for (std::size_t i = 0; i + 1 < leases.items.size(); i += 2)
        if (auto end = leases.items[i + 1].as_integer()) ends[leases.items[i].text] = *end;
    std::vector<Record> all;
    std::set<Key> there;
    for (std::size_t i = 0; i + 1 < hash.items.size(); i += 2) {
        auto end = ends.find(hash.items[i].text);
        Duration left = end == ends.end() ? Duration::zero() : Duration(std::chrono::milliseconds(end->second - *time));
        auto record = record_from(hash.items[i + 1].text, left, loop_.clock().wall());
        if (!record) continue;  // of a version that knows something else
        there.insert({record->service, record->instance.id});
        all.push_back(std::move(*record));
    }
    bool lost = !born_.empty() && !born.text.empty() && born.text != born_;
    if (!born.text.empty()) born_ = born.text;
    if (lost) {
        events_.tell(Level::warning, "redis.data_lost", {{"instances_told_again", records_.size()}});
        for (const auto& [key, record] : records_)
            if (!there.contains(key)) written_alone_.insert(key);
        auto pushed = co_await push_pending();
        if (!pushed) co_return pushed;
        co_return co_await load();
    }
    records_.clear();
    for (const Record& record : all) records_[{record.service, record.instance.id}] = record;
    listener_->replaced(std::move(all));
    co_return Result<void>();
}

// ---- what is asked for

rt::Task<Result<Record>> RedisLedger::hold(Record wanted, std::string lease) {
    Key key(wanted.service, wanted.instance.id);
    // The same lease whether Redis answers or not: it may yet do what it did not answer in time.
    std::string fresh = new_lease();
    std::vector<std::string> args{field_of(key.first, key.second), to_json(wanted), address_of(wanted), lease, fresh,
                                  std::to_string(milliseconds_of(wanted.ttl)), channel(), ""};
    auto value = co_await run(hold_, std::move(args));
    WallTime now = loop_.clock().wall();
    if (!value) {
        auto held = records_.find(key);
        const Record* known = held == records_.end() ? nullptr : &held->second;
        if (known && !may_take(*known, wanted, lease, now)) co_return held_by(*known);
        co_return hold_alone(std::move(wanted), known, std::move(fresh));
    }
    if (value->items[0].text == "ours") co_return taken(*value);
    if (value->items.size() < 3) co_return surprise();
    auto held = record_from(value->items[1].text, std::chrono::milliseconds(value->items[2].as_integer().value_or(0)), now);
    if (!held) co_return held.error();
    co_return held_by(*held);
}

// Without Redis: by what this gateway knows; Redis hears of it later.
Record RedisLedger::hold_alone(Record wanted, const Record* held, std::string fresh) {
    WallTime now = loop_.clock().wall();
    wanted.lease = held ? held->lease : std::move(fresh);
    wanted.registered = held ? held->registered : now;
    wanted.revision = held ? held->revision + 1 : 1;
    wanted.expires = now + wanted.ttl;
    Key key(wanted.service, wanted.instance.id);
    removed_alone_.erase(key);
    written_alone_.insert(key);
    keep(wanted);
    pay_later();
    return wanted;
}

rt::Task<Result<Record>> RedisLedger::extend(std::string service, std::string id) {
    std::vector<std::string> args{field_of(service, id)};
    auto value = co_await run(extend_, std::move(args));
    auto known = records_.find({service, id});
    if (!value) {
        if (known == records_.end()) co_return not_held(service, id);
        known->second.expires = loop_.clock().wall() + known->second.ttl;
        written_alone_.insert(known->first);
        listener_->extended(service, id, known->second.expires);
        pay_later();
        // A Redis that is full takes no lease, but it passes on what is said.
        if (subscriber_.up()) tasks_.spawn(tell_extension(field_of(service, id), known->second.ttl));
        co_return known->second;
    }
    if (value->items[0].text != "ours") {
        if (known != records_.end()) drop(known->first, known->second.revision, true);
        co_return not_held(service, id);
    }
    auto record = taken(*value);
    if (record) listener_->extended(service, id, record->expires);
    co_return record;
}

rt::Task<Result<Record>> RedisLedger::change(Record record) {
    Key key(record.service, record.instance.id);
    std::vector<std::string> args{field_of(key.first, key.second), to_json(record), record.lease, channel()};
    auto value = co_await run(change_, std::move(args));
    if (!value) {
        auto known = records_.find(key);
        if (known == records_.end()) co_return not_held(key.first, key.second);
        record.revision = known->second.revision + 1;
        written_alone_.insert(key);
        pay_later();
        keep(record);
        co_return record;
    }
    if (value->items[0].text != "ours") co_return not_held(key.first, key.second);
    co_return taken(*value);
}

rt::Task<Result<void>> RedisLedger::release(std::string service, std::string id) {
    Key key(service, id);
    std::vector<std::string> args{field_of(service, id), channel(), ""};
    auto value = co_await run(release_, std::move(args));
    auto known = records_.find(key);
    if (!value) {
        if (known == records_.end()) co_return not_held(service, id);
        written_alone_.erase(key);
        removed_alone_[key] = known->second.lease;
        pay_later();
        drop(key, known->second.revision + 1, false);
        co_return Result<void>();
    }
    if (value->items[0].text != "gone") co_return not_held(service, id);
    if (known != records_.end()) drop(key, static_cast<std::uint64_t>(value->items.back().as_integer().value_or(INT64_MAX)), false);
    co_return Result<void>();
}

rt::Task<Result<void>> RedisLedger::lapse(std::string service, std::string id) {
    std::vector<std::string> args{field_of(service, id), channel()};
    auto value = co_await run(lapse_, std::move(args));
    if (!value) co_return value.error();
    auto known = records_.find({service, id});
    if (known == records_.end()) co_return Result<void>();
    const std::string& said = value->items[0].text;
    if (said == "lasting") {
        auto left = value->items.size() > 1 ? value->items[1].as_integer() : std::nullopt;
        known->second.expires = loop_.clock().wall() + std::chrono::milliseconds(left.value_or(milliseconds_of(known->second.ttl)));
        listener_->extended(service, id, known->second.expires);
    } else {
        drop(known->first, INT64_MAX, true);
    }
    co_return Result<void>();
}

// ---- what others did

void RedisLedger::subscribed(const std::string&) { tasks_.spawn(catch_up()); }

rt::Task<void> RedisLedger::catch_up() {
    for (Duration pause = 100ms;; pause = std::min<Duration>(pause * 2, 5s)) {
        auto pushed = co_await push_pending();
        auto loaded = Result<void>();
        if (pushed) loaded = co_await load();
        if (pushed && loaded) break;
        if (!subscriber_.up()) co_return;  // it will be told again
        rt::Pause wait(loop_, loop_.now() + pause);
        co_await wait;
    }
    current_ = true;
    // Others may be on their way back with heartbeats that Redis has not heard of.
    if (was_away_) lapses_from_ = loop_.now() + redis_.options().max_reconnect_delay + 2s;
    if (std::exchange(was_away_, false)) events_.tell(Level::info, "registry.current", {{"instances", records_.size()}});
}

rt::Task<Result<void>> RedisLedger::push_pending() {
    while (!removed_alone_.empty()) {
        auto [key, lease] = *removed_alone_.begin();
        std::vector<std::string> args{field_of(key.first, key.second), channel(), lease};
        auto value = co_await run(release_, std::move(args));
        if (!value) co_return value.error();
        removed_alone_.erase(key);
    }
    while (!written_alone_.empty()) {
        Key key = *written_alone_.begin();
        auto known = records_.find(key);
        if (known != records_.end()) {
            const Record& record = known->second;
            std::vector<std::string> args{field_of(key.first, key.second), to_json(record), address_of(record), record.lease, record.lease,
                                          std::to_string(milliseconds_of(record.ttl)), channel(), "again"};
            std::uint64_t revision = record.revision;
            auto value = co_await run(hold_, std::move(args));
            if (!value) co_return value.error();
            // Held by somebody else: load() says who.
            if (value->items[0].text == "ours") taken(*value);
            if (value->items[0].text == "left" && records_.contains(key)) drop(key, revision, false);
        }
        written_alone_.erase(key);
    }
    co_return Result<void>();
}

// Commands may fail while the subscription stays: Redis is full, or was too slow once. What was written
// alone meanwhile is tried again until it is there.
void RedisLedger::pay_later() {
    if (!std::exchange(paying_, true)) tasks_.spawn(pay());
}

rt::Task<void> RedisLedger::pay() {
    for (Duration wait = 250ms;; wait = std::min<Duration>(wait * 2, 2s)) {
        rt::Pause pause(loop_, loop_.now() + wait);
        co_await pause;
        if (!subscriber_.up()) break;  // what begins with the next subscription pays
        auto pushed = co_await push_pending();
        auto loaded = Result<void>();
        if (pushed) loaded = co_await load();  // what was refused belongs to somebody else
        if (pushed && loaded) break;
    }
    paying_ = false;
}

rt::Task<void> RedisLedger::tell_extension(std::string field, Duration ttl) {
    std::vector<std::string> publish{"PUBLISH", channel(), "e" + std::to_string(milliseconds_of(ttl)) + "|" + field};
    co_await redis_.command_for(channel(), std::move(publish), store::Effect::idempotent);
}

void RedisLedger::away(const Error& why) {
    current_ = false;
    if (!std::exchange(was_away_, true)) events_.tell(Level::warning, "registry.alone", {{"because", why.detail}});
}

// "c" and a record; "r" (released) or "x" (lapsed), a revision, '|' and a field; "l" (left while Redis was
// away) and a lease; "e" (extended) and milliseconds.
void RedisLedger::message(const std::string&, const std::string& text) {
    if (text.empty()) return;
    std::string_view rest = std::string_view(text).substr(1);
    if (text[0] == 'c') {
        auto record = record_from(rest, Duration::zero(), loop_.clock().wall());
        if (!record) return;
        record->expires = loop_.clock().wall() + record->ttl;
        auto known = records_.find({record->service, record->instance.id});
        if (known == records_.end() || known->second.revision < record->revision) keep(*record);
        return;
    }
    std::size_t bar = rest.find('|');
    if (bar == rest.npos) return;
    std::string_view said = rest.substr(0, bar), field = rest.substr(bar + 1);
    std::size_t slash = field.find('/');
    if (slash == field.npos) return;
    auto known = records_.find({std::string(field.substr(0, slash)), std::string(field.substr(slash + 1))});
    if (known == records_.end()) return;
    Record& record = known->second;
    if (text[0] == 'l') {
        if (record.lease == said) drop(known->first, record.revision, false);
        return;
    }
    auto number = parse_u64(said);
    if (!number) return;
    if (text[0] == 'e') {
        record.expires = loop_.clock().wall() + std::chrono::milliseconds(*number);
        listener_->extended(record.service, record.instance.id, record.expires);
    } else if (record.revision < *number) {
        drop(known->first, *number, text[0] == 'x');
    }
}

}  // namespace suoke::services
