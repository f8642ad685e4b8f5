// SPDX-License-Identifier: MIT
#pragma once
// A body is a pull source: whoever sends it asks for the next piece when there is room for it, so
// back-pressure needs no code. A filter wraps a source by transforming `next`.
//
//   for (;;) {
//       Result<Piece> piece = body.next();
//       if (!piece) co_return piece.error();
//       if (piece->state == Piece::wait) { co_await body.wait(); continue; }
//       use(piece->bytes);
//       if (piece->state == Piece::end) break;            // then body.trailers()
//   }

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/headers.h"
#include "rt/task.h"

namespace suoke::http {

struct Piece {
    enum State : std::uint8_t { more, wait, end };
    std::string_view bytes;  // valid until next() or wait() is called on the source
    State state = more;      // `wait`: nothing is here yet; `end`: these are the last bytes (maybe none)
};

class BodySource {
 public:
    virtual ~BodySource() = default;

    // What is here now, without waiting. After `end` it must not be called again.
    virtual Result<Piece> next() = 0;
    // Returns when next() may say something new: bytes, the end, or an error.
    virtual rt::Task<void> wait() = 0;
    // Bytes that have not been given out yet, when known beforehand (Content-Length).
    virtual std::optional<std::uint64_t> remaining() const { return std::nullopt; }
    // Bytes given out so far.
    virtual std::uint64_t received() const { return 0; }
    // Nobody looks any more at the head this body came with: what held it may go. Wrappers pass it on.
    virtual void forget_head() {}
    // Fields after the body (RFC 9112 §7.1.2); valid once `end` was given, until destruction.
    virtual const Headers* trailers() const { return nullptr; }
};

using Body = std::unique_ptr<BodySource>;  // null = no body

// A body around another one, which is not null: every call is passed on until it is overridden.
class BodyAround : public BodySource {
 public:
    explicit BodyAround(Body inner) : inner_(std::move(inner)) {}
    Result<Piece> next() override { return inner_->next(); }
    rt::Task<void> wait() override { return inner_->wait(); }
    std::optional<std::uint64_t> remaining() const override { return inner_->remaining(); }
    std::uint64_t received() const override { return inner_->received(); }
    void forget_head() override { inner_->forget_head(); }
    const Headers* trailers() const override { return inner_->trailers(); }

 protected:
    Body inner_;
};

// A body that is already in memory.
class TextBody final : public BodySource {
 public:
    explicit TextBody(std::string text) : text_(std::move(text)) {}
    Result<Piece> next() override { return Piece{text_, Piece::end}; }
    rt::Task<void> wait() override { co_return; }
    std::optional<std::uint64_t> remaining() const override { return text_.size(); }

 private:
    std::string text_;
};

}  // namespace suoke::http
