// SPDX-License-Identifier: MIT
#pragma once
// Inflation of one direction of a WebSocket (RFC 7692 §7.2.2) to look at what comes out, not to keep
// it: one small buffer, and the window that was settled.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

struct z_stream_s;

namespace suoke::http::ws {

class Inflater {
 public:
    explicit Inflater(unsigned window_bits);
    ~Inflater();
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    void begin_message(bool forget_context);
    // Then take() until it gives nothing.
    void give(std::string_view compressed);
    // The next piece of what comes out, valid until the next call; empty: all was taken. Nothing at
    // all when the data is no DEFLATE.
    std::optional<std::string_view> take();
    std::uint64_t total() const { return total_; }  // that came out of this message
    // Behind the four bytes that end every message: it ended at the border of a block.
    bool complete() const;

 private:
    bool begin_next_stream();

    std::unique_ptr<z_stream_s> z_;
    std::uint64_t total_ = 0;
    int streams_ = 0;   // that ended inside of this message
    bool good_ = true;  // memory was there
    std::array<char, 4096> out_;
};

}  // namespace suoke::http::ws
