// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "auth/base64url.h"
#include "auth/jwt.h"
#include "testing/token_keys.h"

namespace suoke::auth {
namespace {

const WallTime kNow = WallTime(1'735'689'600s);  // 2025-01-01
constexpr std::string_view kClaims = R"({"sub":"42","exp":1735693200,"roles":["user"]})";

struct Pair {
    KeyPtr secret, open;
    Algorithm algorithm;
    std::string name;
};

// One for each algorithm, and Ed448.
std::vector<Pair> pairs() {
    std::vector<Pair> all;
    for (std::size_t i = 0; i < kAlgorithms; ++i) {
        const auto algorithm = static_cast<Algorithm>(i);
        all.push_back({scene::signing_key(algorithm, "k1"), scene::verifying_key(algorithm, "k1"), algorithm, std::string(name_of(algorithm))});
    }
    const scene::TokenPem& pem = scene::token_pem(KeyKind::ed448);
    all.push_back({*Key::of_pem(pem.secret, {}, "k1"), *Key::of_pem(pem.open, {}, "k1"), Algorithm::eddsa, "Ed448"});
    return all;
}

bool opens(std::string_view text, const Pair& pair) {
    KeySet keys;
    keys.keys = {pair.open};
    JwtRules rules;
    rules.algorithms = {pair.algorithm};
    auto token = parse_token(text);
    return token && verify(*token, rules, keys, kNow);
}

TEST(Mint, makes_tokens_that_the_public_half_verifies) {
    for (const Pair& pair : pairs()) {
        auto token = mint(kClaims, *pair.secret, pair.algorithm);
        ASSERT_TRUE(token) << pair.name << " " << token.error().detail;
        EXPECT_TRUE(opens(*token, pair)) << pair.name;
        EXPECT_EQ(from_base64url(token->substr(0, token->find('.'))),
                  R"({"alg":")" + std::string(name_of(pair.algorithm)) + R"(","typ":"JWT","kid":"k1"})");
    }
}

// Each character of the token with one of its bits turned; with each of its bits where that is cheap.
TEST(Mint, makes_tokens_of_which_each_bit_counts) {
    for (const Pair& pair : pairs()) {
        const std::string token = *mint(kClaims, *pair.secret, pair.algorithm);
        const bool cheap = pair.algorithm == Algorithm::hs256 || pair.algorithm == Algorithm::rs256;
        for (std::size_t bit = 0; bit < token.size() * 8; ++bit) {
            if (!cheap && bit % 8 != bit / 8 % 8) continue;
            std::string changed = token;
            changed[bit / 8] = static_cast<char>(static_cast<unsigned char>(changed[bit / 8]) ^ (1u << bit % 8));
            EXPECT_FALSE(opens(changed, pair)) << pair.name << " bit " << bit;
        }
        for (std::size_t size = 0; size < token.size(); size += 3)
            EXPECT_FALSE(opens(std::string_view(token).substr(0, size), pair)) << pair.name << " " << size;
    }
}

TEST(Mint, refuses_what_would_open_nothing) {
    auto key = scene::signing_key(Algorithm::hs256);
    for (const char* claims : {"", "[]", "sub", "{\"sub\":\"1\",}", R"({"sub":"1","sub":"2"})"}) EXPECT_FALSE(mint(claims, *key, Algorithm::hs256)) << claims;
    EXPECT_FALSE(mint(kClaims, *key, Algorithm::hs512)) << "the key is for HS256";
    EXPECT_FALSE(mint(kClaims, *scene::verifying_key(Algorithm::rs256), Algorithm::rs256)) << "a public key";
    EXPECT_FALSE(mint("{\"sub\":\"" + std::string(8000, 'x') + "\"}", *key, Algorithm::hs256)) << "nobody would read it";
}

}  // namespace
}  // namespace suoke::auth
