// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace suoke::rt {

// HMAC-SHA-256 (RFC 2104) of several values, 32 bytes.
std::string hmac_of(std::string_view key, std::initializer_list<std::string_view> values);
// Takes as long however much of them is alike.
bool same_secret(std::string_view a, std::string_view b);
// Random bytes that nobody can guess.
std::string secret_bytes(std::size_t count);
// SHA-256 of several values, 32 bytes; no two lists of values look the same to it.
std::string digest_of(std::initializer_list<std::string_view> values);

}  // namespace suoke::rt
