// SPDX-License-Identifier: MIT
#include "http/session_h2.h"

#include <algorithm>
#include <charconv>

#include "http/linger.h"

namespace suoke::http {
namespace {

using h2::text_of;

constexpr Duration kDrainGrace = std::chrono::seconds(1);
constexpr std::uint32_t kMostContinuations = 16;

std::uint8_t flags_of(const nghttp2_frame* frame) { return frame->hd.flags; }

h1::Limits head_limits(const SessionLimits& limits) { return {limits.request_line, limits.head, limits.fields}; }

// Errors of a stream that a client can provoke at will, so that they count like its own resets.
bool is_clients_fault(std::uint32_t code) {
    switch (static_cast<h2::ErrorCode>(code)) {
        case h2::ErrorCode::protocol_error:
        case h2::ErrorCode::flow_control_error:
        case h2::ErrorCode::stream_closed:
        case h2::ErrorCode::frame_size_error:
        case h2::ErrorCode::refused_stream: return true;
        default: return false;
    }
}

}  // namespace

// ---- an exchange: one stream

class H2Session::Exchange final : public Responder,
                                  public H2Body::Owner,
                                  public rt::ListHook<Exchange>,
                                  public rt::FrameAllocated {
 public:
    Exchange(H2Session& session, std::int32_t id)
        : session_(session),
          id_(id),
          started_(session.block_began_),
          block_(session.buffers_, h2::FieldBlock::request, head_limits(session.handler_.limits())) {}

    void head_complete(bool end_stream);
    void body_complete();
    ssize_t read_body(std::size_t most, std::uint32_t& flags);
    bool write_body(const std::uint8_t* head, std::size_t size);
    void frame_sent(const nghttp2_frame& frame);

    rt::Task<Sent> send(Response response) override;
    rt::Task<void> interim(int status, const Headers& headers) override;
    void body_taken(std::size_t bytes) override;
    rt::Loop& body_loop() override { return session_.stream_.loop(); }

 private:
    friend class H2Session;
    friend struct Library;

    // A response under way. Lives in the frame of send().
    struct Outgoing {
        explicit Outgoing(Exchange& x) : exchange(x) { x.out_ = this; }
        ~Outgoing() { exchange.out_ = nullptr; }
        Exchange& exchange;
        BodySource* source = nullptr;
        Piece piece{{}, Piece::end};     // what is left of the last one
        std::string_view frame;          // of it, the DATA frame that is being written
        Sent sent;
        TimePoint progress{};            // when the client last let us send something
        bool waits = false;              // for the source
        bool failed = false;             // see sent.failure
        bool over() const { return sent.complete || failed; }
    };
    bool has_body(const Response& response) const;
    bool submit(const Response& response, std::optional<std::uint64_t> length);
    void end_with(Code failure);

    H2Session& session_;
    const std::int32_t id_;
    const TimePoint started_;
    Request request_;
    h2::FieldBlock block_;               // what request_.head points into
    std::optional<H2Body> body_;
    std::optional<Error> refusal_;
    rt::Task<void> task_;
    Outgoing* out_ = nullptr;
    h2::Wait* sender_ = nullptr;
    bool finished_ = false;              // the handler has done with it
    bool answered_ = false;              // a final response was given to nghttp2
    bool complete_ = false;              // ... and left as a whole
    bool closed_ = false;                // nghttp2 has forgotten the stream
    bool request_ended_ = false;
    bool queued_ = false;                // in done_
    bool reset_ = false;                 // RST_STREAM was submitted
};

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
    session_.ready_.push_back(this);
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
    if (closed_ || answered_ || !submit(response, length)) co_return out.sent;
    answered_ = true;
    if (out.source) out.source->forget_head();
    if (response.status == 101 && body_) {
        body_->let_go();
        session_.wake(body_->waiter());
    }
    if (response.close) session_.drain();
    // Most responses are serialised here, and nobody waits.
    out.progress = session_.stream_.loop().now();
    session_.wire_.pack();
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
    h2::Pairs pairs;
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
    return nghttp2_submit_response(session_.wire_.library, id_, pairs.data(), pairs.size(),
                                   nothing_follows ? nullptr : &provider) == 0;
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

// ---- what nghttp2 tells

struct H2Session::Library {
    static H2Session& self(void* user) { return *static_cast<H2Session*>(user); }
    static Exchange* exchange(nghttp2_session* library, std::int32_t id) {
        return static_cast<Exchange*>(nghttp2_session_get_stream_user_data(library, id));
    }

