// SPDX-License-Identifier: MIT
#include "base/rate.h"

#include <array>

#include "base/text.h"

namespace suoke {
namespace {

struct Unit {
    std::string_view name;
    Duration length;
};

constexpr std::uint64_t kMostCount = 1'000'000'000;
constexpr Duration kShortest = std::chrono::milliseconds(1), kLongest = std::chrono::hours(24 * 31);

// The first name of each length is the one that is written.
constexpr std::array<Unit, 14> kUnits = {{{"second", 1s}, {"seconds", 1s}, {"sec", 1s}, {"s", 1s},
                                          {"minute", 1min}, {"minutes", 1min}, {"min", 1min}, {"m", 1min},
                                          {"hour", 1h}, {"hours", 1h}, {"h", 1h},
                                          {"day", 24h}, {"days", 24h}, {"d", 24h}}};

std::optional<Duration> parse_unit(std::string_view text) {
    for (const Unit& unit : kUnits)
        if (iequals(text, unit.name)) return unit.length;
    if (text.empty() || !is_digit(text.front())) return std::nullopt;
    return parse_duration(text);
}

}  // namespace

std::optional<Rate> parse_rate(std::string_view text) {
    text = trim(text);
    if (iequals(text, "unlimited") || text == "0") return Rate{};
    std::size_t slash = text.find('/');
    if (slash == text.npos) return std::nullopt;
    auto count = parse_u64(trim(text.substr(0, slash)));
    auto per = parse_unit(trim(text.substr(slash + 1)));
    if (!count || *count == 0 || *count > kMostCount || !per || *per < kShortest || *per > kLongest) return std::nullopt;
    return Rate{*count, *per};
}

std::string format_rate(const Rate& rate) {
    if (rate.is_unlimited()) return "unlimited";
    std::string unit = format_duration(rate.per);
    for (const Unit& each : kUnits) {
        if (each.length != rate.per) continue;
        unit = each.name;
        break;
    }
    return std::to_string(rate.count) + "/" + unit;
}

}  // namespace suoke
