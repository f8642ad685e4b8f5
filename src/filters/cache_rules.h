// SPDX-License-Identifier: MIT
#pragma once
// What a route's answers are kept for, as the configuration says it, compiled.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/policy.h"
#include "config/config.h"

namespace re2 {
class RE2;
}

namespace suoke::filters {

// Why this is no pattern for cache.rules; nothing when it is one.
std::optional<std::string> fault_of_cache_pattern(const std::string& pattern);

class CacheRules {
 public:
    CacheRules(const config::Config& config, const config::Route& route);

    // For one answer: the first of cache.rules that fits, or else what the route says, or else the section.
    cache::Rules for_answer(std::string_view path, const http::Headers& answer) const;

    std::uint64_t max_memory, max_object, max_entries;
    std::vector<std::string> include_headers;
    bool finish_fills, surrogate;
    bool second_level;                 // other gateways share what is stored
    Duration redis_wait;
    std::uint64_t redis_max_object;

 private:
    struct Rule {
        std::shared_ptr<const re2::RE2> pattern;
        const config::CacheRule rule;
    };
    static bool fits(const Rule& rule, std::string_view path, const http::Headers& answer);
    cache::Rules usual_;
    std::vector<Rule> rules_;
};

}  // namespace suoke::filters
