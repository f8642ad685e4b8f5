// SPDX-License-Identifier: MIT
#include "services/local_ledger.h"

#include "base/text.h"
#include "rt/digest.h"

namespace suoke::services {

static const std::string kPrefix = "registry/";
// No name of a service has a slash, so two of these are never the same.
static std::string key_of(const std::string& service, const std::string& id) { return kPrefix + service + "/" + id; }

rt::Task<Result<void>> LocalLedger::load() {
    auto entries = co_await kv_.list(kPrefix, 1'000'000);
    if (!entries) co_return entries.error();
    std::vector<Record> all;
    for (const store::Entry& entry : *entries) {
        auto record = record_of(entry.value);
        if (!record) continue;  // written by a version that knew something else; it registers again
        begin_lease(*record);
        revision_ = std::max(revision_, record->revision);
        records_[{record->service, record->instance.id}] = *record;
        all.push_back(std::move(*record));
    }
    listener_->replaced(std::move(all));
    co_return Result<void>();
}

rt::Task<Result<Record>> LocalLedger::hold(Record wanted, std::string lease) {
    Key key(wanted.service, wanted.instance.id);
    auto held = records_.find(key);
    if (held != records_.end() && !may_take(held->second, wanted, lease, loop_.now())) co_return held_by(held->second);
    // Whoever comes after another one's lease has run out is somebody else.
    bool again = held != records_.end() && is_holder(held->second, wanted, lease);
    wanted.lease = again ? held->second.lease : new_lease();
    wanted.registered = again ? held->second.registered : loop_.clock().wall();
    begin_lease(wanted);
    wanted.revision = ++revision_;
    auto written = co_await kv_.put(key_of(key.first, key.second), to_json(wanted));
    if (!written) co_return written.error();
    records_[key] = wanted;
    listener_->changed(wanted);
    co_return wanted;
}

rt::Task<Result<Record>> LocalLedger::extend(std::string service, std::string id, std::string lease) {
    auto held = records_.find({service, id});
    if (held == records_.end()) co_return not_held(service, id);
    if (!lease.empty() && !rt::same_secret(lease, held->second.lease)) co_return held_by(held->second);
    begin_lease(held->second);
    listener_->extended(held->second);
    co_return held->second;
}

rt::Task<Result<Record>> LocalLedger::change(Record record) {
    Key key(record.service, record.instance.id);
    auto held = records_.find(key);
    if (held == records_.end() || held->second.lease != record.lease) co_return not_held(key.first, key.second);
    if (held->second.revision > record.revision) co_return changed_meanwhile(record);
    record.expires = held->second.expires;
    record.ends = held->second.ends;
    record.revision = ++revision_;
    auto written = co_await kv_.put(key_of(key.first, key.second), to_json(record));
    if (!written) co_return written.error();
    records_[key] = record;
    listener_->changed(record);
    co_return record;
}

rt::Task<Result<void>> LocalLedger::release(std::string service, std::string id) {
    Key key(service, id);
    if (!records_.contains(key)) co_return not_held(service, id);
    co_return co_await forget(std::move(key), false);
}

rt::Task<Result<void>> LocalLedger::lapse(std::string service, std::string id) {
    Key key(service, id);
    auto held = records_.find(key);
    if (held == records_.end() || !has_run_out(held->second, loop_.now())) co_return Result<void>();
    co_return co_await forget(std::move(key), true);
}

rt::Task<Result<void>> LocalLedger::forget(Key key, bool lapsed) {
    auto erased = co_await kv_.erase(key_of(key.first, key.second));
    if (!erased) co_return erased.error();
    records_.erase(key);
    listener_->removed(key.first, key.second, ++revision_, lapsed);
    co_return Result<void>();
}

}  // namespace suoke::services
