// SPDX-License-Identifier: MIT
#include "auth/introspection.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "auth/json_text.h"
#include "base/text.h"

namespace suoke::auth {
namespace {

using Kind = JsonValue::Kind;

std::string_view text_of(const JsonValue& object, std::string_view member) {
    const JsonValue* found = object.find(member);
    return found && found->is(Kind::text) ? found->text : std::string_view();
}

// NumericDate (RFC 7519 §2): seconds, perhaps with a fraction. Far beyond what a clock can say is for ever.
std::optional<WallTime> time_of(const JsonValue& object, std::string_view member) {
    constexpr double kLatest = 9e9;
    const JsonValue* found = object.find(member);
    if (!found || !found->is(Kind::number)) return std::nullopt;
    double seconds = 0;
    auto [end, fault] = std::from_chars(found->text.data(), found->text.data() + found->text.size(), seconds);
    if (fault != std::errc() || !std::isfinite(seconds) || seconds < 0) return std::nullopt;
    if (seconds > kLatest) return WallTime::max();
    return WallTime(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

bool is_plain(const JsonValue& value) { return value.is(Kind::text) || value.is(Kind::number) || value.is(Kind::boolean); }

void take_claims(const JsonValue& object, Identity& who) {
    for (const JsonValue& member : object) {
        if (is_plain(member)) who.claims.emplace_back(member.name, member.text);
        if (!member.is(Kind::list)) continue;
        for (const JsonValue& item : member)
            if (is_plain(item)) who.claims.emplace_back(member.name, item.text);
    }
}

bool is_refresh_token(const JsonValue& object) {
    for (std::string_view member : {"token_type", "typ", "token_use", "type"}) {
        std::string_view type = text_of(object, member);
        if (iequals(type, "refresh") || iequals(type, "refresh_token")) return true;
    }
    return false;
}

bool is_meant_for(const Identity& who, const std::vector<std::string>& audiences) {
    return std::ranges::any_of(who.claims, [&](const auto& claim) { return claim.first == "aud" && std::ranges::find(audiences, claim.second) != audiences.end(); });
}

}  // namespace

Result<IdentityPtr> read_introspection(std::string_view json, WallTime now, const std::vector<std::string>& audiences) {
    auto read = JsonText::parse(json);
    const JsonValue* active = read ? read->root().find("active") : nullptr;
    if (!active || !active->is(Kind::boolean)) return Error(Code::keys_unavailable, "the answer to an introspection is none");
    const JsonValue& said = read->root();
    if (active->text != "true") return Error(Code::invalid_token, "the token is not active");
    if (is_refresh_token(said)) return Error(Code::invalid_token, "it is another kind of token");
    Identity who;
    who.method = Method::introspection;
    for (std::string_view member : {"sub", "username", "client_id"})
        if (who.subject.empty()) who.subject = text_of(said, member);
    if (who.subject.empty()) return Error(Code::invalid_token, "nobody is said to be its subject");
    if (auto begins = time_of(said, "nbf"); begins && now < *begins) return Error(Code::invalid_token, "the token is not valid yet (nbf)");
    who.expires = time_of(said, "exp").value_or(WallTime::max());
    if (now >= who.expires) return Error(Code::token_expired, "the token has expired");
    who.issued = time_of(said, "iat").value_or(WallTime());
    who.token_id = text_of(said, "jti");
    who.name = text_of(said, "name").empty() ? text_of(said, "username") : text_of(said, "name");
    for (std::string_view scope : split_list(text_of(said, "scope"), ' ')) who.scopes.emplace_back(scope);
    if (const JsonValue* roles = said.find("roles"); roles && roles->is(Kind::list))
        for (const JsonValue& role : *roles)
            if (role.is(Kind::text)) who.roles.emplace_back(role.text);
    std::string_view type = text_of(said, "user_type");
    who.type = type.empty() ? type_by_roles(who) : user_type_of(type);
    take_claims(said, who);
    if (!audiences.empty() && !is_meant_for(who, audiences)) return Error(Code::invalid_token, "it is meant for others (aud)");
    return settled(std::move(who));
}

}  // namespace suoke::auth
