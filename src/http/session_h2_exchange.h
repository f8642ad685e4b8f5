// SPDX-License-Identifier: MIT
#pragma once
// One stream of an H2Session: a request, and how it is answered. Internal to the session; nghttp2's
// callbacks fill it, and the handler it runs answers through it.

#include "http/session_h2.h"
#include "rt/frame_cache.h"

namespace suoke::http {

class H2Session::Exchange final : public Responder,
                                  public H2Body::Owner,
                                  public rt::ListHook<Exchange>,
                                  public rt::FrameAllocated {
 public:
    Exchange(H2Session& session, std::int32_t id)
        : session_(session),
          id_(id),
          started_(session.block_began_),
          block_(session.buffers_, h2::FieldBlock::request, session.head_limits()) {}

    void head_complete(bool end_stream);
    void trailers_complete(bool end_stream);
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
    void take_priority();
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

}  // namespace suoke::http
