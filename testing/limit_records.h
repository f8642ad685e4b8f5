// SPDX-License-Identifier: MIT
#pragma once
// What the script limits::kSettle does inside Redis, with a clock of the test's own. That both do the same is
// proved in limits/shares_server_test.cpp.
//
//   scene::LimitRecords redis;
//   limits::Answer answer = redis.settle("key", "gateway-1", report, now_in_microseconds);

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "limits/shares.h"

namespace suoke::scene {

class LimitRecords {
 public:
    limits::Answer settle(const std::string& key, const std::string& me, const limits::Report& told, std::int64_t now) {
        ++settled;
        Record record{kWhole, told.served ? now + told.depth : now, 0, told.served ? now + kReturn : 0, {}};
        std::optional<std::int64_t> mine;
        if (auto known = records_.find(key); known != records_.end()) {
            Record was = known->second;
            record.free = was.free, record.free_at = was.free_at, record.owed = was.owed, record.closed = was.closed;
            std::int64_t latest = 0;
            for (const Holder& each : was.holders) {
                latest = std::max(latest, each.told);
                if (each.id == me && each.told + kLease * 3 / 4 < now) record.closed = now + kReturn;
                if (each.id == me) mine = each.share;
                else if (each.told + kLease < now) pour(record, each.share, told.depth, now);
                else record.holders.push_back(each);
            }
            if (told.served && !was.holders.empty() && latest + kLease < now) record.closed = now + kReturn;
        }
        // What the caller holds.
        std::int64_t share = mine.value_or(0), further = 0;
        if (!mine) {
            share = std::min<std::int64_t>(told.have, record.free);
            std::int64_t debt = told.have * told.ahead + (told.served ? 0 : share * used(record, now));
            record.free -= share;
            std::int64_t its = share > 0 ? std::min(debt / share, 2 * told.depth) : 0;
            record.owed += debt - share * its;
            further = its - told.ahead;
        } else if (*mine > told.have) {
            pour(record, *mine - told.have, told.ahead, now);
            share = told.have;
        }
        // What it should hold.
        std::int64_t target = 0;
        if (told.leaves) {
            pour(record, share, told.ahead + further, now);
            share = 0;
        } else {
            target = target_of(record, told);
        }
        // Debts first, then what is free.
        if (record.owed > 0 && record.free > 0) {
            std::int64_t pay = std::min(record.owed, record.free * std::max<std::int64_t>(2 * told.depth - used(record, now), 0));
            record.free_at = now + used(record, now) + (pay + record.free - 1) / record.free;
            record.owed -= pay;
        }
        std::int64_t more = std::min(target - share, record.free);
        if (!told.leaves && more > 0 && now >= record.closed && (share + more >= told.least || told.want == 0)) {
            std::int64_t sum = share * (told.ahead + further) + more * used(record, now);
            further = (sum + share + more - 1) / (share + more) - told.ahead;
            record.free -= more;
            share += more;
        }
        std::int64_t wished = 0;
        for (const Holder& each : record.holders) wished += each.want;
        bool busy = used(record, now) > 0 || record.owed > 0 || wished * 2 > kWhole;
        if (!told.leaves) record.holders.push_back({me, share, told.want, now});
        if (record.holders.empty() && !busy) records_.erase(key);
        else records_[key] = record;
        return {static_cast<std::uint32_t>(share), static_cast<std::uint32_t>(target), further, busy};
    }

    void lose_everything() { records_.clear(); }
    std::size_t size() const { return records_.size(); }
    std::uint64_t settled = 0;   // reports

 private:
    static constexpr std::int64_t kWhole = 65536;
    static constexpr std::int64_t kLease = limits::kLease / std::chrono::microseconds(1), kReturn = limits::kReturn / std::chrono::microseconds(1);
    struct Holder {
        std::string id;
        std::int64_t share = 0, want = 0, told = 0;
    };
    struct Record {
        std::int64_t free = 0, free_at = 0, owed = 0, closed = 0;
        std::vector<Holder> holders;
    };

    static std::int64_t used(const Record& record, std::int64_t now) { return std::max<std::int64_t>(record.free_at - now, 0); }
    static void pour(Record& record, std::int64_t share, std::int64_t its, std::int64_t now) {
        if (record.free + share <= 0) return;
        record.free_at = now + (record.free * used(record, now) + share * its) / (record.free + share);
        record.free = std::min(record.free + share, kWhole);
    }
    static std::int64_t target_of(const Record& record, const limits::Report& told) {
        std::vector<std::int64_t> wishes{told.want};
        for (const Holder& each : record.holders) wishes.push_back(each.want);
        std::sort(wishes.begin(), wishes.end());
        std::int64_t left = kWhole, level = kWhole, rest = kWhole, low = 0;
        for (std::size_t i = 0; i < wishes.size(); ++i) {
            std::int64_t fair = left / static_cast<std::int64_t>(wishes.size() - i);
            if (wishes[i] > fair) {
                level = fair;
                break;
            }
            left -= wishes[i];
        }
        for (std::int64_t wish : wishes) {
            rest -= std::min(wish, level);
            low += std::min(wish, level) < told.usual;
        }
        std::int64_t target = std::min<std::int64_t>(told.want, level);
        if (target < told.usual) target = std::min<std::int64_t>(told.usual, target + std::max<std::int64_t>(rest, 0) / low);
        if (told.want > 0) target = std::max(target, std::min<std::int64_t>(told.least, kWhole));
        return target;
    }

    std::map<std::string, Record> records_;
};

}  // namespace suoke::scene
