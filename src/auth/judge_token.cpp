// SPDX-License-Identifier: MIT
#include "auth/judge_token.h"

#include <algorithm>

#include "auth/json_text.h"

namespace suoke::auth {
namespace {

// `iss`, before anybody has verified it: it only chooses whose keys are tried.
std::string issuer_of(const Token& token) {
    auto claims = JsonText::parse(token.payload);
    const JsonValue* issuer = claims ? claims->root().find("iss") : nullptr;
    return issuer && issuer->is(JsonValue::Kind::text) ? std::string(issuer->text) : std::string();
}

template <class T>
bool contains(const std::vector<T>& all, const T& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

// Those that name the token's issuer; else those that name none at all. Each verifies the issuer itself, too.
std::vector<const JwtRules*> chosen(const Token& token, std::span<const JwtRules> providers) {
    std::string issuer = providers.size() > 1 ? issuer_of(token) : std::string();
    std::vector<const JwtRules*> named, others;
    for (const JwtRules& rules : providers) {
        if (!contains(rules.algorithms, token.algorithm)) continue;
        if (contains(rules.issuers, issuer)) named.push_back(&rules);
        else if (rules.issuers.empty() || providers.size() == 1) others.push_back(&rules);
    }
    std::vector<const JwtRules*>& all = named.empty() ? others : named;
    if (all.size() > kMostProvidersTried) all.resize(kMostProvidersTried);
    return std::move(all);
}

// Null: it never had any, or they are too old to be believed.
const KeySet* keys_of(const JwtRules& rules, const KeyRing& ring, WallTime now) {
    auto found = ring.providers.find(rules.name);
    if (found == ring.providers.end() || now >= found->second.usable_until) return nullptr;
    return found->second.keys.get();
}

// The one that says most: whose signature was good counts before whose was not.
int weight_of(const Error& error) {
    switch (error.code) {
        case Code::token_revoked: return 3;
        case Code::token_expired: return 2;
        case Code::keys_unavailable: return 1;
        default: return 0;
    }
}

}  // namespace

bool looks_like_jwt(std::string_view token) { return std::count(token.begin(), token.end(), '.') == 2; }

TokenJudgement judge_token(std::string_view text, std::span<const JwtRules> providers, const KeyRing& ring, const Revocations& revoked,
                           WallTime now) {
    TokenJudgement all;
    all.refusal = Error(Code::invalid_token);
    Result<Token> token = parse_token(text);
    if (!token) {
        all.refusal = token.error();
        all.is_ours = false;
        return all;
    }
    all.key_id = token->key_id;
    auto refuse = [&](Error error) {
        if (weight_of(error) >= weight_of(all.refusal)) all.refusal = std::move(error);
    };
    std::vector<const JwtRules*> rules = chosen(*token, providers);
    all.is_ours = !rules.empty();
    for (const JwtRules* one : rules) {
        const KeySet* keys = keys_of(*one, ring, now);
        if (!keys) refuse(Error(Code::keys_unavailable));
        if (!keys || !keys->knows(token->key_id)) all.ask.push_back(one->name);
        if (!keys) continue;
        Result<IdentityPtr> verified = verify(*token, *one, *keys, now);
        if (!verified) {
            refuse(verified.error());
            continue;
        }
        all.ask.clear();
        if (revoked.covers(**verified)) all.refusal = Error(Code::token_revoked);
        else all.who = std::move(*verified);
        return all;
    }
    return all;
}

}  // namespace suoke::auth
