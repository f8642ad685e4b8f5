// SPDX-License-Identifier: MIT
// The response cache (RFC 9111): answers GET and HEAD from what is stored, has one request at a time ask for what is
// not, and lets requests that change something void what they change. Decisions are cache/policy.h's, what a hit
// looks like is cache_answer.cpp's, what becomes of a miss cache_fill.cpp's, and what of parts cache_part.cpp's.
#include <utility>

#include "base/text.h"
#include "filters/cache_answer.h"
#include "filters/cache_fill.h"
#include "filters/cache_part.h"
#include "filters/filters.h"
#include "gateway/site.h"
#include "gateway/worker.h"
#include "http/uri.h"
#include "rt/race.h"

namespace suoke::filters {
namespace {

using cache::EntryPtr;
using cache::Stage;
using cache::Use;
using gateway::Answer;
using gateway::Exchange;
using gateway::Next;
using http::HeaderId;

// One request on its way through the cache.
struct Ask {
    cache::Asked asked;
    std::string_view shared, own;      // keys; `own` empty: nobody said who asks
    EntryPtr entry;                    // found, and for this request
    bool entry_is_own = false;
    std::string_view missing = "uri-miss";   // why nothing was found (RFC 9211 §2.2)
    std::vector<std::string> vary;     // nothing found: what answers under this key are chosen by, as far as that is known
    bool alone = false;                // nobody else's answer will do
    bool looked_elsewhere = false;     // other gateways have nothing more to tell
    std::string_view detail;           // where what is found now was found; of one look
    int tries = 0;
};

// ---- keys

std::string_view lower_in(gateway::Arena& arena, std::string_view text) {
    bool has_upper = std::any_of(text.begin(), text.end(), [](char c) { return c != lower(c); });
    return has_upper ? arena.copy(to_lower(text)) : text;
}

// Scheme, authority, path and query are the URI (RFC 9111 §2); route and service, because answers of one say nothing
// of another's; and what the operator names. None of it can have a NUL in it.
std::string_view shared_key(Exchange& ex, const std::vector<std::string>& names) {
    constexpr std::string_view kEnd("\0", 1);
    const http::RequestHead& head = ex.request.head;
    const std::string_view* scheme = head.headers.find(HeaderId::x_forwarded_proto);
    std::string_view key = ex.arena.join({scheme ? *scheme : std::string_view("http"), kEnd, lower_in(ex.arena, head.authority), kEnd, ex.path, head.has_query ? "?" : "",
                                          head.query, kEnd, ex.route->name, kEnd, ex.service_name(), kEnd});
    if (names.empty()) return key;
    std::string selection;
    cache::append_selection(selection, head.headers, names);
    return ex.arena.join({key, selection});
}

std::string_view bytes_of(Exchange& ex, const cache::Hash& hash) {
    return ex.arena.copy({reinterpret_cast<const char*>(&hash), sizeof hash});
}

// Whoever is known by the same identity with the same rights, or else shows the same credentials.
std::string_view own_key(Exchange& ex, std::string_view shared) {
    const std::string_view* credentials = ex.request.head.headers.find(HeaderId::authorization);
    if (!ex.who && !credentials) return {};
    constexpr std::string_view kEnd("\0", 1);
    if (!ex.who) return ex.arena.join({shared, "credentials", kEnd, bytes_of(ex, ex.worker.cache().key_of(*credentials).hash)});
    const auth::Identity& who = *ex.who;
    // All that the service is told of it, and whose word it is: one name may be another's elsewhere.
    return ex.arena.join({shared, "subject", kEnd, auth::name_of(who.method), kEnd, who.issuer, kEnd, who.subject, kEnd, auth::name_of(who.type), kEnd,
                          who.told.roles, kEnd, who.told.scopes, kEnd, who.told.name});
}

Ask ask_of(Exchange& ex, const CacheRules& rules) {
    Ask ask;
    ask.asked.directives = cache::read_request(ex.request.head.headers);
    ask.shared = shared_key(ex, rules.include_headers);
    ask.own = own_key(ex, ask.shared);
    ask.asked.authorized = !ask.own.empty();
    return ask;
}

PartAsk part_ask(const Ask& ask) { return {ask.asked, ask.shared, ask.own, ask.entry}; }

void look_up(Exchange& ex, Ask& ask) {
    cache::Store& store = ex.worker.cache();
    const http::Headers& request = ex.request.head.headers;
    ask.entry = nullptr;
    bool known = false;
    if (ask.asked.authorized) {
        cache::Found found = store.find(store.key_of(ask.own), request);
        ask.entry = std::move(found.entry);
        ask.entry_is_own = ask.entry != nullptr;
        known = found.known;
        ask.vary = std::move(found.vary);
    }
    if (!ask.entry) {
        cache::Found found = store.find(store.key_of(ask.shared), request);
        bool for_us = found.entry && (!ask.asked.authorized || found.entry->life.for_everyone);
        if (for_us) ask.entry = std::move(found.entry);
        known |= found.known;
        if (ask.vary.empty()) ask.vary = std::move(found.vary);
    }
    ask.missing = known ? "vary-miss" : "uri-miss";
}

// ---- what is answered

// Nothing: the service has to be asked, or nobody may be.
std::optional<CacheStory> usable(const Exchange& ex, const Ask& ask, Use& use) {
    Duration age = ask.entry->age(ex.worker.loop().now());
    use = cache::may_use(ask.entry->life, ask.asked.directives, age);
    if (use == Use::validate) return std::nullopt;
    CacheStory story;
    story.result = use == Use::fresh ? CacheResult::hit : CacheResult::stale;
    story.ttl = ask.entry->life.lifetime - age;
    story.detail = ask.detail;
    return story;
}

// Why the service is asked although there is something (RFC 9211 §2.2).
std::string_view why_forwarded(const Exchange& ex, const Ask& ask) {
    if (!ask.entry) return ask.missing;
    const cache::Life& life = ask.entry->life;
    bool fresh = !life.always_validate && life.lifetime > ask.entry->age(ex.worker.loop().now());
    return fresh ? "request" : "stale";
}

Answer told(Exchange& ex, Answer answer, const CacheStory& story) {
    if (!answer) return answer;
    CacheStory whole = story;
    if (ex.attempts > 0) whole.status = answer->status;
    tell_story(ex, answer->headers, whole);
    return answer;
}

// ---- what is asked for

constexpr std::size_t kMostErrands = 4096;   // of a worker; more requests ask for themselves

// Credentials that nobody has looked into are hashed with this process's secret (own_key): no other gateway knows
// who that is. What was looked for there once is not looked for again.
Elsewhere elsewhere_of(const Exchange& ex, const Ask& ask, const CacheRules& rules) {
    Elsewhere elsewhere;
    elsewhere.level = rules.second_level ? ex.worker.cache().second() : nullptr;
    elsewhere.asked = elsewhere.level && !ask.alone && !ask.looked_elsewhere && ask.tries == 0;
    elsewhere.only_fresh = ask.entry != nullptr;
    elsewhere.knows_own = ex.who != nullptr;
    return elsewhere;
}

void start(Exchange& ex, Next next, const Ask& ask, const CacheRules& rules, const cache::FillingPtr& filling, std::weak_ptr<Handoff> leader) {
    auto errand = std::make_unique<Errand>(ex, next, Errand::Ask::whole);
    bool validates = ask.entry && ask.entry->validators.any();
    Mission mission{rules, ask.asked, cache_url_of(ex), std::string(ask.shared), std::string(ask.own), filling, ask.entry, ask.entry_is_own, std::move(leader),
                    elsewhere_of(ex, ask, rules)};
    if (!validates && mission.stale && !(mission.stale->life.if_error > Duration::zero())) mission.stale = nullptr;
    ex.worker.errands().spawn(run_errand(std::move(errand), std::move(mission)));
}

// For those who send no errand: whether another gateway has it.
rt::Task<bool> look_elsewhere(Exchange& ex, Ask& ask, const CacheRules& rules) {
    rt::Loop& loop = ex.worker.loop();
    Elsewhere elsewhere = elsewhere_of(ex, ask, rules);
    TimePoint until = loop.now() + rules.redis_wait;
    // Who cannot wait so long does not look: being cut short by one client would count as a failure of Redis.
    if (!elsewhere.asked || !elsewhere.level->usable(loop.now()) || ex.head_deadline() < until) co_return false;
    ask.looked_elsewhere = true;
    CacheUrl url = cache_url_of(ex);
    cache::SecondLevel::Names names{ask.shared, elsewhere.knows_own ? ask.own : std::string_view()};
    cache::SecondLevel::Question question{names, ask.asked.authorized, elsewhere.only_fresh, url.host, url.path, ex.request.head.headers,
                                          ex.worker.cache().marks().now(), until};
    bool found = co_await elsewhere.level->fetch(loop, question);
    if (found) ask.detail = "redis";
    co_return found;
}

// The key of those who can share an answer: alike in what answers here are known to be chosen by.
std::string_view flight_key(Exchange& ex, const Ask& ask) {
    std::string_view key = ask.asked.authorized ? ask.own : ask.shared;
    const std::vector<std::string>& vary = ask.entry ? ask.entry->vary : ask.vary;
    if (vary.empty()) return key;
    cache::Hash selection = ex.worker.cache().selection_of(ex.request.head.headers, vary);
    return ex.arena.join({key, "vary", bytes_of(ex, selection)});
}

cache::Flight board(Exchange& ex, const Ask& ask, const CacheRules& rules) {
    cache::Store& store = ex.worker.cache();
    store.set_limits(rules.max_memory, rules.max_entries);
    CacheUrl url = cache_url_of(ex);
    cache::Slot slot = store.marks().slot_of_url(url.host, url.path);
    if (ask.alone) return {store.alone(slot, rules.max_object), true};
    return store.join(store.key_of(flight_key(ex, ask)), slot, rules.max_object);
}

// While what is stored is served though it is stale (RFC 5861 §3).
void refresh(Exchange& ex, Next next, const Ask& ask, const CacheRules& rules) {
    bool idle = !ex.worker.draining() && ex.worker.errands().size() < kMostErrands;
    if (!idle || !ask.entry->claim_refresh(ex.worker.loop().now())) return;
    cache::Flight flight = board(ex, ask, rules);
    if (!flight.leads) return;
    flight.filling->keep_going();
    start(ex, next, ask, rules, flight.filling, {});
}

rt::Task<void> news_of(cache::Reader& reader) {
    cache::News news(reader);
    co_await news;
}

// False: the client's time is up.
rt::Task<bool> until_known(Exchange& ex, cache::Reader& reader) {
    while (reader.stage() == Stage::asking) {
        rt::Within<void> wait(ex.worker.loop(), news_of(reader), ex.head_deadline());
        bool came = co_await wait;
        if (!came) co_return false;
    }
    co_return true;
}

// ---- what came of it

// What to do when there is no answer yet.
enum class Then : std::uint8_t { answer, ask_itself, ask_again };

class Arrival {
 public:
    Arrival(Exchange& ex, Ask& ask, std::unique_ptr<cache::Reader> reader, cache::FillingPtr filling, std::shared_ptr<Handoff> handoff, std::string_view why)
        : ex_(ex), ask_(ask), reader_(std::move(reader)), filling_(std::move(filling)), handoff_(std::move(handoff)) {
        story_.result = CacheResult::miss;
        story_.forwarded = why;
        story_.collapsed = !handoff_;
        if (handoff_) handoff_->facts.give_to(ex_);
        if (handoff_ && handoff_->facts.status > 0) story_.status = handoff_->facts.status;
    }

