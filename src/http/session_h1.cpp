// SPDX-License-Identifier: MIT
#include "http/session_h1.h"

#include <algorithm>

#include "http/h1_writer.h"
#include "http/linger.h"

namespace suoke::http {

constexpr std::uint64_t kCopyBelow = 4096;             // smaller pieces are gathered with the head
constexpr Duration kDrainGrace = std::chrono::seconds(1);

H1Session::H1Session(rt::Stream& stream, const rt::Address& peer, rt::BufferPool& buffers, Handler& handler,
                     rt::Buffer first)
    : stream_(stream),
      peer_(peer),
      peer_host_(peer.is_unix() ? "unix" : peer.host()),
      buffers_(buffers),
      handler_(handler),
      in_(std::move(first)) {}

rt::Task<void> H1Session::run() {
    while (keep_) {
        bool begun = co_await first_bytes();
        if (!begun) break;
        co_await exchange();
    }
    if (linger_) co_await linger(stream_, buffers_);
}

// Waits for a request to begin. An idle connection holds no buffer.
rt::Task<bool> H1Session::first_bytes() {
    if (!in_.empty()) co_return true;
    in_.release();
    rt::Loop& loop = stream_.loop();
    const SessionLimits& limits = handler_.limits();
    TimePoint until = deadline_after(loop.now(), exchanges_ == 0 ? limits.header_timeout : limits.keepalive);
    idle_ = true;
    for (;;) {
        // While draining, a request that is already on its way still finds somebody home.
        if (draining_) until = std::min(until, drain_began_ + kDrainGrace);
        rt::Wake woken = co_await stream_.readable(until);
        bool nudged = woken == rt::Wake::timeout && loop.now() < until;
        if (nudged) continue;
        idle_ = false;
        co_return woken == rt::Wake::ready;
    }
}

void H1Session::drain() {
    draining_ = true;
    drain_began_ = stream_.loop().now();
    if (idle_) stream_.give_up_reading();
}

// One request and its response.
rt::Task<void> H1Session::exchange() {
    Request request;
    request.peer = &peer_;
    request.peer_host = peer_host_;
    request.tls = stream_.tls();
    request.secure = request.tls != nullptr;
    request.started = stream_.loop().now();
    request_ = &request;
    keep_ = false;  // until the response says otherwise

    h1::Progress progress;
    std::optional<HeadRead> read = read_head_now(request, progress);
    if (!read) read = co_await read_rest_of_head(request, progress);
    if (!*read && read->error().code == Code::client_gone) co_return;
    if (!*read) {
        linger_ = true;
        request.head.keep_alive = false;
        request.head.framing = {};
        co_await handler_.refuse(request, read->error(), *this);
        co_return;
    }
    ++exchanges_;
    co_await answer(request);
    request_ = nullptr;
}

// Nearly every head is there whole when its first bytes are; the loop that waits for the rest is the
// exception.
std::optional<H1Session::HeadRead> H1Session::read_head_now(Request& request, h1::Progress& progress) {
    const SessionLimits& session_limits = handler_.limits();
    h1::Limits limits{session_limits.request_line, session_limits.head, session_limits.fields};
    if (!in_) in_ = buffers_.lease(rt::BufferPool::tiny);
    in_.compact();
    for (;;) {
        if (!in_.empty()) {
            auto length = h1::parse_request_head(in_.bytes(), limits, progress, request.head);
            if (!length) return length.error();
            if (*length > 0) {
                in_.drop(*length);
                return HeadRead();
            }
        }
        if (in_.room().empty()) grow_head_buffer();
        rt::Io got = stream_.read(in_.room());
        if (got.blocked()) return std::nullopt;
        if (in_.empty() && got.bytes == 0) return Error(Code::client_gone);
        if (got.failed()) return Error(Code::malformed_request, "the connection ended inside the head");
        in_.filled(got.bytes);
    }
}

rt::Task<H1Session::HeadRead> H1Session::read_rest_of_head(Request& request, h1::Progress& progress) {
    TimePoint deadline = deadline_after(request.started, handler_.limits().header_timeout);
    for (;;) {
        rt::Wake woken = co_await stream_.readable(deadline);
        if (woken == rt::Wake::timeout) {
            if (in_.empty()) co_return Error(Code::client_gone);
            co_return Error(Code::request_timeout, "the request head did not arrive in time");
        }
        if (auto read = read_head_now(request, progress)) co_return std::move(*read);
    }
}

void H1Session::grow_head_buffer() {
    rt::Buffer larger = buffers_.lease_for(in_.capacity() + 1);
    larger.append(in_.bytes());
    in_ = std::move(larger);
}

rt::Task<void> H1Session::answer(Request& request) {
    std::optional<H1Body> body;
    Framing framing = request.head.framing;
    H1Body::Rules rules{.malformed = Code::malformed_request,
                        .truncated = Code::body_truncated,
                        .timed_out = Code::body_timeout,
                        .idle = Duration::zero()};
    if (!request.head.protocol.empty()) {
        // The bytes of a tunnel that may open; read by nobody before it does.
        framing.kind = Framing::until_close;
    } else {
        rules.idle = handler_.limits().body_timeout;
        rules.min_rate = handler_.limits().min_body_rate;
    }
    if (framing.kind >= Framing::chunked || framing.size > 0) {
        body.emplace(stream_, buffers_, std::move(in_), framing, rules);
        request.body = body_ = &*body;
    }
    rt::UnlessHangup work(stream_, handler_.handle(request, *this));
    bool stayed = co_await work;
    body_ = nullptr;
    if (!stayed) {
        keep_ = false;
    } else if (body) {
        keep_rest(*body);
    }
}

// What was read beyond this request is the beginning of the next one.
void H1Session::keep_rest(H1Body& body) {
    bool tunnel_refused = !request_->head.protocol.empty() && body.received() == 0 && keep_;
    if (body.finished() || tunnel_refused) {
        in_ = body.take_rest();
    } else {
        keep_ = false;
        linger_ = true;
    }
}

// ---- the response

bool H1Session::has_body(const Response& response) const {
    if (tunnel_) return true;
    return response.body && request_->head.method != Method::HEAD && !http::has_no_body(response.status);
}

rt::Task<Sent> H1Session::send(Response response) {
    Sent sent;
    // From 101 on a client that closes its side ends the tunnel in order, by the body.
    tunnel_ = response.status == 101;
    if (tunnel_) stream_.set_hangup_listener(nullptr);
    bool with_body = has_body(response);
    auto length = response.body ? response.body->remaining() : std::optional<std::uint64_t>(0);
    Piece first{{}, Piece::end};
    if (with_body) {
        // The first piece before the head: an upstream that fails here can still be answered for.
        Result<Piece> piece = response.body->next();
        if (!piece) {
            sent.failure = piece.error().code;
            co_return sent;
        }
        first = *piece;
    }
    decide_end(response, !with_body || length.has_value());
    H1Writer out(buffers_);
    write_head(out, response, length);
    if (with_body) response.body->forget_head();
    Headers().swap(response.headers);  // a stream may last
    sent.complete = send_at_once(out, first, sent);
    if (!sent.complete) sent.complete = co_await send_body(out, response.body.get(), first, response.deadline, sent);
    if (!sent.complete) {
        keep_ = false;
        // Broken chunking tells the client; a body without it needs a broken connection.
        if (!chunked_) stream_.reset_on_close();
    }
    co_return sent;
}

// Whether another request may follow, and how the client learns where the body ends.
void H1Session::decide_end(const Response& response, bool sized) {
    const RequestHead& head = request_->head;
    chunked_ = !sized && head.version == Version::http11 && !tunnel_;
    std::uint32_t most = handler_.limits().max_requests;
    bool request_read = !body_ || body_->finished() || !head.protocol.empty();
    keep_ = !tunnel_ && head.keep_alive && !draining_ && !response.close && (sized || chunked_) && request_read &&
            (most == 0 || exchanges_ < most);
}

constexpr HeaderSet kFraming =
    header_set(HeaderId::content_length, HeaderId::transfer_encoding, HeaderId::connection,
               HeaderId::keep_alive, HeaderId::proxy_connection);

void H1Session::write_head(H1Writer& out, const Response& response, std::optional<std::uint64_t> length) {
    out.status_line(response.status, response.reason);
    for (const Field& field : response.headers)
        if (!is_in(kFraming, field.id)) out.field(field.name, field.value);
    if (!response.headers.has(HeaderId::date)) out.field("Date", handler_.date());
    if (chunked_) {
        out.put("Transfer-Encoding: chunked\r\n");
    } else if (!has_no_body(response.status)) {
        write_length(out, response, length);
    }
    const RequestHead& head = request_->head;
    if (tunnel_) {
        out.field("Connection", "Upgrade").field("Upgrade", head.protocol);
    } else if (!keep_) {
        out.put("Connection: close\r\n");
    }
    if (keep_ && head.version == Version::http10) out.put("Connection: keep-alive\r\n");
    out.put("\r\n");
}

// RFC 9110 §8.6: to HEAD, the length that GET would have had, as far as the upstream told it.
void H1Session::write_length(H1Writer& out, const Response& response, std::optional<std::uint64_t> length) {
    const std::string_view* told = response.headers.find(HeaderId::content_length);
    if (request_->head.method == Method::HEAD && told) {
        out.field("Content-Length", *told);
    } else if (length && !(request_->head.method == Method::HEAD && *length == 0)) {
        out.put("Content-Length: ").put(*length).put("\r\n");
    }
}

// Most responses are one small piece: head and body leave in one write, and nobody waits.
bool H1Session::send_at_once(H1Writer& out, Piece& piece, Sent& sent) {
    if (chunked_ || piece.state != Piece::end || piece.bytes.size() > out.room()) return false;
    out.put(piece.bytes);
    sent.body_bytes += piece.bytes.size();
    piece.bytes = {};
    std::string_view pieces[] = {out.buffer().bytes()};
    rt::Io put = rt::write_some(stream_, pieces);
    out.buffer().drop(put.bytes);
    sent.head_sent = put.bytes > 0;
    return put.state == rt::Io::done;
}

rt::Task<bool> H1Session::send_body(H1Writer& out, BodySource* body, Piece piece, TimePoint deadline, Sent& sent) {
    for (;;) {
        if (!piece.bytes.empty()) {
            bool gathered = piece.bytes.size() < kCopyBelow && piece.bytes.size() + 32 < out.room();
            if (chunked_) out.chunk_head(piece.bytes.size());
            std::string_view after = chunked_ ? "\r\n" : "";
            if (gathered) {
                out.put(piece.bytes).put(after);
            } else {
                bool written = co_await flush(out, piece.bytes, after, deadline, sent);
                if (!written) co_return false;
            }
            sent.body_bytes += piece.bytes.size();
        }
        if (piece.state == Piece::end) break;
        if (piece.state == Piece::wait) {
            bool written =
                co_await flush(out, std::string_view(), std::string_view(), deadline, sent);
            if (!written) co_return false;
            out.release();
            co_await body->wait();
        }
        Result<Piece> next = body->next();
        if (!next) {
            co_await flush(out, std::string_view(), std::string_view(), deadline, sent);
            sent.failure = next.error().code;
            co_return false;
        }
        piece = *next;
    }
    if (chunked_) out.last_chunk(body->trailers());
    co_return co_await flush(out, std::string_view(), std::string_view(), deadline, sent);
}

// Writes what was gathered, then `bytes` and `after`, at the client's pace.
rt::Task<bool> H1Session::flush(H1Writer& out, std::string_view bytes, std::string_view after,
                                TimePoint deadline, Sent& sent) {
    std::string_view pieces[] = {out.buffer().bytes(), bytes, after};
    Duration patience = handler_.limits().write_timeout;
    for (;;) {
        rt::Io put = rt::write_some(stream_, pieces);
        if (put.failed()) {
            sent.failure = Code::client_gone;
            co_return false;
        }
        sent.head_sent |= put.bytes > 0;
        if (!put.blocked()) break;
        TimePoint until = std::min(deadline, deadline_after(stream_.loop().now(), patience));
        rt::Wake woken = co_await stream_.writable(until);
        if (woken == rt::Wake::timeout) {
            sent.failure = stream_.loop().now() >= deadline ? Code::deadline_exceeded : Code::client_gone;
            stream_.reset_on_close();
            co_return false;
        }
    }
    out.buffer().clear();
    co_return true;
}

rt::Task<void> H1Session::interim(int status, const Headers& headers) {
    if (request_->head.version == Version::http10) co_return;
    H1Writer out(buffers_);
    out.status_line(status, {}).fields(headers).put("\r\n");
    Sent sent;
    co_await flush(out, std::string_view(), std::string_view(), kNever, sent);
}

}  // namespace suoke::http
