// SPDX-License-Identifier: MIT
#include "gateway/attempt_h2.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "gateway/hop_by_hop.h"
#include "http/ws_handshake.h"

namespace suoke::gateway {

using http::HeaderId;

AttemptH2::AttemptH2(std::shared_ptr<http::H2Client> client, http::Method method, const AttemptLimits& limits)
    : loop_(client->stream().loop()),
      limits_(limits),
      reused_(client->used()),
      secure_(client->stream().tls() != nullptr),
      exchange_(std::move(client), method, {limits.idle, limits.deadline}) {}

// RFC 9113 §8.7: a stream that was refused was not looked at.
Attempt::Seen AttemptH2::seen() const {
    if (exchange_.refused()) return Seen::nothing;
    return reused_ && !exchange_.answered() ? Seen::perhaps : Seen::yes;
}

rt::Task<Result<void>> AttemptH2::run(const Outgoing& request, http::Responder& interims) {
    // 1. A tunnel only where the server has said that it knows them (RFC 8441 §3).
    while (request.is_tunnel() && !exchange_.knows_settings()) {
        rt::Wake woken = co_await exchange_.news(limits_.deadline);
        if (exchange_.failure()) co_return *exchange_.failure();
        if (woken == rt::Wake::timeout) co_return Error(Code::deadline_exceeded);
    }
    if (request.is_tunnel() && !exchange_.allows_tunnels())
        co_return Error(Code::upstream_invalid, "the upstream knows no extended CONNECT (RFC 8441)");
    // 2. The request; its body follows by itself, at the upstream's pace.
    Result<void> begun = begin(request);
    if (!begun) co_return begun.error();
    // 3. The response's head.
    for (;;) {
        while (exchange_.has_head()) {
            http::ResponseHead& head = exchange_.head();
            if (!http::is_interim(head.status)) {
                if (request.is_tunnel() && head.status == 200) open_tunnel(request);
                exchange_.begin_body();
                co_return Result<void>();
            }
            remove_hop_by_hop(head.headers);
            bool wanted = head.status != 100 || request.head.expects_continue;
            if (wanted) co_await interims.interim(head.status, head.headers);
            exchange_.take_head();
        }
        if (exchange_.failure()) co_return *exchange_.failure();
        rt::Wake woken = co_await exchange_.news(patience());
        if (woken == rt::Wake::ready) continue;
        if (auto error = overdue()) co_return std::move(*error);
    }
}

Result<void> AttemptH2::begin(const Outgoing& request) {
    const http::RequestHead& head = request.head;
    bool tunnel = request.is_tunnel();
    http::h2::Pairs pairs(exchange_.makes_frames_at_once());
    pairs.add(":method", tunnel ? "CONNECT" : head.method_name);
    pairs.add(":scheme", secure_ ? "https" : "http");
    pairs.add(":authority", request.host);
    pairs.add(":path", request.target);
    if (tunnel) pairs.add(":protocol", head.protocol);
    constexpr http::HeaderSet kNotHere = http::h2::kNotForwarded | http::header_set(HeaderId::host);
    for (const http::Field& field : head.headers) {
        bool left_out = http::is_in(kNotHere, field.id) || (tunnel && iequals(field.name, http::ws::kKey));
        if (!left_out) pairs.add_field(field);
    }
    char decimal[20];
    if (head.framing.kind == http::Framing::length) {
        auto end = std::to_chars(decimal, decimal + sizeof decimal, head.framing.size).ptr;
        pairs.add("content-length", {decimal, static_cast<std::size_t>(end - decimal)});
    }
    return exchange_.begin(pairs, request.first, request.more, tunnel);
}

// How long the upstream may take for what comes next. While we wait for the client, none of its time
// passes.
TimePoint AttemptH2::patience() const {
    if (exchange_.uploaded()) return std::min(limits_.deadline, deadline_after(exchange_.progress(), limits_.response));
    if (exchange_.waits_for_content()) return limits_.deadline;
    return std::min(limits_.deadline, deadline_after(exchange_.progress(), limits_.write));
}

std::optional<Error> AttemptH2::overdue() const {
    TimePoint now = loop_.now();
    if (now >= limits_.deadline) return Error(Code::deadline_exceeded);
    if (now < patience()) return std::nullopt;
    if (exchange_.uploaded()) return Error(Code::upstream_timeout, "no response head in time");
    return Error(Code::upstream_idle, "the upstream stopped reading the request");
}

// What HTTP/1.1 calls 101 (RFC 8441 §5).
void AttemptH2::open_tunnel(const Outgoing& request) {
    exchange_.head().status = 101;
    exchange_.head().protocol = request.head.protocol;
    const std::string_view* key = request.head.headers.find(http::ws::kKey);
    if (!key) return;
    accept_ = http::ws::accept_of(*key);
    exchange_.head().headers.set(http::ws::kAccept, accept_);
}

}  // namespace suoke::gateway
