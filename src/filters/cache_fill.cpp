// SPDX-License-Identifier: MIT
#include "filters/cache_fill.h"

#include <utility>

#include "base/text.h"
#include "filters/media_type.h"
#include "gateway/site.h"
#include "gateway/worker.h"
#include "rt/pause.h"

namespace suoke::filters {
namespace {

using cache::EntryPtr;
using gateway::Exchange;
using http::HeaderId;
using http::Piece;

WallTime wall(const Exchange& ex) { return ex.worker.loop().clock().wall(); }

bool is_surrogate_control(const http::Field& field) { return field.id == HeaderId::other && iequals(field.name, "Surrogate-Control"); }

bool is_event_stream(const http::Headers& headers) { return iequals(media_type(headers), "text/event-stream"); }

// The fields that `keep` takes, and a Date in any case (RFC 9110 §6.6.1).
template <class Keep>
cache::Head head_of(const http::Headers& headers, const cache::ResponseFacts& facts, WallTime now, Keep keep) {
    http::Headers kept;
    std::string date;
    for (const http::Field& field : headers)
        if (keep(field) && (facts.date || field.id != HeaderId::date)) kept.add(field);
    if (!facts.date) kept.add(HeaderId::date, date = http_date(now));
    return cache::Head::copy_of(kept, [](const http::Field&) { return true; });
}

bool is_hidden(const http::Field& field, const cache::ResponseFacts& facts) {
    static const cache::ResponseFacts kPlain;
    return field.id == HeaderId::set_cookie || (!cache::is_stored_field(field, facts) && cache::is_stored_field(field, kPlain));
}

// One errand, from its answer on.
class Landing {
 public:
    Landing(Errand& errand, Mission& mission, TimePoint asked_at)
        : errand_(errand), mission_(mission), ex_(errand.exchange()), store_(ex_.worker.cache()), asked_at_(asked_at) {}

    bool failed() const { return !errand_.answer() || ex_.failure; }
    http::Response& response() { return *errand_.answer(); }
    Duration delay() const { return ex_.worker.loop().now() - asked_at_; }

    void report() {
        auto leader = mission_.leader.lock();
        if (!leader) return;
        leader->facts.take_from(ex_);
        leader->facts.status = errand_.answer() ? response().status : 0;
    }

    // RFC 9111 §4.2.4, RFC 5861 §4.
    bool stale_will_do() {
        if (!mission_.stale) return false;
        bool is_error = failed() ? is_upstreams_fault() : cache::is_error_for_stale(response().status);
        return is_error && cache::may_use_on_error(mission_.stale->life, mission_.stale->age(ex_.worker.loop().now()));
    }

    // Whoever waits shares a failure of the upstream's; other ones were not theirs.
    void fail() {
        Code code = errand_.answer().error().code;
        if (row(code).fault != Fault::client) mission_.filling->fail(errand_.answer().error());
    }

    bool says_not_modified() { return mission_.stale && response().status == 304; }

    // False: the answer is about something else, which is not stored any more.
    bool validate() {
        const cache::Entry& stored = *mission_.stale;
        cache::UnixSeconds now = cache::unix_seconds(wall(ex_));
        cache::Validators told = cache::validators_of(response().headers, now, now);
        cache::Key key = stale_key();
        if (!cache::is_about(stored.validators, told)) {
            drop_stale();
            return false;
        }
        bool keep = false;
        EntryPtr fresh = updated_entry(ex_, mission_.url, stored, response().headers, mission_.rules, mission_.asked, delay(), mission_.filling->stamp(), keep);
        if (!keep) drop_stale();
        else if (store_.put(key, fresh)) tell_others(fresh, mission_.stale_is_own);
        mission_.filling->answer(std::move(fresh));
        return true;
    }

    // Null: it is not stored, because().
    std::shared_ptr<cache::Entry> entry() {
        const http::Headers& headers = response().headers;
        cache::ResponseFacts facts = cache::read_response(response().status, headers, wall(ex_), mission_.rules.surrogate);
        cache::Judgement judged = cache::may_store(mission_.asked, facts, mission_.rules.for_answer(ex_.path, headers), delay());
        if (judged.store() && (ex_.failure || is_event_stream(headers) || is_too_large())) judged.because = cache::Because::useless;
        because_ = judged.because;
        if (!judged.store()) return nullptr;
        keep_own_head(facts);
        return stored_entry(ex_, mission_.url, response(), facts, judged.life, mission_.rules, mission_.filling->stamp());
    }

    std::optional<std::uint64_t> length() {
        if (!response().body || http::has_no_body(response().status)) return 0;
        return response().body->remaining();
    }

    bool is_own(const cache::Entry& entry) const { return mission_.asked.authorized && !entry.life.for_everyone; }

    cache::Key key_for(const cache::Entry& entry) { return store_.key_of(is_own(entry) ? mission_.own : mission_.shared); }

    // Null: it grew too large.
    void store(const cache::Key& key, const EntryPtr& entry) {
        store_.forget_uncacheable(key);
        if (entry && store_.put(key, entry)) tell_others(entry, is_own(*entry));
    }

