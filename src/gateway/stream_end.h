// SPDX-License-Identifier: MIT
#pragma once
// When an open stream is to end, and why. Several may ask for it; the earliest counts. Only the end that its
// credential brings can be put off, by a newer credential.

#include <algorithm>
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
        bool is_earlier = when < at();
        if (why == EndReason::token_expired) {
            expiry_ = std::min(expiry_, when);
        } else if (when < asked_) {
            asked_ = when;
            why_ = why;
        }
        return is_earlier;
    }
    // A newer credential expires then. What else has asked for the end stays.
    void renew(TimePoint expiry) { expiry_ = expiry; }
    TimePoint at() const { return std::min(asked_, expiry_); }   // kNever: nobody has asked
    EndReason why() const { return expiry_ < asked_ ? EndReason::token_expired : why_; }
    bool has_come(TimePoint now) const { return at() <= now; }
    bool is_overdue(TimePoint now) const { return has_come(now) && now - at() >= kPatience; }
    // When there is something to do next.
    TimePoint next(TimePoint now) const { return has_come(now) ? at() + kPatience : at(); }

    // What the client is told; `goodbye` when we are leaving.
    Error error(const char* goodbye) const {
        if (why() == EndReason::token_expired) return Code::token_expired;
        if (why() == EndReason::token_revoked) return Code::token_revoked;
        return {Code::draining, goodbye};
    }

 private:
    TimePoint expiry_ = kNever;            // of the credential
    TimePoint asked_ = kNever;             // by everybody else ...
    EndReason why_ = EndReason::leaving;   // ... and why
};

}  // namespace suoke::gateway
