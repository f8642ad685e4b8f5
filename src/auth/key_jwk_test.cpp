// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "auth/base64url.h"
#include "auth/jwt.h"
#include "auth/key.h"
#include "testing/token_keys.h"

namespace suoke::auth {
namespace {

constexpr std::string_view kOurSecret = R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";

// RFC 7515 A.2.1.
constexpr std::string_view kRsa =
    R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",)"
    R"("e":"AQAB",)"
    R"("d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",)"
    R"("p":"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",)"
    R"("q":"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",)"
    R"("dp":"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",)"
    R"("dq":"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",)"
    R"("qi":"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"})";

// RFC 7515 A.3.1 and A.4.1.
constexpr std::string_view kP256 =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})";
constexpr std::string_view kP521 =
    R"({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",)"
    R"("y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2","d":"AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C"})";

// RFC 8037 A.1.
constexpr std::string_view kEd25519 =
    R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

KeyPtr must(std::string_view jwk) {
    auto key = Key::of_jwk(jwk);
    EXPECT_TRUE(key) << key.error().detail << " " << jwk;
    return key ? *key : nullptr;
}

std::string why(std::string_view jwk) {
    auto key = Key::of_jwk(jwk);
    return key ? "it is one" : key.error().detail;
}

// The JWK with another member, or another value of one.
std::string with(std::string_view jwk, const std::string& member) { return "{" + member + "," + std::string(jwk.substr(1)); }
std::string instead(std::string_view jwk, std::string_view old, std::string_view fresh) {
    std::string text(jwk);
    const std::size_t at = text.find(old);
    EXPECT_NE(at, text.npos) << old;
    return text.replace(at, old.size(), fresh);
}

struct Example {
    const char* name;
    std::string_view jwk, token;
    bool one_signature;   // whoever signs it again gets the same
};
constexpr Example kExamples[] = {
    {"RFC 7515 A.1", kOurSecret,
     "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
     ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
     true},
    {"RFC 7515 A.2", kRsa,
     "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
     ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
     "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
     "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
     true},
    {"RFC 7515 A.3", kP256,
     "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
     ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
     false},
    {"RFC 7515 A.4", kP521,
     "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA"
     ".AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8Kp"
     "EHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
     false},
    {"RFC 8037 A.4", kEd25519,
     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
     ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
     true},
};

TEST(Jwk, verifies_the_examples_of_the_RFCs) {
    for (const Example& example : kExamples) {
        auto key = must(example.jwk);
        auto token = parse_token(example.token);
        ASSERT_TRUE(key && token) << example.name;
        EXPECT_TRUE(key->verify(token->algorithm, token->signed_part, token->signature)) << example.name;
        auto again = key->sign(token->algorithm, token->signed_part);
        ASSERT_TRUE(again) << example.name;
        EXPECT_TRUE(key->verify(token->algorithm, token->signed_part, *again)) << example.name;
        EXPECT_EQ(*again == token->signature, example.one_signature) << example.name;
    }
}

TEST(Jwk, verifies_the_examples_without_their_private_halves) {
    const std::pair<std::string, const Example*> open[] = {
        {instead(kP256, R"(,"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")", ""), &kExamples[2]},
        {instead(kEd25519, R"("d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",)", ""), &kExamples[4]},
        {std::string(kRsa.substr(0, kRsa.find(",\"d\""))) + "}", &kExamples[1]}};
    for (const auto& [jwk, example] : open) {
        auto key = must(jwk);
        auto token = parse_token(example->token);
        ASSERT_TRUE(key && token) << example->name;
        EXPECT_TRUE(key->verify(token->algorithm, token->signed_part, token->signature)) << example->name;
        EXPECT_FALSE(key->sign(token->algorithm, "x")) << example->name;
    }
}

