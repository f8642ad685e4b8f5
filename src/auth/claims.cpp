// SPDX-License-Identifier: MIT
#include "auth/claims.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "auth/json_text.h"
#include "base/text.h"

namespace suoke::auth {
namespace {

using Kind = JsonValue::Kind;
using Texts = std::vector<std::string>;

constexpr std::string_view kOurIssuer = "suoke-auth-service", kOurAudience = "suoke-life";
constexpr std::size_t kMostClaims = 64;

Error invalid(std::string sentence) { return {Code::invalid_token, std::move(sentence)}; }

bool contains(const Texts& list, std::string_view text) { return std::find(list.begin(), list.end(), text) != list.end(); }

// Safe in a field of a header.
bool is_plain(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// "realm_access.roles": a claim may be called so, or lead there.
const JsonValue* find_path(const JsonValue& from, std::string_view path) {
    if (path.empty()) return nullptr;
    if (const JsonValue* found = from.find(path)) return found;
    const std::size_t dot = path.find('.');
    const JsonValue* next = dot == path.npos ? nullptr : from.find(path.substr(0, dot));
    return next ? find_path(*next, path.substr(dot + 1)) : nullptr;
}

// Calls `visit` with the text, or with each text of a list. False: there was something else, too.
template <class Visit>
bool each_text(const JsonValue& value, Visit visit) {
    if (value.is(Kind::text)) {
        visit(value.text);
        return true;
    }
    bool only_texts = value.is(Kind::list);
    for (const JsonValue& item : value) {
        if (!item.is(Kind::text)) only_texts = false;
        else if (value.is(Kind::list)) visit(item.text);
    }
    return only_texts;
}

// ---- when

// NumericDate (RFC 7519 §2): seconds, perhaps with a fraction. Nothing: no number, or beyond the year 9999.
std::optional<WallTime> moment_of(const JsonValue& value) {
    constexpr double kLast = 253'402'300'799, kMostWeCount = 9.2e9;  // nanoseconds reach to the year 2262
    double seconds = 0;
    auto [end, error] = std::from_chars(value.text.data(), value.text.data() + value.text.size(), seconds);
    if (!value.is(Kind::number) || error != std::errc() || !(std::abs(seconds) <= kLast)) return {};
    if (seconds >= kMostWeCount) return WallTime::max();
    if (seconds <= -kMostWeCount) return WallTime::min();
    const double whole = std::floor(seconds);
    return WallTime(std::chrono::seconds(static_cast<std::int64_t>(whole)) + Duration(static_cast<std::int64_t>((seconds - whole) * 1e9)));
}

// exp, nbf, iat (RFC 7519 §4.1.4 to §4.1.6).
Result<void> check_times(const JsonValue& claims, Duration leeway, WallTime now, Identity& who) {
    WallTime not_before = WallTime::min();
    const std::pair<std::string_view, WallTime*> dates[] = {{"exp", &who.expires}, {"nbf", &not_before}, {"iat", &who.issued}};
    for (const auto& [name, date] : dates) {
        const JsonValue* claim = claims.find(name);
        if (!claim) continue;
        auto moment = moment_of(*claim);
        if (!moment) return invalid("the claim " + std::string(name) + " is no date");
        *date = *moment;
    }
    if (who.expires <= now - leeway) return Error(Code::token_expired, "the token has expired");
    if (not_before > now + leeway) return invalid("the token is not valid yet (nbf)");
    if (who.issued > now + leeway) return invalid("the token was issued in the future (iat)");
    return {};
}

// ---- by whom, for whom, for what

bool issuer_fits(const JsonValue* issuer, const Texts& wanted) {
    if (!issuer) return wanted.empty();
    if (!issuer->is(Kind::text)) return false;
    return wanted.empty() ? issuer->text == kOurIssuer : contains(wanted, issuer->text);
}

bool audience_fits(const JsonValue* audience, const Texts& wanted) {
    if (!audience) return wanted.empty();
    bool fits = false;
    auto compare = [&](std::string_view one) { fits = fits || (wanted.empty() ? one == kOurAudience : contains(wanted, one)); };
    return each_text(*audience, compare) && fits;
}

// Refresh and ID tokens are signed with the same keys. Keycloak says in `typ` what others say in `type`.
bool is_for_access(const JsonValue& claims) {
    for (std::string_view name : {"type", "token_type", "token_use"}) {
        const JsonValue* use = claims.find(name);
        if (use && !(use->is(Kind::text) && iequals(use->text, "access"))) return false;
    }
    const JsonValue* typ = claims.find("typ");
    if (!typ) return true;
    constexpr std::string_view kOthers[] = {"refresh", "id", "offline", "logout"};
    return std::none_of(std::begin(kOthers), std::end(kOthers), [&](std::string_view other) { return iequals(typ->text, other); });
}

// ---- who

// A text, or an integer as text. Empty: neither.
std::string_view text_or_integer(const JsonValue* value) {
    if (!value) return {};
    if (value->is(Kind::text)) return value->text;
    const bool integer = value->is(Kind::number) && value->text.find_first_of(".eE") == std::string_view::npos;
    return integer ? value->text : std::string_view();
}

Result<void> read_subject(const JsonValue& claims, Identity& who) {
    const std::string_view subject = text_or_integer(claims.find("sub"));
    if (subject.empty()) return invalid("the token names no subject (sub)");
    // Blanks around it would get lost in a header, and make it somebody else.
    if (!is_plain(subject) || subject.front() == ' ' || subject.back() == ' ') return invalid("the token's subject (sub) is not sound");
    who.subject = subject;
    return {};
}

void add_texts(const JsonValue* value, Texts& out) {
    if (!value) return;
    each_text(*value, [&](std::string_view text) {
        if (!text.empty() && is_plain(text) && !contains(out, text)) out.emplace_back(text);
    });
}

// RFC 6749 §3.3: separated by blanks; some write a list.
void add_scopes(const JsonValue* value, Texts& out) {
    if (!value || !value->is(Kind::text)) return add_texts(value, out);
    for (std::string_view scope : split_list(value->text, ' '))
        if (is_plain(scope) && !contains(out, scope)) out.emplace_back(scope);
}

std::string name_in(const JsonValue& claims, std::string_view name_claim) {
    for (std::string_view path : {name_claim, std::string_view("preferred_username"), std::string_view("username")}) {
        const JsonValue* name = find_path(claims, path);
        if (name && name->is(Kind::text) && !name->text.empty()) return is_plain(name->text) ? std::string(name->text) : std::string();
    }
    return {};
}

UserType type_in(const JsonValue& claims, std::string_view type_claim, const Identity& who) {
    const JsonValue* claim = find_path(claims, type_claim);
    const UserType type = user_type_of(claim ? claim->text : std::string_view());
    if (claim && claim->text == name_of(type)) return type;
    return type_by_roles(who);
}

void flatten(const JsonValue& claims, Identity& who) {
    auto add = [&](std::string_view name, const JsonValue& value) {
        const bool plain = value.is(Kind::text) || value.is(Kind::number) || value.is(Kind::boolean);
        if (plain && who.claims.size() < kMostClaims) who.claims.emplace_back(name, value.text);
    };
    who.claims.reserve(16);
    for (const JsonValue& claim : claims) {
        add(claim.name, claim);
        if (!claim.is(Kind::list)) continue;
        for (const JsonValue& item : claim) add(claim.name, item);
    }
}

}  // namespace

Result<IdentityPtr> judge_claims(std::string_view json, const JwtRules& rules, WallTime now) {
    auto text = JsonText::parse(json);
    if (!text || !text->root().is(Kind::object)) return invalid("the token's claims are no JSON object, or are too many or too deep");
    const JsonValue& claims = text->root();

    Identity who;
    if (auto in_time = check_times(claims, rules.leeway, now, who); !in_time) return in_time.error();
    for (const std::string& name : rules.required_claims) {
        const JsonValue* claim = claims.find(name);
        if (!claim || claim->is(Kind::null)) return invalid("the token lacks the claim " + name);
    }
    if (!issuer_fits(claims.find("iss"), rules.issuers)) return invalid("the token's issuer (iss) is not trusted here");
    if (!audience_fits(claims.find("aud"), rules.audiences)) return invalid("the token is for others (aud)");
    if (!is_for_access(claims)) return invalid("the token is no access token");
    if (auto named = read_subject(claims, who); !named) return named.error();

    who.method = Method::jwt;
    who.issuer = rules.name;
    who.token_id = text_or_integer(claims.find("jti"));
    add_texts(find_path(claims, rules.roles_claim), who.roles);
    add_texts(claims.find("role"), who.roles);
    add_scopes(find_path(claims, rules.scopes_claim), who.scopes);
    add_scopes(claims.find("scp"), who.scopes);
    who.name = name_in(claims, rules.name_claim);
    who.type = type_in(claims, rules.user_type_claim, who);
    flatten(claims, who);
    return settled(std::move(who));
}

}  // namespace suoke::auth
