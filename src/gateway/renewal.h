// SPDX-License-Identifier: MIT
#pragma once
// A newer token for a stream that is open, shown in the stream itself, so that it need not end with the token it
// was opened with:
//
//   {"type":"auth","token":"eyJ..."}
//   {"type":"auth","data":{"token":"eyJ..."},"id":"7","channel":"c"}      as older clients say it

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "auth/identity.h"
#include "base/error.h"
#include "base/time.h"
#include "config/config.h"
#include "gateway/exchange.h"
#include "gateway/token_places.h"
#include "rt/task.h"

namespace suoke::gateway {

// What the newer token may be; neither: nothing can be renewed. Who came by another way has nothing to renew either.
using RenewalRules = TokenKinds;
// Of routes that say auth.renew_in_band; none of others.
RenewalRules renewal_rules(const config::Config& config, const config::Route& route);

// By the first bytes of a message, or all of it: "type":"auth" may be in it. Costs next to nothing.
bool may_be_renewal(std::string_view beginning);
// The token that a message shows; empty: it shows none. Nothing: it is another message, and no business of ours.
std::optional<std::string> renewal_in(std::string_view message);

// Who a token says somebody is who has come as `ex.who`. It is as good as it would have to be in a request now: verified,
// not revoked, with all that the route wants. Code::conflict: it is somebody else's.
rt::Task<Result<auth::IdentityPtr>> judge_renewal(Exchange& ex, const RenewalRules& rules, std::string token);

// How often: five times at once, and then every five seconds.
class RenewalAttempts {
 public:
    bool take(TimePoint now) {
        due_ = std::max(due_, now) + kEvery;
        return due_ - now <= kAtOnce * kEvery;
    }

 private:
    static constexpr Duration kEvery = std::chrono::seconds(5);
    static constexpr int kAtOnce = 5;
    TimePoint due_{};
};

}  // namespace suoke::gateway
