// SPDX-License-Identifier: MIT
// Tokens as attackers write them.
#include "auth/jwt.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/base64url.h"
#include "testing/token_keys.h"

namespace suoke::auth {
namespace {

const WallTime kNow = WallTime(1'735'689'600s);  // 2025-01-01
constexpr std::string_view kClaims = R"({"sub":"42","exp":1735693200})";

JwtRules rules(std::vector<Algorithm> algorithms) {
    JwtRules rules;
    rules.algorithms = std::move(algorithms);
    return rules;
}
std::vector<Algorithm> all_algorithms() {
    std::vector<Algorithm> all;
    for (std::size_t i = 0; i < kAlgorithms; ++i) all.push_back(static_cast<Algorithm>(i));
    return all;
}
JwtRules every_algorithm() { return rules(all_algorithms()); }
KeySet set_of(std::vector<KeyPtr> keys) {
    KeySet set;
    set.keys = std::move(keys);
    return set;
}

std::string unsigned_part(std::string_view header, std::string_view claims = kClaims) { return to_base64url(header) + "." + to_base64url(claims); }
std::string with_signature(const std::string& part, std::string_view signature) { return part + "." + to_base64url(signature); }
std::string signed_by(const Key& key, Algorithm algorithm, std::string_view header, std::string_view claims = kClaims) {
    const std::string part = unsigned_part(header, claims);
    auto signature = key.sign(algorithm, part);
    EXPECT_TRUE(signature);
    return with_signature(part, *signature);
}

// Why it is refused; empty: it opens the door.
std::string why(std::string_view text, const KeySet& keys, const JwtRules& rules) {
    auto token = parse_token(text);
    if (!token) {
        EXPECT_EQ(token.error().code, Code::invalid_token);
        return token.error().detail;
    }
    auto who = verify(*token, rules, keys, kNow);
    return who ? std::string() : who.error().detail;
}
std::string form(std::string_view text) {
    auto token = parse_token(text);
    return token ? std::string() : token.error().detail;
}
std::string form_of_header(std::string_view header) { return form(with_signature(unsigned_part(header), "signature")); }

constexpr const char* kNoAlgorithm = "the token names no algorithm that is known here";
constexpr const char* kBadHeader = "the token's header is no JSON object in which each member stands once";
constexpr const char* kBadSignature = "the token's signature is not valid";
constexpr const char* kNotBase64 = "the token is not written in base64url";

// ---- form

TEST(TokenForm, is_three_parts_and_what_they_say) {
    const std::string text = signed_by(*scene::signing_key(Algorithm::hs256), Algorithm::hs256, R"({"typ":"JWT","alg":"HS256","kid":"k1"})");
    auto token = parse_token(text);
    ASSERT_TRUE(token);
    EXPECT_EQ(token->text, text);
    EXPECT_EQ(token->signed_part, text.substr(0, text.rfind('.')));
    EXPECT_EQ(token->key_id, "k1");
    EXPECT_EQ(token->algorithm, Algorithm::hs256);
    EXPECT_EQ(token->type, "JWT");
    EXPECT_EQ(token->payload, kClaims);
    EXPECT_EQ(token->signature.size(), 32u);
}

TEST(TokenForm, of_other_than_three_parts_is_none) {
    const std::string header = to_base64url(R"({"alg":"HS256"})");
    for (const std::string& text : {std::string(), std::string("."), header, header + ".e30", header + ".e30.c2ln.", header + ".e30.c2ln.c2ln",
                                    header + ".e30.c2ln.a.b", std::string("Bearer"), std::string("{\"payload\":\"e30\"}")})
        EXPECT_EQ(form(text), "the token has not three parts") << text;
    EXPECT_EQ(form(header + ".e30."), "the token has no signature");
    EXPECT_EQ(form(".."), "the token has no signature");
    EXPECT_EQ(form(".e30.c2ln"), kBadHeader);
}

TEST(TokenForm, has_only_base64url_in_it) {
    const std::string header = to_base64url(R"({"alg":"HS256"})");
    for (const std::string& text :
         {header + ".e30.c2ln==", header + "=.e30.c2ln", header + ".e30=.c2ln", " " + header + ".e30.c2ln", header + ".e30.c2ln ", header + ".e3+.c2ln",
          header + ".e3/.c2ln", header + ".e30\n.c2ln", header + ".e.c2ln", header + ".e30.c2ln\xC3\xA9", header + ".%65%33%30.c2ln"})
        EXPECT_EQ(form(text), kNotBase64) << text;
    EXPECT_EQ(form(header + std::string(".e30.c2ln\0", 10)), kNotBase64);
}

TEST(TokenForm, is_at_most_8_KiB_long) {
    const std::string start = to_base64url(R"({"alg":"HS256"})") + ".";
    const std::string long_one = start + std::string(kLongestToken - start.size() - 5 - (kLongestToken - start.size() - 5) % 4, 'A') + ".AAAA";
    EXPECT_EQ(form(long_one), "");
    EXPECT_EQ(form(long_one + std::string(8, 'A')), "the token is too long");
    EXPECT_EQ(form(std::string(10'000'000, '.')), "the token is too long");
}

TEST(TokenForm, names_an_algorithm_and_none_is_none) {
    for (const char* alg : {"\"none\"", "\"None\"", "\"NONE\"", "\"nOnE\"", "\"n\\u006fne\"", "\"none \"", "\"\"", "\"hs256\"", "\"HS1\"",
                            "\"HS256\\u0000\"", "\"dir\"", "\"RSA-OAEP\"", "null", "0", "true", "[]", "[\"HS256\"]", "{\"HS256\":1}"})
        EXPECT_EQ(form_of_header(std::string("{\"alg\":") + alg + "}"), kNoAlgorithm) << alg;
    EXPECT_EQ(form_of_header("{}"), kNoAlgorithm);
    EXPECT_EQ(form_of_header(R"({"ALG":"HS256"})"), kNoAlgorithm);
    EXPECT_EQ(form(unsigned_part(R"({"alg":"none"})") + "."), "the token has no signature");  // RFC 7515 A.5
}

TEST(TokenForm, has_a_header_of_JSON_in_which_nothing_stands_twice) {
    for (const char* header :
         {"", "{", "[]", "null", "\"HS256\"", "{\"alg\":\"HS256\"", "{\"alg\":\"HS256\"}x", "{'alg':'HS256'}", "{\"alg\":\"HS256\",}",
          R"({"alg":"HS256","alg":"none"})", R"({"alg":"none","alg":"HS256"})", R"({"alg":"HS256","\u0061lg":"HS256"})",
          R"({"alg":"HS256","kid":"a","kid":"b"})", R"({"alg":"HS256","jwk":{"kty":"oct","kty":"RSA"}})", "{\"alg\":\"HS256\",\"x\":\"\xFF\"}"})
        EXPECT_EQ(form_of_header(header), kBadHeader) << header;
    EXPECT_EQ(form_of_header(" {\n\t\"alg\" :\r\"HS256\" } "), "");
}

TEST(TokenForm, has_a_header_that_is_neither_deep_nor_full) {
    auto nested = [](int levels) {
        return R"({"alg":"HS256","x":)" + std::string(static_cast<std::size_t>(levels), '[') + std::string(static_cast<std::size_t>(levels), ']') + "}";
    };
    EXPECT_EQ(form_of_header(nested(3)), "");
    EXPECT_EQ(form_of_header(nested(4)), kBadHeader);
    EXPECT_EQ(form_of_header(nested(2000)), kBadHeader);
    std::string full = R"({"alg":"HS256","x":[0)";
    for (int i = 0; i < 100; ++i) full += ",0";
    EXPECT_EQ(form_of_header(full + "]}"), kBadHeader);
}

TEST(TokenForm, that_needs_an_extension_is_refused) {
    for (const char* crit : {"[\"exp\"]", "[\"b64\"]", "[]", "null", "\"exp\"", "{}"})
        EXPECT_EQ(form_of_header(std::string(R"({"alg":"HS256","exp":1,"crit":)") + crit + "}"),
                  "the token needs an extension that is not known here (crit)")
            << crit;
    for (const char* b64 : {"false", "null", "0", "\"true\"", "[]"})
        EXPECT_EQ(form_of_header(std::string(R"({"alg":"HS256","b64":)") + b64 + "}"), "the token's payload is not encoded (b64)") << b64;
    EXPECT_EQ(form_of_header(R"({"alg":"HS256","b64":true})"), "");
}

TEST(TokenForm, has_a_kid_and_a_typ_that_are_texts) {
    for (const std::string& kid : {std::string("1"), std::string("null"), std::string("[\"a\"]"), std::string("{}"), "\"" + std::string(257, 'k') + "\""})
        EXPECT_EQ(form_of_header(R"({"alg":"HS256","kid":)" + kid + "}"), "the token's kid is no text of up to 256 bytes") << kid;
    EXPECT_EQ(form_of_header(R"({"alg":"HS256","kid":")" + std::string(256, 'k') + "\"}"), "");
    for (const char* typ : {"1", "null", "[\"JWT\"]"})
        EXPECT_EQ(form_of_header(std::string(R"({"alg":"HS256","typ":)") + typ + "}"), "the token's typ is no text") << typ;
}

// ---- signatures

TEST(TokenSignature, opens_the_door_when_a_key_of_ours_made_it) {
    for (Algorithm algorithm : all_algorithms()) {
        const std::string token = scene::token(kClaims, algorithm, "k1");
        EXPECT_EQ(why(token, set_of({scene::verifying_key(algorithm, "k1")}), rules({algorithm})), "") << name_of(algorithm);
    }
}

TEST(TokenSignature, of_an_algorithm_that_is_not_accepted_opens_nothing) {
    const std::string token = scene::token(kClaims, Algorithm::hs256);
    EXPECT_EQ(why(token, set_of({scene::verifying_key(Algorithm::hs256)}), rules({Algorithm::hs384, Algorithm::rs256})),
              "the token's algorithm is not accepted here");
}

// CVE-2015-9235 and its many relatives: HMAC with the public key, which everybody has.
TEST(TokenSignature, made_with_a_public_key_as_secret_opens_nothing) {
    for (KeyKind kind : {KeyKind::rsa, KeyKind::p256, KeyKind::p521, KeyKind::ed25519}) {
        const std::string& pem = scene::token_pem(kind).open;
        const KeySet keys = set_of({*Key::of_pem(pem, {}, "k1"), scene::verifying_key(Algorithm::hs512, "k2")});
        const std::string body = pem.substr(pem.find('\n') + 1, pem.rfind("\n-----END") - pem.find('\n') - 1);
        for (const std::string& secret : {pem, pem.substr(0, pem.size() - 1), body, std::string()}) {
            for (const char* header : {R"({"alg":"HS256","kid":"k1"})", R"({"alg":"HS256"})", R"({"alg":"HS512","kid":"k2"})"}) {
                const std::string part = unsigned_part(header);
                unsigned char mac[EVP_MAX_MD_SIZE];
                unsigned size = 0;
                HMAC(std::string_view(header).find("512") == std::string_view::npos ? EVP_sha256() : EVP_sha512(), secret.data(),
                     static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(part.data()), part.size(), mac, &size);
                EXPECT_EQ(why(with_signature(part, {reinterpret_cast<char*>(mac), size}), keys, every_algorithm()), kBadSignature) << header;
            }
        }
    }
}

TEST(TokenSignature, for_another_kind_of_key_opens_nothing) {
    const KeySet keys = set_of({scene::verifying_key(Algorithm::es384, "k1"), scene::verifying_key(Algorithm::ps256, "k2")});
    auto p256 = scene::signing_key(Algorithm::es256);
    auto rsa = *Key::of_pem(scene::token_pem(KeyKind::rsa).secret);
    EXPECT_EQ(why(signed_by(*p256, Algorithm::es256, R"({"alg":"ES256","kid":"k1"})"), keys, every_algorithm()), kBadSignature) << "another curve";
    EXPECT_EQ(why(signed_by(*p256, Algorithm::es256, R"({"alg":"ES384","kid":"k1"})"), keys, every_algorithm()), kBadSignature);
    EXPECT_EQ(why(signed_by(*rsa, Algorithm::rs256, R"({"alg":"RS256","kid":"k2"})"), keys, every_algorithm()), kBadSignature) << "the key is for PS256";
    EXPECT_EQ(why(signed_by(*rsa, Algorithm::rs256, R"({"alg":"PS256","kid":"k2"})"), keys, every_algorithm()), kBadSignature);
    EXPECT_EQ(why(signed_by(*rsa, Algorithm::ps256, R"({"alg":"PS256","kid":"k2"})"), keys, every_algorithm()), "");
}

TEST(TokenSignature, of_zeros_opens_nothing) {  // CVE-2022-21449
    for (Algorithm algorithm : all_algorithms()) {
        const KeySet keys = set_of({scene::verifying_key(algorithm)});
        const std::string part = unsigned_part("{\"alg\":\"" + std::string(name_of(algorithm)) + "\"}");
        for (std::size_t size : {1u, 32u, 48u, 64u, 96u, 114u, 132u, 256u}) {
            EXPECT_EQ(why(with_signature(part, std::string(size, '\0')), keys, rules({algorithm})), kBadSignature) << name_of(algorithm) << size;
            EXPECT_EQ(why(with_signature(part, std::string(size, '\xFF')), keys, rules({algorithm})), kBadSignature) << name_of(algorithm) << size;
        }
    }
}

TEST(TokenSignature, has_no_twin_in_another_spelling) {
    const KeySet keys = set_of({scene::verifying_key(Algorithm::es256)});
    const std::string good = scene::token(kClaims, Algorithm::es256);
    ASSERT_EQ(why(good, keys, every_algorithm()), "");
    const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (char last : alphabet) {  // 64 bytes leave four bits over in the last character
        std::string twin = good;
        twin.back() = last;
        if (twin != good) { EXPECT_NE(why(twin, keys, every_algorithm()), "") << last; }
    }
    for (const char* tail : {"=", "==", "A", "AA", " ", ".", "%3D"}) EXPECT_NE(why(good + tail, keys, every_algorithm()), "") << tail;
    EXPECT_NE(why(good.substr(0, good.size() - 1), keys, every_algorithm()), "");
    EXPECT_NE(why(good.substr(0, good.size() - 2), keys, every_algorithm()), "");
}

TEST(TokenSignature, of_one_token_is_none_of_another) {
    const KeySet keys = set_of({scene::verifying_key(Algorithm::rs256)});
    const std::string good = scene::token(kClaims, Algorithm::rs256), admin = scene::token(R"({"sub":"1","role":"admin"})", Algorithm::rs256);
    auto cut = [](const std::string& token, int part) {
        const std::size_t first = token.find('.'), second = token.rfind('.');
        return part == 0 ? token.substr(0, first) : part == 1 ? token.substr(first + 1, second - first - 1) : token.substr(second + 1);
    };
    EXPECT_EQ(why(cut(good, 0) + "." + cut(admin, 1) + "." + cut(good, 2), keys, every_algorithm()), kBadSignature);
    EXPECT_EQ(why(to_base64url(R"({"typ":"JWT","alg":"RS256"})") + "." + cut(good, 1) + "." + cut(good, 2), keys, every_algorithm()), kBadSignature)
        << "the header is signed, too";
}

// ---- which key

TEST(TokenKeys, are_compared_by_name_and_nothing_is_opened_read_or_asked_for) {
    auto ours = scene::verifying_key(Algorithm::es256, "k1");
    auto others = *Key::of_pem(scene::token_pem(KeyKind::p256, 1).secret, {}, "k1");
    const KeySet keys = set_of({ours});
    for (const char* kid : {"../../../../dev/null", "/dev/null", "/proc/sys/kernel/randomize_va_space", "k1' OR '1'='1", "x' UNION SELECT 'secret';--",
                            "k1\\u0000", "K1", "k1 ", "", "http://attacker.test/key", "file:///etc/passwd", "|/bin/true", "$(id)", "{{7*7}}", "AAAA\\n"}) {
        const std::string header = std::string(R"({"alg":"ES256","kid":")") + kid + "\"}";
        EXPECT_EQ(why(signed_by(*others, Algorithm::es256, header), keys, every_algorithm()), kBadSignature) << kid;
    }
    auto right = *Key::of_pem(scene::token_pem(KeyKind::p256).secret);
    EXPECT_EQ(why(signed_by(*right, Algorithm::es256, R"({"alg":"ES256","kid":"k2"})"), keys, every_algorithm()), kBadSignature) << "k1 is not asked for k2";
    EXPECT_EQ(why(signed_by(*right, Algorithm::es256, R"({"alg":"ES256","kid":"k1"})"), keys, every_algorithm()), "");
    EXPECT_EQ(why(signed_by(*right, Algorithm::es256, R"({"alg":"ES256"})"), keys, every_algorithm()), "");
}

TEST(TokenKeys, that_a_token_brings_along_are_not_believed) {
    const KeySet keys = set_of({scene::verifying_key(Algorithm::es256, "k1")});
    const std::string jwk = scene::public_jwk(KeyKind::p256, "k1", 1);
    auto others = *Key::of_pem(scene::token_pem(KeyKind::p256, 1).secret);
    auto ours = *Key::of_pem(scene::token_pem(KeyKind::p256).secret);
    for (const std::string& member :
         {"\"jwk\":" + jwk, std::string(R"("jku":"https://attacker.test/jwks.json")"), std::string(R"("x5u":"https://attacker.test/x.pem")"),
          std::string(R"("x5c":["MIIBAAAA"])"), std::string(R"("x5t":"AAAA")")}) {
        const std::string header = R"({"alg":"ES256","kid":"k1",)" + member + "}";
        EXPECT_EQ(why(signed_by(*others, Algorithm::es256, header), keys, every_algorithm()), kBadSignature) << member;
        EXPECT_EQ(why(signed_by(*ours, Algorithm::es256, header), keys, every_algorithm()), "") << member;
    }
}

TEST(TokenKeys, are_tried_four_at_most) {
    std::vector<KeyPtr> keys;
    for (int i = 1; i <= 5; ++i) keys.push_back(*Key::of_pem(scene::token_pem(KeyKind::p256, i).open, {}, "k" + std::to_string(i)));
    const KeySet set = set_of(keys);
    auto fourth = *Key::of_pem(scene::token_pem(KeyKind::p256, 4).secret), fifth = *Key::of_pem(scene::token_pem(KeyKind::p256, 5).secret);
    EXPECT_EQ(why(signed_by(*fourth, Algorithm::es256, R"({"alg":"ES256"})"), set, every_algorithm()), "");
    EXPECT_EQ(why(signed_by(*fifth, Algorithm::es256, R"({"alg":"ES256"})"), set, every_algorithm()), kBadSignature);
    EXPECT_EQ(why(signed_by(*fifth, Algorithm::es256, R"({"alg":"ES256","kid":"k5"})"), set, every_algorithm()), "") << "who names it finds it";
}

TEST(TokenKeys, that_are_missing_and_wrong_signatures_look_alike) {
    const std::string token = scene::token(kClaims, Algorithm::rs256, "k1");
    EXPECT_EQ(why(token, KeySet(), every_algorithm()), kBadSignature);
    EXPECT_EQ(why(token, set_of({scene::verifying_key(Algorithm::es256)}), every_algorithm()), kBadSignature);
}

// ---- what kind of token

TEST(TokenType, is_JWT_or_access_token_in_any_case_or_nothing) {
    auto key = scene::signing_key(Algorithm::hs256);
    const KeySet keys = set_of({key});
    auto of_type = [&](const std::string& typ) {
        return why(signed_by(*key, Algorithm::hs256, R"({"alg":"HS256","typ":")" + typ + "\"}"), keys, every_algorithm());
    };
    for (const char* typ : {"JWT", "jwt", "Jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+JWT", ""}) EXPECT_EQ(of_type(typ), "") << typ;
    for (const char* typ :
         {"rt+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", "id+jwt", "application/", "at", "JWT ", "text/jwt", "application/application/jwt"})
        EXPECT_EQ(of_type(typ), "it is another kind of token (typ)") << typ;
}

TEST(TokenErrors, show_nothing_of_the_token) {
    const KeySet keys = set_of({scene::verifying_key(Algorithm::rs256)});
    std::vector<std::string> bad = {"no-token-at-all",
                                    "AAAA.BBBB.CCCC",
                                    scene::token(kClaims, Algorithm::hs256),
                                    scene::token(R"({"sub":"secretive","exp":1})", Algorithm::rs256),
                                    scene::token(R"({"sub":"secretive\u0007"})", Algorithm::rs256),
                                    scene::token(R"({"iss":"secretive"})", Algorithm::rs256)};
    for (const std::string& text : bad) {
        const std::string detail = why(text, keys, every_algorithm());
        EXPECT_FALSE(detail.empty()) << text;
        EXPECT_EQ(detail.find("secretive"), detail.npos) << detail;
        for (std::size_t i = 0; i + 8 <= text.size(); i += 4) EXPECT_EQ(detail.find(text.substr(i, 8)), detail.npos) << detail;
        EXPECT_EQ(detail.find_first_of("\"\\"), detail.npos) << "it goes into WWW-Authenticate (RFC 6750 §3): " << detail;
    }
}

}  // namespace
}  // namespace suoke::auth
