// SPDX-License-Identifier: MIT
#pragma once
// When a request may be sent once more, and how long to wait before. Safe by default: only what nobody
// has seen, or what may be repeated (RFC 9110 §9.2.2), to another endpoint, within a budget.

#include <bitset>

#include "base/random.h"
#include "config/config.h"
#include "http/message.h"

namespace suoke::gateway {

struct RetryRules {
    std::uint32_t attempts = 1;          // endpoints asked, in all; 1: no retries
    std::bitset<200> statuses;           // from 400 on: answers that are failures
    config::Backoff backoff = config::Backoff::exponential;
    Duration initial_delay{}, max_delay{};
    std::uint32_t multiplier = 2;
    bool jitter = true;
    Duration per_try{};                  // zero: none
    double budget = 0.2;
    std::uint64_t max_body = 0;
    bool same_endpoint = false;

    bool is_failure(int status) const { return status >= 400 && status < 600 && statuses[static_cast<std::size_t>(status - 400)]; }
};

RetryRules retry_rules(const config::Retry& from);
// Before attempt 2, 3 ...; drawn between zero and what has grown so far (full jitter).
Duration retry_delay(const RetryRules& rules, std::uint32_t attempt, Random& random);
// Says its method, or the client with an Idempotency-Key.
bool may_be_repeated(const http::RequestHead& head);
// Retry-After in seconds (RFC 9110 §10.2.3); nothing when there is none. A date is not read: zero.
std::optional<Duration> retry_after_of(const http::Headers& headers);

}  // namespace suoke::gateway
