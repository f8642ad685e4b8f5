// SPDX-License-Identifier: MIT
#include "auth/jwt.h"

#include <algorithm>

#include "auth/base64url.h"
#include "auth/claims.h"
#include "auth/json_text.h"
#include "base/text.h"

namespace suoke::auth {
namespace {

using Kind = JsonValue::Kind;

constexpr JsonLimits kHeaderLimits{.depth = 4, .values = 100};
constexpr std::size_t kLongestKeyId = 256;
constexpr std::size_t kMostKeysTried = 4;

Error invalid(std::string sentence) { return {Code::invalid_token, std::move(sentence)}; }

// RFC 7515 §4.1. Keys that a token brings or points at (jwk, jku, x5c, x5u) are not looked at.
Result<void> read_header(std::string_view json, Token& token) {
    auto text = JsonText::parse(json, kHeaderLimits);
    if (!text || !text->root().is(Kind::object)) return invalid("the token's header is no JSON object in which each member stands once");
    const JsonValue& header = text->root();

    const JsonValue* alg = header.find("alg");
    auto algorithm = alg && alg->is(Kind::text) ? algorithm_of(alg->text) : std::nullopt;
    if (!algorithm) return invalid("the token names no algorithm that is known here");
    token.algorithm = *algorithm;

    if (header.find("crit")) return invalid("the token needs an extension that is not known here (crit)");
    const JsonValue* b64 = header.find("b64");
    if (b64 && !(b64->is(Kind::boolean) && b64->text == "true")) return invalid("the token's payload is not encoded (b64)");

    const JsonValue* kid = header.find("kid");
    if (kid && (!kid->is(Kind::text) || kid->text.size() > kLongestKeyId)) return invalid("the token's kid is no text of up to 256 bytes");
    if (kid) token.key_id = kid->text;

    const JsonValue* typ = header.find("typ");
    if (typ && !typ->is(Kind::text)) return invalid("the token's typ is no text");
    if (typ) token.type = typ->text;
    return {};
}

// RFC 7515 §4.1.9: a media type, and application/ need not be written. RFC 9068 §2.1 is at+jwt.
bool is_token_type(std::string_view type) {
    constexpr std::string_view kApplication = "application/";
    if (iequals(type.substr(0, kApplication.size()), kApplication)) type.remove_prefix(kApplication.size());
    return iequals(type, "JWT") || iequals(type, "at+jwt");
}

bool is_genuine(const Token& token, const KeySet& keys) {
    std::vector<const Key*> tried = keys.candidates(token.key_id, token.algorithm);
    if (tried.size() > kMostKeysTried) tried.resize(kMostKeysTried);
    return std::any_of(tried.begin(), tried.end(), [&](const Key* key) { return key->verify(token.algorithm, token.signed_part, token.signature); });
}

}  // namespace

Result<Token> parse_token(std::string_view text) {
    if (text.size() > kLongestToken) return invalid("the token is too long");
    const std::size_t first = text.find('.');
    const std::size_t second = first == text.npos ? first : text.find('.', first + 1);
    if (second == text.npos || text.find('.', second + 1) != text.npos) return invalid("the token has not three parts");

    auto header = from_base64url(text.substr(0, first));
    auto payload = from_base64url(text.substr(first + 1, second - first - 1));
    auto signature = from_base64url(text.substr(second + 1));
    if (!header || !payload || !signature) return invalid("the token is not written in base64url");
    if (signature->empty()) return invalid("the token has no signature");

    Token token;
    if (auto read = read_header(*header, token); !read) return read.error();
    token.text = text;
    token.signed_part = text.substr(0, second);
    token.payload = std::move(*payload);
    token.signature = std::move(*signature);
    return token;
}

Result<IdentityPtr> verify(const Token& token, const JwtRules& rules, const KeySet& keys, WallTime now) {
    if (std::find(rules.algorithms.begin(), rules.algorithms.end(), token.algorithm) == rules.algorithms.end())
        return invalid("the token's algorithm is not accepted here");
    // One sentence for an unknown key and for a wrong signature: who tries does not learn which keys there are.
    if (!is_genuine(token, keys)) return invalid("the token's signature is not valid");
    if (!token.type.empty() && !is_token_type(token.type)) return invalid("it is another kind of token (typ)");
    return judge_claims(token.payload, rules, now);
}

}  // namespace suoke::auth
