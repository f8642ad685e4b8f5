// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace suoke::rt {

// SHA-256 of several values, 32 bytes; no two lists of values look the same to it.
std::string digest_of(std::initializer_list<std::string_view> values);

}  // namespace suoke::rt
