// SPDX-License-Identifier: MIT
#pragma once
// What an HTTP/2 client may make us do for nothing. Each frame that asks for work without being part
// of a message costs one; real traffic and time earn some back (RFC 9113 §10.5). Whoever spends all
// of it is told ENHANCE_YOUR_CALM.

#include <algorithm>
#include <cstdint>

#include "base/time.h"

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

}  // namespace suoke::http::h2
