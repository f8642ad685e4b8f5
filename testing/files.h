// SPDX-License-Identifier: MIT
#pragma once
// Files of a test. ctest runs tests of one program side by side, so no name may be shared.

#include <string>

namespace suoke::scene {

// A directory of this process alone, with a trailing slash; gone when the process ends.
const std::string& own_directory();
inline std::string own_file(const char* name) { return own_directory() + name; }
// What the file holds; empty when there is none.
std::string read_file(const std::string& path);

}  // namespace suoke::scene
