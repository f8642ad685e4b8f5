// SPDX-License-Identifier: MIT
#pragma once
// Words about text that more than one module needs. ASCII only; no locale anywhere.

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace suoke {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool iequals(std::string_view a, std::string_view b);
std::string to_lower(std::string_view s);
std::string_view trim(std::string_view s, std::string_view blanks = " \t\r\n");

// "a, b ,,c" -> {"a","b","c"}: split at `separator`, trimmed, empty pieces dropped.
std::vector<std::string_view> split_list(std::string_view s, char separator = ',');

// The whole of `s` as an unsigned decimal without sign or blanks; nothing on overflow.
std::optional<std::uint64_t> parse_u64(std::string_view s);

// The candidate within an edit distance of a third of its length; empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// "10MB", "8 KiB", "512" -> bytes (K, M, G are powers of 1024); nothing when malformed.
std::optional<std::uint64_t> parse_bytes(std::string_view s);
// "30", "30s", "500ms", "2m", "1h", "0.5" -> a duration; a bare number is seconds.
std::optional<Duration> parse_duration(std::string_view s);
std::string format_duration(Duration d);      // the shortest spelling parse_duration reads back
std::string format_bytes(std::uint64_t n);    // likewise for parse_bytes

std::string iso8601(WallTime t);              // 2025-01-01T00:00:00.123Z
std::string http_date(WallTime t);            // RFC 9110 §5.6.7 IMF-fixdate

// Calls `visit(name, value)` for each "name=value" piece of `text` until it says true.
template <class Visit>
bool any_pair(std::string_view text, char separator, Visit visit) {
    while (!text.empty()) {
        std::size_t end = std::min(text.find(separator), text.size());
        std::string_view pair = text.substr(0, end);
        std::size_t equals = std::min(pair.find('='), pair.size());
        std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
        if (visit(pair.substr(0, equals), value)) return true;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return false;
}

}  // namespace suoke
