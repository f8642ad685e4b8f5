// SPDX-License-Identifier: MIT
#pragma once
// A ledger that all gateways on the same Redis share. Every decision is a script there, by Redis' own
// clock; every change is published, so each gateway's view follows within milliseconds. Heartbeats are
// not: who believes that a lease ran out asks first.
//
// While Redis is away, this gateway decides for itself by what it knows, nothing expires, and what was
// written meanwhile is written there when it is back. A Redis that lost its data is told it again.

#include <map>
#include <set>

#include "base/events.h"
#include "rt/loop.h"
#include "rt/scope.h"
#include "services/ledger.h"
#include "store/redis.h"
#include "store/redis_subscriber.h"

namespace suoke::services {

class RedisLedger final : public Ledger, store::RedisSubscriber::Listener {
 public:
    RedisLedger(rt::Loop& loop, upstream::Dialer& dialer, Random random, store::Redis& redis, Events& events);
    void set_listener(Ledger::Listener* listener) override { listener_ = listener; }
    rt::Task<Result<void>> load() override;
    rt::Task<Result<Record>> hold(Record wanted, std::string lease) override;
    rt::Task<Result<Record>> extend(std::string service, std::string id) override;
    rt::Task<Result<Record>> change(Record record) override;
    rt::Task<Result<void>> release(std::string service, std::string id) override;
    rt::Task<Result<void>> lapse(std::string service, std::string id) override;
    bool is_current() const override { return current_ && loop_.now() >= lapses_from_; }

 private:
    using Key = std::pair<std::string, std::string>;
    void subscribed(const std::string& channel) override;
    void message(const std::string& channel, const std::string& text) override;
    void away(const Error& why) override;

    rt::Task<void> catch_up();
    rt::Task<Result<void>> push_pending();
    rt::Task<Result<store::RedisValue>> run(store::Script script, std::vector<std::string> args);
    Result<Record> taken(const store::RedisValue& value);
    void keep(const Record& record);
    void drop(const Key& key, std::uint64_t revision, bool lapsed);
    Record hold_alone(Record wanted, const Record* held, std::string fresh);
    void pay_later();
    rt::Task<void> pay();
    rt::Task<void> tell_extension(std::string field, Duration ttl);
    std::string channel() const { return redis_.options().key_prefix + "registry:changes"; }

    rt::Loop& loop_;
    store::Redis& redis_;
    Events& events_;
    Ledger::Listener* listener_ = nullptr;
    std::map<Key, Record> records_;         // as far as we know
    std::set<Key> written_alone_;              // while Redis was away, or took nothing
    std::map<Key, std::string> removed_alone_;     // with its lease
    bool paying_ = false;                   // what was written alone is being told to Redis
    TimePoint lapses_from_{};               // nobody is taken out before, though Redis' clock says so
    std::string born_;                      // of the data in Redis; another one: it was lost
    bool current_ = false;
    bool was_away_ = false;
    const store::Script load_, hold_, extend_, change_, release_, lapse_;
    store::RedisSubscriber subscriber_;
    rt::TaskScope tasks_;                   // ends before everything above
};

}  // namespace suoke::services
