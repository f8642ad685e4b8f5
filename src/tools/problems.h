// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>

#include "config/load.h"

namespace suoke::tools {

// For the operator, on standard error. Returns the exit code of a start that was refused.
inline int print_problems(const std::vector<config::Problem>& problems) {
    for (const config::Problem& problem : problems)
        std::fprintf(stderr, "%s\n", to_string(problem).c_str());
    return 2;
}

}  // namespace suoke::tools
