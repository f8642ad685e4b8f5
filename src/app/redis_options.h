// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include "config/load.h"
#include "store/redis_options.h"

namespace suoke::app {

// How Redis is reached by this configuration. Nothing: the settings are no good, and `problems` says which.
std::optional<store::RedisOptions> redis_options(const config::Redis& from, std::vector<config::Problem>& problems);

}  // namespace suoke::app
