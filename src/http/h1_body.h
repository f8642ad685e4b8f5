// SPDX-License-Identifier: MIT
#pragma once
// The body of an HTTP/1.1 message read from a stream (RFC 9112 §6, §7), for both sides.

#include "http/body.h"
#include "http/h1_parser.h"
#include "http/message.h"
#include "rt/buffer.h"
#include "rt/stream.h"

namespace suoke::http {

class H1Body final : public BodySource {
 public:
    // What a fault is called on this side, and how long to wait for bytes.
    struct Rules {
        Code malformed, truncated, timed_out;
        Duration idle;               // longest silence
        std::uint64_t min_rate = 0;  // bytes per second of waiting, after one `idle`; 0 = any
        TimePoint deadline = kNever; // of the whole exchange: Code::deadline_exceeded
    };

    // `head` is the buffer the head was parsed from, positioned after it. Its head bytes stay where
    // they are for as long as this lives.
    H1Body(rt::Stream& stream, rt::BufferPool& buffers, rt::Buffer head, Framing framing, const Rules& rules);

    Result<Piece> next() override;
    rt::Task<void> wait() override;
    std::optional<std::uint64_t> remaining() const override;
    const Headers* trailers() const override;

    void forget_head() override { head_forgotten_ = true; }

    bool finished() const { return finished_; }
    bool failed() const { return failure_.has_value(); }
    std::uint64_t received() const override { return received_; }
    // Bytes beyond the end; the next message begins with them. Only when finished.
    std::string_view rest() const { return active().bytes(); }
    rt::Buffer take_rest() { return std::move(bulk_ ? bulk_ : head_); }

 private:
    enum class Fill { got, blocked, ended, broken };
    Fill fill();
    void make_room();
    void release_idle();
    void lease_bulk(std::uint64_t bytes);
    Result<Piece> next_of_length();
    Result<Piece> next_chunk();
    Result<Piece> next_until_close();
    Result<Piece> give(std::string_view bytes, bool end);
    Error fail(Code code, const char* detail);
    rt::Buffer& active() { return bulk_ ? bulk_ : head_; }
    const rt::Buffer& active() const { return bulk_ ? bulk_ : head_; }

    rt::Stream& stream_;
    rt::BufferPool& buffers_;
    rt::Buffer head_;   // head bytes pinned in front
    rt::Buffer bulk_;   // once the room behind the head does not do
    Framing framing_;
    std::uint64_t left_;
    h1::ChunkedDecoder chunks_;
    Rules rules_;
    Duration waited_{};
    std::uint64_t received_ = 0;
    bool finished_ = false;
    bool head_forgotten_ = false;
    bool filled_up_ = false;  // the last read took all the room: lease a larger block
    std::optional<Error> failure_;
};

}  // namespace suoke::http
