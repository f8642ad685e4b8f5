// SPDX-License-Identifier: MIT
#pragma once
// A ledger of this gateway alone, in a store that may survive it. Heartbeats are not written: after a
// restart every lease begins anew, so nobody is lost who lives.

#include <map>

#include "rt/loop.h"
#include "services/ledger.h"
#include "store/kv.h"

namespace suoke::services {

class LocalLedger final : public Ledger {
 public:
    LocalLedger(rt::Loop& loop, store::Kv& kv) : loop_(loop), kv_(kv) {}
    void set_listener(Listener* listener) override { listener_ = listener; }
    rt::Task<Result<void>> load() override;
    rt::Task<Result<Record>> hold(Record wanted, std::string lease) override;
    rt::Task<Result<Record>> extend(std::string service, std::string id, std::string lease) override;
    rt::Task<Result<Record>> change(Record record) override;
    rt::Task<Result<void>> release(std::string service, std::string id) override;
    rt::Task<Result<void>> lapse(std::string service, std::string id) override;
    bool is_current() const override { return true; }

 private:
    using Key = std::pair<std::string, std::string>;
    rt::Task<Result<void>> forget(Key key, bool lapsed);
    void begin_lease(Record& record) const { set_end(record, record.ttl, loop_.clock().wall(), loop_.now()); }
    rt::Loop& loop_;
    store::Kv& kv_;
    Listener* listener_ = nullptr;
    std::map<Key, Record> records_;
    std::uint64_t revision_ = 0;
};

}  // namespace suoke::services
