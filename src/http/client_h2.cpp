// SPDX-License-Identifier: MIT
#include "http/client_h2.h"

#include <algorithm>

#include "http/h2_callbacks.h"

namespace suoke::http {

using h2::text_of;

constexpr std::size_t kMostHeads = 16;  // interim ones that nobody has read yet, and the final one

// ---- what nghttp2 tells

struct H2Client::Library {
    static H2Client& self(void* user) { return *static_cast<H2Client*>(user); }
    static H2Exchange* exchange(nghttp2_session* library, std::int32_t id) {
        return static_cast<H2Exchange*>(nghttp2_session_get_stream_user_data(library, id));
    }

    static int begin_headers(nghttp2_session* library, const nghttp2_frame* frame, void* user) {
        H2Client& c = self(user);
        c.reading_ = exchange(library, frame->hd.stream_id);
        c.block_ = c.reading_ ? c.reading_->begin_block() : nullptr;
        bool unwanted = c.reading_ && !c.block_;
        return unwanted ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : 0;
    }

    static int header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
        H2Client& c = self(user);
        if (!c.block_) return 0;
        c.block_->add(text_of(name, name_size), text_of(value, value_size));
        return c.block_->hopeless() ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    }

    static int frame_received(nghttp2_session* library, const nghttp2_frame* frame, void* user) {
        H2Client& c = self(user);
        bool end_stream = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
        switch (frame->hd.type) {
            case NGHTTP2_HEADERS: {
                H2Exchange* x = c.reading_;
                bool trailers = x && x->final_head_;
                c.forget_block();
                if (!x || x->closed_) break;
                if (!trailers) {
                    x->head_complete(end_stream);
                } else if (end_stream) {
                    x->body_complete();
                } else {
                    x->malformed("trailers that do not end the response");
                }
                break;
            }
            case NGHTTP2_DATA:
                if (!end_stream) break;
                if (H2Exchange* x = exchange(library, frame->hd.stream_id)) x->body_complete();
                break;
            case NGHTTP2_SETTINGS:
                c.settings_known_ = true;
                c.exchanges_.for_each([&c](H2Exchange& x) { c.wake(x.waiter_); });
                c.changed_ = true;
                break;
            case NGHTTP2_GOAWAY: c.changed_ = true; break;
            default: break;
        }
        return 0;
    }

    static int invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
        H2Client& c = self(user);
        if (frame->hd.type != NGHTTP2_HEADERS) return 0;
        if (c.reading_) c.reading_->fail(Error(Code::upstream_invalid, "the upstream's head is malformed"));
        c.forget_block();
        return 0;
    }

    static int data_received(nghttp2_session* library, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                             std::size_t size, void* user) {
        H2Client& c = self(user);
        H2Exchange* x = exchange(library, id);
        if (x && !x->body_ && !x->failure_) x->malformed("content before its head");
        if (!x || !x->body_) {  // nobody will read it
            nghttp2_session_consume(library, id, size);
            return 0;
        }
        if (x->body_->put(text_of(bytes, size))) {
            c.wake(x->body_->waiter());
        } else {
            x->malformed("more content than its head promised");
        }
        return 0;
    }

    static int frame_sent(nghttp2_session* library, const nghttp2_frame* frame, void* user) {
        bool ours = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
        H2Exchange* x = ours ? exchange(library, frame->hd.stream_id) : nullptr;
        if (!x) return 0;
        self(user).gate_.earn();
        x->head_sent_ = true;
        x->progress_ = self(user).stream_->loop().now();
        if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
            x->uploaded_ = true;
            self(user).wake(x->waiter_);  // its patience is another one now
        }
        return 0;
    }

    static int frame_not_sent(nghttp2_session* library, const nghttp2_frame* frame, int, void*) {
        if (frame->hd.type != NGHTTP2_HEADERS) return 0;
        if (H2Exchange* x = exchange(library, frame->hd.stream_id)) {
            x->refused_ = true;
            x->fail(Error(Code::upstream_reset, "the connection takes no more requests"));
        }
        return 0;
    }

    static int send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* head, std::size_t size,
                         nghttp2_data_source* source, void* user) {
        if (self(user).wire_.leaving()) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        return static_cast<H2Exchange*>(source->ptr)->write_content(head, size) ? 0 : NGHTTP2_ERR_PAUSE;
    }

    static int stream_closed(nghttp2_session* library, std::int32_t id, std::uint32_t code, void* user) {
        H2Client& c = self(user);
        --c.open_;
        if (c.open_ == 0) c.idle_since_ = c.stream_->loop().now();
        c.changed_ = true;
        H2Exchange* x = exchange(library, id);
        if (!x) return 0;
        if (c.reading_ == x) c.forget_block();
        x->closed(static_cast<h2::ErrorCode>(code));
        return 0;
    }
};

// ---- the connection

H2Client::H2Client(rt::StreamPtr stream, rt::BufferPool& buffers, const Limits& limits, Watcher& watcher)
    : stream_(std::move(stream)),
      buffers_(buffers),
      limits_(limits),
      watcher_(&watcher),
      wire_(*stream_, buffers, *this),
      idle_since_(stream_->loop().now()) {
    wire_.make_client(h2::callbacks_of<Library>(), this);
    begin();
}

