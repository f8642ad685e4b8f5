// SPDX-License-Identifier: MIT
#include "config/api_version.h"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "base/text.h"

namespace suoke::config {
namespace {

std::optional<std::uint32_t> digits(std::string_view text) {
    auto n = parse_u64(text);
    bool fits = n && *n <= std::numeric_limits<std::uint32_t>::max();
    return fits ? std::optional(static_cast<std::uint32_t>(*n)) : std::nullopt;
}

}  // namespace

std::optional<ApiVersion> parse_api_version(std::string_view text) {
    if (!text.empty() && lower(text.front()) == 'v') text.remove_prefix(1);
    ApiVersion version;
    std::array parts = {&version.major, &version.minor, &version.patch};
    for (std::uint32_t* part : parts) {
        std::size_t dot = std::min(text.find('.'), text.size());
        auto number = digits(text.substr(0, dot));
        if (!number) return std::nullopt;
        *part = *number;
        if (dot == text.size()) return version;
        text.remove_prefix(dot + 1);
    }
    return std::nullopt;  // a fourth part
}

std::string to_string(const ApiVersion& version) { return fmt::format("v{}.{}.{}", version.major, version.minor, version.patch); }

std::optional<WallTime> parse_day(std::string_view text) {
    constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:ddZ";
    constexpr std::size_t kDay = 10;
    if (text.size() != kDay && text.size() != kForm.size()) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (kForm[i] == 'd' ? !is_digit(text[i]) : text[i] != kForm[i]) return std::nullopt;
    auto number = [&](std::size_t from, std::size_t length) { return static_cast<int>(*digits(text.substr(from, length))); };
    using namespace std::chrono;
    year_month_day day{year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))), std::chrono::day(static_cast<unsigned>(number(8, 2)))};
    if (!day.ok()) return std::nullopt;
    WallTime at{sys_days(day)};
    if (text.size() == kDay) return at;
    int hours_of = number(11, 2), minutes_of = number(14, 2), seconds_of = number(17, 2);
    if (hours_of > 23 || minutes_of > 59 || seconds_of > 60) return std::nullopt;
    return at + hours(hours_of) + minutes(minutes_of) + std::chrono::seconds(seconds_of);
}

}  // namespace suoke::config
