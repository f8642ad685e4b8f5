// SPDX-License-Identifier: MIT
#pragma once
// Bodies on their way through an encoder (http/encoder.h).

#include <optional>
#include <string>
#include <string_view>

#include "http/body.h"
#include "http/encoder.h"
#include "rt/buffer.h"
#include "rt/frame_cache.h"
#include "rt/loop.h"

namespace suoke::filters {

// A body whose beginning is looked at before anybody sends it. It gives out everything all the same.
class Peeked final : public http::BodyAround, public rt::FrameAllocated {
 public:
    // Until `enough` bytes are here, or the source ends, waits or fails.
    Peeked(http::Body inner, std::size_t enough);

    std::string_view bytes() const { return gathered_.empty() ? view_ : std::string_view(gathered_); }
    bool is_all() const { return !failure_ && state_ == http::Piece::end; }

    Result<http::Piece> next() override;
    std::optional<std::uint64_t> remaining() const override;

 private:
    std::string gathered_;       // where the beginning came in several pieces,
    std::string_view view_;      // and where it is one
    http::Piece::State state_ = http::Piece::more;
    std::optional<Error> failure_;
    bool told_ = false;
};

// A short body, compressed as a whole: its length is known. `inner` has been read to its end.
class CompressedWhole final : public http::BodyAround, public rt::FrameAllocated {
 public:
    CompressedWhole(http::Body inner, rt::Buffer bytes) : BodyAround(std::move(inner)), bytes_(std::move(bytes)) {}
    Result<http::Piece> next() override {
        told_ = true;
        return http::Piece{bytes_.bytes(), http::Piece::end};
    }
    // Trailers can only come behind a body whose length was not told.
    std::optional<std::uint64_t> remaining() const override {
        return trailers() ? std::nullopt : std::optional<std::uint64_t>(told_ ? 0 : bytes_.size());
    }

 private:
    rt::Buffer bytes_;
    bool told_ = false;
};

// Nothing when that does not make them shorter.
std::optional<rt::Buffer> compress_whole(std::string_view bytes, http::Encoder& encoder, rt::BufferPool& buffers);

// A stream: what is ready is compressed together, and flushed when the source has to wait, so nothing
// is held back for long. It is pulled like any other body; one is never ahead of its client by more than
// a buffer of 16 KiB and what the encoder holds.
class CompressedBody final : public http::BodyAround, public rt::FrameAllocated {
 public:
    CompressedBody(http::Body inner, http::EncoderPtr encoder, rt::BufferPool& buffers, rt::Loop& loop)
        : BodyAround(std::move(inner)), encoder_(std::move(encoder)), buffers_(buffers), loop_(loop) {}

    Result<http::Piece> next() override;
    rt::Task<void> wait() override;
    std::optional<std::uint64_t> remaining() const override { return std::nullopt; }

 private:
    using Then = http::Encoder::Then;
    Result<void> ask();
    Result<void> encode();
    bool had_its_turn() const;
    rt::Task<void> let_others_go();

    http::EncoderPtr encoder_;
    rt::BufferPool& buffers_;
    rt::Loop& loop_;
    rt::Buffer out_;
    std::string_view input_;     // of the source's piece, what the encoder has not taken yet
    Then then_ = Then::more;     // what comes after it
    bool busy_ = false;          // there is input, or a flush or an end to be made
    bool unflushed_ = false;     // the encoder may hold something
    bool waits_ = false;         // the source does
    bool over_ = false;
    std::size_t turn_ = 0;       // bytes taken since others could do something
};

}  // namespace suoke::filters
