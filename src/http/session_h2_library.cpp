// SPDX-License-Identifier: MIT
// What nghttp2 tells an H2Session. Nothing is run in here: bodies are filled, and what shall happen
// is queued for settle().

#include "http/h2_callbacks.h"
#include "http/session_h2_exchange.h"

namespace suoke::http {
namespace {

using h2::text_of;

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

struct H2Session::Library {
    static H2Session& self(void* user) { return *static_cast<H2Session*>(user); }
    static Exchange* exchange(nghttp2_session* library, std::int32_t id) {
        return static_cast<Exchange*>(nghttp2_session_get_stream_user_data(library, id));
    }

    static int begin_headers(nghttp2_session* library, const nghttp2_frame* frame, void* user) {
        H2Session& s = self(user);
        s.block_began_ = s.stream_.loop().now();
        s.reading_ = exchange(library, frame->hd.stream_id);
        s.block_ = nullptr;
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) return s.open(frame->hd.stream_id);
        if (s.reading_ && s.reading_->body_)
            s.block_ = &s.reading_->body_->begin_trailers(s.head_limits());
        return 0;
    }

    static int header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
        H2Session& s = self(user);
        if (!s.block_) return 0;
        s.block_->add(text_of(name, name_size), text_of(value, value_size));
        return s.block_->hopeless() ? s.refuse_frame(h2::ErrorCode::enhance_your_calm) : 0;
    }

    static int frame_received(nghttp2_session* library, const nghttp2_frame* frame, void* user) {
        H2Session& s = self(user);
        bool end_stream = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
        switch (frame->hd.type) {
            case NGHTTP2_HEADERS: {
                Exchange* x = s.reading_;
                s.forget_block();
                if (x && !x->closed_ && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
                    x->head_complete(end_stream);
                } else if (x && !x->closed_) {
                    x->trailers_complete(end_stream);
                }
                break;
            }
            case NGHTTP2_DATA:
                if (!end_stream) break;
                if (Exchange* x = exchange(library, frame->hd.stream_id)) x->body_complete();
                break;
            case NGHTTP2_SETTINGS:
                if (frame->hd.flags & NGHTTP2_FLAG_ACK) s.settings_acked_ = true;
                break;
            case NGHTTP2_RST_STREAM: {
                // Whoever leaves in the middle of an answer has waited for it: no flood (of gRPC's
                // streams it is the ordinary end).
                Exchange* x = exchange(library, frame->hd.stream_id);
                if (x && x->answered_) break;
                if (!s.resets_.spend(s.stream_.loop().now())) return s.refuse_frame(h2::ErrorCode::enhance_your_calm);
                break;
            }
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
        bool promised_none = x && !x->body_ && !x->refusal_ && x->request_.head.framing.kind == Framing::length;
        if (promised_none) s.reset(*x, h2::ErrorCode::protocol_error);
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
            case NGHTTP2_DATA: s.gate_.earn(); [[fallthrough]];
            case NGHTTP2_HEADERS:
                if (Exchange* x = exchange(library, frame->hd.stream_id)) x->frame_sent(*frame);
                break;
            case NGHTTP2_RST_STREAM: {
                Exchange* x = exchange(library, frame->hd.stream_id);
                if (!x || !x->request_ended_) s.past_.cut_short(frame->hd.stream_id);
                if (is_clients_fault(frame->rst_stream.error_code) && !s.resets_.spend(s.stream_.loop().now()))
                    s.give_up(h2::ErrorCode::enhance_your_calm);
                break;
            }
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
};

const nghttp2_session_callbacks* H2Session::callbacks() { return h2::callbacks_of<Library>(); }

}  // namespace suoke::http
