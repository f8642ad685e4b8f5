// SPDX-License-Identifier: MIT
#pragma once
// One attempt at one endpoint, whatever protocol it speaks: the request goes out, the response comes
// back; its body is this object. Destroying it cancels the attempt.
//
//   auto attempt = co_await attempts.begin(...);
//   auto answered = co_await attempt->run(request, interims);
//   if (answered) use(attempt->head());      // and the attempt itself as the body

#include "gateway/replay_body.h"
#include "http/body.h"
#include "http/handler.h"
#include "http/message.h"
#include "http/ws_handshake.h"

namespace suoke::gateway {

struct AttemptLimits {
    Duration response{};   // from the end of the request to the response head; zero: none
    Duration idle{};       // longest silence inside the response; zero: none
    Duration write{};      // longest the upstream may accept nothing
    TimePoint deadline = kNever;
};

// A request as the upstream shall see it; views live as long as the exchange. Its fields are those of
// the head, end-to-end ones only; framing, Host and what belongs to one hop are the attempt's business.
struct Outgoing {
    const http::RequestHead& head;
    std::string_view target;             // path and query
    std::string_view host;
    std::string_view key;                // Sec-WebSocket-Key, for a tunnel whose client sent none
    http::Piece first{{}, http::Piece::more};  // of the body, when something was here already
    http::BodySource* more = nullptr;    // what comes after it
    ReplayBody* replay = nullptr;        // keeps what `more` gives, where the request may be sent again

    // What is here of the body goes out with the head; of a chunked one the pieces keep their borders.
    Result<void> take_first_piece();
    // As it was before an attempt was made with it; only while it is replayable.
    Result<void> begin_again();
    bool is_tunnel() const { return !head.protocol.empty(); }
    std::string_view websocket_key() const {
        const std::string_view* sent = head.headers.find(http::ws::kKey);
        return sent ? *sent : key;
    }
    // Nothing of the body is lost when it is sent a second time.
    bool replayable() const { return replay ? replay->complete() : more == nullptr || is_tunnel(); }
};

class Attempt : public http::BodySource {
 public:
    // Until the final response head was read; the rest of the request's body is streamed beside it
    // and beside the response. Interim heads (1xx) the client wants go to `interims`.
    virtual rt::Task<Result<void>> run(const Outgoing& request, http::Responder& interims) = 0;
    virtual http::ResponseHead& head() = 0;

    // How much the upstream can have seen, when run() failed with Code::upstream_reset.
    enum class Seen : std::uint8_t {
        nothing,   // it never had the request: safe to repeat whatever the method
        perhaps,   // a kept connection was dead, or may have been: safe when the method is idempotent
        yes,
    };
    virtual Seen seen() const = 0;
    // When the upstream last took something of the request: from then on the time is its own, before that
    // it may be the client's.
    virtual TimePoint last_sent() const = 0;
    // Whether others had used the connection before.
    virtual bool reused() const = 0;
};
using AttemptPtr = std::unique_ptr<Attempt>;

}  // namespace suoke::gateway
