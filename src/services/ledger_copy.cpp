// SPDX-License-Identifier: MIT
#include "services/ledger_copy.h"

#include "rt/pause.h"

namespace suoke::services {

static const std::string kPrefix = "registry-copy/";
static constexpr std::size_t kWrittenTogether = 64;   // the store's writes hold up the loop

static std::string key_of(const LedgerCopy::Key& key) { return kPrefix + key.first + "/" + key.second; }

// Leases are extended all the time and not written.
static std::string text_of(Record record) {
    record.expires = {};
    return to_json(record);
}

LedgerCopy::LedgerCopy(rt::Loop& loop, store::Kv& kv, const Records& records) : loop_(loop), kv_(kv), records_(records) {
    tasks_.spawn(stay_young());
}

rt::Task<Result<std::vector<Record>>> LedgerCopy::recall() {
    auto entries = co_await kv_.list(kPrefix, 1'000'000);
    if (!entries) co_return entries.error();
    std::vector<Record> all;
    for (const store::Entry& entry : *entries) {
        auto record = record_of(entry.value);
        if (!record) continue;  // written by a version that knew something else
        written_[{record->service, record->instance.id}] = std::hash<std::string>()(entry.value);
        set_end(*record, record->ttl, loop_.clock().wall(), loop_.now());
        all.push_back(std::move(*record));
    }
    co_return all;
}

void LedgerCopy::changed(const Key& key) {
    dirty_.insert(key);
    begin_to_write();
}

void LedgerCopy::all_changed() {
    for (const auto& [key, hash] : written_)
        if (!records_.contains(key)) dirty_.insert(key);
    for (const auto& [key, record] : records_) dirty_.insert(key);
    begin_to_write();
}

void LedgerCopy::begin_to_write() {
    if (!std::exchange(writing_, true)) tasks_.spawn(write());
}

rt::Task<void> LedgerCopy::write() {
    std::set<Key> refused;   // come again when all others have had their turn
    while (!dirty_.empty() || !refused.empty()) {
        if (loop_.now() - turn_began_ >= 1ms) {
            turn_began_ = loop_.now();
            written_in_turn_ = 0;
        }
        if (dirty_.empty() || written_in_turn_++ >= kWrittenTogether) {
            rt::Pause turn(loop_, loop_.now() + (dirty_.empty() ? kTryAgain : Duration(1ms)));
            co_await turn;
        }
        if (dirty_.empty()) dirty_ = std::exchange(refused, {});
        Key key = std::move(dirty_.extract(dirty_.begin()).value());
        auto written = co_await write_one(key);
        if (!written) refused.insert(std::move(key));
    }
    writing_ = false;
}

rt::Task<Result<void>> LedgerCopy::write_one(Key key) {
    auto known = records_.find(key);
    if (known == records_.end()) {
        auto erased = co_await kv_.erase(key_of(key));
        if (!erased) co_return erased.error();
        written_.erase(key);
        co_return Result<void>();
    }
    std::string text = text_of(known->second);
    std::size_t hash = std::hash<std::string>()(text);
    if (auto before = written_.find(key); before != written_.end() && before->second == hash) co_return Result<void>();
    auto put = co_await kv_.put(key_of(key), std::move(text), kOldest);
    if (put) written_[key] = hash;
    co_return put;
}

rt::Task<void> LedgerCopy::stay_young() {
    for (;;) {
        rt::Pause pause(loop_, loop_.now() + kOldest / 4);
        co_await pause;
        // What is no longer known keeps its mark, so that it is taken out.
        for (const auto& [key, record] : records_) written_.erase(key);
        all_changed();
    }
}

}  // namespace suoke::services
