// SPDX-License-Identifier: MIT
#pragma once
// What of the response cache only a compiler can judge. The filter makes its rules from the configuration itself.

#include <vector>

#include "config/load.h"

namespace suoke::app {

// Patterns of cache.rules that are none.
void check_cache_rules(const config::Config& config, std::vector<config::Problem>& problems);

}  // namespace suoke::app
