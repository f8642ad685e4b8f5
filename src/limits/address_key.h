// SPDX-License-Identifier: MIT
#pragma once
// A client's address as a key: of IPv6 only the prefix, since whoever has one such address has all of its network.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "limits/keyed_hash.h"

namespace suoke::limits {

// RFC 4291 §2.2, without a zone; nothing when it is no IPv6 address.
std::optional<std::array<std::uint8_t, 16>> parse_ipv6(std::string_view text);

// One address in several spellings is one key; an IPv4 address within IPv6 (::ffff:192.0.2.1) is that address.
// Whatever else (the path of a Unix socket) is taken as it is.
void add_address(KeyedHash& hash, std::string_view text, int ipv6_prefix);

}  // namespace suoke::limits
