// SPDX-License-Identifier: MIT
#pragma once
// How often, as the operator says it; names, docs and checks are in definition_limits.cpp. Rates are texts like
// "100/minute" (base/rate.h), checked when they are read.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/place.h"

namespace suoke::config {

enum class LimitBy : std::uint8_t { client, subject, api_key, ip, route, header };
enum class LimitStorage : std::uint8_t { automatic, memory, redis };

struct UserTypeRates {                     // empty: the default rate
    std::string anonymous, authenticated;
    std::string premium = "1000/minute";
    std::string admin = "10000/minute";
    bool operator==(const UserTypeRates&) const = default;
};

struct LimitPolicy {                       // by its name, under which what was used of it is kept
    std::string rate;                      // empty: only max_concurrent holds
    std::uint64_t burst = 0;               // 0: as many as the rate says
    std::uint32_t cost = 1;
    LimitBy by = LimitBy::client;
    std::string header;                    // of by: header
    bool per_route = false;                // each route counts for itself
    std::vector<std::string> paths;        // and all below; none: only routes that name it
    std::vector<std::string> methods;      // none: any
    std::uint32_t max_concurrent = 0;      // 0: any number
    Place place;
    bool operator==(const LimitPolicy&) const = default;
};

struct Penalties {                         // for addresses that get 401 or 429 again and again
    std::optional<bool> enabled;           // nothing: as the section
    std::uint32_t strikes = 30;
    Duration window = 1min;
    Duration duration = 1min;              // doubled each time
    Duration max_duration = 1h;
    bool operator==(const Penalties&) const = default;
};

struct RateLimit {
    // Nothing: on when a rate is said below. Off without a word, because a limit nobody asked for is a fault that
    // shows under load only. With false none holds, whatever routes say.
    std::optional<bool> enabled;
    std::string default_rate;              // empty, and enabled: 100/minute
    std::uint64_t burst_size = 0;          // of default_rate; 0: as many as it says
    std::map<std::string, std::string> endpoints;   // path -> rate
    UserTypeRates user_types;
    LimitBy by = LimitBy::client;
    std::string header_name;
    bool per_route = false;
    std::uint32_t ipv6_prefix = 64;        // of addresses that count as one
    std::uint32_t max_concurrent = 0;      // of a client; 0: any number
    std::map<std::string, LimitPolicy> policies;
    bool headers = true;
    Penalties penalties;
    LimitStorage storage = LimitStorage::automatic;
    std::string storage_url;               // another Redis than the section redis has
    std::uint32_t gateways = 1;            // that share the limits, as long as Redis has not told
    std::uint64_t max_keys = 1'000'000;
    // Other ways to say it; loading folds them into the above.
    std::optional<std::uint64_t> requests;
    std::optional<Duration> window;
    std::string burst_rate;
    std::optional<bool> by_ip, by_user;
    bool operator==(const RateLimit&) const = default;
};

struct RouteRateLimit {
    bool enabled = true;                   // false: no limit holds on it
    std::string rate;                      // instead of default_rate, endpoints and user_types
    std::optional<std::uint64_t> limit;    // with window: the old way to say a rate
    std::optional<Duration> window;
    std::uint64_t burst = 0;
    std::optional<std::uint32_t> cost;     // of its requests, whatever limits they meet
    std::optional<LimitBy> by;             // of `rate`; nothing: as the section
    std::string header;
    std::vector<std::string> policies;     // names
    std::uint32_t max_concurrent = 0;
    bool operator==(const RouteRateLimit&) const = default;
};

}  // namespace suoke::config
