// SPDX-License-Identifier: MIT
#pragma once
// The server side of an HTTP/2 connection (RFC 9113, and RFC 8441's extended CONNECT), on nghttp2:
// every stream is an exchange that runs beside the others. Knows the RFC and no policy.
//
// nghttp2's callbacks run nothing: they fill bodies and queue what shall happen, and settle() does
// it at loop level. Frames are gathered during a turn of the loop and leave in one write at its end.

#include <nghttp2/nghttp2.h>

#include <string>
#include <vector>

#include "http/h2_body.h"
#include "http/h2_fields.h"
#include "http/h2_past_streams.h"
#include "http/h2_patience.h"
#include "http/h2_wire.h"
#include "http/handler.h"
#include "http/session.h"

namespace suoke::http {

// What every HTTP/2 connection begins with (RFC 9113 §3.4).
inline constexpr std::string_view kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

class H2Session final : public Session, h2::Wire::User {
 public:
    // `first`: bytes of the connection that somebody has read already, the preface included.
    H2Session(rt::Stream& stream, const rt::Address& peer, rt::BufferPool& buffers, Handler& handler,
              rt::Buffer first = {});
    ~H2Session();

    // Until the connection ends.
    rt::Task<void> run();
    // GOAWAY, and after a moment of grace the final one (RFC 9113 §6.8); exchanges end in peace.
    void drain() override;

 private:
    class Exchange;
    struct Library;
    static const nghttp2_session_callbacks* callbacks();

    void begin();
    bool frame_begins(const h2::FrameHead& head) override;
    void refused(int nghttp2_error) override;
    Duration write_patience() const override { return handler_.limits().write_timeout; }
    TimePoint alarm() const override;
    void ring_alarms();
    rt::Task<void> say_goodbye();
    bool give_up(h2::ErrorCode code);  // GOAWAY, and the connection is over; always false
    void forget_block();
    int refuse_frame(h2::ErrorCode code);  // ... from inside a callback

    h1::Limits head_limits() const {
        const SessionLimits& limits = handler_.limits();
        return {limits.request_line, limits.head, limits.fields};
    }
    int open(std::int32_t id);
    void settle() override;
    void reap();
    void remove(Exchange& exchange);
    rt::Task<void> serve(Exchange& exchange);
    void reset(Exchange& exchange, h2::ErrorCode code);
    void queue(Exchange& exchange);
    void wake(h2::Wait* wait);

    rt::Stream& stream_;
    const rt::Address& peer_;
    std::string peer_host_;
    rt::BufferPool& buffers_;
    Handler& handler_;
    h2::Wire wire_;

    rt::List<Exchange> exchanges_;     // owned
    std::size_t exchange_count_ = 0;
    std::vector<Exchange*> ready_;     // whose head has come
    std::vector<Exchange*> done_;      // whose stream or task has ended
    rt::List<h2::Wait> woken_;
    Exchange* reading_ = nullptr;      // whose field block is under way
    h2::FieldBlock* block_ = nullptr;  // ... and the block
    TimePoint block_began_ = kNever;

    h2::PastStreams past_;
    h2::FrameGate gate_;
    h2::Allowance crossings_{2000, 2000};  // frames on streams that we have reset
    h2::Allowance resets_;             // streams begun and broken off
    std::uint32_t requests_ = 0;
    TimePoint began_{}, idle_since_{}, drain_began_ = kNever;
    bool settings_acked_ = false;
    bool draining_ = false;
    bool drained_ = false;             // the final GOAWAY was sent
    bool given_up_ = false;            // the last GOAWAY is on its way
    bool linger_ = false;              // the client may be sending what nobody will read
};

}  // namespace suoke::http
