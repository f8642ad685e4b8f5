// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace suoke {

bool iequals(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

std::string to_lower(std::string_view s) {
    std::string out(s);
    for (char& c : out) c = lower(c);
    return out;
}

std::string_view trim(std::string_view s, std::string_view blanks) {
    std::size_t first = s.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return s.substr(first, s.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> split_list(std::string_view s, char separator) {
    std::vector<std::string_view> out;
    while (!s.empty()) {
        std::size_t end = std::min(s.find(separator), s.size());
        if (auto piece = trim(s.substr(0, end)); !piece.empty()) out.push_back(piece);
        s.remove_prefix(std::min(end + 1, s.size()));
    }
    return out;
}

std::optional<std::uint64_t> parse_u64(std::string_view s) {
    std::uint64_t n = 0;
    auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n);
    if (s.empty() || error != std::errc() || end != s.data() + s.size()) return std::nullopt;
    return n;
}

static std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t change = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
        }
    }
    return row[b.size()];
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    std::string_view best;
    std::size_t best_distance = std::numeric_limits<std::size_t>::max();
    for (std::string_view candidate : candidates) {
        std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance && distance <= std::max<std::size_t>(1, candidate.size() / 3)) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

namespace {

struct Unit {
    std::string_view name;
    double factor;
};

constexpr Unit kByteUnits[] = {{"", 1}, {"b", 1}, {"k", 1024}, {"kb", 1024}, {"kib", 1024},
                               {"m", 1048576}, {"mb", 1048576}, {"mib", 1048576},
                               {"g", 1073741824}, {"gb", 1073741824}, {"gib", 1073741824}};
constexpr Unit kTimeUnits[] = {{"", 1e9}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9},
                               {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};

// "12.5 MB" as its number and its unit; nothing when either is malformed or unknown.
struct Measure {
    std::string_view number;
    double factor;
};

std::optional<Measure> parse_measure(std::string_view s, std::span<const Unit> units) {
    s = trim(s);
    if (s.empty() || !(is_digit(s[0]) || s[0] == '.')) return std::nullopt;  // no sign, no nan
    std::size_t end = std::min(s.find_first_not_of("0123456789."), s.size());
    std::string_view suffix = trim(s.substr(end));
    for (const Unit& unit : units)
        if (iequals(unit.name, suffix)) return Measure{s.substr(0, end), unit.factor};
    return std::nullopt;
}

// Whole numbers are exact, where a double is not; `limit` bounds the result.
std::optional<std::uint64_t> in_smallest_unit(std::string_view s, std::span<const Unit> units,
                                              std::uint64_t limit) {
    auto measure = parse_measure(s, units);
    if (!measure) return std::nullopt;
    std::uint64_t total = 0;
    if (auto whole = parse_u64(measure->number)) {
        bool fits = !__builtin_mul_overflow(*whole, static_cast<std::uint64_t>(measure->factor), &total);
        return fits && total <= limit ? std::optional(total) : std::nullopt;
    }
    const char* last = measure->number.data() + measure->number.size();
    double value = 0;
    auto [end, error] = std::from_chars(measure->number.data(), last, value, std::chars_format::fixed);
    if (error != std::errc() || end != last) return std::nullopt;
    value *= measure->factor;
    if (!(value <= 9e18)) return std::nullopt;  // beyond what llround can say
    total = static_cast<std::uint64_t>(std::llround(value));
    return total <= limit ? std::optional(total) : std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_bytes(std::string_view s) {
    return in_smallest_unit(s, kByteUnits, std::numeric_limits<std::uint64_t>::max());
}

std::optional<Duration> parse_duration(std::string_view s) {
    auto nanos = in_smallest_unit(s, kTimeUnits, std::numeric_limits<Duration::rep>::max());
    if (!nanos) return std::nullopt;
    return Duration(static_cast<Duration::rep>(*nanos));
}

std::string format_duration(Duration d) {
    std::int64_t n = d.count();
    if (n % 1'000'000'000 == 0) return fmt::format("{}s", n / 1'000'000'000);
    if (n % 1'000'000 == 0) return fmt::format("{}ms", n / 1'000'000);
    return fmt::format("{}ns", n);
}

std::string format_bytes(std::uint64_t n) {
    if (n && n % 1073741824 == 0) return fmt::format("{}GB", n / 1073741824);
    if (n && n % 1048576 == 0) return fmt::format("{}MB", n / 1048576);
    if (n && n % 1024 == 0) return fmt::format("{}KB", n / 1024);
    return fmt::format("{}", n);
}

static std::tm utc(WallTime t, std::int64_t& millis) {
    auto since = t.time_since_epoch();
    auto whole = std::chrono::floor<std::chrono::seconds>(since);
    millis = std::chrono::duration_cast<std::chrono::milliseconds>(since - whole).count();
    std::time_t clock = whole.count();
    std::tm parts{};
    ::gmtime_r(&clock, &parts);
    return parts;
}

std::string iso8601(WallTime t) {
    std::int64_t millis = 0;
    std::tm p = utc(t, millis);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", p.tm_year + 1900, p.tm_mon + 1,
                       p.tm_mday, p.tm_hour, p.tm_min, p.tm_sec, millis);
}

std::string http_date(WallTime t) {
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::int64_t millis = 0;
    std::tm p = utc(t, millis);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[p.tm_wday], p.tm_mday,
                       kMonths[p.tm_mon], p.tm_year + 1900, p.tm_hour, p.tm_min, p.tm_sec);
}

}  // namespace suoke
