// SPDX-License-Identifier: MIT
#include "config/field.h"

namespace suoke::config::detail {

bool read_bool(std::string_view text, void* value) {
    for (std::string_view word : {"true", "yes", "on", "1"})
        if (iequals(text, word)) return as<bool>(value) = true;
    for (std::string_view word : {"false", "no", "off", "0"})
        if (iequals(text, word)) return as<bool>(value) = false, true;
    return false;
}

bool read_text(std::string_view text, void* value) {
    as<std::string>(value) = text;
    return true;
}

// A number must begin like one: from_chars also reads "inf" and "nan".
static bool begins_a_number(std::string_view text) {
    return !text.empty() && (is_digit(text.front()) || text.front() == '.');
}

bool read_duration(std::string_view text, void* value) {
    auto duration = begins_a_number(text) ? parse_duration(text) : std::nullopt;
    if (!duration) return false;
    as<Duration>(value) = *duration;
    return true;
}

bool read_bytes(std::string_view text, void* value) {
    auto bytes = begins_a_number(text) ? parse_bytes(text) : std::nullopt;
    if (!bytes) return false;
    as<std::uint64_t>(value) = *bytes;
    return true;
}

std::string show_bool(const void* value) {
    return as<bool>(value) ? "true" : "false";
}
bool read_secret(std::string_view text, void* value) {
    as<Secret>(value) = Secret(std::string(text));
    return true;
}
std::string show_secret(const void* value) {
    return as<Secret>(value).empty() ? "" : "***";
}
std::string show_text(const void* value) {
    return as<std::string>(value);
}
std::string show_duration(const void* value) {
    return format_duration(as<Duration>(value));
}
std::string show_bytes(const void* value) {
    return format_bytes(as<std::uint64_t>(value));
}

std::optional<std::int64_t> read_whole(std::string_view text) {
    std::int64_t n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return n;
}

}  // namespace suoke::config::detail