H2Client::~H2Client() { wire_.leave(); }

void H2Client::begin() {
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits_.head.head)},
    };
    nghttp2_submit_settings(wire_.library, NGHTTP2_FLAG_NONE, settings, std::size(settings));
    nghttp2_session_set_local_window_size(wire_.library, NGHTTP2_FLAG_NONE, 0,
                                          static_cast<std::int32_t>(limits_.connection_window));
    wire_.later();
}

rt::Task<void> H2Client::run() {
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
        if (stream_->loop().now() >= alarm()) close();
    }
    lose_all();
    co_await wire_.say_goodbye();
}

TimePoint H2Client::alarm() const {
    return open_ == 0 && !closing_ ? deadline_after(idle_since_, limits_.idle) : kNever;
}

void H2Client::close() {
    if (std::exchange(closing_, true)) return;
    nghttp2_submit_goaway(wire_.library, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, nullptr, 0);
    changed_ = true;
    if (open_ == 0) nghttp2_session_terminate_session(wire_.library, NGHTTP2_NO_ERROR);
    wire_.later();
}

void H2Client::lose_all() {
    ended_ = true;
    changed_ = true;
    exchanges_.for_each([](H2Exchange& x) {
        if (!x.closed_) x.closed(h2::ErrorCode::internal_error);
    });
    settle();
}

bool H2Client::frame_begins(const h2::FrameHead& head) {
    if (gate_.allows(head, stream_->loop().now())) return true;
    nghttp2_session_terminate_session(wire_.library, NGHTTP2_ENHANCE_YOUR_CALM);
    wire_.later();
    return false;
}

void H2Client::refused(int) {
    // nghttp2 has its GOAWAY ready.
    wire_.later();
}