    // The answer is for the one it was asked for, if that one is still there; the others ask for themselves.
    void hand_over(std::unique_ptr<Errand> errand) {
        bool lasting = because_ != cache::Because::status && !ex_.failure && response().status < 500;
        if (lasting) store_.note_uncacheable(store_.key_of(mission_.asked.authorized ? mission_.own : mission_.shared), ex_.worker.loop().now());
        if (lasting && mission_.stale) drop_stale();   // it would be served while something newer is not
        if (auto leader = mission_.leader.lock()) {
            leader->because = because_;
            leader->errand = std::move(errand);
        }
        mission_.filling->refuse();
    }

 private:
    bool is_upstreams_fault() {
        if (ex_.failure) return true;
        return row(errand_.answer().error().code).fault != Fault::client;
    }
    void drop_stale() {
        store_.remove(stale_key(), mission_.stale);
        if (mission_.elsewhere.level) mission_.elsewhere.level->forget(mission_.names(), *mission_.stale, ex_.request.head.headers);
    }
    void tell_others(const EntryPtr& entry, bool own) {
        if (!mission_.elsewhere.level) return;
        cache::SecondLevel::Kept kept{mission_.names(), own, entry, ex_.request.head.headers, mission_.elsewhere.position, mission_.rules.redis_max_object};
        mission_.elsewhere.level->keep(ex_.worker.loop(), kept);
    }
    bool is_too_large() { return length().value_or(0) > mission_.rules.max_object; }
    cache::Key stale_key() { return store_.key_of(mission_.stale_is_own ? mission_.own : mission_.shared); }

    // What is not for the others (cookies, say) is for the client that asked.
    void keep_own_head(const cache::ResponseFacts& facts) {
        auto leader = mission_.leader.lock();
        const http::Headers& headers = response().headers;
        bool hides = std::any_of(headers.begin(), headers.end(), [&](const http::Field& field) { return is_hidden(field, facts); });
        if (!leader || !hides) return;
        auto own = std::make_shared<cache::Entry>();
        own->head = head_of(headers, facts, wall(ex_), [&](const http::Field& field) { return cache::is_stored_field(field, facts) || is_hidden(field, facts); });
        leader->own_head = std::move(own);
    }