    // Every frame is accounted for before it is looked at.
    static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
        H2Session& s = self(user);
        bool chore = false;
        switch (head->type) {
            case NGHTTP2_DATA:
                chore = head->length == 0 && !(head->flags & NGHTTP2_FLAG_END_STREAM);
                if (!chore) s.chores_.earn(1);
                break;
            case NGHTTP2_HEADERS: s.block_frames_ = 0; break;
            case NGHTTP2_CONTINUATION:
                if (++s.block_frames_ > kMostContinuations) return s.refuse_frame(h2::ErrorCode::enhance_your_calm);
                break;
            case NGHTTP2_PRIORITY:  // which nghttp2 passes over unseen
                if (head->stream_id == 0) return s.refuse_frame(h2::ErrorCode::protocol_error);
                [[fallthrough]];
            default: chore = true;
        }
        if (chore && !s.chores_.spend(s.stream_.loop().now())) return s.refuse_frame(h2::ErrorCode::enhance_your_calm);
        return 0;
    }

    static int begin_headers(nghttp2_session* library, const nghttp2_frame* frame, void* user) {
        H2Session& s = self(user);
        s.block_began_ = s.stream_.loop().now();
        s.reading_ = exchange(library, frame->hd.stream_id);
        s.block_ = nullptr;
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) return s.open(frame->hd.stream_id);
        if (s.reading_ && s.reading_->body_)
            s.block_ = &s.reading_->body_->begin_trailers(head_limits(s.handler_.limits()));
        return 0;
    }

    static int header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
        H2Session& s = self(user);
        if (!s.block_) return 0;
        s.block_->add(text_of(name, name_size), text_of(value, value_size));
        return s.block_->hopeless() ? s.refuse_frame(h2::ErrorCode::enhance_your_calm) : 0;
    }
    // nghttp2 would pass over some of what makes a head malformed.
    static int invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t,
                              const std::uint8_t*, std::size_t, std::uint8_t, void*) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }

    static int frame_received(nghttp2_session* library, const nghttp2_frame* frame, void* user) {
        H2Session& s = self(user);
        bool end_stream = flags_of(frame) & NGHTTP2_FLAG_END_STREAM;
        switch (frame->hd.type) {
            case NGHTTP2_HEADERS: {
                Exchange* x = s.reading_;
                s.forget_block();
                if (x && !x->closed_ && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
                    x->head_complete(end_stream);
                } else if (x && !x->closed_ && end_stream) {
                    x->body_complete();
                }
                break;
            }
            case NGHTTP2_DATA:
                if (!end_stream) break;
                if (Exchange* x = exchange(library, frame->hd.stream_id)) x->body_complete();
                break;
            case NGHTTP2_SETTINGS:
                if (flags_of(frame) & NGHTTP2_FLAG_ACK) s.settings_acked_ = true;
                break;
            case NGHTTP2_RST_STREAM:
                if (!s.resets_.spend(s.stream_.loop().now())) return s.refuse_frame(h2::ErrorCode::enhance_your_calm);
                break;
            default: break;
        }
        return 0;
    }

    // What is wrong with a frame ends its stream or the connection, and its field block in any case.
    static int invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
        H2Session& s = self(user);
        if (frame->hd.type == NGHTTP2_HEADERS) s.forget_block();
        return 0;
    }

    static int data_received(nghttp2_session* library, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                             std::size_t size, void* user) {
        H2Session& s = self(user);
        Exchange* x = exchange(library, id);
        if (!x || !x->body_ || x->finished_) {  // nobody will read it
            nghttp2_session_consume(library, id, size);
            return 0;
        }
        bool promised = x->body_->put(text_of(bytes, size));
        if (promised) {
            s.wake(x->body_->waiter());
        } else {
            s.reset(*x, h2::ErrorCode::protocol_error);
        }
        return 0;
    }

    static int frame_sent(nghttp2_session* library, const nghttp2_frame* frame, void* user) {
        H2Session& s = self(user);
        switch (frame->hd.type) {
            case NGHTTP2_DATA: s.chores_.earn(10); [[fallthrough]];
            case NGHTTP2_HEADERS:
                if (Exchange* x = exchange(library, frame->hd.stream_id)) x->frame_sent(*frame);
                break;
            case NGHTTP2_RST_STREAM:
                if (is_clients_fault(frame->rst_stream.error_code) && !s.resets_.spend(s.stream_.loop().now()))
                    s.give_up(h2::ErrorCode::enhance_your_calm);
                break;
            case NGHTTP2_GOAWAY: s.linger_ |= frame->goaway.error_code != NGHTTP2_NO_ERROR; break;
            default: break;
        }
        return 0;
    }

    // A head that did not get out, for instance because it is larger than any client would take.
    static int frame_not_sent(nghttp2_session* library, const nghttp2_frame* frame, int, void*) {
        if (frame->hd.type != NGHTTP2_HEADERS) return 0;
        Exchange* x = exchange(library, frame->hd.stream_id);
        if (x && x->out_ && !x->out_->over()) x->end_with(Code::internal);
        return 0;
    }

    static int send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* head, std::size_t size,
                         nghttp2_data_source* source, void* user) {
        if (self(user).wire_.leaving()) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        return static_cast<Exchange*>(source->ptr)->write_body(head, size) ? 0 : NGHTTP2_ERR_PAUSE;
    }

    static int stream_closed(nghttp2_session* library, std::int32_t id, std::uint32_t, void* user) {
        H2Session& s = self(user);
        Exchange* x = exchange(library, id);
        if (!x) return 0;
        x->closed_ = true;
        if (s.reading_ == x) s.forget_block();
        s.queue(*x);
        return 0;
    }

    static const nghttp2_session_callbacks* callbacks() {
        static nghttp2_session_callbacks* const kAll = [] {
            nghttp2_session_callbacks* all = nullptr;
            CHECK(nghttp2_session_callbacks_new(&all) == 0);
            nghttp2_session_callbacks_set_on_begin_frame_callback(all, begin_frame);
            nghttp2_session_callbacks_set_on_begin_headers_callback(all, begin_headers);
            nghttp2_session_callbacks_set_on_header_callback(all, header);
            nghttp2_session_callbacks_set_on_invalid_header_callback(all, invalid_header);
            nghttp2_session_callbacks_set_on_frame_recv_callback(all, frame_received);
            nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(all, invalid_frame);
            nghttp2_session_callbacks_set_on_data_chunk_recv_callback(all, data_received);
            nghttp2_session_callbacks_set_on_frame_send_callback(all, frame_sent);
            nghttp2_session_callbacks_set_on_frame_not_send_callback(all, frame_not_sent);
            nghttp2_session_callbacks_set_send_data_callback(all, send_data);
            nghttp2_session_callbacks_set_on_stream_close_callback(all, stream_closed);
            return all;
        }();
        return kAll;
    }
};

