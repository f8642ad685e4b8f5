// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace suoke::tools {

// Of this build, as git describes it: "v1.2.0", "v1.2.0-3-gabc1234-dirty", or "unknown".
std::string_view version();

}  // namespace suoke::tools
