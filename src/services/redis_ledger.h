// SPDX-License-Identifier: MIT
#pragma once
// A ledger that all gateways on the same Redis share. Every decision is a script there, by Redis' own
// clock; every change is published, so each gateway's view follows within milliseconds. Heartbeats are
// not: who believes that a lease ran out asks first.
//
// While Redis is away, this gateway decides for itself by what it knows, nothing expires, and what was
// written meanwhile is written there when it is back. A Redis that lost its data is told it again; until then
// it is not believed that somebody is not there. A gateway that starts without it begins with its own copy
// of what it knew.

#include <map>
#include <optional>

#include "base/events.h"
#include "rt/loop.h"
#include "rt/scope.h"
#include "services/ledger.h"
#include "services/ledger_copy.h"
#include "store/redis.h"
#include "store/redis_subscriber.h"

namespace suoke::services {

class RedisLedger final : public Ledger, store::RedisSubscriber::Listener, store::Redis::Listener {
 public:
    // `own`: a store that survives this gateway, for its copy; null: there is none.
    RedisLedger(rt::Loop& loop, upstream::Dialer& dialer, Random random, store::Redis& redis, store::Kv* own, Events& events);
    void set_listener(Ledger::Listener* listener) override { listener_ = listener; }
    rt::Task<Result<void>> load() override;
    rt::Task<Result<Record>> hold(Record wanted, std::string lease) override;
    rt::Task<Result<Record>> extend(std::string service, std::string id, std::string lease) override;
    rt::Task<Result<Record>> change(Record record) override;
    rt::Task<Result<void>> release(std::string service, std::string id) override;
    rt::Task<Result<void>> lapse(std::string service, std::string id) override;
    bool is_current() const override { return current_ && loop_.now() >= lapses_from_; }
    bool is_alone() const override { return told_alone_; }

 private:
    using Key = LedgerCopy::Key;
    void subscribed(const std::string& channel) override;
    void message(const std::string& channel, const std::string& text) override;
    void away(const Error& why) override;
    void redis_up() override;
    void redis_down(const Error&) override {}

    // While one lives, messages are remembered: what is being read may be older than they are.
    class Loading {
     public:
        explicit Loading(RedisLedger& ledger) : ledger_(ledger) { ++ledger_.loading_; }
        ~Loading() {
            if (--ledger_.loading_ == 0) ledger_.missed_.clear();
        }
        Loading(const Loading&) = delete;
        Loading& operator=(const Loading&) = delete;

     private:
        RedisLedger& ledger_;
    };
    struct Removal {
        std::string lease;
        std::uint64_t turn = 0;
    };

    rt::Task<void> recall();
    rt::Task<void> catch_up();
    rt::Task<void> look_again();
    rt::Task<Result<store::RedisValue>> run(store::Script script, std::vector<std::string> args);
    bool lost_its_data(const store::RedisValue& value) const;
    bool is_silent(const Result<store::RedisValue>& value, const Key& key) const;
    void hear(const std::string& text);

    Result<Record> read(std::string_view text, Duration left) const;
    Result<Record> said(const store::RedisValue& value) const;
    Result<Record> taken(const store::RedisValue& value);
    Result<LedgerCopy::Records> read_all(const store::RedisValue& value) const;
    void take_over(LedgerCopy::Records all);
    void keep(const Record& record);
    void drop(const Key& key, std::uint64_t revision, bool lapsed);
    void tell_all();
    void begin_lease(Record& record) const { set_end(record, record.ttl, loop_.clock().wall(), loop_.now()); }

    Result<Record> hold_alone(Record wanted, const std::string& lease, std::string fresh, const Error& why);
    Result<Record> extend_alone(const Key& key, const std::string& lease, const Error& why);
    Result<Record> change_alone(Record record, const Error& why);
    Result<void> release_alone(const Key& key, const Error& why);
    void write_alone(const Key& key);
    void pay_later(const Error& why);
    rt::Task<void> pay();
    rt::Task<Result<void>> push_pending();
    rt::Task<Result<void>> push_removal(Key key, Removal removal);
    rt::Task<Result<void>> push_record(Key key, std::uint64_t turn);
    rt::Task<void> tell_extension(std::string field, Duration ttl);
    void tell_alone(const Error& why);
    void tell_current();
    std::string channel() const { return redis_.options().key_prefix + "registry:changes"; }

    rt::Loop& loop_;
    store::Redis& redis_;
    Events& events_;
    Ledger::Listener* listener_ = nullptr;
    LedgerCopy::Records records_;           // as far as we know
    std::optional<LedgerCopy> copy_;
    bool recalled_ = false;
    // While Redis was away, or took nothing. Each change has a turn of its own: what was changed again while
    // Redis was told of it is not done with.
    std::map<Key, std::uint64_t> written_alone_;
    std::map<Key, Removal> removed_alone_;
    std::uint64_t turn_ = 0;
    int loading_ = 0;
    std::vector<std::string> missed_;       // messages since the loading began
    bool paying_ = false;                   // what was written alone is being told to Redis
    TimePoint lapses_from_{};               // nobody is taken out before, though Redis' clock says so
    std::string born_;                      // of the data in Redis; another one: it was lost
    bool current_ = false;
    bool was_away_ = false;
    bool told_alone_ = false;
    const store::Script load_, hold_, extend_, change_, release_, lapse_;
    store::RedisSubscriber subscriber_;
    rt::TaskScope tasks_;                   // ends before everything above
};

}  // namespace suoke::services
