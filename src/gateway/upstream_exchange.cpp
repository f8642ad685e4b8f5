// SPDX-License-Identifier: MIT
#include "gateway/upstream_exchange.h"

#include <algorithm>

#include "http/h1_writer.h"

namespace suoke::gateway {

using http::Piece;

UpstreamExchange::UpstreamExchange(upstream::Lease lease, rt::BufferPool& buffers, const AttemptLimits& limits)
    : lease_(std::move(lease)), buffers_(buffers), limits_(limits), reused_(lease_.reused()), nudge_(*this) {}

// ---- the request

bool UpstreamExchange::send_now(std::string_view head, std::string_view bytes) {
    unsent_ = {head, bytes};
    sent_at_ = stream().loop().now();
    return rt::write_some(stream(), unsent_).state == rt::Io::done;
}

rt::Task<Result<void>> UpstreamExchange::send_rest(http::BodySource* more, bool chunked) {
    auto sent = co_await write_all(unsent_[0], unsent_[1], std::string_view());
    if (!sent) co_return sent.error();
    sent_at_ = stream().loop().now();
    if (more) {
        uploaded_ = false;
        upload_.spawn(upload(*more, chunked));
    }
    co_return Result<void>();
}

// Streams the rest of the request's body, at the upstream's pace, while the response may already be
// coming. Its end and its failure are told to whoever waits for the response.
rt::Task<void> UpstreamExchange::upload(http::BodySource& body, bool chunked) {
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
        bool framed = chunked && !piece->bytes.empty();
        std::string_view before(size, framed ? http::write_chunk_head(size, piece->bytes.size()) : 0);
        std::string_view after = framed ? "\r\n" : "";
        auto sent = co_await write_all(before, piece->bytes, after);
        // An upstream that stopped reading may still have answered: that is for the reader to find.
        if (!sent && sent.error().code == Code::upstream_reset) break;
        if (!sent) {
            upload_failure_ = sent.error();
            break;
        }
        if (piece->state != Piece::end) continue;
        if (chunked) {
            http::H1Writer end(buffers_);
            end.last_chunk(body.trailers());
            auto ended = co_await write_all(end.buffer().bytes(), std::string_view(), std::string_view());
            if (!ended) break;
        }
        uploaded_ = true;
        sent_at_ = stream().loop().now();
        break;
    }
    stream().loop().defer(nudge_);
}

rt::Task<Result<void>> UpstreamExchange::write_all(std::string_view a, std::string_view b, std::string_view c) {
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

rt::Task<Result<void>> UpstreamExchange::read_head(http::Method request) {
    progress_ = {};
    head_ = {};
    for (;;) {
        Result<bool> complete = parse(request);
        if (!complete) co_return complete.error();
        if (*complete) co_return Result<void>();
        Result<bool> more = read_some();
        if (!more) co_return more.error();
        if (*more) continue;
        TimePoint until = uploaded_ ? std::min(limits_.deadline, deadline_after(sent_at_, limits_.response)) : limits_.deadline;
        rt::Wake woken = co_await stream().readable(until);
        if (auto error = overdue(woken)) co_return std::move(*error);
    }
}

Result<bool> UpstreamExchange::parse(http::Method request) {
    if (in_.empty()) return false;
    auto length = http::h1::parse_response_head(in_.bytes(), limits_.head, progress_, request, head_);
    if (!length) return length.error();
    if (*length == 0) return false;
    in_.drop(*length);
    if (!http::is_interim(head_.status)) begin_body();
    return true;
}

// False when nothing is here yet; no buffer is held until something is.
Result<bool> UpstreamExchange::read_some() {
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

std::optional<Error> UpstreamExchange::overdue(rt::Wake woken) const {
    if (upload_failure_) return upload_failure_;
    if (woken == rt::Wake::ready) return std::nullopt;
    TimePoint now = lease_.stream().loop().now();
    if (now >= limits_.deadline) return Error(Code::deadline_exceeded);
    if (uploaded_ && now >= deadline_after(sent_at_, limits_.response))
        return Error(Code::upstream_timeout, "no response head in time");
    return std::nullopt;
}

// ---- the response's body

void UpstreamExchange::begin_body() {
    http::H1Body::Rules rules{.malformed = Code::upstream_invalid,
                              .truncated = Code::upstream_truncated,
                              .timed_out = Code::upstream_idle,
                              .idle = limits_.idle,
                              .deadline = limits_.deadline};
    reusable_ = head_.keep_alive && head_.framing.kind != http::Framing::until_close;
    body_.emplace(stream(), buffers_, std::move(in_), head_.framing, rules);
    if (body_->finished()) finish();
}

Result<Piece> UpstreamExchange::next() {
    if (upload_failure_ && !uploaded_) return *upload_failure_;
    Result<Piece> piece = body_->next();
    if (piece && piece->state == Piece::end) finish();
    return piece;
}

rt::Task<void> UpstreamExchange::wait() { return body_->wait(); }

// The connection goes back at once; the head stays readable in the body's buffer.
void UpstreamExchange::finish() {
    bool clean = reusable_ && uploaded_ && body_->rest().empty();
    if (lease_ && clean) lease_.give_back();
}

}  // namespace suoke::gateway
