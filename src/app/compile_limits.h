// SPDX-License-Identifier: MIT
#pragma once
// The limits of a configuration, as its routes meet them (limits/policy.h).

#include "config/config.h"
#include "gateway/site.h"

namespace suoke::app {

// The policies of a site and the plan of each of its routes. `from`: the configuration's routes and the gateway's
// own, in the order of `site.routes`. The site's configuration may not be there yet: it is `config`.
void compile_limits(gateway::Site& site, const config::Config& config, const std::vector<config::Route>& from);

}  // namespace suoke::app