// ---- the session

H2Session::H2Session(rt::Stream& stream, const rt::Address& peer, rt::BufferPool& buffers, Handler& handler,
                     rt::Buffer first)
    : stream_(stream),
      peer_(peer),
      peer_host_(peer.is_unix() ? "unix" : peer.host()),
      buffers_(buffers),
      handler_(handler),
      wire_(stream, buffers, *this, std::move(first)),
      resets_(std::max(200.0, 2.0 * handler.limits().max_concurrent_streams), 50) {
    CHECK(nghttp2_session_server_new2(&wire_.library, Library::callbacks(), this, h2::Wire::options()) == 0);
}

H2Session::~H2Session() {
    wire_.leave();
    while (Exchange* exchange = exchanges_.first()) remove(*exchange);
}

rt::Task<void> H2Session::run() {
    begin();
    wire_.feed_first();
    for (;;) {
        settle();
        wire_.later();
        if (wire_.over()) break;
        rt::Io got = wire_.read_some();
        if (got.failed()) {
            wire_.break_off();
            break;
        }
        if (!got.blocked()) continue;
        co_await wire_.readable();
        ring_alarms();
    }
    co_await say_goodbye();
}

void H2Session::begin() {
    const SessionLimits& limits = handler_.limits();
    began_ = idle_since_ = stream_.loop().now();
    constexpr std::uint32_t kNoPriorities = 9;  // SETTINGS_NO_RFC7540_PRIORITIES, RFC 9218 §2.1
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.max_concurrent_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits.head)},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
        {kNoPriorities, 1},
    };
    nghttp2_submit_settings(wire_.library, NGHTTP2_FLAG_NONE, settings, std::size(settings));
    nghttp2_session_set_local_window_size(wire_.library, NGHTTP2_FLAG_NONE, 0,
                                          static_cast<std::int32_t>(limits.connection_window));
}

