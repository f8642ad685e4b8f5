// SPDX-License-Identifier: MIT
#pragma once
// How many in how long, as people write it: "100/minute".

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace suoke {

struct Rate {
    std::uint64_t count = 0;   // 0: no limit
    Duration per{};
    bool is_unlimited() const { return count == 0; }
    friend bool operator==(const Rate&, const Rate&) = default;
};

// "100/minute", "5/s", "20/30s"; the units are second, sec, s, minute, min, m, hour, h, day and d, or any
// duration up to 31 days. "unlimited" and "0" are no limit. Nothing when it is no such text.
std::optional<Rate> parse_rate(std::string_view text);
std::string format_rate(const Rate& rate);   // reads back the same

}  // namespace suoke
