// SPDX-License-Identifier: MIT
#include "gateway/forward.h"

#include "gateway/attempt_h1.h"
#include "gateway/attempt_h2.h"
#include "gateway/hop_by_hop.h"
#include "gateway/proxy_preamble.h"
#include "gateway/site.h"
#include "gateway/worker.h"
#include "http/uri.h"

namespace suoke::gateway {
namespace {

using http::HeaderId;
using http::Piece;

std::string_view upstream_host(const Exchange& ex) {
    const Route& route = *ex.route;
    if (route.preserve_host && !ex.request.head.authority.empty()) return ex.request.head.authority;
    if (!route.host_header.empty()) return route.host_header;
    return ex.endpoint->name;
}

AttemptLimits limits_of(const Exchange& ex) {
    AttemptLimits limits;
    limits.response = ex.route->response_timeout;
    limits.idle = ex.route->idle_timeout;
    limits.write = ex.route->service->write_timeout;
    limits.deadline = ex.deadline;
    return limits;
}

struct Patience {
    TimePoint connect, queue;
};
Patience patience_of(const Exchange& ex) {
    const Service& service = *ex.route->service;
    TimePoint now = ex.worker.loop().now();
    return {std::min(ex.deadline, deadline_after(now, service.connect_timeout)),
            std::min(ex.deadline, deadline_after(now, service.pool_timeout))};
}

// RFC 6455 §4.1: who came by HTTP/2 has no key to send on, so we make one.
std::string_view make_key(Exchange& ex) {
    std::uint64_t nonce[2] = {ex.worker.random().next(), ex.worker.random().next()};
    std::string key;
    http::append_base64(key, {reinterpret_cast<const char*>(nonce), sizeof nonce});
    return ex.arena.copy(key);
}

using AttemptPtr = std::unique_ptr<Attempt>;

// On a connection that is there: the usual case, and no coroutine. Null when there is none.
AttemptPtr attempt_at_once(Exchange& ex, const upstream::Berth& berth) {
    if (berth.h2) {
        auto client = berth.h2->take();
        if (!client) return nullptr;
        return std::make_unique<AttemptH2>(std::move(client), ex.request.head.method, limits_of(ex));
    }
    upstream::Lease lease = berth.h1->take_idle();
    if (!lease) return nullptr;
    return std::make_unique<AttemptH1>(std::move(lease), ex.worker.buffers(), limits_of(ex));
}

rt::Task<Result<AttemptPtr>> attempt_on_new_connection(Exchange& ex, upstream::Berth berth) {
    Patience patience = patience_of(ex);
    AttemptPtr attempt;
    if (berth.h2) {
        auto client = co_await berth.h2->open(patience.connect, patience.queue);
        if (!client) co_return client.error();
        attempt = std::make_unique<AttemptH2>(std::move(*client), ex.request.head.method, limits_of(ex));
    } else {
        auto lease = co_await berth.h1->open(patience.connect, patience.queue, proxy_preamble(ex));
        if (!lease) co_return lease.error();
        attempt = std::make_unique<AttemptH1>(std::move(*lease), ex.worker.buffers(), limits_of(ex));
    }
    ex.upstream_connect = ex.worker.loop().now() - ex.upstream_began;
    co_return attempt;
}

// What is here of the body goes out with the head; of a chunked one the pieces keep their borders.
Result<void> take_first_piece(Outgoing& request) {
    bool chunked = request.head.framing.kind == http::Framing::chunked;
    if (!request.more || chunked || request.is_tunnel()) return {};
    Result<Piece> piece = request.more->next();
    if (!piece) return piece.error();
    request.first = *piece;
    if (piece->state == Piece::end) request.more = nullptr;
    return {};
}

// With no answer begun and the whole request at hand we may ask once more: any method when the
// upstream saw nothing of it, otherwise those that may be repeated (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
bool may_repeat(const Outgoing& request, const Attempt& attempt, const Error& error) {
    if (error.code != Code::upstream_reset || !request.replayable()) return false;
    switch (attempt.seen()) {
        case Attempt::Seen::nothing: return true;
        case Attempt::Seen::perhaps: return http::is_idempotent(request.head.method);
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

}  // namespace

rt::Task<Answer> Forward::run(Exchange& ex, Next) const {
    // 1. An endpoint of the service.
    const Service& service = *ex.route->service;
    if (service.endpoints.empty()) co_return Error(Code::no_endpoint, "service " + service.name + " has no endpoint");
    std::uint16_t chosen = ex.worker.next_endpoint(ex.local, service);
    ex.endpoint = &service.endpoints[chosen];
    const upstream::Berth& berth = ex.local.berths[service.index][chosen];

    // 2. The request as the upstream shall see it, with as much of its body as is here.
    Outgoing request{ex.request.head, upstream_target(ex), upstream_host(ex)};
    request.more = ex.request.body;
    if (request.is_tunnel() && request.websocket_key().empty()) request.key = make_key(ex);
    Result<void> taken = take_first_piece(request);
    if (!taken) co_return taken.error();

    // 3. An attempt; a second one only when the first met a dead connection.
    ex.upstream_began = ex.worker.loop().now();
    for (bool fresh = false;; fresh = true) {
        ++ex.attempts;
        AttemptPtr attempt;
        if (!fresh) attempt = attempt_at_once(ex, berth);
        ex.connection_reused = attempt != nullptr;
        if (!attempt) {
            Result<AttemptPtr> begun = co_await attempt_on_new_connection(ex, berth);
            if (!begun) co_return begun.error();
            attempt = std::move(*begun);
        }
        Result<void> answered = co_await attempt->run(request, ex.responder);
        if (!answered && may_repeat(request, *attempt, answered.error())) continue;
        if (!answered) co_return answered.error();

        // 4. Its answer; the body follows as it comes.
        ex.upstream_head = ex.worker.loop().fresh_now() - ex.upstream_began;
        co_return response_of(std::move(attempt));
    }
}

std::string_view upstream_target(Exchange& ex) {
    const Route& route = *ex.route;
    std::string_view path = route.strip_prefix ? ex.match.rest : ex.path;
    const std::string& prefix = route.upstream_prefix;
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
