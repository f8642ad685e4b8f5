// SPDX-License-Identifier: MIT
#pragma once
// Versions of an API as clients and operators spell them, and days.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace suoke::config {

struct ApiVersion {
    std::uint32_t major = 0, minor = 0, patch = 0;
    auto operator<=>(const ApiVersion&) const = default;
};

// "v2", "2", "v2.1", "2.1.3"; what is not said is 0.
std::optional<ApiVersion> parse_api_version(std::string_view text);
std::string to_string(const ApiVersion& version);  // "v2.1.3"

// "2026-06-30", which is its beginning in UTC, or "2026-06-30T12:00:00Z".
std::optional<WallTime> parse_day(std::string_view text);

}  // namespace suoke::config
