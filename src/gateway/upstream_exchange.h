// SPDX-License-Identifier: MIT
#pragma once
// One attempt at one endpoint: the request goes out over a leased connection, the response comes
// back; its body is this object. Destroying it cancels the attempt and closes the connection, unless
// the response was read to its end.

#include <array>
#include <optional>

#include "http/h1_body.h"
#include "http/handler.h"
#include "rt/scope.h"
#include "upstream/pool.h"

namespace suoke::gateway {

struct AttemptLimits {
    http::h1::Limits head{16 * 1024, 64 * 1024, 200};
    Duration response{};   // from the end of the request to the response head; zero: none
    Duration idle{};       // longest silence inside the response; zero: none
    Duration write{};      // longest the upstream may accept nothing
    TimePoint deadline = kNever;
};

class UpstreamExchange final : public http::BodySource, public rt::FrameAllocated {
 public:
    UpstreamExchange(upstream::Lease lease, rt::BufferPool& buffers, const AttemptLimits& limits);

    // Sends the head and what is already here of the body. True when all of that went out at once,
    // the usual case; otherwise send_rest() must follow, as it must when there is more of the body.
    bool send_now(std::string_view head, std::string_view bytes);
    // ... and begins to stream the rest of the body (`more`; null: there is none) beside what
    // follows. `chunked`: how the rest is framed.
    rt::Task<Result<void>> send_rest(http::BodySource* more, bool chunked);
    // The next head: an interim one (1xx) or the final one.
    rt::Task<Result<void>> read_head(http::Method request);
    http::ResponseHead& head() { return head_; }

    // The response's body, once the final head was read.
    Result<http::Piece> next() override;
    rt::Task<void> wait() override;
    std::optional<std::uint64_t> remaining() const override { return body_->remaining(); }
    const http::Headers* trailers() const override { return body_->trailers(); }

    bool reused() const { return reused_; }
    // Nothing of a response has arrived: with a reused connection, it was dead before we wrote.
    bool unanswered() const { return !answered_; }

 private:
    // Stops the wait for a response, from loop level: whoever waits may destroy this.
    struct Nudge final : rt::Deferred {
        explicit Nudge(UpstreamExchange& e) : exchange(e) {}
        void run() override { exchange.lease_.stream().give_up_reading(); }
        UpstreamExchange& exchange;
    };
    rt::Task<void> upload(http::BodySource& body, bool chunked);
    rt::Task<Result<void>> write_all(std::string_view a, std::string_view b, std::string_view c);
    Result<bool> parse(http::Method request);
    Result<bool> read_some();
    std::optional<Error> overdue(rt::Wake woken) const;
    void begin_body();
    void finish();
    rt::Stream& stream() { return lease_.stream(); }

    upstream::Lease lease_;
    rt::BufferPool& buffers_;
    AttemptLimits limits_;
    rt::Buffer in_;
    http::h1::Progress progress_;
    http::ResponseHead head_;
    std::optional<http::H1Body> body_;
    bool reused_ = false;
    bool answered_ = false;
    bool uploaded_ = true;              // the request has been sent completely
    bool reusable_ = false;
    std::array<std::string_view, 2> unsent_;
    TimePoint sent_at_{};
    std::optional<Error> upload_failure_;
    Nudge nudge_;
    rt::TaskScope upload_;              // ends before everything above
};

}  // namespace suoke::gateway
