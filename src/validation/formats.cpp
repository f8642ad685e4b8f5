// SPDX-License-Identifier: MIT
#include "validation/formats.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "http/grammar.h"
#include "http/uri.h"
#include "rt/socket.h"

namespace suoke::validation {
namespace {

// So many digits from the front of `rest`.
std::optional<int> take_digits(std::string_view& rest, std::size_t count) {
    if (rest.size() < count) return std::nullopt;
    int value = 0;
    for (char c : rest.substr(0, count)) {
        if (!is_digit(c)) return std::nullopt;
        value = value * 10 + (c - '0');
    }
    rest.remove_prefix(count);
    return value;
}

bool take(std::string_view& rest, char c) {
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
}

int days_of(int year, int month) {
    constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

bool take_date(std::string_view& rest) {
    auto year = take_digits(rest, 4);
    if (!year || !take(rest, '-')) return false;
    auto month = take_digits(rest, 2);
    if (!month || *month < 1 || *month > 12 || !take(rest, '-')) return false;
    auto day = take_digits(rest, 2);
    return day && *day >= 1 && *day <= days_of(*year, *month);
}

bool take_two(std::string_view& rest, int most) {
    auto value = take_digits(rest, 2);
    return value && *value <= most;
}

// With its offset: without one it is no moment.
bool take_time(std::string_view& rest) {
    bool clock = take_two(rest, 23) && take(rest, ':') && take_two(rest, 59) && take(rest, ':') && take_two(rest, 60);
    if (!clock) return false;
    if (take(rest, '.')) {
        std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
        if (digits == 0) return false;
        rest.remove_prefix(digits);
    }
    if (take(rest, 'Z') || take(rest, 'z')) return true;
    if (!take(rest, '+') && !take(rest, '-')) return false;
    return take_two(rest, 23) && take(rest, ':') && take_two(rest, 59);
}

bool is_date_time(std::string_view text) {
    return take_date(text) && (take(text, 'T') || take(text, 't') || take(text, ' ')) && take_time(text) && text.empty();
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : hex_value(text[i]) < 0) return false;
    }
    return true;
}

// Something before the last @ and a host behind it: more is the mail server's business.
bool is_email(std::string_view text) {
    std::size_t at = text.rfind('@');
    if (at == text.npos || at == 0 || text.size() > 320) return false;
    bool blank = text.find_first_of(" \t\r\n<>") != text.npos;
    return !blank && http::valid_host(text.substr(at + 1));
}

// RFC 3986 §3: a scheme, and only characters that a URI may have.
bool is_uri(std::string_view text) {
    std::size_t colon = text.find(':');
    if (colon == 0 || colon == text.npos) return false;
    auto in_scheme = [](char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '+' || c == '-' || c == '.'; };
    std::string_view scheme = text.substr(0, colon), rest = text.substr(colon + 1);
    if (is_digit(scheme.front()) || !std::all_of(scheme.begin(), scheme.end(), in_scheme)) return false;
    return std::all_of(rest.begin(), rest.end(), [](char c) { return http::grammar::is(http::grammar::query, c) || c == '#' || c == '%'; });
}

bool is_address(std::string_view text, bool version_6) {
    if (text.starts_with("unix:") || text.find('%') != text.npos || text.find('[') != text.npos) return false;
    bool has_colon = text.find(':') != text.npos;
    return has_colon == version_6 && rt::Address::parse(text, 0).has_value();
}

}  // namespace

bool has_format(std::string_view text, std::string_view format) {
    if (format == "date") return take_date(text) && text.empty();
    if (format == "time") return take_time(text) && text.empty();
    if (format == "date-time") return is_date_time(text);
    if (format == "uuid") return is_uuid(text);
    if (format == "email") return is_email(text);
    if (format == "uri") return is_uri(text);
    if (format == "ipv4") return is_address(text, false);
    if (format == "ipv6") return is_address(text, true);
    return true;
}

}  // namespace suoke::validation
