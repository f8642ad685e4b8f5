// SPDX-License-Identifier: MIT
#include "http/h1_body.h"

#include <algorithm>

namespace suoke::http {

constexpr std::size_t kWorthReading = 1024;       // less room is not worth a system call
constexpr std::uint64_t kFirstBlock = 16 * 1024;  // for bodies of unknown length
constexpr std::uint64_t kBulkBlock = 128 * 1024;  // once they prove to be large

H1Body::H1Body(rt::Stream& stream, rt::BufferPool& buffers, rt::Buffer head, Framing framing,
               const Rules& rules)
    : stream_(stream),
      buffers_(buffers),
      head_(std::move(head)),
      framing_(framing),
      left_(framing.kind == Framing::length ? framing.size : 0),
      chunks_(rules.malformed),
      rules_(rules) {
    finished_ = framing.kind == Framing::none || (framing.kind == Framing::length && left_ == 0);
}

Result<Piece> H1Body::next() {
    if (failure_) return *failure_;
    if (finished_) return Piece{{}, Piece::end};
    switch (framing_.kind) {
        case Framing::length: return next_of_length();
        case Framing::chunked: return next_chunk();
        default: return next_until_close();
    }
}

Result<Piece> H1Body::next_of_length() {
    if (active().empty()) {
        Fill filled = fill();
        if (filled == Fill::blocked) return Piece{{}, Piece::wait};
        if (filled != Fill::got) return fail(rules_.truncated, "the connection ended inside the body");
    }
    std::string_view bytes = active().bytes();
    bytes = bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size()));
    left_ -= bytes.size();
    active().drop(bytes.size());
    return give(bytes, left_ == 0);
}

Result<Piece> H1Body::next_chunk() {
    for (;;) {
        auto step = chunks_.next(active().bytes());
        if (!step) return fail(step.error().code, step.error().detail.c_str());
        active().drop(step->consumed);
        if (step->end || !step->data.empty()) return give(step->data, step->end);
        if (step->consumed > 0 && !active().empty()) continue;
        Fill filled = fill();
        if (filled == Fill::blocked) return Piece{{}, Piece::wait};
        if (filled != Fill::got) return fail(rules_.truncated, "the connection ended inside a chunked body");
    }
}

Result<Piece> H1Body::next_until_close() {
    if (active().empty()) {
        Fill filled = fill();
        if (filled == Fill::blocked) return Piece{{}, Piece::wait};
        if (filled == Fill::broken) return fail(rules_.truncated, "the connection was reset inside the body");
        if (filled == Fill::ended) return give({}, true);
    }
    std::string_view bytes = active().bytes();
    active().drop(bytes.size());
    return give(bytes, false);
}

Result<Piece> H1Body::give(std::string_view bytes, bool end) {
    received_ += bytes.size();
    finished_ = end;
    return Piece{bytes, end ? Piece::end : Piece::more};
}

Error H1Body::fail(Code code, const char* detail) {
    failure_.emplace(code, detail);
    return *failure_;
}

// What was read is used up, but for an incomplete piece of chunk framing: find room behind it.
void H1Body::make_room() {
    bool sized = framing_.kind == Framing::length;
    if (!bulk_) {
        std::size_t room = head_.room().size();
        bool fits = sized ? left_ <= room : room >= kWorthReading && !filled_up_;
        if (!fits) lease_bulk(sized ? left_ : kFirstBlock);
    } else if (filled_up_ && !sized) {
        lease_bulk(kBulkBlock);
    } else {
        bulk_.compact();
    }
}

void H1Body::lease_bulk(std::uint64_t bytes) {
    if (bulk_ && bulk_.capacity() >= bytes) return bulk_.compact();
    rt::Buffer larger = buffers_.lease_for(bytes);
    larger.append(active().bytes());
    bulk_ = std::move(larger);
}

H1Body::Fill H1Body::fill() {
    if (!stream_.maybe_readable()) return Fill::blocked;
    make_room();
    std::span<char> room = active().room();
    rt::Io got = stream_.read(room);
    if (got.blocked()) return Fill::blocked;
    if (got.failed()) return got.ended() ? Fill::ended : Fill::broken;
    active().filled(got.bytes);
    filled_up_ = got.bytes == room.size();
    return Fill::got;
}

// Streams that last mostly wait: what holds no bytes then is given back.
void H1Body::release_idle() {
    if (!active().empty()) return;
    if (head_forgotten_) head_.release();
    if (head_forgotten_ || framing_.kind == Framing::until_close) bulk_.release();
}

rt::Task<void> H1Body::wait() {
    release_idle();
    rt::Loop& loop = stream_.loop();
    TimePoint began = loop.now();
    TimePoint deadline = std::min(rules_.deadline, deadline_after(began, rules_.idle));
    if (rules_.min_rate > 0) {
        // Only waiting counts against the peer: while we are the slow side, its clock stands still.
        auto earned = std::chrono::nanoseconds(received_ * 1'000'000'000ull / rules_.min_rate);
        deadline = std::min(deadline, began + rules_.idle + earned - waited_);
    }
    rt::Wake woken = co_await stream_.readable(deadline);
    waited_ += loop.now() - began;
    if (woken == rt::Wake::ready || loop.now() < deadline) co_return;
    bool total = loop.now() >= rules_.deadline;
    fail(total ? Code::deadline_exceeded : rules_.timed_out, total ? "" : "no bytes in time");
}

std::optional<std::uint64_t> H1Body::remaining() const {
    if (framing_.kind == Framing::length) return left_;
    if (framing_.kind == Framing::none) return 0;
    return std::nullopt;
}

const Headers* H1Body::trailers() const {
    if (framing_.kind != Framing::chunked || !finished_ || chunks_.trailers().empty()) return nullptr;
    return &chunks_.trailers();
}

}  // namespace suoke::http
