// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/error.h"

namespace suoke::discovery {

// All of a regular file (or what a link leads to) of at most `most` bytes. Code::invalid_config says
// why not; it begins with the path.
Result<std::string> read_small_file(const std::string& path, std::size_t most);

}  // namespace suoke::discovery