    Then conclude(std::optional<Answer>& answer) {
        switch (reader_->stage()) {
            case Stage::refused: return refused(answer);
            case Stage::failed: return failed(answer);
            case Stage::found: return ask_.detail = "redis", Then::ask_again;
            case Stage::stale: return stale(answer);
            case Stage::valid: return valid(answer);
            case Stage::streaming: return streaming(answer);
            case Stage::complete: return streaming(answer);
            case Stage::broken: return answer.emplace(reader_->failure()), Then::answer;
            default: return Then::ask_again;
        }
    }

 private:
    bool leads() const { return handoff_ != nullptr; }

    // Its answer, with the errand it came from.
    Then refused(std::optional<Answer>& answer) {
        if (!leads() || !handoff_->errand) return Then::ask_itself;
        std::unique_ptr<Errand> errand = std::move(handoff_->errand);
        http::Response response = std::move(*errand->answer());
        if (!response.body) response.body = std::make_unique<http::TextBody>(std::string());
        response.body = std::make_unique<ErrandBody>(std::move(errand), std::move(response.body));
        story_.detail = cache::name_of(handoff_->because);
        bool has_it = response.status == 200 && says_not_modified(response.headers);
        if (has_it) response = shortened(std::move(response));
        tell_story(ex_, response.headers, story_);
        answer.emplace(std::move(response));
        return Then::answer;
    }

