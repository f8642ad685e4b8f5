// SPDX-License-Identifier: MIT
#include "gateway/renewal.h"

#include "auth/json_text.h"
#include "auth/judge_token.h"
#include "gateway/authorities.h"
#include "gateway/site.h"
#include "gateway/worker.h"

namespace suoke::gateway {
namespace {

using auth::IdentityPtr;
using auth::JsonValue;

std::string_view text_of(const JsonValue* object, std::string_view member) {
    const JsonValue* found = object ? object->find(member) : nullptr;
    return found && found->is(JsonValue::Kind::text) ? found->text : std::string_view();
}

auth::TokenJudgement judge(Exchange& ex, std::string_view token) {
    Worker& worker = ex.worker;
    const auth::Credentials& known = worker.credentials();
    return auth::judge_token(token, ex.site.authentication.providers, *known.ring, *known.revoked, worker.loop().clock().wall());
}

// Nothing: no provider here makes such tokens, and there is somebody else to ask.
rt::Task<std::optional<Result<IdentityPtr>>> judge_jwt(Exchange& ex, const RenewalRules& rules, const std::string& token) {
    if (rules.introspection && !auth::looks_like_jwt(token)) co_return std::nullopt;
    auth::TokenJudgement judged = judge(ex, token);
    if (!judged.who && !judged.ask.empty() && ex.worker.credentials().desk) {
        co_await look_for_keys(ex, std::move(judged.ask), std::move(judged.key_id));
        judged = judge(ex, token);
    }
    if (judged.who) co_return Result<IdentityPtr>(std::move(judged.who));
    if (rules.introspection && !judged.is_ours) co_return std::nullopt;
    co_return Result<IdentityPtr>(Error(judged.refusal.code));
}

rt::Task<Result<IdentityPtr>> ask_about(Exchange& ex, std::string token) {
    Result<IdentityPtr> said = co_await introspect(ex, std::move(token));
    if (said && ex.worker.credentials().revoked->covers(**said)) co_return Error(Code::token_revoked);
    co_return said;
}

// Two providers may know somebody of the same name.
bool same_person(const auth::Identity& a, const auth::Identity& b) {
    return a.subject == b.subject && a.issuer == b.issuer && a.method == b.method;
}

Result<IdentityPtr> admitted(const Exchange& ex, Result<IdentityPtr> shown) {
    if (!shown) return shown;
    if (!same_person(*ex.who, **shown)) return Error(Code::conflict);
    if (ex.route->admission.rule.lack(**shown) != auth::AccessRule::Lack::nothing)
        return Error(Code::forbidden, "this takes a role, scope or claim that the new token does not have");
    return shown;
}

}  // namespace

RenewalRules renewal_rules(const config::Config& config, const config::Route& route) {
    if (!route.auth.renew_in_band || config.auth.mode_of(route.auth) == config::AuthMode::none) return {};
    return token_kinds(config.auth.methods_of(route.auth));
}

bool may_be_renewal(std::string_view beginning) {
    std::size_t first = beginning.find_first_not_of(" \t\r\n");
    return first != beginning.npos && beginning[first] == '{' && beginning.find("\"auth\"", first) != beginning.npos;
}

std::optional<std::string> renewal_in(std::string_view message) {
    auto json = auth::JsonText::parse(message);
    if (!json || text_of(&json->root(), "type") != "auth") return std::nullopt;
    std::string_view token = text_of(&json->root(), "token");
    if (token.empty()) token = text_of(json->root().find("data"), "token");
    return std::string(token);
}

rt::Task<Result<IdentityPtr>> judge_renewal(Exchange& ex, const RenewalRules& rules, std::string token) {
    if (token.empty() || token.size() > auth::kLongestToken) co_return Error(Code::invalid_token);
    std::optional<Result<IdentityPtr>> judged;
    if (rules.jwt) judged = co_await judge_jwt(ex, rules, token);
    if (!judged && !rules.introspection) co_return Error(Code::invalid_token);
    if (!judged) judged = co_await ask_about(ex, std::move(token));
    co_return admitted(ex, std::move(*judged));
}

}  // namespace suoke::gateway
