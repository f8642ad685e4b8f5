// SPDX-License-Identifier: MIT
#include "gateway/retry.h"

#include <algorithm>

#include "base/text.h"

namespace suoke::gateway {

RetryRules retry_rules(const config::Retry& from) {
    RetryRules rules;
    rules.attempts = from.enabled ? std::max(1U, from.max_attempts) : 1;
    for (std::uint16_t status : from.statuses)
        if (status >= 400 && status < 600) rules.statuses.set(status - 400U);
    rules.backoff = from.backoff;
    rules.initial_delay = from.initial_delay;
    rules.max_delay = from.max_delay;
    rules.multiplier = from.multiplier;
    rules.jitter = from.jitter;
    rules.per_try = from.per_try_timeout;
    rules.budget = from.budget_percent / 100.0;
    rules.max_body = from.max_body;
    rules.same_endpoint = from.same_endpoint;
    return rules;
}

Duration retry_delay(const RetryRules& rules, std::uint32_t attempt, Random& random) {
    Duration delay = rules.initial_delay;
    for (std::uint32_t i = 2; i < attempt && delay < rules.max_delay; ++i) {
        if (rules.backoff == config::Backoff::exponential) delay *= rules.multiplier;
        if (rules.backoff == config::Backoff::linear) delay += rules.initial_delay;
    }
    delay = std::min(delay, rules.max_delay);
    if (!rules.jitter || delay <= Duration::zero()) return delay;
    return Duration(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(delay.count()) + 1)));
}

bool may_be_repeated(const http::RequestHead& head) {
    return http::is_idempotent(head.method) || head.headers.has(http::HeaderId::idempotency_key);
}

std::optional<Duration> retry_after_of(const http::Headers& headers) {
    const std::string_view* text = headers.find(http::HeaderId::retry_after);
    if (!text) return std::nullopt;
    auto whole = parse_u64(*text);
    if (!whole) return Duration::zero();
    return std::chrono::seconds(std::min<std::uint64_t>(*whole, 86'400));
}

}  // namespace suoke::gateway
