// SPDX-License-Identifier: MIT
#include "gateway/forward.h"

#include "base/text.h"
#include "gateway/site.h"
#include "gateway/upstream_exchange.h"
#include "gateway/worker.h"
#include "http/h1_writer.h"
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

bool expects_content(http::Method m) {
    return m == http::Method::POST || m == http::Method::PUT || m == http::Method::PATCH;
}

// The head as the upstream gets it; framing is ours, not the client's.
void write_head(http::H1Writer& out, Exchange& ex) {
    const http::RequestHead& head = ex.request.head;
    out.put(head.method_name).put(" ").put(upstream_target(ex)).put(" HTTP/1.1\r\n");
    out.put("Host: ").put(upstream_host(ex)).put("\r\n");
    for (const http::Field& field : head.headers) {
        bool ours = field.id == HeaderId::host || field.id == HeaderId::content_length;
        if (!ours) out.field(field.name, field.value);
    }
    using F = http::Framing;
    if (head.framing.kind == F::chunked) out.put("Transfer-Encoding: chunked\r\n");
    if (head.framing.kind == F::length) out.put("Content-Length: ").put(head.framing.size).put("\r\n");
    if (head.framing.kind == F::none && expects_content(head.method)) out.put("Content-Length: 0\r\n");
    out.put("\r\n");
}

AttemptLimits limits_of(const Exchange& ex) {
    AttemptLimits limits;
    limits.response = ex.route->response_timeout;
    limits.idle = ex.route->idle_timeout;
    limits.write = ex.route->service->write_timeout;
    limits.deadline = ex.deadline;
    return limits;
}

rt::Task<Result<upstream::Lease>> new_connection(Exchange& ex, upstream::Pool& pool) {
    const Service& service = *ex.route->service;
    TimePoint now = ex.worker.loop().now();
    TimePoint connect_by = std::min(ex.deadline, deadline_after(now, service.connect_timeout));
    TimePoint queue_until = std::min(ex.deadline, deadline_after(now, service.pool_timeout));
    co_return co_await pool.open(connect_by, queue_until);
}

// A request to send: what can be sent again, and what cannot.
struct Outgoing {
    http::H1Writer head;
    Piece first;                        // of the body, when something was here already
    http::BodySource* more = nullptr;   // what comes after it
    bool replayable() const { return more == nullptr; }
};

// A connection that was reused may have died while it was idle, before it saw our request. With no
// answer begun and the whole request at hand we may ask once more: any method when not even the
// request got out, otherwise those that may be repeated (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
bool may_repeat(const Exchange& ex, const Outgoing& request, const UpstreamExchange& attempt, bool was_sent) {
    if (!attempt.reused() || !attempt.unanswered() || !request.replayable()) return false;
    return !was_sent || http::is_idempotent(ex.request.head.method);
}

rt::Task<Result<void>> read_final_head(Exchange& ex, UpstreamExchange& attempt) {
    for (;;) {
        auto read = co_await attempt.read_head(ex.request.head.method);
        if (!read) co_return read.error();
        http::ResponseHead& head = attempt.head();
        if (!http::is_interim(head.status)) co_return Result<void>();
        if (head.status == 101) co_return Error(Code::upstream_invalid, "the upstream switched protocols unasked");
        remove_hop_by_hop(head.headers);
        bool wanted = head.status != 100 || ex.request.head.expects_continue;
        if (wanted) co_await ex.responder.interim(head.status, head.headers);
    }
}

http::Response response_of(std::unique_ptr<UpstreamExchange> attempt) {
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
    upstream::Pool& pool = *ex.local.pools[service.index][chosen];

    // 2. The request as the upstream shall see it, with as much of its body as is here.
    Outgoing request{http::H1Writer(ex.worker.buffers()), {{}, Piece::more}, ex.request.body};
    write_head(request.head, ex);
    bool chunked = ex.request.head.framing.kind == http::Framing::chunked;
    if (request.more && !chunked) {
        Result<Piece> piece = request.more->next();
        if (!piece) co_return piece.error();
        request.first = *piece;
        if (piece->state == Piece::end) request.more = nullptr;
    }
    // A small body leaves with its head, in one system call.
    if (request.first.bytes.size() <= request.head.room()) {
        request.head.put(request.first.bytes);
        request.first.bytes = {};
    }

    // 3. An attempt; a second one only when the first met a dead connection.
    ex.upstream_began = ex.worker.loop().now();
    for (bool fresh = false;; fresh = true) {
        ++ex.attempts;
        upstream::Lease lease;
        if (!fresh) lease = pool.take_idle();
        ex.connection_reused = static_cast<bool>(lease);
        if (!lease) {
            Result<upstream::Lease> opened = co_await new_connection(ex, pool);
            if (!opened) co_return opened.error();
            lease = std::move(*opened);
            ex.upstream_connect = ex.worker.loop().now() - ex.upstream_began;
        }
        auto attempt = std::make_unique<UpstreamExchange>(std::move(lease), ex.worker.buffers(), limits_of(ex));

        Result<void> sent;
        bool at_once = attempt->send_now(request.head.buffer().bytes(), request.first.bytes);
        if (!at_once || request.more) sent = co_await attempt->send_rest(request.more, chunked);
        Result<void> read = sent;
        if (sent) read = co_await read_final_head(ex, *attempt);
        if (!read && read.error().code == Code::upstream_reset && may_repeat(ex, request, *attempt, sent.has_value())) continue;
        if (!read) co_return read.error();

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

static bool is_hop_by_hop(http::HeaderId id) {
    switch (id) {
        case HeaderId::connection:
        case HeaderId::keep_alive:
        case HeaderId::proxy_connection:
        case HeaderId::proxy_authorization:
        case HeaderId::te:
        case HeaderId::transfer_encoding:
        case HeaderId::upgrade: return true;
        default: return false;
    }
}

void remove_hop_by_hop(http::Headers& headers) {
    std::vector<std::string_view> named;  // by Connection, and not gone anyway
    for (const http::Field& field : headers) {
        if (field.id != HeaderId::connection || iequals(field.value, "keep-alive") || iequals(field.value, "close")) continue;
        for (std::string_view token : split_list(field.value)) named.push_back(token);
    }
    headers.remove_if([&](const http::Field& field) {
        if (is_hop_by_hop(field.id)) return true;
        for (std::string_view name : named)
            if (iequals(name, field.name)) return true;
        return false;
    });
}

}  // namespace suoke::gateway
