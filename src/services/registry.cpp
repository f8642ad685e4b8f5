// SPDX-License-Identifier: MIT
#include "services/registry.h"

#include <algorithm>
#include <set>

namespace suoke::services {

static constexpr const char* kSource = "registry";

Registry::Registry(rt::Loop& loop, Directory& directory, Events& events, Ledger& ledger, RegistryRules rules)
    : loop_(loop), directory_(directory), events_(events), ledger_(ledger), rules_(rules), expiry_(*this) {
    ledger_.set_listener(this);
    directory_.set_teller(kSource, [this](const std::string& service) { return instances_of(service); });
}

Registry::~Registry() {
    directory_.set_teller(kSource, nullptr);
    ledger_.set_listener(nullptr);
}

rt::Task<Result<void>> Registry::begin() { return ledger_.load(); }

// ---- what clients ask for

Result<void> Registry::room_for(const Record& wanted) const {
    if (records_.contains({wanted.service, wanted.instance.id}) || records_.size() < rules_.most_instances) return {};
    return Error(Code::overloaded, "the registry is full: it may have " + std::to_string(rules_.most_instances) + " instances");
}

rt::Task<Result<Record>> Registry::add(Record wanted, std::string lease) {
    Result<void> room = room_for(wanted);
    if (!room) co_return room.error();
    wanted.ttl = std::min(wanted.ttl, rules_.longest_ttl);
    // Who takes over an address has it alone: its old name would send the traffic there twice.
    std::vector<std::string> same_address;
    for (const Record* other : list(wanted.service))
        if (other->instance.port == wanted.instance.port && other->instance.host == wanted.instance.host && other->instance.id != wanted.instance.id)
            same_address.push_back(other->instance.id);
    std::string service = wanted.service;
    auto held = co_await ledger_.hold(std::move(wanted), std::move(lease));
    if (!held) co_return held;
    for (const std::string& id : same_address) co_await ledger_.release(service, id);
    co_return held;
}

rt::Task<Result<Record>> Registry::heartbeat(std::string service, std::string id, std::string lease) {
    return ledger_.extend(std::move(service), std::move(id), std::move(lease));
}

static void apply(const Change& change, balance::Instance& instance) {
    if (change.weight) instance.weight = *change.weight;
    if (change.version) instance.version = *change.version;
    if (change.zone) instance.zone = *change.zone;
    if (change.tags) instance.tags = *change.tags;
    if (change.metadata) instance.metadata = *change.metadata;
    if (change.draining) instance.draining = *change.draining;
}

// The ledger takes whole records. What another gateway changed meanwhile is no part of ours: the ledger then
// refuses it and tells what is there, to which the change is made again.
rt::Task<Result<Record>> Registry::change(std::string service, std::string id, Change change) {
    for (bool again = false;; again = true) {
        const Record* known = find(service, id);
        if (!known) co_return not_held(service, id);
        Record record = *known;
        apply(change, record.instance);
        auto changed = co_await ledger_.change(std::move(record));
        if (changed || changed.error().code != Code::conflict || again) co_return changed;
    }
}

rt::Task<Result<void>> Registry::remove(std::string service, std::string id) { return ledger_.release(std::move(service), std::move(id)); }

const Record* Registry::find(const std::string& service, const std::string& id) const {
    auto found = records_.find({service, id});
    return found == records_.end() ? nullptr : &found->second;
}

std::vector<const Record*> Registry::list(const std::string& service) const {
    std::vector<const Record*> out;
    for (auto at = records_.lower_bound({service, ""}); at != records_.end(); ++at) {
        if (!service.empty() && at->first.first != service) break;
        out.push_back(&at->second);
    }
    return out;
}

// ---- what the ledger tells

void Registry::changed(const Record& record) {
    auto known = records_.find({record.service, record.instance.id});
    if (known != records_.end() && known->second.revision >= record.revision) return;  // old news
    if (take(record)) publish(record.service);
}

// Whether the members of its service are others now.
bool Registry::take(const Record& record) {
    auto known = records_.find({record.service, record.instance.id});
    bool is_new = known == records_.end();
    bool same = !is_new && known->second.instance == record.instance;
    bool draining = !is_new && !known->second.instance.draining && record.instance.draining;
    records_[{record.service, record.instance.id}] = record;
    if (is_new || draining)
        events_.tell(Level::info, is_new ? "instance.registered" : "instance.draining",
                     {{"service", record.service}, {"instance", record.instance.id}, {"host", record.instance.host}, {"port", std::uint64_t{record.instance.port}}});
    if (record.ttl > Duration::zero()) expires_at(record.ends);
    return !same;
}

void Registry::extended(const Record& record) {
    auto known = records_.find({record.service, record.instance.id});
    if (known == records_.end()) return;
    known->second.expires = record.expires;
    known->second.ends = record.ends;
}

void Registry::removed(const std::string& service, const std::string& id, std::uint64_t revision, bool lapsed) {
    auto known = records_.find({service, id});
    if (known == records_.end() || known->second.revision > revision) return;
    drop(known->first, lapsed ? "instance.expired" : "instance.deregistered");
    publish(service);
    if (records_.empty()) expiry_.disarm();
}

void Registry::replaced(std::vector<Record> all) {
    std::map<Key, Record> now;
    for (Record& record : all) now[{record.service, record.instance.id}] = std::move(record);
    std::vector<Key> gone;
    for (const auto& [key, record] : records_)
        if (!now.contains(key)) gone.push_back(key);
    std::set<std::string> services;
    for (const Key& key : gone) {
        drop(key, "instance.expired");
        services.insert(key.first);
    }
    // The ledger's word, even if it begins to count anew.
    for (const auto& [key, record] : now)
        if (take(record)) services.insert(key.first);
    for (const std::string& service : services) publish(service);
}

void Registry::drop(const Key& key, const char* why) {
    Key gone = key;
    records_.erase(gone);
    events_.tell(Level::info, why, {{"service", gone.first}, {"instance", gone.second}});
}

void Registry::publish(const std::string& service) { directory_.changed(service, kSource); }

balance::Instances Registry::instances_of(const std::string& service) const {
    balance::Instances instances;
    for (const Record* record : list(service)) instances.push_back(record->instance);
    return instances;
}

// ---- leases

// The timer is set for the earliest end there might be; heartbeats move ends only later, so they need
// not look for it.
void Registry::expires_at(TimePoint when) {
    TimePoint then = std::max(when, loop_.now()) + std::chrono::milliseconds(1);
    if (!expiry_.armed() || then < expiry_.deadline()) loop_.timers().arm(expiry_, then);
}

static rt::Task<void> lapse_all(Ledger& ledger, std::vector<std::pair<std::string, std::string>> keys) {
    for (auto& [service, id] : keys) co_await ledger.lapse(service, id);
}

// The ledger decides; we only remind it. Without its word an instance stays: better one too many, which
// health checks and refusals find out, than all of them gone because the ledger cannot be asked.
void Registry::expire() {
    TimePoint now = loop_.now();
    std::vector<Key> due;
    for (const auto& [key, record] : records_) {
        if (record.ttl <= Duration::zero()) continue;
        bool over = has_run_out(record, now);
        if (over) due.push_back(key);
        expires_at(over ? now + rules_.grace : record.ends);
    }
    // Those that it is still being reminded of are due again next time.
    if (!due.empty() && tasks_.idle() && ledger_.is_current()) tasks_.spawn(lapse_all(ledger_, std::move(due)));
}

}  // namespace suoke::services
