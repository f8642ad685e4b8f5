// SPDX-License-Identifier: MIT
#pragma once
// HTTP dates (RFC 9110 §5.6.7) as whole seconds since 1970: years that a WallTime cannot hold are dates as well.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace suoke::cache {

using UnixSeconds = std::int64_t;

inline UnixSeconds unix_seconds(WallTime t) { return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count(); }

// IMF-fixdate and both obsolete forms; nothing for anything else. The year of the RFC 850 form has two
// digits: what would be more than fifty years after `now` is in the century before.
std::optional<UnixSeconds> parse_http_date(std::string_view text, UnixSeconds now);

}  // namespace suoke::cache
