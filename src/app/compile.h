// SPDX-License-Identifier: MIT
#pragma once
// Config -> Site: everything that can be decided once is decided here.

#include <vector>

#include "config/load.h"
#include "endpoints/builtin.h"
#include "gateway/site.h"

namespace suoke::app {

// Null when a problem is an error; every problem is appended.
gateway::SitePtr compile(config::Config config, const std::vector<endpoints::Builtin>& builtins,
                         std::uint64_t generation, std::vector<config::Problem>& problems);

}  // namespace suoke::app
