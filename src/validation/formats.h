// SPDX-License-Identifier: MIT
#pragma once
// The formats of JSON Schema that are held to; others are words for people.

#include <string_view>

namespace suoke::validation {

// date, time, date-time (RFC 3339), uuid, email, uri, ipv4, ipv6. True for every format that is not known.
bool has_format(std::string_view text, std::string_view format);

}  // namespace suoke::validation
