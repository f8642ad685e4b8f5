// SPDX-License-Identifier: MIT
#pragma once
// What has to outlive a request: small values under keys, some of them only for a time. One interface,
// three engines: memory (gone with the process), SQLite (survives a restart), Redis (shared by all
// gateways). Every call belongs to the loop the store was made in. Keys are text, values any bytes.
//
//   auto put = co_await kv.put("sessions/7", bytes, 30min);
//   if (!put) ... put.error().code == Code::store_unavailable

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "rt/task.h"

namespace suoke::store {

struct Entry {
    std::string key, value;
    bool operator==(const Entry&) const = default;
};

// A lifetime of zero is for ever; others are kept to the millisecond and never end early. Whatever a
// store cannot do is Code::store_unavailable, and says whether it is away, full, or what it was given
// does not fit (adding to what is no number, or beyond 64 bits). A put or replace gives the lifetime anew.
class Kv {
 public:
    virtual ~Kv() = default;
    virtual rt::Task<Result<std::optional<std::string>>> get(std::string key) = 0;
    virtual rt::Task<Result<void>> put(std::string key, std::string value, Duration lifetime = Duration::zero()) = 0;
    // False, and nothing changes, when the key has a value already.
    virtual rt::Task<Result<bool>> put_if_absent(std::string key, std::string value, Duration lifetime = Duration::zero()) = 0;
    // False, and nothing changes, when the value is not (or no longer) `expected`.
    virtual rt::Task<Result<bool>> replace(std::string key, std::string expected, std::string value, Duration lifetime = Duration::zero()) = 0;
    virtual rt::Task<Result<bool>> erase(std::string key) = 0;   // whether there was one
    // Adds to a whole number (a missing one is 0) and gives the sum. The lifetime counts from the
    // first addition.
    virtual rt::Task<Result<std::int64_t>> add(std::string key, std::int64_t amount, Duration lifetime = Duration::zero()) = 0;
    // All whose key begins with `prefix`, by key, at most `most` of them.
    virtual rt::Task<Result<std::vector<Entry>>> list(std::string prefix, std::size_t most = 10'000) = 0;

    virtual const char* engine() const = 0;      // "memory", "sqlite", "redis"
};

}  // namespace suoke::store
