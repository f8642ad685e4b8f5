// SPDX-License-Identifier: MIT
#include "gateway/token_subject.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "http/bearer.h"
#include "http/grpc.h"

namespace suoke::gateway {

std::string token_subject(std::string_view authorization) {
    constexpr std::size_t kMostClaims = 16 * 1024;
    constexpr int kMostLevels = 8;
    std::string_view token = http::bearer_token(authorization);
    std::size_t first = token.find('.');
    std::size_t second = first == token.npos ? first : token.find('.', first + 1);
    if (second == token.npos || second - first > kMostClaims) return {};
    // base64url without padding (RFC 7515 §2), as our decoder wants it.
    std::string text(token.substr(first + 1, second - first - 1)), claims;
    for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
    text.append((4 - text.size() % 4) % 4, '=');
    http::Base64Decoder decoder;
    if (!decoder.decode(text, claims) || !decoder.complete() || nested_deeper(claims, kMostLevels)) return {};
    nlohmann::json json = nlohmann::json::parse(claims, nullptr, false);
    auto subject = json.is_object() ? json.find("sub") : json.end();
    return json.is_object() && subject != json.end() && subject->is_string() ? subject->get<std::string>() : std::string();
}

}  // namespace suoke::gateway
