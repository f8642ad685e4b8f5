// SPDX-License-Identifier: MIT
#pragma once
// A limit and whom it tells apart. Immutable, a part of a site. What was used of it is found by its *name*
// and the key (limiter.h), so a reload keeps that: of a limit that changes, the share in time. Who had used
// half of 100/minute has used half of 200/minute.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/rate.h"

namespace suoke::limits {

// What the key is made of. Who has no such thing is told apart by address.
enum class By : std::uint8_t { client, subject, api_key, address, route, header };   // client: subject, or API key

struct PolicyRules {
    std::string name;
    Rate rate;                           // unlimited: only `most_at_once` holds
    std::uint64_t burst = 0;             // at once; 0: as many as the rate says
    std::uint64_t cost = 1;              // of a request
    By by = By::client;
    std::string header;
    bool per_route = false;              // each route counts for itself
    int ipv6_prefix = 64;                // of addresses that are one client
    std::uint32_t most_at_once = 0;      // requests of a key under way; 0: any number
    bool shared = false;                 // with other gateways (shares.h)
};

struct Policy : PolicyRules, std::enable_shared_from_this<Policy> {
    explicit Policy(PolicyRules rules);

    std::uint64_t id;                    // of the name, the same in every gateway
    std::uint32_t index = 0;             // in Site::policies
    std::uint64_t step = 0;              // nanoseconds a token takes to come back; 0: no rate
    std::uint64_t depth = 0;             // ... the whole burst takes
    // For response headers: what the client has once it has kept still.
    std::uint64_t quota = 0;
    std::string quota_text;              // "100"
    std::string item;                    // "\"default\"", a string of RFC 8941
    std::string announcement;            // "\"default\";q=100;w=60"
};

using PolicyPtr = std::shared_ptr<const Policy>;
PolicyPtr make_policy(PolicyRules rules, std::uint32_t index);

// A policy and the requests it is for.
struct Rule {
    PolicyPtr policy;                    // null: no limit holds for these
    std::string path;                    // this one and all below it; empty: any
    std::vector<std::string> methods;    // empty: any
    std::uint64_t cost = 1;

    bool is_for(std::string_view method, std::string_view path_asked) const;
};

// Penalties for addresses that are refused again and again.
struct PenaltyRules {
    std::uint32_t strikes = 0;           // 0: none
    Duration window{};
    Duration first{}, most{};            // how long an address is shut out: doubled each time
    int ipv6_prefix = 64;
};

// The limits of a route, in the order they are asked.
struct Plan {
    static constexpr std::size_t kMost = 10;    // that one request may meet at a filter
    static constexpr std::size_t kMostAtOnce = 3;   // ... of those that count what is under way

    std::vector<Rule> by_address;        // before anybody asks who it is; each that is for it
    std::vector<Rule> by_path;           // the first that is for it, instead of `by_type`
    std::vector<Rule> by_type;           // one for each auth::UserType, or none at all
    std::vector<Rule> also;              // each that is for it
    PenaltyRules penalties;
    bool headers = true;

    bool is_empty() const { return by_address.empty() && by_path.empty() && by_type.empty() && also.empty() && penalties.strikes == 0; }
};

}  // namespace suoke::limits
