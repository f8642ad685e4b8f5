// SPDX-License-Identifier: MIT
#pragma once
// Which provider's keys and rules a token is held against, and what comes of it. Never waits.
//
//   TokenJudgement judged = judge_token(text, rules, *ring, *revoked, now);
//   if (judged.who) ...                         // verified, and not revoked
//   else if (!judged.ask.empty()) ...           // newer keys of these providers may say otherwise
//   else answer(judged.refusal);

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/credentials.h"
#include "auth/jwt.h"

namespace suoke::auth {

constexpr std::size_t kMostProvidersTried = 4;

struct TokenJudgement {
    IdentityPtr who;                   // null: refused
    Error refusal;                     // then: invalid_token, token_expired, token_revoked, keys_unavailable
    bool is_ours = true;               // false: it is no JWT, or no provider here makes such
    std::vector<std::string> ask;      // providers that have no key yet, or not the one the token names
    std::string key_id;                // that it names
};

TokenJudgement judge_token(std::string_view text, std::span<const JwtRules> providers, const KeyRing& ring, const Revocations& revoked,
                           WallTime now);

// Three parts: nothing else is a JWT in compact form.
bool looks_like_jwt(std::string_view token);

}  // namespace suoke::auth
