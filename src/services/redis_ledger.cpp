// SPDX-License-Identifier: MIT
#include "services/redis_ledger.h"

#include "rt/digest.h"
#include "rt/pause.h"
#include "services/redis_ledger_words.h"

namespace suoke::services {

using store::RedisValue;
using words::record_from;
using words::span;
using words::surprise;

namespace {

std::string field_of(const std::string& service, const std::string& id) { return service + "/" + id; }

std::string address_of(const Record& record) { return record.instance.host + ":" + std::to_string(record.instance.port); }

std::int64_t milliseconds_of(Duration d) { return d / std::chrono::milliseconds(1); }

}  // namespace

RedisLedger::RedisLedger(rt::Loop& loop, upstream::Dialer& dialer, Random random, store::Redis& redis, store::Kv* own, Events& events)
    : loop_(loop),
      redis_(redis),
      events_(events),
      load_(words::kLoad), hold_(words::kHold), extend_(words::kExtend), change_(words::kChange), release_(words::kRelease), lapse_(words::kLapse),
      subscriber_(loop, dialer, random, redis.options(), *this) {
    if (own) copy_.emplace(loop, *own, records_);
    if (redis.options().mode == store::RedisMode::cluster) subscriber_.set_nodes([this] { return redis_.masters(); });
    subscriber_.subscribe(channel());
    redis.listen(*this);
}

rt::Task<Result<RedisValue>> RedisLedger::run(store::Script script, std::vector<std::string> args) {
    // One slot of a Cluster for all of it: the tag says so.
    std::string base = redis_.options().key_prefix + "{registry}:";
    std::vector<std::string> keys{base + "records", base + "leases", base + "revision", base + "born", base + "left:" + args.front()};
    auto value = co_await redis_.script(std::move(script), std::move(keys), std::move(args), store::Effect::idempotent);
    if (value && (!value->is(RedisValue::Kind::array) || value->items.empty())) co_return surprise();
    co_return value;
}

// ---- what is known

void RedisLedger::keep(const Record& record) {
    Key key(record.service, record.instance.id);
    records_[key] = record;
    if (copy_) copy_->changed(key);
    listener_->changed(record);
}

void RedisLedger::drop(const Key& key, std::uint64_t revision, bool lapsed) {
    Key gone = key;
    records_.erase(gone);
    if (copy_) copy_->changed(gone);
    listener_->removed(gone.first, gone.second, revision, lapsed);
}

void RedisLedger::tell_all() {
    std::vector<Record> all;
    for (const auto& [key, record] : records_) all.push_back(record);
    listener_->replaced(std::move(all));
}

Result<Record> RedisLedger::read(std::string_view text, Duration left) const {
    auto record = record_from(text, left, loop_.clock().wall());
    if (record) record->ends = loop_.now() + left;
    return record;
}

// {what became of it, value, milliseconds left}
Result<Record> RedisLedger::said(const RedisValue& value) const {
    if (value.items.size() < 3) return surprise();
    auto left = value.items[2].as_integer();
    if (!left) return surprise();
    return read(value.items[1].text, span(*left));
}

Result<Record> RedisLedger::taken(const RedisValue& value) {
    auto record = said(value);
    if (record) keep(*record);
    return record;
}

// Redis' word replaces it as soon as there is one. Nobody is taken out for a lease until then.
rt::Task<void> RedisLedger::recall() {
    auto known = co_await copy_->recall();
    if (!known) events_.tell(Level::warning, "registry.copy_unreadable", {{"because", known.error().detail}});
    if (!known || known->empty() || current_) co_return;
    for (const Record& record : *known) records_.try_emplace({record.service, record.instance.id}, record);
    events_.tell(Level::info, "registry.recalled", {{"instances", known->size()}});
    tell_all();
}

rt::Task<Result<void>> RedisLedger::load() {
    if (copy_ && !std::exchange(recalled_, true)) co_await recall();
    Loading loading(*this);
    std::vector<std::string> args{new_lease()};
    auto value = co_await run(load_, std::move(args));
    if (!value) co_return value.error();
    auto all = read_all(*value);
    if (!all) co_return all.error();
    const std::string& born = value->items[1].text;
    bool lost = !born_.empty() && !born.empty() && born != born_;
    if (!born.empty()) born_ = born;
    if (lost) {
        events_.tell(Level::warning, "redis.data_lost", {{"instances_told_again", records_.size()}});
        for (const auto& [key, record] : records_)
            if (!all->contains(key)) write_alone(key);
        auto pushed = co_await push_pending();
        if (!pushed) co_return pushed;
        co_return co_await load();
    }
    take_over(std::move(*all));
    co_return Result<void>();
}

// {Redis' time, the data's birth, the records, when their leases end}
Result<LedgerCopy::Records> RedisLedger::read_all(const RedisValue& value) const {
    if (value.items.size() != 4) return surprise();
    const RedisValue &hash = value.items[2], &leases = value.items[3];
    auto time = value.items[0].as_integer();
    if (!time) return surprise();
    std::map<std::string, std::int64_t> ends;
    for (std::size_t i = 0; i + 1 < leases.items.size(); i += 2)
        if (auto end = leases.items[i + 1].as_integer()) ends[leases.items[i].text] = *end;
    LedgerCopy::Records all;
    for (std::size_t i = 0; i + 1 < hash.items.size(); i += 2) {
        auto end = ends.find(hash.items[i].text);
        auto record = read(hash.items[i + 1].text, end == ends.end() ? Duration::zero() : span(end->second - *time));
        if (!record) continue;  // of a version that knows something else
        Key key(record->service, record->instance.id);
        all[key] = std::move(*record);
    }
    return all;
}

// What Redis has, but for what it has not been told yet, and what happened since it was asked.
void RedisLedger::take_over(LedgerCopy::Records all) {
    for (const auto& [key, removal] : removed_alone_)
        if (auto at = all.find(key); at != all.end() && at->second.lease == removal.lease) all.erase(at);
    for (const auto& [key, turn] : written_alone_)
        if (auto ours = records_.find(key); ours != records_.end()) all[key] = ours->second;
    records_ = std::move(all);
    if (copy_) copy_->all_changed();
    tell_all();
    for (const std::string& text : missed_) hear(text);
}

// ---- what is asked for

// Its data is another one than we have read: of a Cluster's node nobody tells us that it came back empty.
bool RedisLedger::lost_its_data(const RedisValue& value) const {
    return value.items[0].text == "none" && value.items.size() > 1 && !born_.empty() && value.items[1].text != born_;
}

// Whether it answered nothing that counts. Before we have read it again it may have lost its data, and what we
// wrote alone it does not know yet: then it is no news that it knows nobody.
bool RedisLedger::is_silent(const Result<RedisValue>& value, const Key& key) const {
    if (!value) return true;
    return value->items[0].text == "none" && records_.contains(key) && (!current_ || written_alone_.contains(key) || lost_its_data(*value));
}

static Error why_silent(const Result<RedisValue>& value) {
    return value ? Error(Code::store_unavailable, "Redis was not told everything yet") : value.error();
}

rt::Task<Result<Record>> RedisLedger::hold(Record wanted, std::string lease) {
    Key key(wanted.service, wanted.instance.id);
    // The same lease whether Redis answers or not: it may yet do what it did not answer in time.
    std::string fresh = new_lease();
    std::vector<std::string> args{field_of(key.first, key.second), to_json(wanted), address_of(wanted), lease, fresh,
                                  std::to_string(milliseconds_of(wanted.ttl)), channel(), ""};
    auto value = co_await run(hold_, std::move(args));
    if (!value) co_return hold_alone(std::move(wanted), lease, std::move(fresh), value.error());
    if (value->items[0].text == "ours") {
        // What Redis was still to be told of it is past.
        removed_alone_.erase(key);
        written_alone_.erase(key);
        co_return taken(*value);
    }
    auto held = said(*value);
    if (!held) co_return held.error();
    co_return held_by(*held);
}

rt::Task<Result<Record>> RedisLedger::extend(std::string service, std::string id, std::string lease) {
    Key key(service, id);
    std::vector<std::string> args{field_of(service, id), lease};
    auto value = co_await run(extend_, std::move(args));
    if (is_silent(value, key)) co_return extend_alone(key, lease, why_silent(value));
    auto known = records_.find(key);
    const std::string& outcome = value->items[0].text;
    if (outcome == "held") {
        auto held = said(*value);
        if (!held) co_return held.error();
        co_return held_by(*held);
    }
    if (outcome != "ours") {
        if (known != records_.end()) drop(key, known->second.revision, true);
        co_return not_held(service, id);
    }
    if (known != records_.end() && written_alone_.contains(key)) {   // ours is younger than what Redis has
        begin_lease(known->second);
        listener_->extended(known->second);
        co_return known->second;
    }
    auto record = taken(*value);
    if (record) listener_->extended(*record);
    co_return record;
}

rt::Task<Result<Record>> RedisLedger::change(Record record) {
    Key key(record.service, record.instance.id);
    std::vector<std::string> args{field_of(key.first, key.second), to_json(record), record.lease, channel(), std::to_string(record.revision)};
    auto value = co_await run(change_, std::move(args));
    if (is_silent(value, key)) co_return change_alone(std::move(record), why_silent(value));
    const std::string& outcome = value->items[0].text;
    if (outcome == "ours") co_return taken(*value);
    if (outcome != "younger") co_return not_held(key.first, key.second);
    auto younger = taken(*value);
    if (!younger) co_return younger.error();
    co_return changed_meanwhile(*younger);
}

rt::Task<Result<void>> RedisLedger::release(std::string service, std::string id) {
    Key key(service, id);
    std::vector<std::string> args{field_of(service, id), channel(), ""};
    auto value = co_await run(release_, std::move(args));
    if (is_silent(value, key)) co_return release_alone(key, why_silent(value));
    bool gone = value->items[0].text == "gone";
    std::int64_t revision = gone ? value->items.back().as_integer().value_or(INT64_MAX) : INT64_MAX;
    if (records_.contains(key)) drop(key, static_cast<std::uint64_t>(revision), false);
    if (!gone) co_return not_held(service, id);
    co_return Result<void>();
}

rt::Task<Result<void>> RedisLedger::lapse(std::string service, std::string id) {
    std::vector<std::string> args{field_of(service, id), channel()};
    auto value = co_await run(lapse_, std::move(args));
    if (!value) co_return value.error();
    auto known = records_.find({service, id});
    if (known == records_.end()) co_return Result<void>();
    if (lost_its_data(*value)) {
        pay_later(why_silent(value));   // which reads it anew
        co_return Result<void>();
    }
    if (value->items[0].text == "lasting") {
        auto left = value->items.size() > 1 ? value->items[1].as_integer() : std::nullopt;
        set_end(known->second, span(left.value_or(milliseconds_of(known->second.ttl))), loop_.clock().wall(), loop_.now());
        listener_->extended(known->second);
    } else {
        drop(known->first, INT64_MAX, true);
    }
    co_return Result<void>();
}

// ---- without Redis: by what this gateway knows; Redis hears of it later

Result<Record> RedisLedger::hold_alone(Record wanted, const std::string& lease, std::string fresh, const Error& why) {
    Key key(wanted.service, wanted.instance.id);
    auto held = records_.find(key);
    bool is_known = held != records_.end();
    if (is_known && !may_take(held->second, wanted, lease, loop_.now())) return held_by(held->second);
    bool again = is_known && is_holder(held->second, wanted, lease);
    wanted.lease = again ? held->second.lease : std::move(fresh);
    wanted.registered = again ? held->second.registered : loop_.clock().wall();
    wanted.revision = is_known ? held->second.revision + 1 : 1;
    begin_lease(wanted);
    write_alone(key);
    keep(wanted);
    pay_later(why);
    return wanted;
}

Result<Record> RedisLedger::extend_alone(const Key& key, const std::string& lease, const Error& why) {
    auto known = records_.find(key);
    if (known == records_.end()) return not_held(key.first, key.second);
    Record& record = known->second;
    if (!lease.empty() && !rt::same_secret(lease, record.lease)) return held_by(record);
    begin_lease(record);
    write_alone(key);
    listener_->extended(record);
    pay_later(why);
    // A Redis that is full takes no lease, but it passes on what is said.
    if (subscriber_.up()) tasks_.spawn(tell_extension(field_of(key.first, key.second), record.ttl));
    return record;
}

Result<Record> RedisLedger::change_alone(Record record, const Error& why) {
    Key key(record.service, record.instance.id);
    auto known = records_.find(key);
    if (known == records_.end()) return not_held(key.first, key.second);
    record.revision = known->second.revision + 1;
    write_alone(key);
    keep(record);
    pay_later(why);
    return record;
}

Result<void> RedisLedger::release_alone(const Key& key, const Error& why) {
    auto known = records_.find(key);
    if (known == records_.end()) return not_held(key.first, key.second);
    written_alone_.erase(key);
    removed_alone_[key] = {known->second.lease, ++turn_};
    drop(key, known->second.revision + 1, false);
    pay_later(why);
    return {};
}

void RedisLedger::write_alone(const Key& key) {
    removed_alone_.erase(key);
    written_alone_[key] = ++turn_;
}

// A Redis that answered nothing in time, or took nothing, need not be away. What was written alone meanwhile is
// tried again until it is there.
void RedisLedger::pay_later(const Error& why) {
    tell_alone(why);
    if (!std::exchange(paying_, true)) tasks_.spawn(pay());
}

rt::Task<void> RedisLedger::pay() {
    bool paid = false;
    for (Duration wait = 250ms; !paid; wait = std::min<Duration>(wait * 2, 2s)) {
        rt::Pause pause(loop_, loop_.now() + wait);
        co_await pause;
        if (!subscriber_.up()) break;  // what begins with the next subscription pays
        auto pushed = co_await push_pending();
        auto loaded = Result<void>();
        if (pushed) loaded = co_await load();  // what was refused belongs to somebody else
        paid = pushed && loaded && written_alone_.empty() && removed_alone_.empty();
    }
    paying_ = false;
    if (paid && current_) tell_current();
}

rt::Task<Result<void>> RedisLedger::push_pending() {
    while (!removed_alone_.empty() || !written_alone_.empty()) {
        Result<void> pushed;
        if (auto removed = removed_alone_.begin(); removed != removed_alone_.end()) {
            pushed = co_await push_removal(removed->first, removed->second);
        } else {
            auto written = written_alone_.begin();
            pushed = co_await push_record(written->first, written->second);
        }
        if (!pushed) co_return pushed;
    }
    co_return Result<void>();
}

rt::Task<Result<void>> RedisLedger::push_removal(Key key, Removal removal) {
    std::vector<std::string> args{field_of(key.first, key.second), channel(), removal.lease};
    auto value = co_await run(release_, std::move(args));
    if (!value) co_return value.error();
    auto pending = removed_alone_.find(key);
    if (pending != removed_alone_.end() && pending->second.turn == removal.turn) removed_alone_.erase(pending);
    co_return Result<void>();
}

rt::Task<Result<void>> RedisLedger::push_record(Key key, std::uint64_t turn) {
    auto known = records_.find(key);
    if (known == records_.end()) {
        written_alone_.erase(key);
        co_return Result<void>();
    }
    const Record& record = known->second;
    std::vector<std::string> args{field_of(key.first, key.second), to_json(record), address_of(record), record.lease, record.lease,
                                  std::to_string(milliseconds_of(record.ttl)), channel(), "again"};
    std::uint64_t revision = record.revision;
    auto value = co_await run(hold_, std::move(args));
    if (!value) co_return value.error();
    auto pending = written_alone_.find(key);
    if (pending == written_alone_.end() || pending->second != turn) co_return Result<void>();
    written_alone_.erase(pending);
    // Held by somebody else: load() says who.
    if (value->items[0].text == "ours") taken(*value);
    if (value->items[0].text == "left" && records_.contains(key)) drop(key, revision, false);
    co_return Result<void>();
}

rt::Task<void> RedisLedger::tell_extension(std::string field, Duration ttl) {
    std::vector<std::string> publish{"PUBLISH", channel(), "e" + std::to_string(milliseconds_of(ttl)) + "|" + field};
    co_await redis_.command_for(channel(), std::move(publish), store::Effect::idempotent);
}

// ---- Redis comes and goes

void RedisLedger::tell_alone(const Error& why) {
    if (!std::exchange(told_alone_, true)) events_.tell(Level::warning, "registry.alone", {{"because", why.detail}});
}

void RedisLedger::tell_current() {
    if (std::exchange(told_alone_, false)) events_.tell(Level::info, "registry.current", {{"instances", records_.size()}});
}

void RedisLedger::away(const Error& why) {
    current_ = false;
    was_away_ = true;
    tell_alone(why);
}

// Of a Cluster a node may have been away that we do not listen to: it may have come back without its data.
void RedisLedger::redis_up() {
    if (current_) tasks_.spawn(look_again());
}

rt::Task<void> RedisLedger::look_again() {
    auto loaded = co_await load();
    if (!loaded) pay_later(loaded.error());
}

void RedisLedger::subscribed(const std::string&) { tasks_.spawn(catch_up()); }

rt::Task<void> RedisLedger::catch_up() {
    for (Duration pause = 100ms;; pause = std::min<Duration>(pause * 2, 5s)) {
        auto pushed = co_await push_pending();
        auto loaded = Result<void>();
        if (pushed) loaded = co_await load();
        if (!subscriber_.up()) co_return;  // it will be told again
        if (pushed && loaded) break;
        rt::Pause wait(loop_, loop_.now() + pause);
        co_await wait;
    }
    current_ = true;
    // Others may be on their way back with heartbeats that Redis has not heard of.
    if (std::exchange(was_away_, false)) lapses_from_ = loop_.now() + redis_.options().max_reconnect_delay + 2s;
    tell_current();
}

// ---- what others did

void RedisLedger::message(const std::string&, const std::string& text) {
    if (loading_ > 0) missed_.push_back(text);
    hear(text);
}

// Twice is as good as once.
void RedisLedger::hear(const std::string& text) {
    auto message = words::read_message(text, loop_.clock().wall());
    if (!message) return;   // of a version that says more
    using words::Message;
    Record& said = message->record;
    auto known = records_.find({said.service, said.instance.id});
    said.ends = loop_.now() + (said.expires - loop_.clock().wall());
    if (message->kind == Message::changed) {
        if (known == records_.end() || known->second.revision < said.revision) keep(said);
        return;
    }
    if (known == records_.end()) return;
    Record& record = known->second;
    switch (message->kind) {
        case Message::left:
            if (record.lease == said.lease) drop(known->first, record.revision, false);
            break;
        case Message::extended:
            record.expires = said.expires;
            record.ends = said.ends;
            listener_->extended(record);
            break;
        default:
            if (record.revision < said.revision) drop(known->first, said.revision, message->kind == Message::lapsed);
    }
}

}  // namespace suoke::services