void H2Session::refused(int nghttp2_error) {
    bool stranger = nghttp2_error == NGHTTP2_ERR_BAD_CLIENT_MAGIC;  // otherwise a flood that nghttp2 has noticed
    if (!given_up_) give_up(stranger ? h2::ErrorCode::protocol_error : h2::ErrorCode::enhance_your_calm);
}

// Only the first reason counts: nghttp2 says one GOAWAY of this kind.
void H2Session::give_up(h2::ErrorCode code) {
    given_up_ = true;
    nghttp2_session_terminate_session(wire_.library, static_cast<std::uint32_t>(code));
    wire_.later();
}

void H2Session::forget_block() {
    reading_ = nullptr;
    block_ = nullptr;
    block_began_ = kNever;
}

int H2Session::refuse_frame(h2::ErrorCode code) {
    give_up(code);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

// ---- time

TimePoint H2Session::alarm() const {
    const SessionLimits& limits = handler_.limits();
    TimePoint next = kNever;
    if (given_up_) return next;
    if (!settings_acked_) next = deadline_after(began_, limits.header_timeout);
    if (block_began_ != kNever) next = std::min(next, deadline_after(block_began_, limits.header_timeout));
    if (exchange_count_ == 0) next = std::min(next, deadline_after(idle_since_, limits.keepalive));
    if (draining_ && !drained_) next = std::min(next, drain_began_ + kDrainGrace);
    return next;
}

void H2Session::ring_alarms() {
    TimePoint now = stream_.loop().now();
    if (given_up_ || now < alarm()) return;
    const SessionLimits& limits = handler_.limits();
    if (draining_ && !drained_ && now >= drain_began_ + kDrainGrace) {
        drained_ = true;
        std::int32_t last = nghttp2_session_get_last_proc_stream_id(wire_.library);
        nghttp2_submit_goaway(wire_.library, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0);
    }
    if (!settings_acked_ && now >= deadline_after(began_, limits.header_timeout))
        give_up(h2::ErrorCode::settings_timeout);
    if (block_began_ != kNever && now >= deadline_after(block_began_, limits.header_timeout))
        give_up(h2::ErrorCode::enhance_your_calm);
    if (exchange_count_ == 0 && now >= deadline_after(idle_since_, limits.keepalive)) give_up(h2::ErrorCode::no_error);
}

void H2Session::drain() {
    if (draining_ || wire_.leaving()) return;
    draining_ = true;
    drain_began_ = stream_.loop().now();
    nghttp2_submit_shutdown_notice(wire_.library);
    wire_.later();
}

// The last frames, as long as the client takes them.
rt::Task<void> H2Session::say_goodbye() {
    wire_.leave();
    while (Exchange* exchange = exchanges_.first()) remove(*exchange);
    co_await wire_.say_goodbye();
    if (linger_ && !wire_.broken()) co_await linger(stream_, buffers_);
}

// ---- exchanges

int H2Session::open(std::int32_t id) {
    // Streams that nghttp2 has forgotten count as long as their handlers run.
    if (exchange_count_ >= handler_.limits().max_concurrent_streams) {
        forget_block();
        nghttp2_submit_rst_stream(wire_.library, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    auto* exchange = new Exchange(*this, id);
    exchanges_.push_back(*exchange);
    ++exchange_count_;
    nghttp2_session_set_stream_user_data(wire_.library, id, exchange);
    reading_ = exchange;
    block_ = &exchange->block_;
    chores_.earn(10);
    std::uint32_t most = handler_.limits().max_requests;
    if (++requests_ == most) drain();
    return 0;
}

rt::Task<void> H2Session::serve(Exchange& exchange) {
    if (exchange.refusal_) {
        co_await handler_.refuse(exchange.request_, std::move(*exchange.refusal_), exchange);
    } else {
        co_await handler_.handle(exchange.request_, exchange);
    }
    exchange.finished_ = true;
    queue(exchange);
}

void H2Session::reset(Exchange& exchange, h2::ErrorCode code) {
    if (exchange.reset_) return;
    exchange.reset_ = true;
    nghttp2_submit_rst_stream(wire_.library, NGHTTP2_FLAG_NONE, exchange.id_, static_cast<std::uint32_t>(code));
    wire_.later();
}

void H2Session::queue(Exchange& exchange) {
    if (!exchange.queued_) done_.push_back(&exchange);
    exchange.queued_ = true;
    wire_.later();
}

void H2Session::wake(h2::Wait* wait) {
    if (!wait || wait->queued()) return;
    woken_.push_back(*wait);
    wire_.later();
}

// Everything the callbacks have queued, until nothing is left to do. At loop level only.
void H2Session::settle() {
    while (!ready_.empty() || !woken_.empty() || !done_.empty()) {
        for (std::size_t i = 0; i < ready_.size(); ++i) {
            Exchange& exchange = *ready_[i];
            if (exchange.closed_ || exchange.reset_) continue;
            exchange.task_ = serve(exchange);
            exchange.task_.start();
        }
        ready_.clear();
        while (h2::Wait* wait = woken_.pop_front()) wait->resume();
        reap();
    }
}

void H2Session::reap() {
    for (std::size_t i = 0; i < done_.size(); ++i) {
        Exchange& exchange = *done_[i];
        exchange.queued_ = false;
        bool runs = exchange.task_ && !exchange.finished_;
        // What was sent as a whole, or failed on our side, tells its handler; otherwise the client
        // has left, and everything the exchange holds goes with it.
        bool told = exchange.complete_ || (exchange.out_ && exchange.out_->over());
        if (exchange.closed_ && runs && told) continue;
        if (exchange.closed_) {
            remove(exchange);
        } else if (exchange.finished_) {
            exchange.task_.reset();
            if (!exchange.complete_) reset(exchange, h2::ErrorCode::internal_error);
        }
    }
    done_.clear();
}

void H2Session::remove(Exchange& exchange) {
    exchange.task_.reset();
    std::size_t unread = exchange.body_ ? exchange.body_->buffered() : 0;
    if (unread > 0 && !wire_.leaving()) nghttp2_session_consume_connection(wire_.library, unread);
    if (!exchange.closed_) nghttp2_session_set_stream_user_data(wire_.library, exchange.id_, nullptr);
    exchange.unlink();
    delete &exchange;
    if (--exchange_count_ == 0) idle_since_ = stream_.loop().now();
}

}  // namespace suoke::http
