// SPDX-License-Identifier: MIT
#include "http/session_h2_exchange.h"

#include <charconv>

#include "base/text.h"

namespace suoke::http {
namespace {

// RFC 9218 §4: "u=0, i"; what cannot be read is ignored, as §5 asks for.
nghttp2_extpri priority_of(std::string_view text) {
    nghttp2_extpri told{NGHTTP2_EXTPRI_DEFAULT_URGENCY, 0};
    any_pair(text, ',', [&](std::string_view key, std::string_view value) {
        value = value.substr(0, value.find(';'));
        key = trim(key);
        if (key == "u" && value.size() == 1 && value[0] >= '0' && value[0] <= '7')
            told.urgency = static_cast<std::uint32_t>(value[0] - '0');
        if (key == "i") told.inc = value.empty() || value == "?1";
        return false;
    });
    return told;
}

}  // namespace

void H2Session::Exchange::head_complete(bool end_stream) {
    request_ended_ = end_stream;
    request_.peer = &session_.peer_;
    request_.peer_host = session_.peer_host_;
    request_.started = started_;
    request_.tls = session_.stream_.tls();
    request_.secure = request_.tls != nullptr;
    h1::Refusal refusal = block_.finish(request_.head, end_stream);
    if (refusal && h2::is_malformed(refusal.code)) return session_.reset(*this, h2::ErrorCode::protocol_error);
    const RequestHead& head = request_.head;
    bool empty = head.framing.kind == Framing::none || (head.framing.kind == Framing::length && head.framing.size == 0);
    if (refusal) {
        refusal_ = refusal.error();
        request_.head.framing = {};
    } else if (!empty) {
        const SessionLimits& limits = session_.handler_.limits();
        H2Body::Rules rules{.truncated = Code::body_truncated,
                            .timed_out = Code::body_timeout,
                            .idle = limits.body_timeout,
                            .min_rate = limits.min_body_rate};
        body_.emplace(*this, session_.buffers_, head.framing, rules);
        if (head.framing.kind == Framing::until_close) body_->hold();
        if (end_stream) body_->end();
        request_.body = &*body_;
    }
    take_priority();
    session_.ready_.push_back(this);
}

// RFC 9218 §5: which of the answers under way goes first.
void H2Session::Exchange::take_priority() {
    const std::string_view* told = request_.head.headers.find("priority");
    if (!told) return;
    nghttp2_extpri wish = priority_of(*told);
    nghttp2_session_change_extpri_stream_priority(session_.wire_.library, id_, &wish, 0);
}

void H2Session::Exchange::trailers_complete(bool end_stream) {
    if (end_stream) return body_complete();
    if (body_) body_->fail(Error(Code::malformed_request, "trailers that do not end the request"));
    session_.reset(*this, h2::ErrorCode::protocol_error);
}

void H2Session::Exchange::body_complete() {
    request_ended_ = true;
    if (!body_) return;
    h2::FieldBlock* trailers = body_->trailer_block();
    bool sound = body_->end() && !(trailers && trailers->finish_trailers());
    if (sound) return session_.wake(body_->waiter());
    body_->fail(Error(Code::malformed_request, "the request's end is malformed"));
    session_.reset(*this, h2::ErrorCode::protocol_error);
}

void H2Session::Exchange::body_taken(std::size_t bytes) {
    if (session_.wire_.leaving()) return;
    nghttp2_session_consume(session_.wire_.library, id_, bytes);
    session_.wire_.later();
}

// ---- the response

bool H2Session::Exchange::has_body(const Response& response) const {
    bool tunnel = response.status == 101;
    return response.body && (tunnel || (request_.head.method != Method::HEAD && !has_no_body(response.status)));
}

rt::Task<Sent> H2Session::Exchange::send(Response response) {
    Outgoing out(*this);
    auto length = response.body ? response.body->remaining() : std::optional<std::uint64_t>(0);
    if (has_body(response)) {
        // The first piece before the head: an upstream that fails here can still be answered for.
        Result<Piece> piece = response.body->next();
        if (!piece) {
            out.sent.failure = piece.error().code;
            co_return out.sent;
        }
        out.source = response.body.get();
        out.piece = *piece;
    }
    out.sent.failure = Code::client_gone;
    if (closed_ || answered_) co_return out.sent;
    out.progress = session_.stream_.loop().now();
    if (!submit(response, length)) co_return out.sent;
    if (out.source) out.source->forget_head();
    if (response.status == 101 && body_) {
        body_->let_go();
        session_.wake(body_->waiter());
    }
    if (response.close) session_.drain();
    session_.wire_.later();
    Duration patience = session_.handler_.limits().write_timeout;
    while (!out.over() && !closed_) {
        if (out.waits) {
            co_await out.source->wait();
            out.waits = false;
            out.piece = {{}, Piece::more};
            if (closed_) break;
            out.progress = session_.stream_.loop().now();
            nghttp2_session_resume_data(session_.wire_.library, id_);
            session_.wire_.pack();
            session_.wire_.later();
            continue;
        }
        rt::Loop& loop = session_.stream_.loop();
        TimePoint stalled = deadline_after(out.progress, patience);
        rt::Wake woken = co_await h2::Wait(loop, sender_, std::min(response.deadline, stalled));
        if (woken == rt::Wake::ready || out.over() || out.waits) continue;
        if (loop.now() >= response.deadline) {
            end_with(Code::deadline_exceeded);
        } else if (loop.now() >= deadline_after(out.progress, patience)) {
            end_with(Code::client_gone);  // its window stays shut
        }
    }
    complete_ = out.sent.complete;
    co_return out.sent;
}

// The stream is cut: never END_STREAM behind half a body.
void H2Session::Exchange::end_with(Code failure) {
    out_->failed = true;
    out_->sent.failure = failure;
    session_.reset(*this, h2::error_code_for(failure));
}

bool H2Session::Exchange::submit(const Response& response, std::optional<std::uint64_t> length) {
    bool tunnel = response.status == 101;
    int status = tunnel ? 200 : response.status;
    char digits[3] = {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
                      static_cast<char>('0' + status % 10)};
    h2::Pairs pairs(session_.wire_.next_frame_is_made_at_once());
    pairs.add(":status", {digits, 3});
    pairs.add_fields(response.headers);
    if (!response.headers.find(HeaderId::date)) pairs.add("date", session_.handler_.date());
    char decimal[20];
    std::string_view told;
    bool to_head = request_.head.method == Method::HEAD;
    const std::string_view* theirs = response.headers.find(HeaderId::content_length);
    if (!tunnel && !has_no_body(response.status)) {
        // RFC 9110 §8.6: to HEAD, the length that GET would have had, as far as it was told.
        if (to_head && theirs) {
            told = *theirs;
        } else if (length && !(to_head && *length == 0)) {
            auto end = std::to_chars(decimal, decimal + sizeof decimal, *length).ptr;
            told = {decimal, static_cast<std::size_t>(end - decimal)};
        }
    }
    if (!told.empty()) pairs.add("content-length", told);

    bool nothing_follows = !out_->source || (out_->piece.state == Piece::end && out_->piece.bytes.empty() &&
                                             !out_->source->trailers());
    nghttp2_data_provider provider{};
    provider.source.ptr = this;
    provider.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t most, std::uint32_t* flags,
                                nghttp2_data_source* source, void* session) -> ssize_t {
        if (static_cast<H2Session*>(session)->wire_.leaving()) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        return static_cast<Exchange*>(source->ptr)->read_body(most, *flags);
    };
    if (nghttp2_submit_response(session_.wire_.library, id_, pairs.data(), pairs.size(),
                                nothing_follows ? nullptr : &provider) != 0)
        return false;
    answered_ = true;
    // Most responses are written as a whole here, and nobody waits.
    session_.wire_.pack();
    bool dangling = pairs.lasting() && !out_->sent.head_sent && !out_->over() && !closed_;
    if (dangling) session_.wire_.break_off();
    return true;
}

