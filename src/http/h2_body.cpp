// SPDX-License-Identifier: MIT
#include "http/h2_body.h"

#include <algorithm>

namespace suoke::http {

constexpr std::uint64_t kSmallBody = 16 * 1024;
constexpr std::uint64_t kLargeChunk = 64 * 1024;  // once it proves to be a large one

Result<Piece> H2Body::next() {
    if (given_ > 0) {
        chunks_.front().drop(given_);
        given_ = 0;
        if (chunks_.front().empty()) chunks_.erase(chunks_.begin());
    }
    if (failure_) return *failure_;
    if (held_) return Piece{{}, Piece::wait};
    if (chunks_.empty()) return Piece{{}, ended_ ? Piece::end : Piece::wait};
    std::string_view bytes = chunks_.front().bytes();
    given_ = bytes.size();
    buffered_ -= bytes.size();
    received_ += bytes.size();
    owner_.body_taken(bytes.size());
    bool last = ended_ && chunks_.size() == 1;
    return Piece{bytes, last ? Piece::end : Piece::more};
}

rt::Task<void> H2Body::wait() {
    bool here = failure_ || (!held_ && (ended_ || buffered_ > 0));
    if (here) co_return;
    rt::Loop& loop = owner_.body_loop();
    TimePoint began = loop.now();
    TimePoint deadline = std::min(rules_.deadline, deadline_after(began, rules_.idle));
    if (rules_.min_rate > 0) {
        // Only waiting counts against the peer: while we are the slow side, its clock stands still.
        auto earned = std::chrono::nanoseconds(received_ * 1'000'000'000ull / rules_.min_rate);
        deadline = std::min(deadline, began + rules_.idle + earned - waited_);
    }
    bool tunnel = framing_.kind == Framing::until_close;
    if (tunnel) deadline = rules_.deadline;  // silence is nothing unusual there
    rt::Wake woken = co_await h2::Wait(loop, waiter_, deadline);
    waited_ += loop.now() - began;
    if (woken == rt::Wake::ready) co_return;
    bool total = loop.now() >= rules_.deadline;
    fail(Error(total ? Code::deadline_exceeded : rules_.timed_out, total ? "" : "no bytes in time"));
}

std::optional<std::uint64_t> H2Body::remaining() const {
    if (framing_.kind == Framing::length) return framing_.size - received_;
    return std::nullopt;
}

const Headers* H2Body::trailers() const {
    if (!ended_ || !trailers_ || trailers_->fields().empty()) return nullptr;
    return &trailers_->fields();
}

bool H2Body::put(std::string_view bytes) {
    arrived_ += bytes.size();
    if (framing_.kind == Framing::none || (framing_.kind == Framing::length && arrived_ > framing_.size)) return false;
    buffered_ += bytes.size();
    while (!bytes.empty()) {
        rt::Buffer& chunk = room_for_more();
        std::size_t n = std::min(bytes.size(), chunk.room().size());
        chunk.append(bytes.substr(0, n));
        bytes.remove_prefix(n);
    }
    return true;
}

// Appending moves nothing: what has been given out of the same chunk stays valid.
rt::Buffer& H2Body::room_for_more() {
    if (!chunks_.empty() && !chunks_.back().room().empty()) return chunks_.back();
    bool sized = framing_.kind == Framing::length && framing_.size <= kSmallBody;
    std::uint64_t wanted = sized ? framing_.size : kSmallBody;
    if (arrived_ > 4 * kSmallBody) wanted = kLargeChunk;
    chunks_.push_back(buffers_.lease_for(wanted));
    return chunks_.back();
}

bool H2Body::end() {
    ended_ = true;
    return framing_.kind != Framing::length || arrived_ == framing_.size;
}

h2::FieldBlock& H2Body::begin_trailers(const h1::Limits& limits) {
    return trailers_.emplace(buffers_, h2::FieldBlock::trailers, limits);
}

}  // namespace suoke::http