std::uint32_t H2Client::most_streams() const {
    return std::min(limits_.streams, nghttp2_session_get_remote_settings(wire_.library, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
}

bool H2Client::has_room() const {
    return !ended_ && !closing_ && !wire_.broken() && open_ < most_streams() &&
           nghttp2_session_check_request_allowed(wire_.library);
}

void H2Client::forget_block() {
    reading_ = nullptr;
    block_ = nullptr;
}

void H2Client::wake(h2::Wait* wait) {
    if (!wait || wait->queued()) return;
    woken_.push_back(*wait);
    wire_.later();
}

void H2Client::settle() {
    // A wait that is resumed may begin, end or destroy exchanges: looked up anew each time.
    while (h2::Wait* wait = woken_.pop_front()) wait->resume();
    exchanges_.for_each([](H2Exchange& x) {
        if (!std::exchange(x.stalled_, false)) return;
        x.upload_.spawn(x.wait_for_content());
    });
    if (closing_ && open_ == 0 && !ended_) nghttp2_session_terminate_session(wire_.library, NGHTTP2_NO_ERROR);
    if (std::exchange(changed_, false)) watcher_->changed();
}

// ---- an exchange

H2Exchange::H2Exchange(std::shared_ptr<H2Client> client, Method method, const Rules& rules)
    : client_(std::move(client)), method_(method), rules_(rules) {
    client_->exchanges_.push_back(*this);
}

H2Exchange::~H2Exchange() {
    H2Client& c = *client_;
    if (id_ < 0 || c.wire_.leaving()) return;
    std::size_t unread = body_ ? body_->buffered() : 0;
    if (unread > 0) nghttp2_session_consume_connection(c.wire_.library, unread);
    c.wire_.later();
    if (closed_) return;
    if (c.reading_ == this) c.forget_block();
    nghttp2_session_set_stream_user_data(c.wire_.library, id_, nullptr);
    nghttp2_submit_rst_stream(c.wire_.library, NGHTTP2_FLAG_NONE, id_, NGHTTP2_CANCEL);
}

rt::Loop& H2Exchange::body_loop() { return client_->stream_->loop(); }

Result<void> H2Exchange::begin(const h2::Pairs& head, Piece first, BodySource* more, bool tunnel) {
    H2Client& c = *client_;
    if (!c.has_room()) {
        refused_ = true;
        return Error(Code::upstream_reset, "the connection takes no more requests");
    }
    piece_ = first;
    more_ = more;
    if (more && first.state != Piece::more) piece_.state = Piece::more;
    held_ = tunnel;
    progress_ = body_loop().now();
    nghttp2_data_provider provider{};
    provider.source.ptr = this;
    provider.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t most, std::uint32_t* flags,
                                nghttp2_data_source* source, void* client) -> ssize_t {
        if (static_cast<H2Client*>(client)->wire_.leaving()) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        return static_cast<H2Exchange*>(source->ptr)->read_content(most, *flags);
    };
    bool content = more || !first.bytes.empty();
    id_ = nghttp2_submit_request(c.wire_.library, nullptr, head.data(), head.size(), content ? &provider : nullptr, this);
    if (id_ < 0) return Error(Code::upstream_reset, "the connection takes no more requests");
    ++c.open_;
    c.used_ = true;
    c.wire_.pack();
    c.wire_.later();
    if (head.lasting() && !head_sent_ && !closed_) {
        c.wire_.break_off();  // what the head points into is about to go
        refused_ = true;
        return Error(Code::upstream_reset, "the connection could not take the request's head");
    }
    return {};
}

bool H2Exchange::allows_tunnels() const {
    return client_->settings_known_ && nghttp2_session_get_remote_settings(client_->wire_.library, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

void H2Exchange::take_head() { heads_.pop_front(); }

void H2Exchange::begin_body() {
    if (!std::exchange(held_, false) || closed_) return;
    waits_for_content_ = false;
    nghttp2_session_resume_data(client_->wire_.library, id_);
    client_->wire_.later();
}

// ---- the request's content

// nghttp2 asks how much the next DATA frame shall carry.
ssize_t H2Exchange::read_content(std::size_t most, std::uint32_t& flags) {
    if (held_) {
        waits_for_content_ = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    while (piece_.bytes.empty() && piece_.state == Piece::more) {
        Result<Piece> next = more_->next();
        if (!next) {
            fail(next.error());
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // RST_STREAM, INTERNAL_ERROR
        }
        piece_ = *next;
    }
    if (piece_.bytes.empty() && piece_.state == Piece::wait) {
        waits_for_content_ = stalled_ = true;
        client_->wire_.later();
        return NGHTTP2_ERR_DEFERRED;
    }
    frame_ = client_->wire_.cut_frame(id_, piece_, more_, most, flags);
    return static_cast<ssize_t>(frame_.size());
}

bool H2Exchange::write_content(const std::uint8_t* head, std::size_t size) {
    CHECK(frame_.size() == size);
    bool more = client_->wire_.write_frame(head, frame_);
    piece_.bytes.remove_prefix(size);
    return more;
}

rt::Task<void> H2Exchange::wait_for_content() {
    co_await more_->wait();
    waits_for_content_ = false;
    piece_ = {{}, Piece::more};
    if (closed_ || client_->wire_.leaving()) co_return;
    nghttp2_session_resume_data(client_->wire_.library, id_);
    client_->wire_.later();
}

// ---- the response

// Null: nobody wants it.
h2::FieldBlock* H2Exchange::begin_block() {
    const h1::Limits& limits = client_->limits_.head;
    if (final_head_) return body_ ? &body_->begin_trailers(limits) : nullptr;
    if (heads_.size() >= kMostHeads) {
        fail(Error(Code::upstream_invalid, "too many interim responses"));
        return nullptr;
    }
    return &heads_.emplace_back(std::make_unique<Head>(client_->buffers_, limits))->block;
}

void H2Exchange::head_complete(bool end_stream) {
    answered_ = true;
    Head& head = *heads_.back();
    if (h1::Refusal refusal = head.block.finish(head.head, method_, end_stream)) {
        return malformed(refusal.what);
    }
    head.complete = true;
    final_head_ = !is_interim(head.head.status);
    if (final_head_) {
        bool opened = held_ && head.head.status == 200;
        if (opened) head.head.framing = {Framing::until_close, 0};
        H2Body::Rules rules{.truncated = Code::upstream_truncated,
                            .timed_out = Code::upstream_idle,
                            .idle = rules_.idle,
                            .deadline = opened ? kNever : rules_.deadline};
        body_.emplace(*this, client_->buffers_, head.head.framing, rules);
        if (end_stream) body_->end();
    }
    client_->wake(waiter_);
}

void H2Exchange::body_complete() {
    if (!body_) return;
    h2::FieldBlock* trailers = body_->trailer_block();
    bool sound = body_->end() && !(trailers && trailers->finish_trailers());
    if (!sound) malformed("the response's end is malformed");
    client_->wake(body_->waiter());
}

void H2Exchange::closed(h2::ErrorCode code) {
    closed_ = true;
    refused_ = refused_ || code == h2::ErrorCode::refused_stream;
    if (body_ && body_->ended()) return;
    fail(body_ ? Error(Code::upstream_truncated, "the upstream reset the stream")
               : Error(h2::code_for_upstream(code), "the upstream reset the stream before its answer"));
}

// RFC 9113 §8.1.1.
void H2Exchange::malformed(const char* what) {
    fail(Error(Code::upstream_invalid, what));
    nghttp2_submit_rst_stream(client_->wire_.library, NGHTTP2_FLAG_NONE, id_, NGHTTP2_PROTOCOL_ERROR);
}

// Of several reasons the first one counts.
void H2Exchange::fail(Error error) {
    if (!failure_) failure_ = std::move(error);
    if (body_) body_->fail(*failure_);
    client_->wake(waiter_);
    if (body_) client_->wake(body_->waiter());
}

Result<Piece> H2Exchange::next() { return body_->next(); }

void H2Exchange::body_taken(std::size_t bytes) {
    if (client_->wire_.leaving()) return;
    nghttp2_session_consume(client_->wire_.library, id_, bytes);
    client_->wire_.later();
}

}  // namespace suoke::http
