// SPDX-License-Identifier: MIT
#pragma once
// What add() takes for a number, in every engine: what Redis does, and only as Redis would write it.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace suoke::store {

// "0", "7", "-12"; not "+7", "007", " 7", "-0" or "".
inline std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    if (std::to_string(number) != text) return std::nullopt;
    return number;
}

inline Result<std::int64_t> sum_of(const std::string& key, std::string_view text, std::int64_t amount) {
    std::optional<std::int64_t> number = whole_number(text);
    if (!number) return Error(Code::store_unavailable, "cannot add to \"" + key + "\": its value is no whole number");
    std::int64_t sum = 0;
    if (__builtin_add_overflow(*number, amount, &sum))
        return Error(Code::store_unavailable, "cannot add to \"" + key + "\": the sum does not fit into 64 bits");
    return sum;
}

}  // namespace suoke::store
