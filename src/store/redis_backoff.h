// SPDX-License-Identifier: MIT
#pragma once
// How long to wait before the next attempt: anything up to a bound that doubles ("full jitter"), so that
// many gateways whose Redis came back do not all arrive in the same moment.

#include <algorithm>

#include "base/random.h"
#include "base/time.h"

namespace suoke::store {

class RedisBackoff {
 public:
    RedisBackoff(Random random, Duration most) : random_(random), most_(std::max(most, kLeast)) {}

    Duration next() {
        bound_ = std::min(std::max(bound_ * 2, kLeast), most_);
        return Duration(static_cast<Duration::rep>(random_.below(static_cast<std::uint64_t>(bound_.count()) + 1)));
    }
    void reset() { bound_ = Duration::zero(); }

 private:
    static constexpr Duration kLeast = std::chrono::milliseconds(50);  // the first bound
    Random random_;
    Duration most_;
    Duration bound_{};
};

}  // namespace suoke::store