// nghttp2 asks how much the next DATA frame shall carry.
ssize_t H2Session::Exchange::read_body(std::size_t most, std::uint32_t& flags) {
    if (!out_ || out_->failed) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    Piece& piece = out_->piece;
    while (piece.bytes.empty() && piece.state == Piece::more) {
        Result<Piece> next = out_->source->next();
        if (!next) {
            out_->failed = true;
            out_->sent.failure = next.error().code;
            session_.wake(sender_);
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // RST_STREAM, INTERNAL_ERROR
        }
        piece = *next;
    }
    if (piece.bytes.empty() && piece.state == Piece::wait) {
        out_->waits = true;
        session_.wake(sender_);
        return NGHTTP2_ERR_DEFERRED;
    }
    out_->frame = session_.wire_.cut_frame(id_, piece, out_->source, most, flags);
    return static_cast<ssize_t>(out_->frame.size());
}

bool H2Session::Exchange::write_body(const std::uint8_t* head, std::size_t size) {
    CHECK(out_ && out_->frame.size() == size);
    bool more = session_.wire_.write_frame(head, out_->frame);
    out_->piece.bytes.remove_prefix(size);
    out_->sent.body_bytes += size;
    out_->progress = session_.stream_.loop().now();
    return more;
}

void H2Session::Exchange::frame_sent(const nghttp2_frame& frame) {
    if (out_ && frame.hd.type == NGHTTP2_HEADERS) out_->sent.head_sent = answered_ || out_->sent.head_sent;
    if (!(frame.hd.flags & NGHTTP2_FLAG_END_STREAM)) return;
    if (out_) out_->sent.complete = out_->sent.head_sent = true;
    complete_ = true;
    session_.resets_.earn(1);
    session_.wake(sender_);
    // RFC 9113 §8.1: the rest of the request is not wanted any more.
    if (!request_ended_) nghttp2_submit_rst_stream(session_.wire_.library, NGHTTP2_FLAG_NONE, id_, NGHTTP2_NO_ERROR);
}

rt::Task<void> H2Session::Exchange::interim(int status, const Headers& headers) {
    if (closed_ || answered_) co_return;
    char digits[3] = {'1', static_cast<char>('0' + status / 10 % 10), static_cast<char>('0' + status % 10)};
    h2::Pairs pairs;
    pairs.add(":status", {digits, 3});
    pairs.add_fields(headers);
    nghttp2_submit_headers(session_.wire_.library, NGHTTP2_FLAG_NONE, id_, nullptr, pairs.data(), pairs.size(), nullptr);
    session_.wire_.later();
}

}  // namespace suoke::http
