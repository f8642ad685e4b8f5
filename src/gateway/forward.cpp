// SPDX-License-Identifier: MIT
#include "gateway/forward.h"

#include "gateway/hedge.h"
#include "gateway/hop_by_hop.h"
#include "gateway/open_attempt.h"
#include "gateway/proxy_preamble.h"
#include "gateway/replay_body.h"
#include "gateway/session_cookie.h"
#include "gateway/site.h"
#include "gateway/time_left.h"
#include "gateway/worker.h"
#include "http/uri.h"
#include "rt/pause.h"

namespace suoke::gateway {
namespace {

using http::HeaderId;
using http::Piece;

AttemptLimits limits_of(const Exchange& ex) {
    AttemptLimits limits;
    limits.response = ex.route->response_timeout.value_or(ex.service->response_timeout);
    Duration per_try = retry_rules_of(ex).per_try;
    if (per_try > Duration::zero() && (limits.response <= Duration::zero() || per_try < limits.response)) limits.response = per_try;
    limits.idle = ex.route->idle_timeout;
    limits.write = ex.service->write_timeout;
    limits.deadline = ex.deadline;
    return limits;
}

Patience patience_of(const Exchange& ex) {
    TimePoint now = ex.worker.loop().now();
    return {std::min(ex.head_deadline(), deadline_after(now, ex.service->connect_timeout)),
            std::min(ex.head_deadline(), deadline_after(now, ex.service->pool_timeout))};
}

// RFC 6455 §4.1: who came by HTTP/2 has no key to send on, so we make one.
std::string_view make_key(Exchange& ex) {
    std::uint64_t nonce[2] = {ex.worker.random().next(), ex.worker.random().next()};
    std::string key;
    http::append_base64(key, {reinterpret_cast<const char*>(nonce), sizeof nonce});
    return ex.arena.copy(key);
}

// With no answer begun and the whole request at hand the same endpoint is asked once more, when it was
// a kept connection that was dead, or the upstream refused the stream unseen (RFC 9112 §9.3.1).
bool was_dead(const Outgoing& request, const Attempt& attempt, const Error& error) {
    if (error.code != Code::upstream_reset || !request.replayable()) return false;
    switch (attempt.seen()) {
        case Attempt::Seen::nothing: return true;
        case Attempt::Seen::perhaps: return may_be_repeated(request.head);
        default: return false;
    }
}

http::Response response_of(AttemptPtr attempt) {
    http::ResponseHead& head = attempt->head();
    http::Response response;
    response.status = head.status;
    response.reason = head.reason;
    remove_hop_by_hop(head.headers);
    response.headers = std::move(head.headers);
    response.body = std::move(attempt);
    return response;
}

// Nothing when the failure is not the endpoint's: the client's, ours, or a deadline of the client's own.
std::optional<balance::Verdict> verdict_of(const Tried& tried) {
    using balance::Verdict;
    if (tried.answered()) return verdict_of_status(tried.attempt->head().status);
    Code code = tried.error->code;
    if (code == Code::connect_failed) return Verdict::refused;
    if (code == Code::deadline_exceeded) return std::nullopt;   // the client's; see tell_timed_out() for the route's
    if (row(code).fault != Fault::upstream) return std::nullopt;
    return Verdict::failed;
}

bool is_failure(const Exchange& ex, const Tried& tried) {
    return !tried.answered() || retry_rules_of(ex).is_failure(tried.attempt->head().status);
}

// Whether repeating it can do no harm: nobody has seen it, or it may be done twice.
bool is_safe_to_repeat(const Outgoing& request, const Tried& tried) {
    if (tried.answered()) return may_be_repeated(request.head);
    const ErrorRow& kind = row(tried.error->code);
    if (kind.fault == Fault::client || tried.error->code == Code::deadline_exceeded) return false;
    return tried.seen == Attempt::Seen::nothing || may_be_repeated(request.head);
}

// When another endpoint may be asked; nothing when what came of the last one is to be the answer.
std::optional<TimePoint> next_attempt_at(const Exchange& ex, const Outgoing& request, const Tried& tried, const TriedEndpoints& before) {
    const RetryRules& rules = retry_rules_of(ex);
    if (before.size() >= rules.attempts || before.size() == before.max_size()) return std::nullopt;
    bool untouched = !tried.attempt;   // not even a connection: nothing of the body has been read
    if (!is_failure(ex, tried) || !(untouched || request.replayable()) || !is_safe_to_repeat(request, tried)) return std::nullopt;
    TimePoint now = ex.worker.loop().now();
    Duration delay{};
    bool refused = !tried.answered() && tried.error->code == Code::connect_failed;
    if (!refused) delay = retry_delay(rules, static_cast<std::uint32_t>(before.size()) + 1, ex.worker.random());
    if (tried.answered()) {
        Duration asked = retry_after_of(tried.attempt->head().headers).value_or(Duration::zero());
        if (asked > rules.max_delay) return std::nullopt;
        delay = std::max(delay, asked);
    }
    return now + delay < ex.head_deadline() ? std::optional(now + delay) : std::nullopt;
}

// Empty when there is nobody else, or no budget for it.
balance::Seat another_seat(Exchange& ex, const TriedEndpoints& before, balance::View::Wish wish) {
    const RetryRules& rules = retry_rules_of(ex);
    wish.now = ex.worker.loop().now();
    wish.avoid = before;
    balance::Seat seat = ex.view->take(wish);
    if (!seat && rules.same_endpoint) {
        wish.avoid = {};
        seat = ex.view->take(wish);
    }
    if (!seat || !ex.target->budget.retry(wish.now, rules.budget)) return {};
    return seat;
}

// A short body is read to its end, so that the connection can be kept.
void discard(AttemptPtr attempt) {
    for (std::size_t seen = 0; seen < 16 * 1024;) {
        Result<Piece> piece = attempt->next();
        if (!piece || piece->state != Piece::more) return;
        seen += piece->bytes.size() + 1;
    }
}

// So that it can be sent again. The exchange owns it: the attempt may still send it beside its answer.
void keep_body(Exchange& ex, Outgoing& request) {
    auto kept = std::make_unique<ReplayBody>(*ex.request.body, retry_rules_of(ex).max_body, ex.worker.buffers());
    request.replay = kept.get();
    ex.wrap_request_body(std::move(kept));
    request.more = ex.request.body;
}

// What the balancer goes by, where it goes by anything of the request.
balance::View::Wish wish_of(const Exchange& ex) {
    balance::View::Wish wish{.now = ex.worker.loop().now()};
    const balance::Rules& rules = ex.view->members().rules;
    if (rules.strategy == balance::Strategy::consistent_hash) wish.hash = hash_of(ex, rules.hash);
    if (ex.service->sticky) wish.preferred = session_of(ex);
    return wish;
}

Error nobody(Exchange& ex) {
    std::string name(ex.service_name());
    if (!ex.target) return Error(Code::no_endpoint, "there is no such service");
    bool empty = !ex.target->view || ex.target->view->members().all.empty();
    return Error(Code::no_endpoint, "service " + name + (empty ? " has no endpoint" : " has no healthy endpoint"));
}

std::uint32_t limit_of(const balance::Members& members) {
    const balance::LimitRules& rules = members.rules.limits;
    std::uint32_t limit = rules.max_requests, found = members.state->adaptive.limit();
    if (found == 0 || rules.adaptive == balance::LimitRules::off) return limit;
    if (members.state->gate.inside() >= found) members.state->over_limit.fetch_add(1, std::memory_order_relaxed);
    if (rules.adaptive != balance::LimitRules::enforce) return limit;
    return limit == 0 ? found : std::min(limit, found);
}

// A place among those that the service has at once; waits for one where that is configured.
rt::Task<Result<void>> wait_for_place(Exchange& ex, std::uint32_t limit) {
    const balance::LimitRules& rules = ex.view->members().rules.limits;
    balance::Gate& gate = ex.view->members().state->gate;
    Error full(Code::concurrency_limit, "service " + std::string(ex.service_name()) + " has as many requests as it may have");
    if (gate.waiting() >= rules.max_waiting || rules.max_wait <= Duration::zero()) co_return full;
    rt::Loop& loop = ex.worker.loop();
    balance::Gate::Turn turn(gate, loop, limit, std::min(ex.head_deadline(), deadline_after(loop.now(), rules.max_wait)));
    ex.place = co_await turn;
    if (!ex.place) co_return full;
    co_return Result<void>();
}

Error blown(Exchange& ex) {
    ex.retry_after = ex.view->members().state->breaker.open_until() - ex.worker.loop().now();
    return Error(Code::circuit_open, "the circuit breaker of " + std::string(ex.service_name()) + " is open");
}

// The operator's own words for when nobody can be asked.
Answer fallback_or(Exchange& ex, Error error) {
    const config::FixedResponse* fallback = ex.route->fallback ? ex.route->fallback : ex.service ? ex.service->fallback : nullptr;
    if (!fallback) return error;
    ex.failure = error.code;
    return text_response(fallback->status, fallback->content_type, fallback->body);
}

// 5. What came of it, for the service as a whole; its body follows as it comes.
Answer conclude(Exchange& ex, Tried tried, const balance::View::Wish& wish) {
    TimePoint now = ex.worker.loop().now();
    const balance::Members& members = ex.view->members();
    bool ok = tried.answered() && tried.attempt->head().status < 500;
    if (ok || verdict_of(tried)) ex.fuse.tell(ok, tried.took, now);
    if (ok && members.rules.limits.adaptive != balance::LimitRules::off)
        members.state->adaptive.sample(tried.took, members.state->gate.inside(), now, members.rules.limits);
    bool reached_nobody = !tried.attempt && tried.error->code != Code::deadline_exceeded;
    if (reached_nobody) return fallback_or(ex, *tried.error);
    if (!tried.answered()) return *tried.error;
    ex.upstream_head = now - ex.upstream_began;
    http::Response response = response_of(std::move(tried.attempt));
    keep_session(ex, wish.preferred, response);
    return response;
}

}  // namespace

const RetryRules& retry_rules_of(const Exchange& ex) { return ex.route->retry ? *ex.route->retry : ex.service->retry; }

balance::Verdict verdict_of_status(int status) {
    if (status < 500) return balance::Verdict::ok;
    return status >= 502 && status <= 504 ? balance::Verdict::failed : balance::Verdict::error;
}

std::string_view wanted_host(const Exchange& ex, const Service& service) {
    const std::string& words = ex.route->host_header.empty() ? service.host_header : ex.route->host_header;
    return words == "preserve" ? ex.request.head.authority : std::string_view(words);
}

rt::Task<Tried> ask(Exchange& ex, const balance::Member& member, Outgoing& request, http::Responder& interims) {
    const upstream::Berth& berth = ex.view->berth(member);
    TimePoint began = ex.worker.loop().now();
    request.host = wanted_host(ex, *ex.service);
    if (request.host.empty()) request.host = host_of(member.address, member.name);
    AttemptLimits limits = limits_of(ex);
    Tried tried;
    // An upstream may end a shared connection while many wait for it, and the next one. The last try is on a
    // connection where nobody is before us: one that it refuses there is its answer.
    constexpr int kMostTries = 4;
    for (int tries = 1;; ++tries) {
        bool fresh = tries > 1;
        Result<void> in_time = write_time_left(ex);
        if (!in_time) {
            tried.error = in_time.error();
            break;
        }
        ++ex.attempts;
        tried.attempt = fresh ? nullptr : attempt_at_once(ex.worker, berth, request.head.method, limits);
        ex.connection_reused = tried.attempt != nullptr;
        if (!tried.attempt) {
            Patience patience = patience_of(ex);
            std::string preamble = proxy_preamble(ex, *ex.service);
            TimePoint dialed = ex.worker.loop().now();
            upstream::Company company = tries == kMostTries ? upstream::Company::alone : upstream::Company::shared;
            Result<AttemptPtr> begun =
                co_await attempt_on_new_connection(ex.worker, berth, request.head.method, limits, patience, std::move(preamble), company);
            ex.upstream_connect = ex.worker.loop().now() - dialed;
            if (!begun) {
                // Who gave us so little time says nothing about the endpoint.
                bool too_late = ex.worker.loop().now() >= ex.head_deadline();
                tried.error = too_late ? Error(Code::deadline_exceeded) : begun.error();
                break;
            }
            tried.attempt = std::move(*begun);
        }
        Result<void> answered = co_await tried.attempt->run(request, interims);
        if (answered) break;
        tried.error = answered.error();
        tried.seen = tried.attempt->seen();
        bool last = tries == kMostTries || (fresh && !tried.attempt->reused());
        if (last || !was_dead(request, *tried.attempt, answered.error())) break;
        tried.attempt.reset();
        Result<void> again = request.begin_again();
        if (!again) {
            tried.error = again.error();
            break;
        }
        tried.error.reset();
    }
    TimePoint had_it = tried.attempt ? tried.attempt->last_sent() : began;
    tried.took = ex.worker.loop().fresh_now() - std::max(began, had_it);
    co_return tried;
}

void tell(Exchange& ex, balance::Seat& seat, const Tried& tried) {
    if (auto verdict = verdict_of(tried)) seat.tell(*verdict, tried.took, ex.worker.loop().now());
}

// By the route's own timeout, of an endpoint that had the whole request; else it is the client's word or doing.
void tell_timed_out(Exchange& ex) {
    bool our_own = ex.answer_by == deadline_after(ex.request.started, ex.route->timeout);
    bool whole = !ex.request.body || ex.request.body->remaining() == 0U;
    if (!ex.seat || !our_own || !whole) return;
    TimePoint now = ex.worker.loop().now();
    ex.seat.tell(balance::Verdict::failed, now - ex.upstream_began, now);
    ex.fuse.tell(false, now - ex.upstream_began, now);
}

rt::Task<Answer> Forward::run(Exchange& ex, Next) const {
    rt::Loop& loop = ex.worker.loop();
    // 1. May the service be asked at all? Its breaker, a place among its requests.
    if (!ex.target || !ex.target->view) co_return fallback_or(ex, nobody(ex));
    ex.view = ex.target->view;
    const balance::Members& members = ex.view->members();
    ex.fuse = balance::Fuse(members, loop.now());
    if (ex.fuse.blown()) co_return fallback_or(ex, blown(ex));
    std::uint32_t limit = limit_of(members);
    balance::Gate& gate = members.state->gate;
    if (gate.waiting() == 0) ex.place = gate.enter(limit);
    if (!ex.place) {
        Result<void> entered = co_await wait_for_place(ex, limit);
        if (!entered) co_return entered.error();
    }

    // 2. An endpoint of it.
    balance::View::Wish wish = wish_of(ex);
    ex.seat = ex.view->take(wish);
    if (!ex.seat) co_return fallback_or(ex, nobody(ex));
    ex.target->budget.request(loop.now());

    // 3. The request as the upstream shall see it, with as much of its body as is here. What may be
    //    repeated is kept for it.
    Outgoing request{ex.request.head, upstream_target(ex, *ex.service), {}};
    request.more = ex.request.body;
    if (request.is_tunnel() && request.websocket_key().empty()) request.key = make_key(ex);
    if (request.more && retry_rules_of(ex).attempts > 1 && !request.is_tunnel() && may_be_repeated(request.head)) keep_body(ex, request);
    Result<void> taken = request.take_first_piece();
    if (!taken) co_return taken.error();

    // 4. Attempts: one, unless it fails and another one may do better.
    ex.upstream_began = loop.now();
    TriedEndpoints before;
    for (;;) {
        ex.endpoint = &ex.seat.member();
        before.push_back(ex.endpoint->state.get());
        if (before.size() > 1) taken = request.begin_again();
        if (!taken) co_return taken.error();
        Tried tried;
        if (may_be_hedged(ex, request)) {
            tried = co_await ask_several(ex, request, wish, before);
        } else {
            tried = co_await ask(ex, *ex.endpoint, request, ex.responder);
            tell(ex, ex.seat, tried);
        }
        if (auto when = next_attempt_at(ex, request, tried, before)) {
            balance::Seat next = another_seat(ex, before, wish);
            if (next) {
                if (tried.answered()) discard(std::move(tried.attempt));
                tried.attempt.reset();
                ex.seat = balance::Seat();   // it has nothing under way for us while we wait
                ex.seat = std::move(next);
                rt::Pause pause(loop, *when);
                co_await pause;
                continue;
            }
        }

        co_return conclude(ex, std::move(tried), wish);
    }
}

std::string_view upstream_target(Exchange& ex, const Service& service) {
    const Route& route = *ex.route;
    std::string_view path = route.strip_prefix ? ex.match.rest : ex.path;
    const std::string& prefix = route.upstream_prefix ? *route.upstream_prefix : service.upstream_prefix;
    if (!prefix.empty() || path.empty() || path.front() != '/') {
        bool slash = prefix.empty() && (path.empty() || path.front() != '/');
        path = ex.arena.join({prefix, slash ? "/" : "", path});
    }
    if (route.rewrite) {
        std::string rewritten;
        if (route.rewrite->apply(path, rewritten, ex.match.params)) path = ex.arena.copy(rewritten);
    }
    const http::RequestHead& head = ex.request.head;
    if (!head.has_query) return path;
    if (head.query.find_first_of("[]") == std::string_view::npos) return ex.arena.join({path, "?", head.query});
    std::string query;
    http::append_query_encoded(query, head.query);
    return ex.arena.join({path, "?", query});
}

}  // namespace suoke::gateway
