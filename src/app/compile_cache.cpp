// SPDX-License-Identifier: MIT
#include "app/compile_cache.h"

#include "filters/cache_rules.h"

namespace suoke::app {

void check_cache_rules(const config::Config& config, std::vector<config::Problem>& problems) {
    for (std::size_t i = 0; i < config.cache.rules.size(); ++i) {
        const config::CacheRule& rule = config.cache.rules[i];
        auto fault = filters::fault_of_cache_pattern(rule.pattern);
        if (fault) problems.push_back({config::Problem::error, rule.place, "cache.rules[" + std::to_string(i) + "].pattern", std::move(*fault)});
    }
}

}  // namespace suoke::app
