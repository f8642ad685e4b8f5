// SPDX-License-Identifier: MIT
#pragma once
// The body of an HTTP/2 message (RFC 9113 §8.1), for both sides: its session puts DATA in, whoever
// forwards it pulls. What nobody has pulled yet is bounded by the stream's flow-control window,
// because the window opens again only for what has been given out.

#include <boost/container/small_vector.hpp>
#include <optional>

#include "base/time.h"
#include "http/body.h"
#include "http/h2_fields.h"
#include "http/h2_wait.h"
#include "http/message.h"
#include "rt/buffer.h"

namespace suoke::http {

class H2Body final : public BodySource {
 public:
    // The session's stream, as its body sees it.
    class Owner {
     public:
        virtual void body_taken(std::size_t bytes) = 0;  // given out: the window may open by as much
        virtual rt::Loop& body_loop() = 0;

     protected:
        ~Owner() = default;
    };
    struct Rules {
        Code truncated, timed_out;   // what faults are called on this side
        Duration idle;               // longest silence
        std::uint64_t min_rate = 0;  // bytes per second of waiting, after one `idle`; 0 = any
        TimePoint deadline = kNever; // of the whole exchange: Code::deadline_exceeded
    };
    H2Body(Owner& owner, rt::BufferPool& buffers, const Framing& framing, const Rules& rules)
        : owner_(owner), buffers_(buffers), framing_(framing), rules_(rules) {}

    Result<Piece> next() override;
    rt::Task<void> wait() override;
    std::optional<std::uint64_t> remaining() const override;
    std::uint64_t received() const override { return received_; }
    const Headers* trailers() const override;

    // ---- the session's side; none of these runs anything
    // False: more than Content-Length, or the head, promised (RFC 9113 §8.1.1).
    bool put(std::string_view bytes);
    // The stream has ended. False: less than Content-Length promised.
    bool end();
    void fail(Error error) { failure_ = std::move(error); }
    // The fields after the body are collected here, then `end()` follows.
    h2::FieldBlock& begin_trailers(const h1::Limits& limits);
    h2::FieldBlock* trailer_block() { return trailers_ ? &*trailers_ : nullptr; }
    // A tunnel's bytes stay here until the other side has agreed to it.
    void hold() { held_ = true; }
    void let_go() { held_ = false; }
    bool ended() const { return ended_; }
    std::size_t buffered() const { return buffered_; }
    h2::Wait*& waiter() { return waiter_; }

 private:
    rt::Buffer& room_for_more();

    Owner& owner_;
    rt::BufferPool& buffers_;
    Framing framing_;
    Rules rules_;
    boost::container::small_vector<rt::Buffer, 2> chunks_;  // bytes that were not given out
    std::size_t given_ = 0;       // of the first chunk, valid until the next call
    std::size_t buffered_ = 0;
    std::uint64_t arrived_ = 0;
    std::uint64_t received_ = 0;
    Duration waited_{};
    h2::Wait* waiter_ = nullptr;
    std::optional<h2::FieldBlock> trailers_;
    std::optional<Error> failure_;
    bool ended_ = false;
    bool held_ = false;
};

}  // namespace suoke::http
