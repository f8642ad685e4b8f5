// SPDX-License-Identifier: MIT
#pragma once
// What somebody registered: an instance of a service, for as long as its lease lasts.

#include <string>

#include "balance/instance.h"
#include "base/error.h"
#include "base/time.h"

namespace suoke::services {

struct Record {
    std::string service;
    balance::Instance instance;
    std::string name;             // what the instance calls itself, for people
    Duration ttl{};               // without a heartbeat for so long it is gone; zero: it stays until it is taken out
    std::string lease;            // whoever shows it may change or move the instance
    WallTime registered{};
    WallTime expires{};           // of leases; shifted by every heartbeat
    std::uint64_t revision = 0;   // grows with every change, over all gateways
    bool operator==(const Record&) const = default;
};

// Whether `wanted` may take the place of `held`: it is the same address again, or shows its lease, or the
// lease has run out.
bool may_take(const Record& held, const Record& wanted, std::string_view lease, WallTime now);
std::string new_lease();          // nobody can guess it
Error held_by(const Record& held);
Error not_held(const std::string& service, const std::string& id);

// As JSON, for stores and for other gateways; strict on the way back.
std::string to_json(const Record& record);
Result<Record> record_of(std::string_view json);

}  // namespace suoke::services
