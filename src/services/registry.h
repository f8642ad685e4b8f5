// SPDX-License-Identifier: MIT
#pragma once
// Instances that registered themselves, each for as long as its lease lasts. Lives in the control loop.
// Keeps them in a ledger that survives restarts, or is shared by all gateways, and tells the directory.
//
//   auto record = co_await registry.add(wanted, lease);
//   co_await registry.heartbeat("users", "users-1");
//
// Who holds an id keeps it: another address under the same id is refused (Code::conflict) until the
// lease has run out, or the one who asks shows the lease.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/events.h"
#include "base/random.h"
#include "rt/loop.h"
#include "rt/scope.h"
#include "services/directory.h"
#include "services/ledger.h"
#include "services/record.h"

namespace suoke::services {

struct RegistryRules {
    std::size_t most_instances = 10'000;
    Duration longest_ttl = std::chrono::hours(24);
    // Another gateway's view may be as old as this before an instance whose lease ran out is gone.
    Duration grace = std::chrono::milliseconds(500);
};

// What may be changed of an instance; nothing: stays.
struct Change {
    std::optional<std::uint32_t> weight;
    std::optional<std::string> version, zone;
    std::optional<std::vector<std::string>> tags;
    std::optional<std::map<std::string, std::string>> metadata;
    std::optional<bool> draining;
};

class Registry final : Ledger::Listener {
 public:
    Registry(rt::Loop& loop, Directory& directory, Events& events, Ledger& ledger, RegistryRules rules);
    ~Registry();

    // Reads what the ledger has. Registrations before are in order, too.
    rt::Task<Result<void>> begin();

    // `wanted.instance.id` is not empty. Gives the record as it is now, with its lease.
    rt::Task<Result<Record>> add(Record wanted, std::string lease = {});
    // Code::conflict: it shows a lease, and another one holds the id.
    rt::Task<Result<Record>> heartbeat(std::string service, std::string id, std::string lease = {});
    rt::Task<Result<Record>> change(std::string service, std::string id, Change change);
    rt::Task<Result<void>> remove(std::string service, std::string id);
    const Record* find(const std::string& service, const std::string& id) const;
    std::vector<const Record*> list(const std::string& service = {}) const;   // all, when empty
    std::size_t size() const { return records_.size(); }

 private:
    using Key = std::pair<std::string, std::string>;   // service, id
    class Expiry final : public rt::Timer {
     public:
        explicit Expiry(Registry& registry) : registry_(registry) {}
        void expired() override { registry_.expire(); }

     private:
        Registry& registry_;
    };
    void changed(const Record& record) override;
    void extended(const Record& record) override;
    void removed(const std::string& service, const std::string& id, std::uint64_t revision, bool lapsed) override;
    void replaced(std::vector<Record> all) override;
    bool take(const Record& record);
    void drop(const Key& key, const char* why);
    void publish(const std::string& service);
    void expire();
    void expires_at(TimePoint when);
    balance::Instances instances_of(const std::string& service) const;
    Result<void> room_for(const Record& wanted) const;

    rt::Loop& loop_;
    Directory& directory_;
    Events& events_;
    Ledger& ledger_;
    RegistryRules rules_;
    std::map<Key, Record> records_;
    Expiry expiry_;
    rt::TaskScope tasks_;   // ends before everything above
};

}  // namespace suoke::services
