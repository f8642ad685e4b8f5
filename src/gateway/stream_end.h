// SPDX-License-Identifier: MIT
#pragma once
// When an open stream is to end, and why. Several may ask for it; the earliest counts.

#include <cstdint>

#include "base/error.h"
#include "base/time.h"

namespace suoke::gateway {

enum class EndReason : std::uint8_t {
    leaving,        // the gateway's own: a drain, or another route in its place
    token_expired,  // the credential the stream was opened with ...
    token_revoked,  // ... is no good any more
};

class StreamEnd {
 public:
    // What is under way at the end (an event, a message) may take so much longer.
    static constexpr Duration kPatience = 2s;

    // False, and nothing changes: it ends no later anyway.
    bool ask(TimePoint when, EndReason why) {
        if (when >= at_) return false;
        at_ = when;
        why_ = why;
        return true;
    }
    TimePoint at() const { return at_; }   // kNever: nobody has asked
    EndReason why() const { return why_; }
    bool has_come(TimePoint now) const { return at_ <= now; }
    bool is_overdue(TimePoint now) const { return has_come(now) && now - at_ >= kPatience; }
    // When there is something to do next.
    TimePoint next(TimePoint now) const { return has_come(now) ? at_ + kPatience : at_; }

    // What the client is told; `goodbye` when we are leaving.
    Error error(const char* goodbye) const {
        if (why_ == EndReason::token_expired) return Code::token_expired;
        if (why_ == EndReason::token_revoked) return Code::token_revoked;
        return {Code::draining, goodbye};
    }

 private:
    TimePoint at_ = kNever;
    EndReason why_ = EndReason::leaving;
};

}  // namespace suoke::gateway