    // The client had a condition that was kept from the service, because others may want the whole.
    bool says_not_modified(const http::Headers& headers) const {
        cache::UnixSeconds now = unix_now(ex_);
        return cache::client_has_it(ex_.request.head.headers, cache::validators_of(headers, now, now), now);
    }
    static http::Response shortened(http::Response response) {
        response.status = 304;
        response.reason = {};
        response.headers.remove(HeaderId::content_length);
        response.headers.remove(HeaderId::content_type);
        response.headers.remove(HeaderId::content_encoding);
        return response;
    }

    Then failed(std::optional<Answer>& answer) {
        answer.emplace(reader_->failure());
        return Then::answer;
    }

    Then stale(std::optional<Answer>& answer) {
        if (!ask_.entry || !cache::may_use_on_error(ask_.entry->life, ask_.entry->age(ex_.worker.loop().now()))) return Then::ask_itself;
        story_.result = CacheResult::stale;
        story_.detail = "stale-if-error";
        ex_.failure.reset();   // it is an answer
        story_.ttl = ask_.entry->life.lifetime - ask_.entry->age(ex_.worker.loop().now());
        answer.emplace(answer_from(ex_, ask_.entry, story_));
        return Then::answer;
    }

    // Whether somebody may have it who did not ask for it.
    bool may_share(const cache::Entry& entry) const {
        if (leads()) return true;
        bool alike = ex_.worker.cache().selection_of(ex_.request.head.headers, entry.vary) == entry.selection;
        return alike && cache::may_use(entry.life, ask_.asked.directives, entry.age(ex_.worker.loop().now())) == Use::fresh;
    }

