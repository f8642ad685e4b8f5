// SPDX-License-Identifier: MIT
// What is decided inside Redis. A record (MessagePack) is {free, free_at, owed, closed}, and for each gateway its id,
// share, wish, and when it told that: shares are parts of 65536, times microseconds by Redis' clock, and what is owed
// is shares times microseconds.
#include "limits/shares.h"

namespace suoke::limits {

const char* const kSettle = R"lua(
local WHOLE = 65536
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local me, lease, back, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local answers, free, free_at = {}
local function pour(share, its)
  if free + share <= 0 then return end
  free_at = now + floor((free * max(free_at - now, 0) + share * its) / (free + share))
  free = min(free + share, WHOLE)
end
for k, key in ipairs(KEYS) do
  local a = 4 + (k - 1) * 8
  local have, ahead, want, usual = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local least, depth = tonumber(ARGV[a + 5]), tonumber(ARGV[a + 6])
  local served, leaves = ARGV[a + 7] == '1', ARGV[a + 8] == '1'

  -- 1. What is there. Nobody has spoken yet: all that the caller does not have is free. Where gateways have served
  -- without a record, it is presumed to be used up, and lent to nobody before all had time to speak. Nor is what they
  -- held, when nobody could speak for a while: they have not gone, but are not back yet.
  local record, owed, mine, wishes, wished = {0, 0, 0, 0}, 0, nil, {want}, 0
  local text, was = redis.call('GET', key)
  local closed
  free, free_at, closed = WHOLE, served and now + depth or now, served and now + back or 0
  if text then
    was = cmsgpack.unpack(text)
    free, free_at, owed, closed = was[1], was[2], was[3], was[4]
    local latest = 0
    for i = 5, #was, 4 do
      latest = max(latest, was[i + 3])
      if was[i] == me then
        mine = was[i + 1]
        if was[i + 3] + lease * 0.75 < now then closed = now + back end
      elseif was[i + 3] + lease < now then
        pour(was[i + 1], depth)  -- it has gone, and may have used all of it
      else
        local n = #record
        record[n + 1], record[n + 2], record[n + 3], record[n + 4] = was[i], was[i + 1], was[i + 2], was[i + 3]
        wishes[#wishes + 1] = was[i + 2]
        wished = wished + was[i + 2]
      end
    end
    if served and #was > 4 and latest + lease < now then closed = now + back end
  end

  -- 2. What the caller holds: it may have come down since, or have served before anybody knew of it.
  local share, further = mine, 0
  if not mine then
    share = min(have, free)
    local debt = have * ahead + (served and 0 or share * max(free_at - now, 0))  -- who served has counted for himself
    free = free - share
    local its = share > 0 and min(floor(debt / share), 2 * depth) or 0
    owed = owed + debt - share * its
    further = its - ahead
  elseif mine > have then
    pour(mine - have, ahead)
    share = have
  end

  -- 3. What it should hold: all wishes are met up to the same level; of what is left everyone has up to the usual.
  local target = 0
  if leaves then
    pour(share, ahead + further)
    share = 0
  else
    table.sort(wishes)
    local left, level, rest, low = WHOLE, WHOLE, WHOLE, 0
    for i, wish in ipairs(wishes) do
      local fair = floor(left / (#wishes - i + 1))
      if wish > fair then
        level = fair
        break
      end
      left = left - wish
    end
    for _, wish in ipairs(wishes) do
      rest = rest - min(wish, level)
      if min(wish, level) < usual then low = low + 1 end
    end
    target = min(want, level)
    if target < usual then target = min(usual, target + floor(max(rest, 0) / low)) end
    if want > 0 then target = max(target, min(least, WHOLE)) end
  end

  -- 4. Debts first, then what is free.
  local used = max(free_at - now, 0)
  if owed > 0 and free > 0 then
    local pay = min(owed, free * max(2 * depth - used, 0))
    used = used + ceil(pay / free)
    free_at = now + used
    owed = owed - pay
  end
  local more = min(target - share, free)
  if not leaves and more > 0 and now >= closed and (share + more >= least or want == 0) then
    further = ceil((share * (ahead + further) + more * used) / (share + more)) - ahead
    free = free - more
    share = share + more
  end

  -- 5. Kept as long as anything is owed by anybody.
  local busy = (used > 0 or owed > 0 or wished * 2 > WHOLE) and 1 or 0
  local n = #record
  if not leaves then record[n + 1], record[n + 2], record[n + 3], record[n + 4] = me, share, want, now end
  if #record == 4 and busy == 0 then
    redis.call('DEL', key)
  else
    record[1], record[2], record[3], record[4] = free, free_at, owed, closed
    redis.call('SET', key, cmsgpack.pack(record), 'PX', min(floor(2 * (depth + lease) / 1000) + 1000, 2764800000))
  end
  n = #answers
  answers[n + 1], answers[n + 2], answers[n + 3], answers[n + 4] = share, target, further, busy
end
return answers
)lua";

const char* const kGreet = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
redis.call('SET', KEYS[2], ARGV[3], 'NX')
return {redis.call('ZCARD', KEYS[1]), redis.call('GET', KEYS[2])}
)lua";

}  // namespace suoke::limits
