// SPDX-License-Identifier: MIT
#pragma once
// A WebSocket on its way through: two streams of frames, and what they share (limits, the idle
// timer, a last word to both). Bytes pass as they came; a frame of our own is a Close, or what a
// Listener has to say.
//
//   auto tunnel = std::make_shared<Tunnel>(parts, rules);
//   ex.wrap_request_body(tunnel->from_client(*ex.request.body));    // silent until open()
//   ... a 101 comes ...
//   tunnel->open(deflate);
//   response.body = tunnel->from_upstream(std::move(response.body));
//
// An inspected tunnel is parsed strictly (http/ws.h). Any other is spliced: bytes pass untouched and
// only frame heads are walked over, which costs about as much as a branch per frame and gives the
// metrics, and a place for a Close when the worker drains. A stream that cannot be walked is passed
// on blindly from there, and ends without a Close.
//
// How an inspected stream is refused. The offender gets a Close with the code of its offence, the
// other side a Close 1001; then both streams end. A Close can only stand between two frames: when a
// part of the bad frame was passed on already (it came in several pieces, and its fault is not in
// its head), that direction just ends (§7.1.7), which its reader sees as 1006.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/random.h"
#include "http/body.h"
#include "http/ws.h"
#include "rt/bell.h"
#include "rt/list.h"
#include "rt/loop.h"

namespace suoke::gateway {

struct TunnelRules {
    bool inspect = false;
    http::ws::MessageRules messages;       // of both sides
    std::uint32_t messages_per_second = 0; // of the client, control frames included; 0: any number
    std::uint64_t bytes_per_second = 0;    // of the client; 0: any number
    Duration idle{};                       // longest silence of both sides together; zero: any
};

// So many a second, and as many at once. May go into debt: a message is let in whole or not at all.
class TokenBucket {
 public:
    TokenBucket(std::uint64_t per_second, TimePoint now)
        : rate_(static_cast<double>(per_second)), tokens_(rate_), filled_(now) {}
    bool take(std::uint64_t n, TimePoint now);  // always true when the rate is 0

 private:
    double rate_, tokens_;
    TimePoint filled_;
};

// Somebody for whom the client may have a message that the upstream is not to see.
class Listener {
 public:
    static constexpr std::size_t kBeginning = 128;
    static constexpr std::size_t kLongest = 16 * 1024;
    // By its first kBeginning bytes, or all of it: a message could be for him. Must be cheap.
    virtual bool may_want(std::string_view beginning) const = 0;
    // A whole message. True: it was for him, and goes no further.
    virtual bool hears(std::string_view message) = 0;

 protected:
    ~Listener() = default;
};

class Tunnel final : public std::enable_shared_from_this<Tunnel>, rt::Timer {
 public:
    struct Parts {  // all outlive the tunnel, except the counts, which it may drop
        rt::Loop& loop;
        Random& random;
        TunnelCells& cells;
        std::array<SharedCount::Ticket, 2> tickets;  // of its route, of the process
    };
    Tunnel(Parts parts, const TunnelRules& rules);
    ~Tunnel();

    // The bodies keep the tunnel alive.
    http::Body from_client(http::BodySource& bytes);
    http::Body from_upstream(http::Body bytes);
    // From now on bytes pass.
    void open(const http::ws::Deflate& deflate);
    bool is_open() const { return opened_; }
    bool watches_client() const;
    TimePoint last_bytes() const { return last_bytes_; }
    std::uint64_t bytes() const { return bytes_passed_; }   // both ways
    // Something that shall live as long as the tunnel.
    void keep(std::shared_ptr<void> companion) { companion_ = std::move(companion); }

    // The client's text messages of up to Listener::kLongest bytes are shown to him first, when they come in one
    // frame and are not compressed; where no text may pass, its binary messages. Only of an inspected tunnel; he lives
    // as long as it, as its companion does.
    void listen(Listener& listener);
    // A message of the same kind to the client, between two of the upstream's. Nothing when nobody listens, and at the end.
    void tell_client(std::string_view text);

    // Asks for the end: a Close with this code to both sides, each at the next border of two frames,
    // then both streams end. For draining: kGoingAway or kRestart. `reason` must be a literal.
    void close(std::uint16_t code, std::string_view reason);

 private:
    using Side = http::ws::Side;
    struct Word {
        std::uint16_t code = 0;  // 0: nothing is to be said
        std::string_view reason;
    };
    class Lane;
    class Source;

    Lane& lane(Side from) { return *lanes_[static_cast<std::size_t>(from)]; }
    // What messages between the client and us are made of.
    http::ws::Opcode our_opcode() const { return rules_.messages.text ? http::ws::Opcode::text : http::ws::Opcode::binary; }
    void refuse(Side offender, const http::ws::Violation& violation);
    void say(const Word& to_client, const Word& to_upstream);
    void heard_close(Side from, std::uint16_t code);
    void count_close(CloseCells::By by, std::uint16_t code);
    bool may_begin(const http::ws::Inspector& in, http::ws::Violation& why);
    void touch(std::size_t bytes) {
        last_bytes_ = parts_.loop.now();
        bytes_passed_ += bytes;
    }
    void expired() override;

    Parts parts_;
    const TunnelRules rules_;
    std::array<std::unique_ptr<Lane>, 2> lanes_;  // by who sends
    TokenBucket messages_, bytes_;
    TimePoint last_bytes_{};
    std::uint64_t bytes_passed_ = 0;
    std::shared_ptr<void> companion_;
    Listener* listener_ = nullptr;
    bool opened_ = false;
    bool closing_ = false;
    bool counted_ = false;  // how it closed
    int closes_heard_ = 0;
};

}  // namespace suoke::gateway
