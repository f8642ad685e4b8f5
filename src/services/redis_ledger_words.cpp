// SPDX-License-Identifier: MIT
#include "services/redis_ledger_words.h"

#include <algorithm>

#include "base/text.h"

namespace suoke::services::words {

// KEYS: a hash of records, a sorted set of when leases end, the revision, the data's birth, and the lease of
// who left this field while Redis was away.
// A record is "lease|host:port|registered|revision|ttl", a line break, and its JSON.
static constexpr const char* kNow = R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
)";

const std::string kLoad = std::string(kNow) + R"(
redis.pcall('SET', KEYS[4], ARGV[1], 'NX')
return {tostring(now), redis.call('GET', KEYS[4]) or '', redis.call('HGETALL', KEYS[1]), redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')}
)";

// ARGV: field, JSON, host:port, the lease that was shown, a new one, ttl, channel, "again" when Redis is only
// told what it may have lost: then the new lease is the one it had. What clients show is compared and never kept.
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
    if address == ARGV[3] or his == ARGV[4] then
        lease, registered = his, since
    elseif not (ends and tonumber(ends) <= now) then
        return {'held', held, tostring(ends and tonumber(ends) - now or 0)}
    end
end
local value = lease .. '|' .. ARGV[3] .. '|' .. registered .. '|' .. redis.call('INCR', KEYS[3]) .. '|' .. ARGV[6] .. '\n' .. ARGV[2]
redis.call('HSET', KEYS[1], ARGV[1], value)
if tonumber(ARGV[6]) > 0 then redis.call('ZADD', KEYS[2], now + ARGV[6], ARGV[1]) else redis.call('ZREM', KEYS[2], ARGV[1]) end
redis.call('PUBLISH', ARGV[7], 'c' .. value)
return {'ours', value, ARGV[6]}
)";

// ARGV: field, the lease that was shown; empty: none was.
const std::string kExtend = std::string(kNow) + R"(
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held then return {'none', redis.call('GET', KEYS[4]) or ''} end
local lease, ttl = string.match(held, '^([^|]*)|[^|]*|[^|]*|[^|]*|(%d+)')
if ARGV[2] ~= '' and ARGV[2] ~= lease then
    local ends = redis.call('ZSCORE', KEYS[2], ARGV[1])
    return {'held', held, tostring(ends and tonumber(ends) - now or 0)}
end
ttl = tonumber(ttl)
if ttl > 0 then redis.call('ZADD', KEYS[2], now + ttl, ARGV[1]) end
return {'ours', held, tostring(ttl)}
)";

// ARGV: field, JSON, lease, channel, the revision that was changed. When Redis has a younger one, somebody else has
// changed it, whom this would undo; an older one is what it was not told of yet.
const std::string kChange = std::string(kNow) + R"(
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held then return {'none', redis.call('GET', KEYS[4]) or ''} end
local lease, address, registered, revision, ttl = string.match(held, '^([^|]*)|([^|]*)|([^|]*)|([^|]*)|(%d+)')
if lease ~= ARGV[3] then return {'none'} end
local ends = redis.call('ZSCORE', KEYS[2], ARGV[1])
local left = tostring(ends and tonumber(ends) - now or 0)
if tonumber(revision) > tonumber(ARGV[5]) then return {'younger', held, left} end
local value = lease .. '|' .. address .. '|' .. registered .. '|' .. redis.call('INCR', KEYS[3]) .. '|' .. ttl .. '\n' .. ARGV[2]
redis.call('HSET', KEYS[1], ARGV[1], value)
redis.call('PUBLISH', ARGV[4], 'c' .. value)
return {'ours', value, left}
)";

// ARGV: field, channel, the lease when it was released while Redis was away: others may still know it, and somebody
// else may have registered under its id since.
const std::string kRelease = R"(
if ARGV[3] ~= '' then
    redis.pcall('SET', KEYS[5], ARGV[3], 'PX', 3600000)
    redis.call('PUBLISH', ARGV[2], 'l' .. ARGV[3] .. '|' .. ARGV[1])
    local held = redis.call('HGET', KEYS[1], ARGV[1])
    if held and string.match(held, '^[^|]*') ~= ARGV[3] then return {'none'} end
end
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return {'none', redis.call('GET', KEYS[4]) or ''} end
redis.call('ZREM', KEYS[2], ARGV[1])
local revision = redis.call('INCR', KEYS[3])
redis.call('PUBLISH', ARGV[2], 'r' .. revision .. '|' .. ARGV[1])
return {'gone', tostring(revision)}
)";

const std::string kLapse = std::string(kNow) + R"(
local ends = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not ends then
    if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return {'lasting'} end
    return {'none', redis.call('GET', KEYS[4]) or ''}
end
if tonumber(ends) > now then return {'lasting', tostring(tonumber(ends) - now)} end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
local revision = redis.call('INCR', KEYS[3])
redis.call('PUBLISH', ARGV[2], 'x' .. revision .. '|' .. ARGV[1])
return {'gone', tostring(revision)}
)";

Error surprise() { return Error(Code::store_unavailable, "Redis answered the registry something else than its scripts say"); }

Duration span(std::int64_t milliseconds) {
    constexpr std::int64_t kMost = 1'000'000'000'000;   // 31 years: it is added to the present
    return std::chrono::milliseconds(std::clamp(milliseconds, -kMost, kMost));
}

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
    if (!registered || !revision || !ttl || *registered > kMostMilliseconds || *ttl > kMostMilliseconds) return surprise();
    record->lease = parts[0];
    record->registered = WallTime(std::chrono::milliseconds(*registered));
    record->revision = *revision;
    record->ttl = span(static_cast<std::int64_t>(*ttl));
    record->expires = now + left;
    return record;
}

std::optional<Message> read_message(std::string_view text, WallTime now) {
    if (text.empty()) return std::nullopt;
    Message message;
    std::string_view rest = text.substr(1);
    if (text[0] == 'c') {
        auto record = record_from(rest, Duration::zero(), now);
        if (!record) return std::nullopt;
        record->expires = now + record->ttl;
        message.kind = Message::changed;
        message.record = std::move(*record);
        return message;
    }
    std::size_t bar = rest.find('|');
    if (bar == rest.npos) return std::nullopt;
    std::string_view said = rest.substr(0, bar), field = rest.substr(bar + 1);
    std::size_t slash = field.find('/');
    if (slash == field.npos) return std::nullopt;
    message.record.service = field.substr(0, slash);
    message.record.instance.id = field.substr(slash + 1);
    switch (text[0]) {
        case 'l':
            message.kind = Message::left;
            message.record.lease = said;
            return message;
        case 'r': message.kind = Message::released; break;
        case 'x': message.kind = Message::lapsed; break;
        case 'e': message.kind = Message::extended; break;
        default: return std::nullopt;
    }
    auto number = parse_u64(said);
    if (!number) return std::nullopt;
    if (message.kind == Message::extended) message.record.expires = now + span(static_cast<std::int64_t>(std::min(*number, kMostMilliseconds)));
    else message.record.revision = *number;
    return message;
}

}  // namespace suoke::services::words
