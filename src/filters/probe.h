// SPDX-License-Identifier: MIT
#pragma once
// The gateway's own health reports: whoever watches over it asks them by address, without a User-Agent, and
// while it is closed.

#include "config/config.h"

namespace suoke::filters {

// Of the route, so that an operator's catch-all is none, whatever path it is asked for.
inline bool answers_probes(const config::Route& route) {
    return route.path == "/health" || route.path.starts_with("/health/");
}

}  // namespace suoke::filters