TEST(Jwk, of_each_kind_says_what_a_PEM_says) {
    for (KeyKind kind : {KeyKind::rsa, KeyKind::p256, KeyKind::p384, KeyKind::p521, KeyKind::ed25519, KeyKind::ed448}) {
        auto key = must(scene::public_jwk(kind, "k7"));
        auto secret = *Key::of_pem(scene::token_pem(kind).secret);
        ASSERT_TRUE(key);
        EXPECT_EQ(key->id(), "k7");
        EXPECT_EQ(key->algorithms(), secret->algorithms());
        for (Algorithm algorithm : key->algorithms()) EXPECT_TRUE(key->verify(algorithm, "text", *secret->sign(algorithm, "text"))) << name_of(algorithm);
    }
}

TEST(Jwk, is_bound_to_its_alg) {
    EXPECT_EQ(must(with(kRsa, R"("alg":"PS384")"))->algorithms(), std::vector<Algorithm>{Algorithm::ps384});
    EXPECT_EQ(must(with(kOurSecret, R"("alg":"HS512")"))->algorithms(), std::vector<Algorithm>{Algorithm::hs512});
    EXPECT_EQ(why(with(kRsa, R"("alg":"HS256")")), "a key of this kind cannot do HS256");
    EXPECT_EQ(why(with(kP256, R"("alg":"ES512")")), "a key of this kind cannot do ES512");
    EXPECT_EQ(why(with(kOurSecret, R"("alg":"RS256")")), "a key of this kind cannot do RS256");
    for (const char* alg : {R"("none")", R"("RSA-OAEP")", R"("A256KW")", R"("ES521")", R"("hs256")", R"("")", "null", "[\"RS256\"]", "1"})
        EXPECT_EQ(why(with(kRsa, std::string(R"("alg":)") + alg)), "its alg is none that signs tokens here") << alg;
}

TEST(Jwk, that_is_not_for_signatures_is_refused) {
    const std::string sentence = "it is not for signatures that somebody verifies (use, key_ops)";
    for (const char* member : {R"("use":"enc")", R"("use":"SIG")", R"("use":null)", R"("use":["sig"])", R"("key_ops":[])", R"("key_ops":["encrypt"])",
                               R"("key_ops":["sign"])", R"("key_ops":"verify")", R"("key_ops":null)", R"("use":"enc","key_ops":["verify"])"})
        EXPECT_EQ(why(with(kP256, member)), sentence) << member;
    for (const char* member : {R"("use":"sig")", R"("key_ops":["verify"])", R"("key_ops":["sign","verify"])", R"("use":"sig","key_ops":["verify"])"})
        EXPECT_TRUE(must(with(kP256, member))) << member;
}

TEST(Jwk, needs_a_sound_kid_or_none) {
    EXPECT_EQ(must(with(kP256, R"("kid":"2011-04-29")"))->id(), "2011-04-29");
    EXPECT_EQ(must(kP256)->id(), "");
    EXPECT_TRUE(must(with(kP256, "\"kid\":\"" + std::string(256, 'k') + "\"")));
    for (const std::string& kid : {std::string("7"), std::string("null"), std::string("[\"a\"]"), "\"" + std::string(257, 'k') + "\""})
        EXPECT_EQ(why(with(kP256, "\"kid\":" + kid)), "its kid is no text of up to 256 bytes") << kid;
}

TEST(Jwk, is_one_JSON_object_in_which_nothing_stands_twice) {
    const std::string sentence = "a JWK is a JSON object in which each member stands once";
    for (const std::string& text : {std::string(), std::string("[]"), std::string("null"), std::string("{"), "[" + std::string(kP256) + "]",
                                    with(kP256, R"("kty":"RSA")"), with(kP256, R"("more":[[[[1]]]])")})
        EXPECT_EQ(why(text), sentence) << text;
    EXPECT_EQ(why("{}"), "it does not say what kind of key it is (kty)");
    EXPECT_EQ(why(R"({"kty":["EC"]})"), "it does not say what kind of key it is (kty)");
}

