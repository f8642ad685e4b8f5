// SPDX-License-Identifier: MIT
#pragma once
// How many retries a service may be asked to bear: a share of its requests of late, so that a failing
// one gets little more traffic than before. One per worker and service; the share holds for the sum.

#include <algorithm>

#include "balance/window.h"

namespace suoke::balance {

class RetryBudget {
 public:
    static constexpr Duration kSpan = std::chrono::seconds(10);
    // So that a service with few requests may still be asked twice.
    static constexpr double kFloor = 5;

    void request(TimePoint now) { window_.add(now, kSpan, false); }
    // True, and counted, when there is one left.
    bool retry(TimePoint now, double share) {
        Window::Sum sum = retries_.sum(now, kSpan), requests = window_.sum(now, kSpan);
        if (share <= 0 || sum.all + 1 > std::max(kFloor, share * requests.all)) return false;
        retries_.add(now, kSpan, false);
        return true;
    }

 private:
    Window window_, retries_;
};

}  // namespace suoke::balance
