// SPDX-License-Identifier: MIT
#pragma once
// What an HTTP/2 peer may make us do for nothing (RFC 9113 §10.5). Whoever goes beyond it is told
// ENHANCE_YOUR_CALM.

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstdint>

#include "base/time.h"
#include "http/h2_frames.h"

namespace suoke::http::h2 {

class Allowance {
 public:
    // `most` at the beginning and at any time; `per_second` comes back with time.
    Allowance(double most, double per_second) : left_(most), most_(most), per_second_(per_second) {}

    // False: there was none left.
    bool spend(TimePoint now) {
        if (now > last_) left_ = std::min(most_, left_ + seconds(now - last_) * per_second_);
        last_ = now;
        left_ -= 1;
        return left_ >= 0;
    }
    void earn(double amount) { left_ = std::min(most_, left_ + amount); }

 private:
    double left_, most_, per_second_;
    TimePoint last_{};
};

// Sees every frame before it is at work. One that asks for work without being part of a message costs
// something; real traffic and time earn it back.
class FrameGate {
 public:
    bool allows(const FrameHead& head, TimePoint now) {
        switch (head.type) {
            case NGHTTP2_DATA: {
                bool empty = head.size == 0 && !(head.flags & NGHTTP2_FLAG_END_STREAM);
                if (empty) return chores_.spend(now);
                chores_.earn(1);
                return true;
            }
            case NGHTTP2_HEADERS: block_frames_ = 0; return true;
            case NGHTTP2_CONTINUATION: return ++block_frames_ <= kMostContinuations && chores_.spend(now);
            default: return chores_.spend(now);
        }
    }
    // A message got on.
    void earn() { chores_.earn(10); }

 private:
    static constexpr std::uint32_t kMostContinuations = 16;
    Allowance chores_{2000, 200};
    std::uint32_t block_frames_ = 0;
};

}  // namespace suoke::http::h2
