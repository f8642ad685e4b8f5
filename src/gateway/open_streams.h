// SPDX-License-Identifier: MIT
#pragma once
// What lives longer than a request and answers nobody by ending: event streams, tunnels, gRPC
// streams. Each worker keeps a list of those it has open, so that it can tell them to end when it
// drains, when their route has gone or when their client's credential has, and say what they are.
//
//   class EventStream final : public BodySource, public OpenStream { ... };
//   ex.worker.streams().opened(*this);       // leaves the list by its destructor
//
// Everything here happens in the worker's own thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/revocations.h"
#include "base/random.h"
#include "base/time.h"
#include "gateway/exchange.h"
#include "gateway/stream_end.h"
#include "rt/list.h"
#include "rt/loop.h"

namespace suoke::gateway {

// A line of the list, as a value: it may leave its worker.
struct StreamFacts {
    std::string kind;             // "sse", "websocket", "grpc"
    std::string route;
    Duration age{};
    Duration quiet{};             // since something last went either way
    std::uint64_t bytes = 0;      // both ways
    std::uint64_t buffered = 0;
    std::uint32_t worker = 0;
};

class OpenStream : public rt::ListHook<OpenStream> {
 public:
    explicit OpenStream(const Exchange& ex) : exchange_(ex) {}

    virtual std::string_view kind() const = 0;
    virtual StreamFacts facts() const = 0;
    // Say goodbye at `when` in the protocol's own words and end. Called at loop level, perhaps more
    // than once: the earliest counts. Must not end it, or run anything, inside the call.
    virtual void end_gracefully(TimePoint when, EndReason why) = 0;
    const Exchange& exchange() const { return exchange_; }

 protected:
    ~OpenStream() = default;

 private:
    const Exchange& exchange_;    // outlives its body
};

class OpenStreams {
 public:
    OpenStreams(rt::Loop& loop, Random& random) : loop_(loop), random_(random) {}

    // A stream that opens while the worker drains is told its end at once. One whose client showed a
    // credential that expires is told when that is.
    void opened(OpenStream& stream);
    // Each stream ends at a moment of its own, spread evenly over what `window` leaves after a
    // reserve for saying goodbye, so that their clients do not come back all at once.
    void drain(Duration window);
    // A new site is in force: streams whose own route or service is not in it, or not the same, end
    // within kReloadWindow, and those of an API key that is not in it, or may less, at once; every other stream is
    // left alone.
    void adopt(const Site& site);
    // When a stream of whoever this is has to end; kNever: its credential does not expire.
    TimePoint expiry_of(const auth::Identity& who) const;
    // Streams of credentials that these cover end now.
    void adopt(auth::RevocationsPtr revoked);
    std::vector<StreamFacts> list(std::uint32_t worker);

    static constexpr Duration kReloadWindow = 5s;

 private:
    TimePoint draw(TimePoint until);
    void hold_to_credential(OpenStream& stream);
    void end_if_revoked(OpenStream& stream);

    rt::Loop& loop_;
    Random& random_;
    rt::List<OpenStream> streams_;
    std::optional<TimePoint> drained_by_;
    auth::RevocationsPtr revoked_ = std::make_shared<auth::Revocations>();
};

}  // namespace suoke::gateway
