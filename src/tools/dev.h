// SPDX-License-Identifier: MIT
#pragma once

#include "config/load.h"

namespace suoke::tools {

// Serves with the demo services beside, until Ctrl-C. Returns the exit code.
// `tls`: also on port 8443, with a certificate made for the occasion.
int dev(config::Sources sources, bool tls);

// What to open and to try, for the terminal; `origin` is "http://localhost:8000". `token` opens the
// routes that ask for one; empty: there is none.
std::string dev_hints(const std::string& origin, const std::string& token = {});

}  // namespace suoke::tools
