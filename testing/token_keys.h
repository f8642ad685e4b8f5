// SPDX-License-Identifier: MIT
#pragma once
// Keys to sign tokens with and to verify them, made when somebody first asks and kept for the process.
//
//   auto token = scene::token(R"({"sub":"42","exp":4102444800})", auth::Algorithm::es256);
//   auto keys = scene::verifying_key(auth::Algorithm::es256);

#include <string>
#include <string_view>

#include "auth/key.h"

namespace suoke::scene {

// One key pair of each kind, as PEM; `which` other than 0 gives another pair. There is none of KeyKind::secret.
struct TokenPem {
    std::string secret, open;
};
const TokenPem& token_pem(auth::KeyKind kind, int which = 0);
// 64 bytes, enough for HS512.
const std::string& token_secret();

// The kind of key that we take for an algorithm; EdDSA is Ed25519.
auth::KeyKind kind_for(auth::Algorithm algorithm);
auth::KeyPtr signing_key(auth::Algorithm algorithm, std::string id = {});
auth::KeyPtr verifying_key(auth::Algorithm algorithm, std::string id = {});

// The public half as JWK (RFC 7517), for somebody who serves key sets.
std::string public_jwk(auth::KeyKind kind, std::string_view id, int which = 0);
// {"keys":[...]} of some of these.
std::string jwks(std::initializer_list<std::string> keys);

// Signed by signing_key(algorithm, id).
std::string token(std::string_view claims, auth::Algorithm algorithm = auth::Algorithm::hs256, std::string id = {});

}  // namespace suoke::scene
