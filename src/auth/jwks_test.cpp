// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "auth/key.h"
#include "testing/token_keys.h"

namespace suoke::auth {
namespace {

using scene::jwks;
using scene::public_jwk;

std::string why(std::string_view json) {
    auto set = parse_jwks(json);
    return set ? "it is one" : set.error().detail;
}

std::vector<std::string> ids(const std::vector<const Key*>& keys) {
    std::vector<std::string> names;
    for (const Key* key : keys) names.push_back(key->id());
    return names;
}

using Names = std::vector<std::string>;

TEST(KeySets, give_the_keys_that_may_have_made_a_signature) {
    auto set =
        *parse_jwks(jwks({public_jwk(KeyKind::rsa, "a"), public_jwk(KeyKind::p256, "b"), public_jwk(KeyKind::rsa, "c", 1), public_jwk(KeyKind::rsa, "")}));
    ASSERT_EQ(set->keys.size(), 4u);
    EXPECT_EQ(ids(set->candidates("c", Algorithm::rs256)), (Names{"c", ""})) << "the one that is named, then those without a name";
    EXPECT_EQ(ids(set->candidates("b", Algorithm::es256)), (Names{"b"}));
    EXPECT_EQ(ids(set->candidates("b", Algorithm::rs256)), (Names{""})) << "b is of another kind";
    EXPECT_EQ(ids(set->candidates("", Algorithm::ps512)), (Names{"a", "c", ""}));
    EXPECT_EQ(ids(set->candidates("a", Algorithm::hs256)), Names());
    EXPECT_EQ(ids(set->candidates("../../a", Algorithm::rs256)), (Names{""}));
}

TEST(KeySets, know_the_names_of_their_keys) {
    auto set = *parse_jwks(jwks({public_jwk(KeyKind::p256, "a"), public_jwk(KeyKind::p384, "")}));
    EXPECT_TRUE(set->knows("a"));
    EXPECT_FALSE(set->knows("b"));
    EXPECT_FALSE(set->knows("A"));
    EXPECT_TRUE(set->knows("")) << "a token that names none is not helped by newer keys";
    auto nameless = *parse_jwks(jwks({public_jwk(KeyKind::p256, "")}));
    EXPECT_TRUE(nameless->knows("b"));
    EXPECT_TRUE(KeySet().knows("b"));
}

TEST(KeySets, pass_over_what_is_not_for_us) {
    auto set = parse_jwks(
        jwks({R"({"kty":"LWE","kid":"new"})", R"({"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"})", R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})",
              "7", "null", public_jwk(KeyKind::ed25519, "good"), R"({"kty":"RSA","n":"AQAB","e":"AQAB"})"}));
    ASSERT_TRUE(set) << set.error().detail;
    ASSERT_EQ((*set)->keys.size(), 1u);
    EXPECT_EQ((*set)->keys[0]->id(), "good");
}

TEST(KeySets, in_which_nothing_is_for_us_say_why) {
    EXPECT_EQ(why(R"({"keys":[]})"), "no key of the set can verify a token: it is empty");
    EXPECT_EQ(why(R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]})"),
              "no key of the set can verify a token: RSA keys must have at least 2048 bits (RFC 7518 §3.3)");
    EXPECT_EQ(why(R"({"keys":[{"kty":"RSA","use":"enc"}]})"),
              "no key of the set can verify a token: it is not for signatures that somebody verifies (use, key_ops)");
}

TEST(KeySets, are_objects_with_a_list) {
    const std::string sentence = "a key set is a JSON object with a list \"keys\" (RFC 7517 §5)";
    const std::string key = public_jwk(KeyKind::p256, "a");
    for (const std::string& json : {std::string(), std::string("{}"), std::string("null"), std::string("[]"), "[" + key + "]", key,
                                    std::string(R"({"keys":{}})"), std::string(R"({"keys":"a"})"), "{\"keys\":[" + key,
                                    "{\"keys\":[],\"keys\":[" + key + "]}", std::string("<html>"), std::string("{\"keys\":[[[[[[[[]]]]]]]]}")})
        EXPECT_EQ(why(json), sentence) << json;
    EXPECT_EQ(why(" {\"more\":1, \"keys\" : [" + key + "] }\r\n"), "it is one");
}

TEST(KeySets, that_show_a_secret_are_refused_as_a_whole) {
    const std::string sentence = "the key set shows a secret or a private key, which everybody may have read";
    const std::string good = public_jwk(KeyKind::p256, "a");
    const std::string secret = R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";
    EXPECT_EQ(why(jwks({secret})), sentence);
    EXPECT_EQ(why(jwks({good, secret})), sentence);
    EXPECT_EQ(why(jwks({good, R"({"kty":"oct"})"})), sentence);
    EXPECT_EQ(why(jwks({good, "{\"d\":\"AAAA\"," + good.substr(1)})), sentence);
}

TEST(KeySets, have_limits) {
    const std::string key = public_jwk(KeyKind::ed25519, "a");
    auto set_of = [&](int count) {
        std::string json = "{\"keys\":[";
        for (int i = 0; i < count; ++i) json += (i ? "," : "") + key;
        return json + "]}";
    };
    EXPECT_EQ((*parse_jwks(set_of(100)))->keys.size(), 100u);
    EXPECT_EQ(why(set_of(101)), "a key set of more than 100 keys");
    EXPECT_EQ(why(std::string(256 * 1024 + 1, ' ')), "a key set of more than 256 KiB");
}

}  // namespace
}  // namespace suoke::auth
