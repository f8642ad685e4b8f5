// SPDX-License-Identifier: MIT
#include "cache/date.h"

#include <array>

#include "base/text.h"

namespace suoke::cache {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> kLongDays = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

// Eats the text from the front; every step says whether what it wanted was there.
class Reader {
 public:
    explicit Reader(std::string_view text) : rest_(text) {}
    bool ended() const { return rest_.empty(); }

    bool word(std::string_view wanted) {
        if (!rest_.starts_with(wanted)) return false;
        rest_.remove_prefix(wanted.size());
        return true;
    }
    template <std::size_t N>
    bool one_of(const std::array<std::string_view, N>& words, int& index) {
        for (std::size_t i = 0; i < N; ++i) {
            if (!word(words[i])) continue;
            index = static_cast<int>(i);
            return true;
        }
        return false;
    }
    bool number(std::size_t digits, int& value) {
        if (rest_.size() < digits) return false;
        value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            if (!is_digit(rest_[i])) return false;
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(digits);
        return true;
    }
    // asctime fills a day of one digit with a blank.
    bool padded_day(int& value) { return word(" ") ? number(1, value) : number(2, value); }

 private:
    std::string_view rest_;
};

struct Parts {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

bool time_of_day(Reader& in, Parts& parts) {
    return in.number(2, parts.hour) && in.word(":") && in.number(2, parts.minute) && in.word(":") && in.number(2, parts.second);
}

bool imf_fixdate(Reader in, Parts& parts) {  // Sun, 06 Nov 1994 08:49:37 GMT
    int weekday = 0;
    return in.one_of(kDays, weekday) && in.word(", ") && in.number(2, parts.day) && in.word(" ") && in.one_of(kMonths, parts.month) &&
           in.word(" ") && in.number(4, parts.year) && in.word(" ") && time_of_day(in, parts) && in.word(" GMT") && in.ended();
}

bool rfc850_date(Reader in, Parts& parts) {  // Sunday, 06-Nov-94 08:49:37 GMT
    int weekday = 0;
    return in.one_of(kLongDays, weekday) && in.word(", ") && in.number(2, parts.day) && in.word("-") && in.one_of(kMonths, parts.month) &&
           in.word("-") && in.number(2, parts.year) && in.word(" ") && time_of_day(in, parts) && in.word(" GMT") && in.ended();
}

bool asctime_date(Reader in, Parts& parts) {  // Sun Nov  6 08:49:37 1994
    int weekday = 0;
    return in.one_of(kDays, weekday) && in.word(" ") && in.one_of(kMonths, parts.month) && in.word(" ") && in.padded_day(parts.day) &&
           in.word(" ") && time_of_day(in, parts) && in.word(" ") && in.number(4, parts.year) && in.ended();
}

std::optional<UnixSeconds> seconds_of(const Parts& parts) {
    using namespace std::chrono;
    year_month_day day{year(parts.year), month(static_cast<unsigned>(parts.month) + 1), std::chrono::day(static_cast<unsigned>(parts.day))};
    if (!day.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
    UnixSeconds days = sys_days(day).time_since_epoch().count();
    return days * 86'400 + parts.hour * 3600 + parts.minute * 60 + parts.second;
}

int year_of(UnixSeconds t) {
    using namespace std::chrono;
    auto days_since = floor<days>(std::chrono::seconds(t));
    return static_cast<int>(year_month_day(sys_days(days_since)).year());
}

// The year with those last two digits that is nearest, but no more than fifty years ahead.
int full_year(int two_digits, int now) {
    int year = now - now % 100 + two_digits;
    if (year > now + 50) year -= 100;
    if (year <= now - 50) year += 100;
    return year;
}

}  // namespace

std::optional<UnixSeconds> parse_http_date(std::string_view text, UnixSeconds now) {
    Parts parts;
    if (imf_fixdate(Reader(text), parts)) return seconds_of(parts);
    if (asctime_date(Reader(text), parts)) return seconds_of(parts);
    if (!rfc850_date(Reader(text), parts)) return std::nullopt;
    parts.year = full_year(parts.year, year_of(now));
    return seconds_of(parts);
}

}  // namespace suoke::cache
