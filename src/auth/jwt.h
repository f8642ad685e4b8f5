// SPDX-License-Identifier: MIT
#pragma once
// JSON Web Tokens (RFC 7519) in compact form (RFC 7515 §7.1). Pure: clock and keys are passed in.
//
//   auto token = parse_token(text);                       // its form, no judgement
//   auto who = verify(*token, rules, *keys, now);         // its signature, then what it says

#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "auth/key.h"

namespace suoke::auth {

constexpr std::size_t kLongestToken = 8 * 1024;

struct Token {
    std::string_view text;          // the whole of it; what parse_token() was given must outlive this
    std::string_view signed_part;   // header.payload
    std::string key_id;             // kid; empty: none
    Algorithm algorithm{};
    std::string type;               // typ of the header; may be empty
    std::string payload;            // decoded JSON text
    std::string signature;          // decoded
};

// Code::invalid_token, with a sentence for the log: not three parts, base64url that is none, an unknown
// or missing alg, `crit` (RFC 7515 §4.1.11), duplicate members, too long, too deep. The payload may be anything.
Result<Token> parse_token(std::string_view text);

struct JwtRules {
    std::string name;                        // of the provider; empty: the first one
    std::vector<Algorithm> algorithms;       // that are accepted; never empty
    std::vector<std::string> issuers;        // empty: suoke-auth-service, or none in the token
    std::vector<std::string> audiences;      // empty: suoke-life, or none in the token
    Duration leeway = std::chrono::seconds(30);
    std::vector<std::string> required_claims;
    std::string roles_claim = "roles", scopes_claim = "scope", name_claim = "name", user_type_claim = "user_type";
};

// Code::invalid_token or Code::token_expired; the detail is for the log and for WWW-Authenticate, shows nothing
// of the token and says nothing of keys. The signature is checked first, with at most four keys. A `type`,
// `token_type` or `token_use` other than access, or a typ that is not a JWT's (JWT, at+jwt, RFC 9068 §2.1), is
// refused: a refresh token opens nothing. A subject that could not be a header's value is refused, roles and scopes
// of that kind are left out. `expires` is exp without the leeway.
Result<IdentityPtr> verify(const Token& token, const JwtRules& rules, const KeySet& keys, WallTime now);

// header.payload.signature of these claims (JSON text), for `token mint` and tests.
Result<std::string> mint(std::string_view claims, const Key& key, Algorithm algorithm);

}  // namespace suoke::auth
