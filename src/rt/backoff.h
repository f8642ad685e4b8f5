// SPDX-License-Identifier: MIT
#pragma once
// How long to wait after a failure: a random part ("full jitter") of a span that doubles each time, so
// that many who failed together do not come back together.
//
//   rt::Backoff backoff(Random(random_.next()), rules);
//   co_await pause for backoff.next();      // after each failure
//   backoff.reset();                        // after a success

#include <algorithm>

#include "base/random.h"
#include "base/time.h"

namespace suoke::rt {

struct BackoffRules {
    Duration first = std::chrono::seconds(1);         // the span after the first failure
    Duration most = std::chrono::seconds(30);
    Duration least = std::chrono::milliseconds(100);  // of any wait: never a busy loop
};

class Backoff {
 public:
    Backoff(Random random, const BackoffRules& rules) : random_(random), rules_(rules), span_(rules.first) {}

    Duration next() {
        auto wait = Duration(static_cast<Duration::rep>(static_cast<double>(span_.count()) * random_.unit()));
        span_ = std::min(span_ * 2, rules_.most);
        return std::max(wait, rules_.least);
    }
    void reset() { span_ = rules_.first; }

 private:
    Random random_;
    const BackoffRules rules_;
    Duration span_;
};

// A little longer than `d`, for the same reason.
inline Duration with_jitter(Random& random, Duration d, double part) {
    return d + Duration(static_cast<Duration::rep>(static_cast<double>(d.count()) * part * random.unit()));
}

}  // namespace suoke::rt
