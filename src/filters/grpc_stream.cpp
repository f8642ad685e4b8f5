// SPDX-License-Identifier: MIT
#include "filters/grpc_stream.h"

#include <limits>

#include "gateway/replies.h"
#include "gateway/worker.h"

namespace suoke::filters {

using http::GrpcFrames;
using http::Piece;

GrpcStream::GrpcStream(gateway::Exchange& ex, http::Body inner)
    : BodyAround(std::move(inner)),
      OpenStream(ex),
      ex_(ex),
      loop_(ex.worker.loop()),
      frames_(std::numeric_limits<std::uint32_t>::max()),
      active_(loop_.now()) {
    ex_.worker.streams().opened(*this);
}

Result<Piece> GrpcStream::next() {
    if (over_) return Piece{{}, Piece::end};
    if (asked_to_end()) {
        Error ending = end_.error("the gateway ends this stream; ask again");
        if (between_messages()) return say_goodbye(ending);
        if (end_.is_overdue(loop_.now())) return ending;
    }
    Result<Piece> piece = inner_->next();
    if (piece) return pass(*piece);
    if (begun_ && between_messages()) return say_goodbye(piece.error());
    return piece;
}

Piece GrpcStream::pass(Piece piece) {
    begun_ = true;
    if (!piece.bytes.empty()) active_ = loop_.now();
    std::string_view left = piece.bytes;
    while (readable_) {
        Result<GrpcFrames::Step> step = frames_.next(left);
        readable_ = static_cast<bool>(step);
        if (!readable_ || step->kind == GrpcFrames::Step::more) break;
        bool ends_here = step->kind == GrpcFrames::Step::end && asked_to_end() && piece.state != Piece::end;
        if (ends_here) return {piece.bytes.substr(0, piece.bytes.size() - left.size()), Piece::more};
    }
    if (piece.state == Piece::end && inner_->trailers()) {
        if (auto told = http::grpc_status(*inner_->trailers())) ex_.grpc_status = told;
    }
    return piece;
}

Piece GrpcStream::say_goodbye(const Error& error) {
    over_ = true;
    ex_.failure = error.code;
    ex_.grpc_status = row(error.code).grpc;
    status_ = std::to_string(row(error.code).grpc);
    message_ = http::encode_grpc_message(gateway::grpc_message(ex_, error));
    goodbye_.add("grpc-status", status_);
    goodbye_.add("grpc-message", message_);
    return {{}, Piece::end};
}

rt::Task<void> GrpcStream::wait() {
    struct Waiting {
        GrpcStream& stream;
        ~Waiting() { stream.waiting_ = nullptr; }
    } waiting{*this};
    rt::Within<void> turn(loop_, inner_->wait(), end_.next(loop_.now()));
    waiting_ = &turn;
    co_await turn;
}

void GrpcStream::end_gracefully(TimePoint when, gateway::EndReason why) {
    if (end_.ask(when, why) && waiting_) waiting_->move_deadline(end_.at());
}

gateway::StreamFacts GrpcStream::facts() const {
    gateway::StreamFacts facts;
    facts.quiet = loop_.now() - active_;
    facts.bytes = inner_->received() + ex_.request_bytes();
    return facts;
}

}  // namespace suoke::filters
