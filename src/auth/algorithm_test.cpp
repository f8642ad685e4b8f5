// SPDX-License-Identifier: MIT
#include "auth/algorithm.h"

#include <gtest/gtest.h>

namespace suoke::auth {
namespace {

TEST(Algorithms, are_found_by_their_names) {
    for (std::size_t i = 0; i < kAlgorithms; ++i) {
        const auto algorithm = static_cast<Algorithm>(i);
        EXPECT_EQ(algorithm_of(name_of(algorithm)), algorithm) << name_of(algorithm);
    }
    EXPECT_EQ(name_of(Algorithm::ps384), "PS384");
    EXPECT_EQ(name_of(Algorithm::eddsa), "EdDSA");
}

TEST(Algorithms, are_not_found_by_other_names_and_none_is_none) {
    for (const char* name : {"", "none", "None", "NONE", "nOnE", "hs256", "HS256 ", "HS128", "RS1", "ES256K", "ES521", "eddsa", "Ed25519", "A128KW", "dir"})
        EXPECT_FALSE(algorithm_of(name)) << name;
    EXPECT_FALSE(algorithm_of(std::string_view("HS256\0", 6)));
}

TEST(Algorithms, suit_the_keys_that_they_are_made_for) {
    const std::pair<KeyKind, int> kinds[] = {{KeyKind::secret, 3}, {KeyKind::rsa, 6},     {KeyKind::p256, 1}, {KeyKind::p384, 1},
                                             {KeyKind::p521, 1},   {KeyKind::ed25519, 1}, {KeyKind::ed448, 1}};
    for (const auto& [kind, many] : kinds) {
        int count = 0;
        for (std::size_t i = 0; i < kAlgorithms; ++i) count += suits(kind, static_cast<Algorithm>(i)) ? 1 : 0;
        EXPECT_EQ(count, many) << static_cast<int>(kind);
    }
    EXPECT_FALSE(suits(KeyKind::rsa, Algorithm::hs256));
    EXPECT_FALSE(suits(KeyKind::p384, Algorithm::es256));
    EXPECT_TRUE(suits(KeyKind::p521, Algorithm::es512));
}

}  // namespace
}  // namespace suoke::auth
