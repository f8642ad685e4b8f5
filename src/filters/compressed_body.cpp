// SPDX-License-Identifier: MIT
#include "filters/compressed_body.h"

#include <algorithm>

#include "rt/pause.h"

namespace suoke::filters {

using http::Piece;

// ---- Peeked

// The first piece is kept as a view: it holds until the source is asked again.
Peeked::Peeked(http::Body inner, std::size_t enough) : BodyAround(std::move(inner)) {
    for (bool first = true;; first = false) {
        Result<Piece> piece = inner_->next();
        if (!piece) {
            failure_ = piece.error();
            return;
        }
        state_ = piece->state;
        std::size_t size = gathered_.size() + piece->bytes.size();
        bool last = state_ != Piece::more || size >= enough;
        if (first && last) view_ = piece->bytes;
        else gathered_ += piece->bytes;
        if (last) return;
    }
}

Result<Piece> Peeked::next() {
    if (told_) {
        std::string().swap(gathered_);
        if (failure_) return *failure_;
        return inner_->next();
    }
    told_ = true;
    if (failure_ && bytes().empty()) return *failure_;
    bool waits = state_ == Piece::wait && !failure_;
    if (waits && bytes().empty()) return Piece{{}, Piece::wait};
    return Piece{bytes(), is_all() ? Piece::end : Piece::more};
}

std::optional<std::uint64_t> Peeked::remaining() const {
    std::size_t here = told_ ? 0 : bytes().size();
    if (is_all()) return trailers() ? std::nullopt : std::optional<std::uint64_t>(here);
    auto rest = inner_->remaining();
    return rest ? std::optional<std::uint64_t>(*rest + here) : std::nullopt;
}

// ---- as a whole

std::optional<rt::Buffer> compress_whole(std::string_view bytes, http::Encoder& encoder, rt::BufferPool& buffers) {
    rt::Buffer out = buffers.lease_for(bytes.size());
    std::span<char> room = out.room();
    auto step = encoder.step(bytes, room.first(std::min(room.size(), bytes.size())), http::Encoder::Then::end);
    if (!step || !step->done) return std::nullopt;
    out.filled(step->made);
    return out;
}

// ---- as a stream

// At a few hundred MB a second a bite takes less than a millisecond, even with slow levels; a turn is what
// one body may take of the worker before the others have theirs.
constexpr std::size_t kBite = 32 * 1024;
constexpr std::size_t kTurn = 256 * 1024;

bool CompressedBody::had_its_turn() const { return turn_ >= kTurn; }

Result<Piece> CompressedBody::next() {
    if (!out_) out_ = buffers_.lease(rt::BufferPool::medium);
    out_.clear();
    for (;;) {
        bool full = out_.room().empty();
        bool flushed = waits_ && !busy_;
        if (over_) return Piece{out_.bytes(), Piece::end};
        if ((full || flushed || had_its_turn()) && !out_.empty()) return Piece{out_.bytes(), Piece::more};
        if (flushed || had_its_turn()) {
            out_.release();
            waits_ = false;   // whoever asks without waiting shall hear what is new
            return Piece{{}, Piece::wait};
        }
        Result<void> went = busy_ ? encode() : ask();
        if (!went) return went.error();
    }
}

// What the source has, and what is to be done with it.
Result<void> CompressedBody::ask() {
    Result<Piece> piece = inner_->next();
    if (!piece) return piece.error();
    input_ = piece->bytes;
    unflushed_ |= !input_.empty();
    waits_ = piece->state == Piece::wait;
    then_ = piece->state == Piece::end ? Then::end : waits_ && unflushed_ ? Then::flush : Then::more;
    busy_ = !input_.empty() || then_ != Then::more;
    return {};
}

Result<void> CompressedBody::encode() {
    std::string_view bite = input_.substr(0, kBite);
    bool last = bite.size() == input_.size();
    auto step = encoder_->step(bite, out_.room(), last ? then_ : Then::more);
    if (!step) return Error(Code::internal, "the body could not be compressed");
    out_.filled(step->made);
    input_.remove_prefix(step->taken);
    turn_ += step->taken;
    if (!step->done || !last) return {};
    busy_ = false;
    if (then_ == Then::flush) unflushed_ = false;
    if (then_ != Then::end) return {};
    over_ = true;
    encoder_.reset();
    return {};
}

rt::Task<void> CompressedBody::wait() {
    bool rests = had_its_turn();
    turn_ = 0;
    return rests ? let_others_go() : inner_->wait();
}

rt::Task<void> CompressedBody::let_others_go() {
    rt::Aside aside(loop_);
    co_await aside;
}

}  // namespace suoke::filters
