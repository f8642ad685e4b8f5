// SPDX-License-Identifier: MIT
#pragma once
// A request's body that can be sent again: what was given out is kept, up to a limit. Beyond it, it is
// an ordinary stream that can be sent once.

#include <string>
#include <vector>

#include "http/body.h"
#include "rt/buffer.h"

namespace suoke::gateway {

class ReplayBody final : public http::BodySource {
 public:
    ReplayBody(http::BodySource& source, std::uint64_t most, rt::BufferPool& buffers) : source_(source), most_(most), buffers_(buffers) {}

    // Everything it gave out is still there, so the next attempt can have it all.
    bool complete() const { return !lost_; }
    void rewind() { at_ = 0; }
    std::string text() const;   // all it gave out, while it is complete

    Result<http::Piece> next() override;
    rt::Task<void> wait() override { return source_.wait(); }
    std::optional<std::uint64_t> remaining() const override;
    std::uint64_t received() const override { return source_.received(); }
    const http::Headers* trailers() const override { return source_.trailers(); }

 private:
    void keep(std::string_view bytes);

    http::BodySource& source_;
    const std::uint64_t most_;
    rt::BufferPool& buffers_;
    std::vector<rt::Buffer> kept_;
    std::uint64_t size_ = 0;   // of all of it
    std::size_t at_ = 0;       // in `kept_`: what this attempt gets next; at the end, it has had everything
    bool ended_ = false;       // the source has
    bool lost_ = false;
};

}  // namespace suoke::gateway