    Then valid(std::optional<Answer>& answer) {
        EntryPtr entry = reader_->whole();
        if (!may_share(*entry)) {
            ask_.alone = true;   // it has to be validated for each of us
            return Then::ask_again;
        }
        story_.result = CacheResult::hit;
        story_.stored = true;
        story_.ttl = entry->life.lifetime - entry->age(ex_.worker.loop().now());
        answer.emplace(answer_from(ex_, entry, story_));
        return Then::answer;
    }

    Then streaming(std::optional<Answer>& answer) {
        EntryPtr whole = reader_->whole();
        EntryPtr head = whole ? whole : reader_->head();
        if (!may_share(*head)) return Then::ask_itself;
        story_.stored = true;
        story_.ttl = head->life.lifetime - head->age(ex_.worker.loop().now());
        bool has_it = head->status == 200 && cache::client_has_it(ex_.request.head.headers, head->validators, unix_now(ex_));
        if (has_it) {
            filling_->keep_going();   // the others want the body
            answer.emplace(not_modified(ex_, head, story_));
            return Then::answer;
        }
        http::Response response;
        response.status = head->status;
        response.reason = head->reason;
        EntryPtr shown = leads() && handoff_->own_head ? handoff_->own_head : head;
        add_stored_fields(*shown, response.headers);
        if (Duration age = head->age(ex_.worker.loop().now()); !leads() || age >= std::chrono::seconds(1)) add_age(ex_, response.headers, age);
        response.body = std::make_unique<cache::FillingBody>(std::move(reader_), std::move(shown));
        tell_story(ex_, response.headers, story_);
        answer.emplace(std::move(response));
        return Then::answer;
    }

