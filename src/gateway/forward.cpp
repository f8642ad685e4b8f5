// SPDX-License-Identifier: MIT
#include "gateway/forward.h"

#include "gateway/hedge.h"
#include "gateway/hop_by_hop.h"
#include "gateway/open_attempt.h"
#include "gateway/proxy_preamble.h"
#include "gateway/replay_body.h"
#include "gateway/session_cookie.h"
#include "gateway/site.h"
#include "gateway/worker.h"
#include "http/uri.h"
#include "rt/pause.h"

namespace suoke::gateway {
namespace {

using http::HeaderId;
using http::Piece;

std::string_view upstream_host(const Exchange& ex, const balance::Member& member) {
    const Route& route = *ex.route;
    if (route.preserve_host && !ex.request.head.authority.empty()) return ex.request.head.authority;
    if (!route.host_header.empty()) return route.host_header;
    if (route.any_service && !ex.service->host_header.empty()) return ex.service->host_header;
    return host_of(member.address, member.name);
}

AttemptLimits limits_of(const Exchange& ex) {
    AttemptLimits limits;
    limits.response = ex.route->any_service ? ex.service->response_timeout : ex.route->response_timeout;
    Duration per_try = retry_rules_of(ex).per_try;
    if (per_try > Duration::zero() && (limits.response <= Duration::zero() || per_try < limits.response)) limits.response = per_try;
    limits.idle = ex.route->idle_timeout;
    limits.write = ex.service->write_timeout;
    limits.deadline = ex.deadline;
    return limits;
}

Patience patience_of(const Exchange& ex) {
    TimePoint now = ex.worker.loop().now();
    return {std::min(ex.deadline, deadline_after(now, ex.service->connect_timeout)),
            std::min(ex.deadline, deadline_after(now, ex.service->pool_timeout))};
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
std::optional<balance::Verdict> verdict_of(const Exchange& ex, const Tried& tried) {
    using balance::Verdict;
    if (tried.answered()) {
        int status = tried.attempt->head().status;
        if (status < 500) return Verdict::ok;
        return status >= 502 && status <= 504 ? Verdict::failed : Verdict::error;
    }
    Code code = tried.error->code;
    if (code == Code::connect_failed) return Verdict::refused;
    if (code == Code::deadline_exceeded && ex.deadline != deadline_after(ex.request.started, ex.route->timeout)) return std::nullopt;
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

// The next endpoint to ask, or an empty seat when what came of the last one is to be the answer.
balance::Seat another_seat(Exchange& ex, const Outgoing& request, const Tried& tried, const TriedEndpoints& before, balance::View::Wish wish) {
    const RetryRules& rules = retry_rules_of(ex);
    if (before.size() >= rules.attempts || before.size() == before.max_size()) return {};
    bool untouched = !tried.attempt && !tried.answered();   // not even a connection: nothing of the body has been read
    if (!is_failure(ex, tried) || !(untouched || request.replayable()) || !is_safe_to_repeat(request, tried)) return {};
    if (tried.answered()) {
        auto asked = retry_after_of(tried.attempt->head().headers);
        if (asked && *asked > rules.max_delay) return {};
    }
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
    if (gate.waiting() >= rules.max_waiting) co_return full;
    rt::Loop& loop = ex.worker.loop();
    balance::Gate::Turn turn(gate, loop, limit, std::min(ex.deadline, deadline_after(loop.now(), rules.max_wait)));
    ex.place = co_await turn;
    if (!ex.place) co_return full;
    co_return Result<void>();
}

Error blown(Exchange& ex) {
    ex.retry_after = ex.view->members().state->breaker.closed_until() - ex.worker.loop().now();
    return Error(Code::circuit_open, "the circuit breaker of " + std::string(ex.service_name()) + " is open");
}

// The operator's own words for when nobody can be asked.
Answer fallback_or(Exchange& ex, Error error) {
    const config::FixedResponse* fallback = ex.route->fallback ? ex.route->fallback : ex.service ? ex.service->fallback : nullptr;
    if (!fallback) return error;
    ex.failure = error.code;
    return text_response(fallback->status, fallback->content_type, fallback->body);
}

}  // namespace

const RetryRules& retry_rules_of(const Exchange& ex) { return ex.route->any_service ? ex.service->retry : ex.route->retry; }

rt::Task<Tried> ask(Exchange& ex, const balance::Member& member, Outgoing& request, http::Responder& interims) {
    const upstream::Berth& berth = ex.view->berth(member);
    TimePoint began = ex.worker.loop().now();
    request.host = upstream_host(ex, member);
    AttemptLimits limits = limits_of(ex);
    Tried tried;
    for (bool fresh = false;; fresh = true) {
        ++ex.attempts;
        tried.attempt = fresh ? nullptr : attempt_at_once(ex.worker, berth, request.head.method, limits);
        ex.connection_reused = tried.attempt != nullptr;
        if (!tried.attempt) {
            Patience patience = patience_of(ex);
            std::string preamble = proxy_preamble(ex);
            TimePoint dialed = ex.worker.loop().now();
            Result<AttemptPtr> begun = co_await attempt_on_new_connection(ex.worker, berth, request.head.method, limits, patience, std::move(preamble));
            ex.upstream_connect = ex.worker.loop().now() - dialed;
            if (!begun) {
                tried.error = begun.error();
                break;
            }
            tried.attempt = std::move(*begun);
        }
        Result<void> answered = co_await tried.attempt->run(request, interims);
        if (answered) break;
        tried.error = answered.error();
        tried.seen = tried.attempt->seen();
        if (!was_dead(request, *tried.attempt, answered.error())) break;
        tried.attempt.reset();
        Result<void> again = request.begin_again();
        if (!again) {
            tried.error = again.error();
            break;
        }
        tried.error.reset();
    }
    tried.took = ex.worker.loop().fresh_now() - began;
    co_return tried;
}

void tell(Exchange& ex, balance::Seat& seat, const Tried& tried) {
    if (auto verdict = verdict_of(ex, tried)) seat.tell(*verdict, tried.took, ex.worker.loop().now());
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
    ex.place = members.state->gate.enter(limit);
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
    const RetryRules& rules = retry_rules_of(ex);
    Outgoing request{ex.request.head, upstream_target(ex), {}};
    request.more = ex.request.body;
    if (request.is_tunnel() && request.websocket_key().empty()) request.key = make_key(ex);
    std::optional<ReplayBody> replay;
    bool keeps = request.more && rules.attempts > 1 && !request.is_tunnel() && may_be_repeated(request.head);
    if (keeps) request.more = request.replay = &replay.emplace(*ex.request.body, rules.max_body);
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
        balance::Seat next = another_seat(ex, request, tried, before, wish);
        if (next) {
            bool refused = !tried.answered() && tried.error->code == Code::connect_failed;
            TimePoint when = loop.now() + (refused ? Duration::zero() : retry_delay(rules, static_cast<std::uint32_t>(before.size()) + 1, ex.worker.random()));
            if (when < ex.deadline) {
                if (tried.answered()) discard(std::move(tried.attempt));
                tried.attempt.reset();
                ex.seat = std::move(next);
                rt::Pause pause(loop, when);
                co_await pause;
                continue;
            }
        }

        // 5. What came of it, for the service as a whole; its body follows as it comes.
        bool ok = tried.answered() && tried.attempt->head().status < 500;
        if (ok || verdict_of(ex, tried)) ex.fuse.tell(ok, tried.took, loop.now());
        if (members.rules.limits.adaptive != balance::LimitRules::off)
            members.state->adaptive.sample(tried.took, members.state->gate.inside(), loop.now(), members.rules.limits);
        if (!tried.answered()) co_return *tried.error;
        ex.upstream_head = loop.now() - ex.upstream_began;
        http::Response response = response_of(std::move(tried.attempt));
        keep_session(ex, wish.preferred, response);
        co_return response;
    }
}

std::string_view upstream_target(Exchange& ex) {
    const Route& route = *ex.route;
    std::string_view path = route.strip_prefix ? ex.match.rest : ex.path;
    const std::string& prefix = route.any_service ? ex.service->upstream_prefix : route.upstream_prefix;
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
