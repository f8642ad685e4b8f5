// SPDX-License-Identifier: MIT
#pragma once
// An attempt over an HTTP/1.1 connection of its own (RFC 9112). The connection goes back to its pool
// as soon as the response was read to its end; otherwise it is closed.

#include <array>
#include <optional>

#include "gateway/attempt.h"
#include "http/h1_body.h"
#include "http/h1_writer.h"
#include "rt/frame_cache.h"
#include "rt/scope.h"
#include "upstream/pool.h"

namespace suoke::gateway {

class AttemptH1 final : public Attempt, public rt::FrameAllocated {
 public:
    AttemptH1(upstream::Lease lease, rt::BufferPool& buffers, const AttemptLimits& limits);

    rt::Task<Result<void>> run(const Outgoing& request, http::Responder& interims) override;
    http::ResponseHead& head() override { return head_; }
    Seen seen() const override;
    bool reused() const override { return reused_; }
    TimePoint last_sent() const override { return sent_at_; }

    // The response's body, once the final head was read.
    Result<http::Piece> next() override;
    rt::Task<void> wait() override { return body_->wait(); }
    void forget_head() override { body_->forget_head(); }
    std::optional<std::uint64_t> remaining() const override { return body_->remaining(); }
    std::uint64_t received() const override { return body_->received(); }
    const http::Headers* trailers() const override { return body_->trailers(); }

 private:
    // Stops the wait for a response, from loop level: whoever waits may destroy this.
    struct Nudge final : rt::Deferred {
        explicit Nudge(AttemptH1& a) : attempt(a) {}
        void run() override { attempt.lease_.stream().give_up_reading(); }
        AttemptH1& attempt;
    };
    // the request
    void write_head(http::H1Writer& out, const Outgoing& request);
    rt::Io send_now(std::string_view head, std::string_view bytes);
    void begin_upload(http::BodySource& more);
    rt::Task<void> upload(http::BodySource& body);
    rt::Task<Result<void>> write_all(std::string_view a, std::string_view b, std::string_view c);
    // the response's head
    Result<bool> parse();
    Result<bool> read_some();
    std::optional<Error> overdue(rt::Wake woken) const;
    std::optional<Error> refuse_switch();
    void begin_body();
    void finish();
    rt::Stream& stream() { return lease_.stream(); }

    upstream::Lease lease_;
    rt::BufferPool& buffers_;
    AttemptLimits limits_;
    http::Method method_{};
    rt::Buffer in_;
    http::h1::Progress progress_;
    http::ResponseHead head_;
    std::optional<http::H1Body> body_;
    bool reused_ = false;
    bool sent_ = false;                 // something of the request
    bool answered_ = false;             // something of a response has arrived
    bool chunked_ = false;              // how the rest of the request's body is framed
    bool tunnel_ = false;               // asked for
    std::string_view key_;              // ... with this Sec-WebSocket-Key
    bool uploaded_ = true;              // the request has been sent completely
    bool reusable_ = false;
    std::array<std::string_view, 2> unsent_;
    TimePoint sent_at_{};               // the last of it so far
    std::optional<Error> upload_failure_;
    Nudge nudge_;
    rt::TaskScope upload_;              // ends before everything above
};

}  // namespace suoke::gateway