    Exchange& ex_;
    Ask& ask_;
    std::unique_ptr<cache::Reader> reader_;
    cache::FillingPtr filling_;
    std::shared_ptr<Handoff> handoff_;   // null: somebody else's errand
    CacheStory story_;
};

// ---- what changes something

// The path and query that a Location or Content-Location of the same origin names (RFC 9111 §4.4); nothing otherwise.
std::optional<std::string> same_origin_path(const Exchange& ex, std::string_view reference) {
    reference = reference.substr(0, reference.find('#'));
    std::string_view authority = ex.request.head.authority;
    std::size_t scheme = reference.find("://");
    if (scheme != reference.npos && scheme < reference.find_first_of("/?")) reference.remove_prefix(scheme + 1);
    if (reference.starts_with("//")) {
        reference.remove_prefix(2);
        std::size_t end = std::min(reference.find_first_of("/?"), reference.size());
        if (!iequals(reference.substr(0, end), authority)) return std::nullopt;
        reference.remove_prefix(end);
    }
    std::size_t query = std::min(reference.find('?'), reference.size());
    std::string path(reference.substr(0, query)), scratch;
    if (path.empty()) path = scheme != reference.npos ? "/" : std::string(ex.path);
    if (path.front() != '/') path.insert(0, ex.path.substr(0, ex.path.rfind('/') + 1));
    Result<std::string_view> normal = http::normalize_path(path, scratch);
    if (!normal) return std::nullopt;
    return std::string(*normal).append(reference.substr(query));
}

void invalidate(const Exchange& ex, const CacheUrl& url, const http::Headers& answer) {
    cache::Marks& marks = ex.worker.cache().marks();
    marks.purge_url(url.host, url.path);
    for (std::string_view name : {"Location", "Content-Location"}) {
        const std::string_view* reference = answer.find(name);
        if (!reference) continue;
        if (auto path = same_origin_path(ex, *reference)) marks.purge_url(url.host, *path);
    }
}

// ---- the filter

bool accepts_event_streams(const http::Headers& headers) {
    const std::string_view* accept = headers.find(HeaderId::accept);
    return accept && accept->find("text/event-stream") != std::string_view::npos;
}

class Cache final : public Filter {
 public:
    Cache(const config::Config& config, const config::Route& route) : rules_(config, route) {}

    bool wanted(const Exchange& ex) const override {
        const http::RequestHead& head = ex.request.head;
        if (!head.protocol.empty() || ex.grpc != http::GrpcKind::none) return false;
        if (cache::is_unsafe(head.method)) return true;
        bool reads = head.method == http::Method::GET || head.method == http::Method::HEAD;
        return reads && !ex.request.body && !accepts_event_streams(head.headers);
    }

 private:
    rt::Task<Answer> run(Exchange& ex, Next next) const override {
        if (cache::is_unsafe(ex.request.head.method)) co_return co_await change(ex, next);
        Ask ask = ask_of(ex, rules_);
        if (ask.asked.directives.no_store) co_return co_await pass(ex, next, CacheResult::bypass, "request");
        for (;;) {
            // 1. What is stored, where it will do.
            look_up(ex, ask);
            Use use = Use::validate;
            std::optional<CacheStory> story = ask.entry ? usable(ex, ask, use) : std::nullopt;
            ask.detail = {};
            if (story) {
                if (use == Use::refresh) refresh(ex, next, ask, rules_);
                co_return answer_from(ex, ask.entry, *story);
            }
            std::optional<Answer> answer = stored_part(ex, part_ask(ask));
            if (answer) co_return std::move(*answer);
            if (needs_no_errand(ex, ask)) {
                bool found = co_await look_elsewhere(ex, ask, rules_);
                if (found) continue;
            }
            if (ask.asked.directives.only_if_cached) co_return Error(Code::not_in_cache);
            // 2. What is asked for by this client alone, because its answer is no use to others.
            std::string_view why = why_forwarded(ex, ask);
            if (asks_itself(ex, ask)) co_return co_await ask_itself(ex, next, ask, why);
            // 3. One asks, the others wait for it.
            ask.alone |= why == "request";
            cache::Flight flight = board(ex, ask, rules_);
            auto reader = std::make_unique<cache::Reader>(flight.filling, ex.worker.loop());
            std::shared_ptr<Handoff> handoff = flight.leads ? std::make_shared<Handoff>() : nullptr;
            if (rules_.finish_fills) flight.filling->keep_going();
            if (handoff) start(ex, next, ask, rules_, flight.filling, handoff);
            bool in_time = co_await until_known(ex, *reader);
            if (!in_time) co_return Error(Code::deadline_exceeded);
            Then then = Arrival(ex, ask, std::move(reader), flight.filling, std::move(handoff), why).conclude(answer);
            if (then == Then::answer) co_return std::move(*answer);
            constexpr int kMostTries = 3;
            if (then == Then::ask_itself || ++ask.tries == kMostTries) co_return co_await pass(ex, next, CacheResult::miss, why);
        }
    }

    // HEAD brings nothing to store, a range only a part.
    static bool wants_less(const Exchange& ex, const Ask& ask) {
        const http::RequestHead& head = ex.request.head;
        if (head.method == http::Method::HEAD) return true;
        return head.headers.has(HeaderId::range) && !(ask.entry && ask.entry->validators.any());
    }

