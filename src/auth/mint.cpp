// SPDX-License-Identifier: MIT
#include "auth/base64url.h"
#include "auth/json_text.h"
#include "auth/jwt.h"
#include "base/json.h"

namespace suoke::auth {

Result<std::string> mint(std::string_view claims, const Key& key, Algorithm algorithm) {
    auto read = JsonText::parse(claims);
    if (!read || !read->root().is(JsonValue::Kind::object))
        return Error(Code::invalid_token, "claims are a JSON object in which each member stands once, at most 8 levels deep");
    std::string header;
    JsonWriter json(header);
    json.open('{').field("alg", name_of(algorithm)).field("typ", std::string_view("JWT"));
    if (!key.id().empty()) json.field("kid", key.id());
    json.close('}');

    std::string token = to_base64url(header) + "." + to_base64url(claims);
    auto signature = key.sign(algorithm, token);
    if (!signature) return signature.error();
    token += "." + to_base64url(*signature);
    if (token.size() > kLongestToken) return Error(Code::invalid_token, "these claims make a token of more than 8 KiB");
    return token;
}

}  // namespace suoke::auth
