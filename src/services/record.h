// SPDX-License-Identifier: MIT
#pragma once
// What somebody registered: an instance of a service, for as long as its lease lasts.

#include <string>

#include "balance/instance.h"
#include "base/error.h"
#include "base/time.h"

namespace suoke::services {

// The longest or latest time that is believed of a store's numbers: the year 2223 since the epoch.
constexpr std::uint64_t kMostMilliseconds = 8'000'000'000'000;

struct Record {
    std::string service;
    balance::Instance instance;
    std::string name;             // what the instance calls itself, for people
    Duration ttl{};               // without a heartbeat for so long it is gone; zero: it stays until it is taken out
    std::string lease;            // whoever shows it may change or move the instance
    WallTime registered{};
    WallTime expires{};           // of leases; shifted by every heartbeat. For people: that clock may be set
    TimePoint ends{};             // the same by the monotonic clock, which decides; of this process, in no JSON
    std::uint64_t revision = 0;   // grows with every change, over all gateways
    bool operator==(const Record&) const = default;
};

// Its lease has `left` to go from now.
void set_end(Record& record, Duration left, WallTime wall, TimePoint now);
bool has_run_out(const Record& record, TimePoint now);   // never without a lease
// Whether `wanted` is who holds the id: it is the same address again, or shows the lease.
bool is_holder(const Record& held, const Record& wanted, std::string_view lease);
// Whether `wanted` may take the place of `held`: it is the holder, or the lease has run out.
bool may_take(const Record& held, const Record& wanted, std::string_view lease, TimePoint now);
std::string new_lease();          // nobody can guess it
Error held_by(const Record& held);
Error changed_meanwhile(const Record& record);   // Code::conflict, too
Error not_held(const std::string& service, const std::string& id);

// As JSON, for stores and for other gateways; strict on the way back, and no deeper than so many levels.
constexpr int kDeepestRecord = 32;
std::string to_json(const Record& record);
Result<Record> record_of(std::string_view json);

}  // namespace suoke::services