TEST(Jwk, with_numbers_that_make_no_key_is_refused) {
    const std::string sentence = "it is no RSA, EC (P-256, P-384, P-521), Ed25519 or Ed448 key, or its numbers are not sound";
    const std::string x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    auto ec = [](const std::string& crv, const std::string& x, const std::string& y) {
        return R"({"kty":"EC","crv":")" + crv + R"(","x":")" + x + R"(","y":")" + y + "\"}";
    };
    EXPECT_EQ(why(ec("P-256", x, y)), "it is one");
    const std::string zero(43, 'A');
    for (const std::string& jwk :
         {ec("P-256", x, x), ec("P-256", y, x), ec("P-256", zero, zero), ec("P-256", x, ""), ec("P-256", "AA" + x, y), ec("P-256", x.substr(0, 42), y),
          ec("P-256", x + "=", y), ec("P-384", x, y), ec("secp256k1", x, y), ec("p-256", x, y), ec("", x, y), std::string(R"({"kty":"EC"})"),
          std::string(R"({"kty":"EC","crv":"P-256","x":1,"y":2})")})
        EXPECT_EQ(why(jwk), sentence) << jwk;
    for (const char* jwk : {R"({"kty":"RSA"})", R"({"kty":"RSA","n":"AQAB"})", R"({"kty":"RSA","n":"","e":"AQAB"})", R"({"kty":"RSA","n":"!","e":"AQAB"})",
                            R"({"kty":"OKP","crv":"Ed25519"})", R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})",
                            R"({"kty":"OKP","crv":"Ed448","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
                            R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})", R"({"kty":"LWE"})", R"({"kty":"rsa"})"})
        EXPECT_EQ(why(jwk), sentence) << jwk;
}

TEST(Jwk, of_RSA_must_be_strong) {
    auto rsa = [](const std::string& modulus, const std::string& e) { return R"({"kty":"RSA","n":")" + to_base64url(modulus) + R"(","e":")" + e + "\"}"; };
    auto odd = [](std::size_t bytes) { return "\xC1" + std::string(bytes - 2, '\x55') + "\x01"; };
    EXPECT_EQ(why(rsa(odd(255), "AQAB")), "RSA keys must have at least 2048 bits (RFC 7518 §3.3)");
    EXPECT_EQ(why(rsa(std::string(1, '\0') + odd(255), "AQAB")), "RSA keys must have at least 2048 bits (RFC 7518 §3.3)");
    EXPECT_EQ(why(rsa(odd(1025), "AQAB")), "RSA keys may have at most 8192 bits");
    EXPECT_EQ(why(rsa(odd(256), "AQAB")), "it is one") << "nobody factors it for us";
    for (const char* exponent : {"AQ", "Ag", "AQAA", "AQAAAAAAAAAB"})
        EXPECT_EQ(why(rsa(odd(256), exponent)), "its RSA exponent is not sound; 65537 is the usual one") << exponent;
    EXPECT_EQ(why(rsa(odd(256).substr(0, 255) + "\x02", "AQAB")), "its numbers make no RSA key");
}

TEST(Jwk, whose_halves_do_not_belong_together_is_refused) {
    EXPECT_NE(why(instead(kP256, "jpsQnnGQ", "jpsQnnGR")), "it is one");
    EXPECT_NE(why(instead(kEd25519, "nWGxne_9", "nWGxne_8")), "it is one");
    EXPECT_EQ(why(instead(kRsa, R"("e":"AQAB")", R"("e":"Aw")")), "its private half does not belong to its public half");
}

TEST(Jwk, does_not_look_at_what_it_points_at) {
    auto key = must(with(kP256, R"("x5u":"http://127.0.0.1:1/key.pem","x5c":["MIIB","MIIC"],"x5t":"AAAA","jku":"file:///etc/passwd")"));
    ASSERT_TRUE(key);
    EXPECT_TRUE(key->allows(Algorithm::es256));
}

}  // namespace
}  // namespace suoke::auth
