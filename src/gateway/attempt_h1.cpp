// SPDX-License-Identifier: MIT
#include "gateway/attempt_h1.h"

#include <algorithm>

#include "gateway/hop_by_hop.h"
#include "http/ws_handshake.h"

namespace suoke::gateway {

using http::HeaderId;
using http::Piece;

constexpr http::h1::Limits kHeadLimits{16 * 1024, 64 * 1024, 200};

AttemptH1::AttemptH1(upstream::Lease lease, rt::BufferPool& buffers, const AttemptLimits& limits)
    : lease_(std::move(lease)), buffers_(buffers), limits_(limits), reused_(lease_.reused()), nudge_(*this) {}

// A connection that was reused may have died while it was idle, before it saw our request.
Attempt::Seen AttemptH1::seen() const {
    if (!reused_ || answered_) return Seen::yes;
    return sent_ ? Seen::perhaps : Seen::nothing;
}

rt::Task<Result<void>> AttemptH1::run(const Outgoing& request, http::Responder& interims) {
    // 1. The head, and with it a small body: one system call.
    method_ = request.head.method;
    tunnel_ = request.is_tunnel();
    if (tunnel_) key_ = request.websocket_key();
    chunked_ = request.head.framing.kind == http::Framing::chunked;
    {
        http::H1Writer out(buffers_);
        write_head(out, request);
        std::string_view first = request.first.bytes;
        if (first.size() <= out.room()) {
            out.put(first);
            first = {};
        }
        rt::Io put = send_now(out.buffer().bytes(), first);
        sent_ = !put.failed() || unsent_[0].size() < out.buffer().bytes().size();
        if (put.state != rt::Io::done) {
            auto sent = co_await write_all(unsent_[0], unsent_[1], std::string_view());
            if (!sent) co_return sent.error();
            sent_at_ = stream().loop().now();
        }
    }
    // 2. The rest of the body, beside what follows.
    if (request.more && !tunnel_) begin_upload(*request.more);
    // 3. The response's head.
    for (;;) {
        Result<bool> complete = parse();
        if (!complete) co_return complete.error();
        if (*complete) {
            if (!http::is_interim(head_.status)) break;
            if (head_.status == 101) {
                if (auto error = refuse_switch()) co_return std::move(*error);
                begin_upload(*request.more);
                break;
            }
            remove_hop_by_hop(head_.headers);
            bool wanted = head_.status != 100 || request.head.expects_continue;
            if (wanted) co_await interims.interim(head_.status, head_.headers);
            progress_ = {};
            head_ = {};
            continue;
        }
        Result<bool> more = read_some();
        if (!more) co_return more.error();
        if (*more) continue;
        TimePoint until = uploaded_ ? std::min(limits_.deadline, deadline_after(sent_at_, limits_.response)) : limits_.deadline;
        rt::Wake woken = co_await stream().readable(until);
        if (auto error = overdue(woken)) co_return std::move(*error);
    }
    begin_body();
    co_return Result<void>();
}

// ---- the request

static bool expects_content(http::Method m) {
    return m == http::Method::POST || m == http::Method::PUT || m == http::Method::PATCH;
}

// Framing is ours, not the client's.
void AttemptH1::write_head(http::H1Writer& out, const Outgoing& request) {
    const http::RequestHead& head = request.head;
    out.put(head.method_name).put(" ").put(request.target).put(" HTTP/1.1\r\n");
    out.put("Host: ").put(request.host).put("\r\n");
    constexpr http::HeaderSet kOurs = http::header_set(HeaderId::host, HeaderId::content_length);
    for (const http::Field& field : head.headers)
        if (!http::is_in(kOurs, field.id)) out.field(field.name, field.value);
    if (head.headers.has(HeaderId::te)) out.field("Connection", "TE");  // RFC 9110 §10.1.4
    using F = http::Framing;
    if (tunnel_) {
        out.field("Connection", "Upgrade").field("Upgrade", head.protocol);
        if (!request.key.empty()) out.field(http::ws::kKey, request.key);
    } else if (head.framing.kind == F::chunked) {
        out.put("Transfer-Encoding: chunked\r\n");
    } else if (head.framing.kind == F::length) {
        out.put("Content-Length: ").put(head.framing.size).put("\r\n");
    } else if (expects_content(head.method)) {
        out.put("Content-Length: 0\r\n");
    }
    out.put("\r\n");
}

// All of it goes out at once, usually.
rt::Io AttemptH1::send_now(std::string_view head, std::string_view bytes) {
    unsent_ = {head, bytes};
    sent_at_ = stream().loop().now();
    return rt::write_some(stream(), unsent_);
}

void AttemptH1::begin_upload(http::BodySource& more) {
    uploaded_ = false;
    upload_.spawn(upload(more));
}

// Streams the rest of the request's body, at the upstream's pace, while the response may already be
// coming. Its end and its failure are told to whoever waits for the response.
rt::Task<void> AttemptH1::upload(http::BodySource& body) {
    for (;;) {
        Result<Piece> piece = body.next();
        if (!piece) {
            upload_failure_ = piece.error();
            break;
        }
        if (piece->state == Piece::wait) {
            co_await body.wait();
            continue;
        }
        char size[20];
        bool framed = chunked_ && !piece->bytes.empty();
        std::string_view before(size, framed ? http::write_chunk_head(size, piece->bytes.size()) : 0);
        std::string_view after = framed ? "\r\n" : "";
        auto sent = co_await write_all(before, piece->bytes, after);
        // An upstream that stopped reading may still have answered: that is for the reader to find.
        if (!sent && sent.error().code == Code::upstream_reset) break;
        if (!sent) {
            upload_failure_ = sent.error();
            break;
        }
        sent_at_ = stream().loop().now();
        if (piece->state != Piece::end) continue;
        if (chunked_) {
            http::H1Writer end(buffers_);
            end.last_chunk(body.trailers());
            auto ended = co_await write_all(end.buffer().bytes(), std::string_view(), std::string_view());
            if (!ended) break;
        }
        if (tunnel_) stream().shutdown_write();
        uploaded_ = true;
        sent_at_ = stream().loop().now();
        break;
    }
    stream().loop().defer(nudge_);
}

rt::Task<Result<void>> AttemptH1::write_all(std::string_view a, std::string_view b, std::string_view c) {
    std::string_view pieces[] = {a, b, c};
    for (;;) {
        rt::Io put = rt::write_some(stream(), pieces);
        if (put.failed()) co_return Error(Code::upstream_reset, "the upstream closed the connection");
        if (!put.blocked()) co_return Result<void>();
        TimePoint until = std::min(limits_.deadline, deadline_after(stream().loop().now(), limits_.write));
        rt::Wake woken = co_await stream().writable(until);
        if (woken == rt::Wake::ready) continue;
        if (stream().loop().now() >= limits_.deadline) co_return Error(Code::deadline_exceeded);
        co_return Error(Code::upstream_idle, "the upstream stopped reading the request");
    }
}

// ---- the response's head

// Whether a head is complete; `head_` then has it.
Result<bool> AttemptH1::parse() {
    if (in_.empty()) return false;
    auto length = http::h1::parse_response_head(in_.bytes(), kHeadLimits, progress_, method_, head_);
    if (!length) return length.error();
    if (*length == 0) return false;
    in_.drop(*length);
    return true;
}

// False when nothing is here yet; no buffer is held until something is.
Result<bool> AttemptH1::read_some() {
    if (!stream().maybe_readable()) return false;
    if (!in_) in_ = buffers_.lease(rt::BufferPool::medium);
    if (in_.room().empty()) in_.compact();
    if (in_.room().empty()) {
        rt::Buffer larger = buffers_.lease_for(in_.capacity() + 1);
        larger.append(in_.bytes());
        in_ = std::move(larger);
    }
    rt::Io got = stream().read(in_.room());
    if (got.blocked()) return false;
    if (got.failed() && !answered_) return Error(Code::upstream_reset, "the upstream closed the connection without an answer");
    if (got.failed()) return Error(Code::upstream_truncated, "the upstream closed the connection inside the response head");
    answered_ = true;
    in_.filled(got.bytes);
    return true;
}

std::optional<Error> AttemptH1::overdue(rt::Wake woken) const {
    if (upload_failure_) return upload_failure_;
    if (woken == rt::Wake::ready) return std::nullopt;
    TimePoint now = lease_.stream().loop().now();
    if (now >= limits_.deadline) return Error(Code::deadline_exceeded);
    if (uploaded_ && now >= deadline_after(sent_at_, limits_.response))
        return Error(Code::upstream_timeout, "no response head in time");
    return std::nullopt;
}

// RFC 9110 §7.8: only to what was asked for. RFC 6455 §4.1: by someone who knows what that is.
std::optional<Error> AttemptH1::refuse_switch() {
    if (!tunnel_) return Error(Code::upstream_invalid, "the upstream switched protocols unasked");
    if (head_.protocol.empty()) return Error(Code::upstream_invalid, "the upstream switched to another protocol");
    const std::string_view* accept = head_.headers.find(http::ws::kAccept);
    if (!accept || *accept != http::ws::accept_of(key_))
        return Error(Code::upstream_invalid, "the upstream's Sec-WebSocket-Accept does not fit the key");
    return std::nullopt;
}

// ---- the response's body

void AttemptH1::begin_body() {
    bool switched = head_.status == 101;
    if (switched) head_.framing = {http::Framing::until_close};
    // A tunnel has no end we could foresee; who watches over it is a filter.
    http::H1Body::Rules rules{.malformed = Code::upstream_invalid,
                              .truncated = Code::upstream_truncated,
                              .timed_out = Code::upstream_idle,
                              .idle = switched ? Duration::zero() : limits_.idle,
                              .deadline = switched ? kNever : limits_.deadline};
    reusable_ = head_.keep_alive && head_.framing.kind != http::Framing::until_close;
    body_.emplace(stream(), buffers_, std::move(in_), head_.framing, rules);
    if (body_->finished()) finish();
}

Result<Piece> AttemptH1::next() {
    if (upload_failure_ && !uploaded_) return *upload_failure_;
    Result<Piece> piece = body_->next();
    if (piece && piece->state == Piece::end) finish();
    return piece;
}

// The connection goes back at once; the head stays readable in the body's buffer.
void AttemptH1::finish() {
    bool clean = reusable_ && uploaded_ && body_->rest().empty();
    if (lease_ && clean) lease_.give_back();
}

}  // namespace suoke::gateway