    Errand& errand_;
    Mission& mission_;
    Exchange& ex_;
    cache::Store& store_;
    const TimePoint asked_at_;
    cache::Because because_ = cache::Because::stored;
};

// RFC 9111 §4.3.1.
void add_conditions(http::Headers& headers, const cache::Entry& stored) {
    const http::Headers& fields = stored.head.fields();
    if (const auto* tag = fields.find(HeaderId::etag)) headers.set(HeaderId::if_none_match, *tag);
    if (const auto* modified = fields.find(HeaderId::last_modified)) headers.set(HeaderId::if_modified_since, *modified);
}

rt::Task<void> ask_elsewhere(Exchange& ex, const Mission& mission, bool& found) {
    cache::SecondLevel::Question question{mission.names(), mission.asked.authorized, mission.elsewhere.only_fresh, mission.url.host, mission.url.path,
                                          ex.request.head.headers, mission.filling->stamp(), ex.worker.loop().now() + mission.rules.redis_wait};
    found = co_await mission.elsewhere.level->fetch(ex.worker.loop(), question);
}

// Reads the body at the upstream's pace, whatever its readers do; true when all of it is here.
rt::Task<bool> fill(http::BodySource* body, cache::Filling& filling, rt::Bell& bell, rt::Loop& loop) {
    constexpr std::size_t kTurn = 1 << 20;   // then the others of this worker are next
    for (std::size_t taken = 0; body;) {
        if (filling.abandoned()) co_return false;
        if (!filling.has_room()) {
            cache::News news(filling, loop);
            if (!filling.has_room() && !filling.abandoned()) co_await news;
            continue;
        }
        Result<Piece> piece = body->next();
        if (!piece) {
            filling.break_off(piece.error());
            co_return false;
        }
        filling.append(piece->bytes);
        if (piece->state == Piece::end) co_return true;
        if (piece->state == Piece::wait) {
            co_await bell.unless_rung(body->wait());
            taken = 0;
        } else if ((taken += piece->bytes.size()) > kTurn) {
            rt::Aside aside(loop);
            co_await aside;
            taken = 0;
        }
    }
    co_return true;
}

}  // namespace

void UpstreamFacts::take_from(Exchange& ex) {
    view = ex.view;
    endpoint = ex.endpoint;
    attempts = ex.attempts;
    reused = ex.connection_reused;
    began = ex.upstream_began;
    connect = ex.upstream_connect;
    head = ex.upstream_head;
    retry_after = ex.retry_after;
    failure = ex.failure;
}

void UpstreamFacts::give_to(Exchange& ex) const {
    ex.view = view;
    ex.endpoint = endpoint;
    ex.attempts = attempts;
    ex.connection_reused = reused;
    ex.upstream_began = began;
    ex.upstream_connect = connect;
    ex.upstream_head = head;
    ex.retry_after = retry_after;
    if (failure) ex.failure = failure;
}

CacheUrl cache_url_of(const Exchange& ex) {
    const http::RequestHead& head = ex.request.head;
    CacheUrl url{to_lower(ex.host), std::string(ex.path)};
    if (head.has_query) url.path.append("?").append(head.query);
    return url;
}

std::shared_ptr<cache::Entry> stored_entry(Exchange& ex, const CacheUrl& url, const http::Response& response, const cache::ResponseFacts& facts,
                                           const cache::Life& life, const CacheRules& rules, cache::Stamp stamp) {
    cache::Store& store = ex.worker.cache();
    auto entry = std::make_shared<cache::Entry>();
    entry->status = response.status;
    entry->reason = response.reason;
    entry->life = life;
    entry->head = head_of(response.headers, facts, wall(ex), [&](const http::Field& field) {
        return cache::is_stored_field(field, facts) && !(rules.surrogate && is_surrogate_control(field));
    });
    entry->received = ex.worker.loop().now();
    entry->validators = cache::validators_of(entry->head.fields(), facts.date.value_or(facts.received), facts.received);
    entry->vary = facts.vary.names;
    entry->selection = store.selection_of(ex.request.head.headers, entry->vary);
    entry->stamp = stamp;
    entry->slots = store.marks().slots_of(url.host, url.path, cache::tags_of(response.headers));
    return entry;
}

std::shared_ptr<cache::Entry> updated_entry(Exchange& ex, const CacheUrl& url, const cache::Entry& stored, const http::Headers& told,
                                            const CacheRules& rules, const cache::Asked& asked, Duration delay, cache::Stamp stamp, bool& keep) {
    cache::ResponseFacts news = cache::read_response(stored.status, told, wall(ex), rules.surrogate);
    auto entry = std::make_shared<cache::Entry>();
    entry->status = stored.status;
    entry->reason = stored.reason;
    entry->head = cache::updated_head(stored.head, told, news);
    cache::ResponseFacts facts = cache::read_response(stored.status, entry->head.fields(), wall(ex), rules.surrogate);
    facts.age = news.age;
    if (!news.date) facts.date = facts.received;   // it is as new as what told us so
    cache::Judgement judged = cache::may_store(asked, facts, rules.for_answer(ex.path, entry->head.fields()), delay);
    keep = judged.store();
    entry->life = judged.life;
    if (!keep) entry->life.always_validate = true;
    entry->content = stored.content;
    entry->received = ex.worker.loop().now();
    entry->validators = cache::validators_of(entry->head.fields(), facts.date.value_or(facts.received), facts.received);
    entry->vary = stored.vary;
    entry->selection = stored.selection;
    entry->stamp = stamp;
    entry->slots = ex.worker.cache().marks().slots_of(url.host, url.path, cache::tags_of(entry->head.fields()));
    return entry;
}

rt::Task<void> run_errand(std::unique_ptr<Errand> errand, Mission mission) {
    // 1. Another gateway may have it. Everybody leaving ends this as it ends what follows.
    rt::Loop& loop = errand->exchange().worker.loop();
    cache::Pump pump(mission.filling, loop);
    Elsewhere& elsewhere = mission.elsewhere;
    if (elsewhere.asked && elsewhere.level->usable(loop.now())) {
        bool found = false;
        bool gone = co_await pump.bell.unless_rung(ask_elsewhere(errand->exchange(), mission, found));
        if (gone || mission.filling->abandoned()) co_return;
        if (found) co_return mission.filling->find_again();
    }
    if (elsewhere.level) elsewhere.position = elsewhere.level->position();
    // 2. Ask the service, unless everybody leaves before there is an answer.
    if (mission.stale) add_conditions(errand->headers(), *mission.stale);
    if (mission.rules.surrogate) errand->headers().set("Surrogate-Capability", "suoke=\"Surrogate/1.0\"");
    Landing landing(*errand, mission, loop.now());
    bool rang = co_await pump.bell.unless_rung(errand->ask());
    if (rang) co_return;
    landing.report();
    // 3. The upstream fails: what is stored may do. Else everybody is told.
    if (landing.stale_will_do()) co_return mission.filling->serve_stale();
    if (!errand->answer()) co_return landing.fail();
    // 4. What is stored is good again; or what the upstream means is something else, and is asked for anew.
    if (landing.says_not_modified()) {
        landing.validate();
        co_return;
    }
    // 5. Not to be stored.
    std::shared_ptr<cache::Entry> entry = landing.entry();
    if (!entry) co_return landing.hand_over(std::move(errand));
    // 6. Stored while it is read.
    cache::Key key = landing.key_for(*entry);
    http::BodySource* body = landing.length() == 0U ? nullptr : landing.response().body.get();
    mission.filling->stream(entry, landing.length());
    bool whole = co_await fill(body, *mission.filling, pump.bell, loop);
    if (!whole) co_return;
    landing.store(key, mission.filling->finish());
}

}  // namespace suoke::filters
