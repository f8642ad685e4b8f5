// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "config/load.h"

namespace suoke::tools {

struct CheckReport {
    std::vector<config::Problem> problems;
    std::string summary;  // services and routes as they would serve; empty when they cannot
    bool ok() const { return !summary.empty(); }
};
CheckReport check_report(const config::Sources& sources);

// Prints the report. Returns 1 when the configuration cannot be served.
int check(const config::Sources& sources);

}  // namespace suoke::tools
