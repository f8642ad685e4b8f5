// SPDX-License-Identifier: MIT
#pragma once
// Where one HTTP/2 frame ends and the next one begins (RFC 9113 §4.1). nghttp2 says nothing of some
// frames, like those of unknown types, and of others only once they are at work; whoever wants to
// judge every frame before that cuts the bytes here first.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace suoke::http::h2 {

inline constexpr std::size_t kFrameHeadSize = 9;

struct FrameHead {
    std::uint32_t size = 0;  // of the payload, without this head
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::int32_t stream = 0;

    static FrameHead read(const unsigned char (&b)[kFrameHeadSize]) {
        return {static_cast<std::uint32_t>(b[0]) << 16 | static_cast<std::uint32_t>(b[1]) << 8 | b[2], b[3], b[4],
                static_cast<std::int32_t>(static_cast<std::uint32_t>(b[5] & 0x7F) << 24 |
                                          static_cast<std::uint32_t>(b[6]) << 16 |
                                          static_cast<std::uint32_t>(b[7]) << 8 | b[8])};
    }
};

class FrameCutter {
 public:
    // `preface`: bytes of the connection before its first frame.
    explicit FrameCutter(std::size_t preface = 0) : left_(preface) {}

    // Takes from the front of `bytes` what belongs to one frame. `begins` is set when the frame's
    // head is complete with this part, and not before.
    std::string_view cut(std::string_view& bytes, std::optional<FrameHead>& begins) {
        begins.reset();
        std::size_t taken = 0;
        if (left_ == 0) {
            taken = std::min(kFrameHeadSize - have_, bytes.size());
            std::memcpy(head_ + have_, bytes.data(), taken);
            have_ += taken;
            if (have_ < kFrameHeadSize) return std::exchange(bytes, {});
            have_ = 0;
            begins = FrameHead::read(head_);
            left_ = begins->size;
        }
        std::size_t rest = std::min(left_, bytes.size() - taken);
        left_ -= rest;
        std::string_view part = bytes.substr(0, taken + rest);
        bytes.remove_prefix(part.size());
        return part;
    }

 private:
    std::size_t left_;       // of the payload
    std::size_t have_ = 0;   // of the head
    unsigned char head_[kFrameHeadSize] = {};
};

}  // namespace suoke::http::h2
