// SPDX-License-Identifier: MIT
#include "auth/identity.h"

#include <array>

#include "base/text.h"
#include "rt/digest.h"

namespace suoke::auth {
namespace {

constexpr std::array<std::string_view, 6> kMethods = {"jwt", "api_key", "basic", "certificate", "forward", "introspection"};
constexpr std::array<std::string_view, 4> kTypes = {"anonymous", "authenticated", "premium", "admin"};

// A service that takes smaller heads than we do would refuse the request.
constexpr std::size_t kLongestValue = 4096;
constexpr char kDigits[] = "0123456789ABCDEF";

// As a field value may have it (RFC 9110 §5.5); `separators`: also encoded, so that no element of a list
// passes for two.
void append_told(std::string& out, std::string_view text, std::string_view separators = {}) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        bool outer_blank = c == ' ' && (i == 0 || i + 1 == text.size());
        bool plain = c >= ' ' && c <= '~' && c != '%' && !outer_blank && separators.find(c) == separators.npos;
        if (plain) {
            out += c;
        } else {
            auto byte = static_cast<unsigned char>(c);
            out.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
        }
    }
}

std::string told_list(const std::vector<std::string>& all, char separator) {
    std::string out;
    const char separators[] = {separator, ' '};
    for (const std::string& one : all) {
        if (one.empty()) continue;
        if (!out.empty()) out += separator;
        append_told(out, one, {separators, sizeof separators});
    }
    return out.size() > kLongestValue ? std::string() : out;
}

std::string told_text(std::string_view text) {
    std::string out;
    append_told(out, text);
    return out.size() > kLongestValue ? std::string() : out;
}

// The same person is the same word in every log, and the word is not the person.
std::string short_digest(std::string_view subject) {
    constexpr std::size_t kBytes = 8;
    std::string out;
    std::string whole = rt::digest_of({"subject", subject});
    for (char c : whole.substr(0, kBytes)) {
        auto byte = static_cast<unsigned char>(c);
        out.append({lower(kDigits[byte >> 4]), lower(kDigits[byte & 15])});
    }
    return out;
}

}  // namespace

std::string_view name_of(Method method) { return kMethods[static_cast<std::size_t>(method)]; }
std::string_view name_of(UserType type) { return kTypes[static_cast<std::size_t>(type)]; }

UserType user_type_of(std::string_view name) {
    for (std::size_t i = 1; i < kTypes.size(); ++i)
        if (kTypes[i] == name) return static_cast<UserType>(i);
    return UserType::authenticated;
}

UserType type_by_roles(const Identity& who) {
    return who.has_role("admin") ? UserType::admin : who.has_role("premium") ? UserType::premium : UserType::authenticated;
}

IdentityPtr settled(Identity who) {
    who.told.subject = told_text(who.subject);
    who.told.name = told_text(who.name);
    who.told.roles = told_list(who.roles, ',');
    who.told.scopes = told_list(who.scopes, ' ');
    who.told.digest = short_digest(who.subject);
    return std::make_shared<const Identity>(std::move(who));
}

}  // namespace suoke::auth
