// SPDX-License-Identifier: MIT
#include "config/auth.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace suoke::config {
namespace {

bool among(const std::vector<AuthMethod>& methods, AuthMethod wanted) {
    return std::find(methods.begin(), methods.end(), wanted) != methods.end();
}

bool any_keys(const Auth& auth) {
    return auth.jwt.has_keys() ||
           std::any_of(auth.providers.begin(), auth.providers.end(), [](const auto& named) { return named.second.has_keys(); });
}

bool is_there(const Auth& auth, AuthMethod method) {
    switch (method) {
        case AuthMethod::jwt: return any_keys(auth);
        case AuthMethod::api_key:
        case AuthMethod::basic: return !auth.api_keys.empty();
        case AuthMethod::forward: return auth.forward.has_value();
        case AuthMethod::introspection: return auth.introspection.has_value();
        default: return true;
    }
}

// "12" at `at`, from `low` to `high`; nothing: no such number.
std::optional<int> two_digits(std::string_view text, std::size_t at, int low, int high) {
    if (at + 2 > text.size() || !is_digit(text[at]) || !is_digit(text[at + 1])) return std::nullopt;
    int value = (text[at] - '0') * 10 + (text[at + 1] - '0');
    return value < low || value > high ? std::nullopt : std::optional(value);
}

// "2026-12-31"
std::optional<std::chrono::sys_days> calendar_day(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    auto century = two_digits(text, 0, 0, 99), rest = two_digits(text, 2, 0, 99), month = two_digits(text, 5, 1, 12), day = two_digits(text, 8, 1, 31);
    if (!century || !rest || !month || !day) return std::nullopt;
    std::chrono::year_month_day date{std::chrono::year(*century * 100 + *rest), std::chrono::month(static_cast<unsigned>(*month)),
                                     std::chrono::day(static_cast<unsigned>(*day))};
    bool clock_can_say_it = date.year() >= std::chrono::year(1970) && date.year() <= std::chrono::year(2200);
    return date.ok() && clock_can_say_it ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

// "Z" or "+08:00", as what it is ahead of UTC.
std::optional<Duration> parse_zone(std::string_view text) {
    if (text == "Z" || text == "z") return Duration::zero();
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
    auto hours = two_digits(text, 1, 0, 23), minutes = two_digits(text, 4, 0, 59);
    if (!hours || !minutes) return std::nullopt;
    Duration ahead = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
    return text[0] == '+' ? ahead : -ahead;
}

// "18:00:00Z", "18:00:00.5+08:00": since the day began, in UTC.
std::optional<Duration> parse_clock(std::string_view text) {
    if (text.size() < 9 || text[2] != ':' || text[5] != ':') return std::nullopt;
    auto hours = two_digits(text, 0, 0, 23), minutes = two_digits(text, 3, 0, 59), seconds = two_digits(text, 6, 0, 60);
    if (!hours || !minutes || !seconds) return std::nullopt;
    std::size_t end = 8;
    if (text[end] == '.') {
        ++end;
        while (end < text.size() && is_digit(text[end])) ++end;
        if (end == 9) return std::nullopt;
    }
    auto ahead = parse_zone(text.substr(end));
    if (!ahead) return std::nullopt;
    return std::chrono::hours(*hours) + std::chrono::minutes(*minutes) + std::chrono::seconds(*seconds) - *ahead;
}

}  // namespace

bool Auth::has_means() const {
    return any_keys(*this) || !api_keys.empty() || forward || introspection || among(methods, AuthMethod::certificate);
}

AuthMode Auth::mode_of(const RouteAuth& route) const {
    if (enabled == false) return AuthMode::none;
    if (route.mode) return *route.mode;
    if (route.has_rule()) return AuthMode::required;
    return is_on() ? mode : AuthMode::none;
}

std::vector<AuthMethod> Auth::methods_of(const RouteAuth& route) const {
    std::vector<AuthMethod> all;
    for (AuthMethod method : route.methods.empty() ? methods : route.methods)
        if (is_there(*this, method) && !among(all, method)) all.push_back(method);
    return all;
}

std::optional<WallTime> parse_expiry(std::string_view text) {
    auto day = calendar_day(text.substr(0, 10));
    if (!day) return std::nullopt;
    if (text.size() == 10) return WallTime(*day + std::chrono::days(1));
    if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return std::nullopt;
    auto clock = parse_clock(text.substr(11));
    return clock ? std::optional(WallTime(*day) + *clock) : std::nullopt;
}

// The predecessor's files, and what people write where a secret is to come. A random key has none of these.
bool is_published_secret(std::string_view secret) {
    constexpr std::array kWords = {"your-secret", "your_secret", "your-jwt",  "your_jwt",   "yoursecret", "change-me",   "changeme",      "change_me",
                                   "change-in-",  "change_in_",  "changein",  "placeholder", "replace-me", "replace_me",  "replace-with",  "replace_with",
                                   "secret-key",  "secret_key",  "secretkey", "jwt-secret",  "jwt_secret", "jwtsecret",   "super-secret",  "super_secret",
                                   "supersecret", "dev-secret",  "dev_secret", "dev-key",    "suoke123",   "password",    "example",       "default-key",
                                   "not-for-production"};
    std::string lowered = to_lower(secret);
    if (std::any_of(kWords.begin(), kWords.end(), [&](const char* word) { return lowered.find(word) != lowered.npos; })) return true;
    std::sort(lowered.begin(), lowered.end());
    return std::unique(lowered.begin(), lowered.end()) - lowered.begin() < 8;   // "aaaa...", "12341234..."
}

}  // namespace suoke::config
