// SPDX-License-Identifier: MIT
#pragma once
// The body of a gRPC answer on its way to the client: reads the status behind the messages, and is one
// of the worker's open streams. When it breaks, or is asked to end, between two messages, it ends with
// the status of the error table (UNAVAILABLE tells a client that it may ask again, UNAUTHENTICATED that
// its credential is no good any more); inside a message all that is left is to reset the stream.

#include <string>

#include "gateway/open_streams.h"
#include "http/body.h"
#include "http/grpc.h"
#include "rt/frame_cache.h"
#include "rt/race.h"

namespace suoke::filters {

class GrpcStream final : public http::BodyAround, public gateway::OpenStream, public rt::FrameAllocated {
 public:
    GrpcStream(gateway::Exchange& ex, http::Body inner);

    Result<http::Piece> next() override;
    rt::Task<void> wait() override;
    const http::Headers* trailers() const override { return over_ ? &goodbye_ : inner_->trailers(); }

    // gateway::OpenStream
    std::string_view kind() const override { return "grpc"; }
    gateway::StreamFacts facts() const override;
    // A message that takes StreamEnd::kPatience longer is broken off, and the stream reset.
    void end_gracefully(TimePoint when, gateway::EndReason why) override;

 private:
    http::Piece pass(http::Piece piece);
    http::Piece say_goodbye(const Error& error);
    bool between_messages() const { return readable_ && frames_.between(); }
    bool asked_to_end() const { return end_.has_come(loop_.now()); }

    gateway::Exchange& ex_;
    rt::Loop& loop_;
    http::GrpcFrames frames_;
    bool readable_ = true;          // the upstream's messages are framed as they should be
    bool begun_ = false;            // the head is on its way
    bool over_ = false;
    gateway::StreamEnd end_;
    TimePoint active_;
    std::string status_, message_;
    http::Headers goodbye_;         // points into them
    rt::Within<void>* waiting_ = nullptr;
};

}  // namespace suoke::filters
