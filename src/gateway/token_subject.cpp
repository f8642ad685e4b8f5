// SPDX-License-Identifier: MIT
#include "gateway/token_subject.h"

#include "auth/base64url.h"
#include "auth/json_text.h"
#include "http/bearer.h"

namespace suoke::gateway {

std::string token_subject(std::string_view authorization) {
    constexpr std::size_t kMostClaims = 16 * 1024;
    std::string_view token = http::bearer_token(authorization);
    std::size_t first = token.find('.');
    std::size_t second = first == token.npos ? first : token.find('.', first + 1);
    if (second == token.npos || second - first > kMostClaims) return {};
    auto text = auth::from_base64url(token.substr(first + 1, second - first - 1));
    auto claims = text ? auth::JsonText::parse(*text) : std::nullopt;
    const auth::JsonValue* subject = claims ? claims->root().find("sub") : nullptr;
    return subject && subject->is(auth::JsonValue::Kind::text) ? std::string(subject->text) : std::string();
}

}  // namespace suoke::gateway
