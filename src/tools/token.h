// SPDX-License-Identifier: MIT
#pragma once
// `suoke-gateway token ...`: makes tokens and API keys for operators, and says what is wrong with one.
// Secrets are read from the configuration or from a file, and never shown.

#include <string>
#include <vector>

#include "base/time.h"
#include "config/load.h"

namespace suoke::tools {

struct TokenOrder {                       // what `mint` is asked for
    std::string subject;
    std::vector<std::string> roles, scopes;
    std::string user_type;
    Duration ttl{};                       // zero: auth.jwt.access_token_expire_minutes
    std::vector<std::string> claims;      // "name=value"; a value that is JSON is taken as such
    std::string key_file;                 // PEM of a private key, instead of auth.jwt.secret_key
    std::string algorithm;                // empty: the first that the configuration names and the key can do
    std::string key_id;                   // kid; empty: none
};

// A signed token. Code::invalid_config says what is missing or does not fit.
Result<std::string> mint_token(const TokenOrder& order, const config::JwtProvider& by, WallTime now);

// What a token says, and whether the gateway would take it.
struct TokenReport {
    bool good = false;
    std::string text;                     // lines for people
};
// Whose keys are elsewhere (jwks_url) is asked for them.
TokenReport judge_token(std::string_view token, const config::Auth& auth);

// The commands. Each prints and returns the exit code: 0 good, 1 not, 2 it could not be found out.
int mint(const config::Sources& sources, const TokenOrder& order);
int verify(const config::Sources& sources, const std::string& token);   // "-": from standard input
int hash(bool make_new);                                                // of an API key, from standard input

}  // namespace suoke::tools
