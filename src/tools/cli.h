// SPDX-License-Identifier: MIT
#pragma once

namespace suoke::tools {

// Parses the command line and does what it says. Returns the exit code.
int run(int argc, char** argv);

}  // namespace suoke::tools
