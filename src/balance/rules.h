// SPDX-License-Identifier: MIT
#pragma once
// What the operator decided about a service, as plain values; compiled from the configuration.

#include <cstdint>
#include <string>

#include "base/time.h"

namespace suoke::balance {

enum class Strategy : std::uint8_t { round_robin, least_connections, random, two_choices, consistent_hash };

// What requests with the same of go to the same endpoint.
struct HashBy {
    enum Of : std::uint8_t { client_ip, header, cookie, query, path, subject };
    Of of = client_ip;
    std::string name;  // of the header, cookie or parameter
    bool operator==(const HashBy&) const = default;
};

// Closed: all pass. Open: none, for `open_for`. Then half-open: a few pass to see.
struct BreakerRules {
    bool enabled = false;
    std::uint32_t consecutive_failures = 5;  // open it; 0: not counted
    double error_rate = 0;                   // opens it, of at least `minimum_requests` in `window`; 0: not counted
    std::uint32_t minimum_requests = 20;
    Duration window = std::chrono::seconds(10);
    Duration open_for = std::chrono::seconds(30);
    std::uint32_t probes = 3;                // at once, while half-open
    std::uint32_t successes = 3;             // close it again
    Duration slow_call{};                    // an answer that took longer is a failure; zero: any
    bool operator==(const BreakerRules&) const = default;
};

// What makes traffic avoid an endpoint for a while. Shares are of the service's endpoints.
struct OutlierRules {
    bool enabled = true;
    std::uint32_t consecutive_failures = 5;  // no answer, or 502, 503, 504; 0: not counted
    std::uint32_t consecutive_errors = 0;    // any 5xx; 0: not counted
    Duration base_ejection = std::chrono::seconds(10);   // times how often it happened of late
    Duration max_ejection = std::chrono::minutes(5);
    double max_ejected = 0.5;                // refused connections do not count: they are no opinion
    // Statistics, every `interval`, among endpoints with at least `minimum_requests` in it.
    Duration interval = std::chrono::seconds(10);
    std::uint32_t minimum_requests = 100;
    std::uint32_t minimum_endpoints = 3;
    double success_rate_deviations = 0;      // standard deviations below the mean; 0: off
    double latency_factor = 0;               // times the median; 0: off
    bool operator==(const OutlierRules&) const = default;
};

// How many requests a service may have at once, over all workers.
struct LimitRules {
    enum Adaptive : std::uint8_t { off, observe, enforce };
    std::uint32_t max_requests = 0;          // 0: any number
    std::uint32_t max_waiting = 0;           // for a place; beyond it, and without a place: refused
    Duration max_wait = std::chrono::seconds(1);
    // The gradient: latency under load against latency at ease says how many are good for a service.
    Adaptive adaptive = observe;
    std::uint32_t least = 10, most = 1000;   // that it may find
    bool operator==(const LimitRules&) const = default;
};

struct Rules {
    Strategy strategy = Strategy::round_robin;
    HashBy hash;
    double bounded_load = 1.25;              // of the mean, for consistent_hash; 0: none
    Duration slow_start{};                   // a new or recovered endpoint gets its share step by step
    double panic_threshold = 0;              // fewer well than this: all are used
    LimitRules limits;
    OutlierRules outlier;
    BreakerRules endpoint_breaker;
    BreakerRules service_breaker;
    bool operator==(const Rules&) const = default;
};

}  // namespace suoke::balance
