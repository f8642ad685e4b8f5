// SPDX-License-Identifier: MIT
#include "auth/key.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <thread>

#include "rt/certificate.h"
#include "testing/token_keys.h"

namespace suoke::auth {
namespace {

constexpr std::string_view kText = "header.payload";
constexpr KeyKind kPairs[] = {KeyKind::rsa, KeyKind::p256, KeyKind::p384, KeyKind::p521, KeyKind::ed25519, KeyKind::ed448};

KeyPtr must(Result<KeyPtr> key) {
    EXPECT_TRUE(key) << key.error().detail;
    return key ? *key : nullptr;
}

// Why it is no key; it says nothing of what was given.
std::string why(const Result<KeyPtr>& key) { return key ? "it is one" : key.error().detail; }

template <class Write>
std::string pem_of(EVP_PKEY* pkey, Write write) {
    std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    EXPECT_TRUE(pkey);
    EXPECT_EQ(write(bio.get(), pkey), 1);
    EVP_PKEY_free(pkey);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}
std::string public_pem(EVP_PKEY* pkey) {
    return pem_of(pkey, [](BIO* bio, EVP_PKEY* key) { return PEM_write_bio_PUBKEY(bio, key); });
}

std::string flipped(std::string text, std::size_t bit) {
    text[bit / 8] = static_cast<char>(static_cast<unsigned char>(text[bit / 8]) ^ (1u << bit % 8));
    return text;
}

// ---- secrets

TEST(Secrets, must_be_as_long_as_the_digest) {
    EXPECT_EQ(why(Key::of_secret(std::string(31, 's'))), "a secret of 31 bytes is too short; HS256 needs 32");
    EXPECT_EQ(why(Key::of_secret("")), "a secret of 0 bytes is too short; HS256 needs 32");
    EXPECT_EQ(why(Key::of_secret(std::string(47, 's'), {Algorithm::hs384})), "a secret of 47 bytes is too short; HS384 needs 48");
    EXPECT_EQ(why(Key::of_secret(std::string(63, 's'), {Algorithm::hs256, Algorithm::hs512})), "a secret of 63 bytes is too short; HS512 needs 64");
    EXPECT_EQ(Key::of_secret("short").error().code, Code::invalid_config);
}

TEST(Secrets, may_do_what_they_are_long_enough_for) {
    using List = std::vector<Algorithm>;
    EXPECT_EQ(must(Key::of_secret(std::string(32, 's')))->algorithms(), List{Algorithm::hs256});
    EXPECT_EQ(must(Key::of_secret(std::string(48, 's')))->algorithms(), (List{Algorithm::hs256, Algorithm::hs384}));
    EXPECT_EQ(must(Key::of_secret(std::string(64, 's')))->algorithms(), (List{Algorithm::hs256, Algorithm::hs384, Algorithm::hs512}));
    EXPECT_EQ(must(Key::of_secret(std::string(64, 's'), {Algorithm::hs384}))->algorithms(), List{Algorithm::hs384});
}

TEST(Secrets, do_nothing_but_HMAC) {
    EXPECT_EQ(why(Key::of_secret(std::string(64, 's'), {Algorithm::rs256})), "a key of this kind cannot do RS256");
    auto key = must(Key::of_secret(std::string(64, 's'), {Algorithm::hs256}, "mine"));
    EXPECT_EQ(key->id(), "mine");
    auto mac = key->sign(Algorithm::hs256, kText);
    ASSERT_TRUE(mac);
    EXPECT_EQ(mac->size(), 32u);
    EXPECT_TRUE(key->verify(Algorithm::hs256, kText, *mac));
    EXPECT_FALSE(key->verify(Algorithm::hs384, kText, *mac)) << "it is not for that";
    EXPECT_FALSE(key->verify(Algorithm::hs256, kText, mac->substr(0, 31)));
    EXPECT_FALSE(key->verify(Algorithm::hs256, kText, *mac + "x"));
    EXPECT_FALSE(key->verify(Algorithm::hs256, kText, ""));
    EXPECT_FALSE(key->sign(Algorithm::hs512, kText));
    for (std::size_t bit = 0; bit < 256; ++bit) EXPECT_FALSE(key->verify(Algorithm::hs256, kText, flipped(*mac, bit))) << bit;
}

// Who has the public key could make tokens otherwise.
TEST(Secrets, are_no_PEM) {
    EXPECT_EQ(why(Key::of_secret(scene::token_pem(KeyKind::rsa).open)), "a PEM is no secret: many know the public key that it may be of");
    EXPECT_EQ(why(Key::of_secret(scene::token_pem(KeyKind::p521).secret, {Algorithm::hs256})),
              "a PEM is no secret: many know the public key that it may be of");
}

// ---- pairs of keys

TEST(KeyPairs, of_each_kind_verify_with_one_half_what_the_other_signed) {
    for (KeyKind kind : kPairs) {
        const scene::TokenPem& pem = scene::token_pem(kind);
        auto open = must(Key::of_pem(pem.open, {}, "k1")), secret = must(Key::of_pem(pem.secret));
        ASSERT_EQ(open->algorithms(), secret->algorithms());
        EXPECT_EQ(open->algorithms().size(), kind == KeyKind::rsa ? 6u : 1u);
        EXPECT_EQ(open->id(), "k1");
        for (Algorithm algorithm : open->algorithms()) {
            auto signature = secret->sign(algorithm, kText);
            ASSERT_TRUE(signature) << name_of(algorithm);
            EXPECT_TRUE(open->verify(algorithm, kText, *signature)) << name_of(algorithm);
            EXPECT_TRUE(open->verify(algorithm, kText, *signature)) << "a second time: " << name_of(algorithm);
            EXPECT_FALSE(open->verify(algorithm, "header.payloae", *signature));
            EXPECT_FALSE(open->sign(algorithm, kText)) << "a public key";
            for (Algorithm other : open->algorithms())
                if (other != algorithm) { EXPECT_FALSE(open->verify(other, kText, *signature)) << name_of(other); }
        }
    }
}

TEST(KeyPairs, of_somebody_else_verify_nothing_of_ours) {
    for (KeyKind kind : kPairs) {
        auto secret = must(Key::of_pem(scene::token_pem(kind).secret)), other = must(Key::of_pem(scene::token_pem(kind, 1).open));
        const Algorithm algorithm = secret->algorithms().front();
        auto signature = secret->sign(algorithm, kText);
        ASSERT_TRUE(signature);
        EXPECT_FALSE(other->verify(algorithm, kText, *signature)) << name_of(algorithm);
    }
}

TEST(KeyPairs, are_bound_to_the_algorithms_that_were_asked_for) {
    auto open = must(Key::of_pem(scene::token_pem(KeyKind::rsa).open, {Algorithm::ps256}));
    auto secret = must(Key::of_pem(scene::token_pem(KeyKind::rsa).secret));
    EXPECT_TRUE(open->verify(Algorithm::ps256, kText, *secret->sign(Algorithm::ps256, kText)));
    EXPECT_FALSE(open->allows(Algorithm::rs256));
    EXPECT_FALSE(open->verify(Algorithm::rs256, kText, *secret->sign(Algorithm::rs256, kText)));
    EXPECT_EQ(why(Key::of_pem(scene::token_pem(KeyKind::rsa).open, {Algorithm::hs256})), "a key of this kind cannot do HS256");
    EXPECT_EQ(why(Key::of_pem(scene::token_pem(KeyKind::p256).open, {Algorithm::es384})), "a key of this kind cannot do ES384");
    EXPECT_EQ(why(Key::of_pem(scene::token_pem(KeyKind::ed448).open, {Algorithm::eddsa, Algorithm::es256})), "a key of this kind cannot do ES256");
}

TEST(KeyPairs, come_in_the_other_forms_of_PEM_as_well) {
    rt::NewCertificate wanted;
    wanted.names = {"keys.test"};
    const rt::CertificatePem certificate = rt::make_certificate(wanted);
    auto open = must(Key::of_pem(certificate.chain)), secret = must(Key::of_pem(certificate.key));
    EXPECT_TRUE(open->verify(Algorithm::es256, kText, *secret->sign(Algorithm::es256, kText)));

    const std::string old_rsa = pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}), [](BIO* bio, EVP_PKEY* key) {
        return PEM_write_bio_PrivateKey_traditional(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
    EXPECT_NE(old_rsa.find("BEGIN RSA PRIVATE KEY"), old_rsa.npos);
    EXPECT_TRUE(must(Key::of_pem(old_rsa))->sign(Algorithm::rs256, kText));

    // RFC 8017 A.1.1, of the example of RFC 7515 A.2.
    auto old_public = must(Key::of_pem(
        "-----BEGIN RSA PUBLIC KEY-----\n"
        "MIIBCgKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd/wWJcyQoTbji9k0l8W2\n"
        "6mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMs\n"
        "D1W/YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5\n"
        "z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxv\n"
        "b3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxXFvUK+DWNmoudF8NAco9/h9iaGNj8q2et\n"
        "hFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQIDAQAB\n"
        "-----END RSA PUBLIC KEY-----\n"));
    ASSERT_TRUE(old_public);
    EXPECT_TRUE(old_public->allows(Algorithm::rs256));
}

TEST(KeyPairs, that_are_weak_or_of_a_kind_that_signs_no_tokens_are_refused) {
    EXPECT_EQ(why(Key::of_pem(public_pem(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024})))),
              "RSA keys must have at least 2048 bits (RFC 7518 §3.3)");
    EXPECT_EQ(why(Key::of_pem(public_pem(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "secp256k1")))), "its curve is none of P-256, P-384 and P-521");
    EXPECT_EQ(why(Key::of_pem(public_pem(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")))),
              "it is of a kind that signs no tokens; RSA, EC, Ed25519 and Ed448 do");
}

TEST(KeyPairs, are_not_made_of_anything_else) {
    const std::string sentence = "it is no PEM of a public key, a certificate, or a private key without a password";
    const std::string good = scene::token_pem(KeyKind::p256).open;
    const std::string locked = pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), [](BIO* bio, EVP_PKEY* key) {
        return PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), "word", 4, nullptr, nullptr);
    });
    for (const std::string& text :
         {std::string(), std::string("key"), good.substr(0, good.size() / 2), std::string("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"),
          std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), locked})
        EXPECT_EQ(why(Key::of_pem(text)), sentence) << text;
    EXPECT_EQ(why(Key::of_pem(std::string(70'000, '-'))), "a PEM of more than 64 KiB is no key");
}

// ---- signatures that are none

TEST(Signatures, of_ES_are_two_numbers_of_the_curve_s_length_and_nothing_else) {
    for (Algorithm algorithm : {Algorithm::es256, Algorithm::es384, Algorithm::es512}) {
        auto key = scene::signing_key(algorithm);
        const std::string good = *key->sign(algorithm, kText);
        const std::size_t half = algorithm == Algorithm::es256 ? 32 : algorithm == Algorithm::es384 ? 48 : 66;
        ASSERT_EQ(good.size(), 2 * half);
        EXPECT_TRUE(key->verify(algorithm, kText, good));
        EXPECT_FALSE(key->verify(algorithm, kText, std::string(2 * half, '\0'))) << "CVE-2022-21449";
        EXPECT_FALSE(key->verify(algorithm, kText, std::string(half, '\0') + good.substr(half))) << "r is 0";
        EXPECT_FALSE(key->verify(algorithm, kText, good.substr(0, half) + std::string(half, '\0'))) << "s is 0";
        EXPECT_FALSE(key->verify(algorithm, kText, std::string(2 * half, '\xFF')));
        EXPECT_FALSE(key->verify(algorithm, kText, good.substr(half) + good.substr(0, half)));
        EXPECT_FALSE(key->verify(algorithm, kText, good.substr(1)));
        EXPECT_FALSE(key->verify(algorithm, kText, good + std::string(1, '\0')));
        EXPECT_FALSE(key->verify(algorithm, kText, std::string(1, '\0') + good));
        EXPECT_FALSE(key->verify(algorithm, kText, std::string(1, '\0') + good.substr(0, half) + std::string(1, '\0') + good.substr(half)));
        EXPECT_FALSE(key->verify(algorithm, kText, ""));
    }
}

// What OpenSSL itself writes: a lenient verifier would take it, and each token would have a twin.
TEST(Signatures, of_ES_in_DER_are_refused) {
    const std::string& pem = scene::token_pem(KeyKind::p256).secret;
    std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pkey(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> ctx(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    unsigned char der[100];
    std::size_t size = sizeof der;
    ASSERT_EQ(EVP_DigestSignInit(ctx.get(), nullptr, EVP_sha256(), nullptr, pkey.get()), 1);
    ASSERT_EQ(EVP_DigestSign(ctx.get(), der, &size, reinterpret_cast<const unsigned char*>(kText.data()), kText.size()), 1);
    EXPECT_FALSE(scene::verifying_key(Algorithm::es256)->verify(Algorithm::es256, kText, {reinterpret_cast<char*>(der), size}));
}

// Small r and s have zeros in front, which DER leaves out and JOSE does not.
TEST(Signatures, of_ES_are_read_whatever_their_numbers_begin_with) {
    for (Algorithm algorithm : {Algorithm::es256, Algorithm::es512}) {
        auto key = scene::signing_key(algorithm);
        for (int i = 0; i < 300; ++i) {
            const std::string text = std::to_string(i);
            ASSERT_TRUE(key->verify(algorithm, text, *key->sign(algorithm, text))) << i;
        }
    }
}

TEST(Signatures, of_RSA_and_EdDSA_have_one_length) {
    for (Algorithm algorithm : {Algorithm::rs256, Algorithm::ps512, Algorithm::eddsa}) {
        auto key = scene::signing_key(algorithm);
        const std::string good = *key->sign(algorithm, kText);
        EXPECT_TRUE(key->verify(algorithm, kText, good));
        for (const std::string& bad : {good.substr(1), good.substr(0, good.size() - 1), good + std::string(1, '\0'), std::string(1, '\0') + good,
                                       std::string(good.size(), '\0'), std::string(good.size(), '\xFF'), std::string()})
            EXPECT_FALSE(key->verify(algorithm, kText, bad)) << name_of(algorithm) << " " << bad.size();
    }
}

// The queue is the thread's: a connection's next call would find there what is not its own.
TEST(Signatures, that_are_wrong_leave_nothing_in_OpenSSL_s_queue_of_errors) {
    ERR_clear_error();
    for (Algorithm algorithm : {Algorithm::hs256, Algorithm::rs256, Algorithm::ps256, Algorithm::es384, Algorithm::eddsa}) {
        auto key = scene::verifying_key(algorithm);
        for (std::size_t size : {0u, 1u, 64u, 96u, 256u}) EXPECT_FALSE(key->verify(algorithm, kText, std::string(size, 'x')));
        EXPECT_EQ(ERR_peek_error(), 0u) << name_of(algorithm);
    }
    EXPECT_FALSE(Key::of_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
    EXPECT_FALSE(Key::of_jwk(R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})"));
    EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(Signatures, are_verified_by_many_threads_with_one_key) {
    constexpr int kThreads = 12;  // more than there are contexts kept
    for (Algorithm algorithm : {Algorithm::hs256, Algorithm::rs256, Algorithm::ps256, Algorithm::es256}) {
        auto open = scene::verifying_key(algorithm);
        const std::string signature = *scene::signing_key(algorithm)->sign(algorithm, kText);
        std::vector<int> good(kThreads);
        std::vector<std::thread> threads;
        for (int& count : good)
            threads.emplace_back([&] {
                for (int i = 0; i < 50; ++i) {
                    count += open->verify(algorithm, kText, signature) ? 1 : 0;
                    count += open->verify(algorithm, "another", signature) ? 1000 : 0;
                }
            });
        for (std::thread& thread : threads) thread.join();
        EXPECT_EQ(good, std::vector<int>(kThreads, 50)) << name_of(algorithm);
    }
}

}  // namespace
}  // namespace suoke::auth
