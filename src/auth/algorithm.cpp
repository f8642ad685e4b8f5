// SPDX-License-Identifier: MIT
#include "auth/algorithm.h"

#include <algorithm>
#include <array>

namespace suoke::auth {
namespace {

constexpr std::array<std::string_view, kAlgorithms> kNames = {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256",
                                                              "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"};

}  // namespace

std::optional<Algorithm> algorithm_of(std::string_view name) {
    auto found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end()) return {};
    return static_cast<Algorithm>(found - kNames.begin());
}

std::string_view name_of(Algorithm algorithm) { return kNames[static_cast<std::size_t>(algorithm)]; }

bool suits(KeyKind kind, Algorithm algorithm) {
    switch (algorithm) {
        case Algorithm::hs256:
        case Algorithm::hs384:
        case Algorithm::hs512: return kind == KeyKind::secret;
        case Algorithm::rs256:
        case Algorithm::rs384:
        case Algorithm::rs512:
        case Algorithm::ps256:
        case Algorithm::ps384:
        case Algorithm::ps512: return kind == KeyKind::rsa;
        case Algorithm::es256: return kind == KeyKind::p256;
        case Algorithm::es384: return kind == KeyKind::p384;
        case Algorithm::es512: return kind == KeyKind::p521;
        case Algorithm::eddsa: return kind == KeyKind::ed25519 || kind == KeyKind::ed448;
    }
    return false;
}

}  // namespace suoke::auth