    // Errands look elsewhere before they ask; for those who will not send one nobody else does.
    static bool needs_no_errand(const Exchange& ex, const Ask& ask) {
        return !ask.asked.directives.no_cache && (ask.asked.directives.only_if_cached || wants_less(ex, ask));
    }

    // Conditions other than our own are the service's to judge.
    static bool asks_itself(const Exchange& ex, const Ask& ask) {
        const http::RequestHead& head = ex.request.head;
        if (wants_less(ex, ask) || head.headers.find("If-Match") || head.headers.find("If-Unmodified-Since")) return true;
        if (ex.worker.errands().size() >= kMostErrands) return true;
        cache::Store& store = ex.worker.cache();
        return !ask.entry && store.known_uncacheable(store.key_of(ask.asked.authorized ? ask.own : ask.shared), ex.worker.loop().now());
    }

    static rt::Task<Answer> pass(Exchange& ex, Next next, CacheResult result, std::string_view why) {
        Answer answer = co_await next.run(ex);
        CacheStory story;
        story.result = result;
        story.forwarded = why;
        co_return told(ex, std::move(answer), story);
    }

    rt::Task<Answer> ask_itself(Exchange& ex, Next next, const Ask& ask, std::string_view why) const {
        TimePoint asked_at = ex.worker.loop().now();
        CacheUrl url = cache_url_of(ex);
        cache::Stamp stamp = ex.worker.cache().marks().now();
        Answer answer = co_await next.run(ex);
        Duration delay = ex.worker.loop().now() - asked_at;
        CacheStory story;
        bool is_part = answer && ex.request.head.method == http::Method::GET && answer->status == 206;
        if (is_part) story.ttl = keep_part(ex, part_ask(ask), rules_, PartOrigin{url, delay, stamp}, *answer);
        story.stored = story.ttl.has_value();
        bool tells = answer && ex.request.head.method == http::Method::HEAD && answer->status == 200 && ask.entry && ask.entry->status == 200;
        if (tells) heed_head(ex, ask, url, answer->headers, delay, stamp);
        story.result = CacheResult::miss;
        story.forwarded = why;
        co_return told(ex, std::move(answer), story);
    }

    // RFC 9111 §4.3.5: what HEAD tells of what is stored.
    void heed_head(Exchange& ex, const Ask& ask, const CacheUrl& url, const http::Headers& headers, Duration delay, cache::Stamp stamp) const {
        cache::Store& store = ex.worker.cache();
        cache::Key key = store.key_of(ask.entry_is_own ? ask.own : ask.shared);
        cache::UnixSeconds now = unix_now(ex);
        bool fits = cache::head_fits(ask.entry->validators, ask.entry->size(), headers, cache::validators_of(headers, now, now));
        bool keep = false;
        EntryPtr fresh = fits ? updated_entry(ex, url, *ask.entry, headers, rules_, ask.asked, delay, stamp, keep) : nullptr;
        if (keep) {
            store.put(key, std::move(fresh));
            return;
        }
        store.remove(key, ask.entry);
        Elsewhere elsewhere = elsewhere_of(ex, ask, rules_);
        if (!elsewhere.level) return;
        cache::SecondLevel::Names names{ask.shared, elsewhere.knows_own ? ask.own : std::string_view()};
        elsewhere.level->forget(names, *ask.entry, ex.request.head.headers);
    }

    // RFC 9111 §4.4: only what succeeded changed something.
    static rt::Task<Answer> change(Exchange& ex, Next next) {
        CacheUrl url = cache_url_of(ex);   // as the client says it, before others edit it
        Answer answer = co_await next.run(ex);
        if (answer && answer->status >= 200 && answer->status < 400) invalidate(ex, url, answer->headers);
        CacheStory story;
        story.result = CacheResult::bypass;
        story.forwarded = "method";
        co_return told(ex, std::move(answer), story);
    }

    const CacheRules rules_;
};

}  // namespace

FilterPtr response_cache(const config::Config& config, const config::Route& route) {
    bool on = config.cache.enabled && (!route.cache || route.cache->enabled.value_or(true));
    if (!on || !route.forwards()) return nullptr;
    return std::make_shared<Cache>(config, route);
}

}  // namespace suoke::filters
