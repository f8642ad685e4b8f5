// SPDX-License-Identifier: MIT
#include "store/memory_kv.h"

#include "store/whole_number.h"

namespace suoke::store {

// A write pays for itself and for a few that went before it, so a store that nobody reads shrinks, too.
constexpr int kSweptPerWrite = 16;

MemoryKv::Entries::iterator MemoryKv::alive(const std::string& key) {
    auto entry = entries_.find(key);
    if (entry == entries_.end()) return entry;
    auto expiry = entry->second.expiry;
    if (expiry == by_expiry_.end() || expiry->first > loop_.now()) return entry;
    remove(entry);
    return entries_.end();
}

void MemoryKv::remove(Entries::iterator entry) {
    if (entry->second.expiry != by_expiry_.end()) by_expiry_.erase(entry->second.expiry);
    bytes_ -= entry->first.size() + entry->second.value.size();
    entries_.erase(entry);
}

void MemoryKv::sweep() {
    for (int i = 0; i < kSweptPerWrite; ++i) {
        auto first = by_expiry_.begin();
        if (first == by_expiry_.end() || first->first > loop_.now()) return;
        remove(first->second);
    }
}

Result<void> MemoryKv::store(std::string key, std::string value, Duration lifetime) {
    sweep();
    auto entry = alive(key);
    bool is_new = entry == entries_.end();
    std::size_t kept = bytes_ - (is_new ? 0 : key.size() + entry->second.value.size());
    std::size_t bytes = kept + key.size() + value.size();
    if (is_new && entries_.size() >= options_.most_entries)
        return Error(Code::store_unavailable, "the memory store is full: it holds " + std::to_string(entries_.size()) + " entries");
    if (bytes > options_.most_bytes)
        return Error(Code::store_unavailable, "the memory store is full: it holds " + std::to_string(bytes_) + " bytes");

    if (is_new) entry = entries_.emplace(std::move(key), Stored{{}, by_expiry_.end()}).first;
    Stored& stored = entry->second;
    stored.value = std::move(value);
    bytes_ = bytes;
    if (stored.expiry != by_expiry_.end()) by_expiry_.erase(stored.expiry);
    bool for_ever = lifetime <= Duration::zero();
    stored.expiry = for_ever ? by_expiry_.end() : by_expiry_.emplace(deadline_after(loop_.now(), lifetime), entry);
    return {};
}

rt::Task<Result<std::optional<std::string>>> MemoryKv::get(std::string key) {
    auto entry = alive(key);
    if (entry == entries_.end()) co_return std::optional<std::string>();
    co_return std::optional<std::string>(entry->second.value);
}

rt::Task<Result<void>> MemoryKv::put(std::string key, std::string value, Duration lifetime) {
    co_return store(std::move(key), std::move(value), lifetime);
}

rt::Task<Result<bool>> MemoryKv::put_if_absent(std::string key, std::string value, Duration lifetime) {
    if (alive(key) != entries_.end()) co_return false;
    Result<void> stored = store(std::move(key), std::move(value), lifetime);
    if (!stored) co_return stored.error();
    co_return true;
}

rt::Task<Result<bool>> MemoryKv::replace(std::string key, std::string expected, std::string value, Duration lifetime) {
    auto entry = alive(key);
    if (entry == entries_.end() || entry->second.value != expected) co_return false;
    Result<void> stored = store(std::move(key), std::move(value), lifetime);
    if (!stored) co_return stored.error();
    co_return true;
}

rt::Task<Result<bool>> MemoryKv::erase(std::string key) {
    auto entry = alive(key);
    if (entry == entries_.end()) co_return false;
    remove(entry);
    co_return true;
}

rt::Task<Result<std::int64_t>> MemoryKv::add(std::string key, std::int64_t amount, Duration lifetime) {
    auto entry = alive(key);
    if (entry == entries_.end()) {
        Result<void> stored = store(std::move(key), std::to_string(amount), lifetime);
        if (!stored) co_return stored.error();
        co_return amount;
    }
    Result<std::int64_t> sum = sum_of(key, entry->second.value, amount);
    if (!sum) co_return sum.error();
    std::string text = std::to_string(*sum);
    bytes_ = bytes_ - entry->second.value.size() + text.size();
    entry->second.value = std::move(text);
    co_return *sum;
}

rt::Task<Result<std::vector<Entry>>> MemoryKv::list(std::string prefix, std::size_t most) {
    std::vector<Entry> found;
    for (auto entry = entries_.lower_bound(prefix); entry != entries_.end() && found.size() < most; ++entry) {
        if (!entry->first.starts_with(prefix)) break;
        auto expiry = entry->second.expiry;
        if (expiry != by_expiry_.end() && expiry->first <= loop_.now()) continue;  // removed by a later write
        found.push_back({entry->first, entry->second.value});
    }
    co_return found;
}

}  // namespace suoke::store
