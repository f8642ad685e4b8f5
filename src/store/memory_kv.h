// SPDX-License-Identifier: MIT
#pragma once
// The engine "memory": gone with the process, and never more than a given number of entries.
//
//   store::MemoryKv kv(loop, {.most_entries = 10'000});

#include <functional>
#include <map>

#include "rt/loop.h"
#include "store/kv.h"

namespace suoke::store {

struct MemoryKvOptions {
    std::size_t most_entries = 100'000;         // beyond it what is new is refused
    std::size_t most_bytes = 256ull << 20;      // of keys and values together
};

class MemoryKv final : public Kv {
 public:
    explicit MemoryKv(rt::Loop& loop, MemoryKvOptions options = {}) : loop_(loop), options_(options) {}
    MemoryKv(const MemoryKv&) = delete;
    MemoryKv& operator=(const MemoryKv&) = delete;

    rt::Task<Result<std::optional<std::string>>> get(std::string key) override;
    rt::Task<Result<void>> put(std::string key, std::string value, Duration lifetime) override;
    rt::Task<Result<bool>> put_if_absent(std::string key, std::string value, Duration lifetime) override;
    rt::Task<Result<bool>> replace(std::string key, std::string expected, std::string value, Duration lifetime) override;
    rt::Task<Result<bool>> erase(std::string key) override;
    rt::Task<Result<std::int64_t>> add(std::string key, std::int64_t amount, Duration lifetime) override;
    rt::Task<Result<std::vector<Entry>>> list(std::string prefix, std::size_t most) override;
    const char* engine() const override { return "memory"; }

    std::size_t size() const { return entries_.size(); }  // expired ones that were not swept yet included

 private:
    struct Stored;
    using Entries = std::map<std::string, Stored, std::less<>>;
    using ByExpiry = std::multimap<TimePoint, Entries::iterator>;
    struct Stored {
        std::string value;
        ByExpiry::iterator expiry;  // end(): for ever
    };

    Entries::iterator alive(const std::string& key);  // end(): none, or expired
    Result<void> store(std::string key, std::string value, Duration lifetime);
    void remove(Entries::iterator entry);
    void sweep();

    rt::Loop& loop_;
    MemoryKvOptions options_;
    Entries entries_;
    ByExpiry by_expiry_;
    std::size_t bytes_ = 0;
};

}  // namespace suoke::store
