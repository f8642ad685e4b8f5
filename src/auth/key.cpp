// SPDX-License-Identifier: MIT
// Making keys: what they are made of, whether they are strong enough, and what they may be used for.
#include "auth/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>

#include <algorithm>

#include "auth/key_openssl.h"

namespace suoke::auth {
namespace {

using rt::openssl::BioPtr;
using rt::openssl::X509Ptr;
using PkeyPtr = rt::openssl::KeyPtr;

constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;      // a signature of these takes 0.4 ms to verify
constexpr int kMostExponentBits = 64;   // a larger one makes each verification as slow as a signature

std::size_t least_secret(Algorithm algorithm) {   // RFC 7518 §3.2: as long as the digest
    return algorithm == Algorithm::hs256 ? 32 : algorithm == Algorithm::hs384 ? 48 : 64;
}

Result<KeyKind> curve_of(EVP_PKEY* pkey) {
    char name[80] = {};
    std::size_t length = 0;
    EVP_PKEY_get_group_name(pkey, name, sizeof name, &length);
    switch (OBJ_sn2nid(name)) {
        case NID_X9_62_prime256v1: return KeyKind::p256;
        case NID_secp384r1: return KeyKind::p384;
        case NID_secp521r1: return KeyKind::p521;
        default: return unfit("its curve is none of P-256, P-384 and P-521");
    }
}

Result<KeyKind> kind_of(EVP_PKEY* pkey) {
    switch (EVP_PKEY_get_base_id(pkey)) {
        case EVP_PKEY_RSA: return KeyKind::rsa;
        case EVP_PKEY_EC: return curve_of(pkey);
        case EVP_PKEY_ED25519: return KeyKind::ed25519;
        case EVP_PKEY_ED448: return KeyKind::ed448;
        default: return unfit("it is of a kind that signs no tokens; RSA, EC, Ed25519 and Ed448 do");
    }
}

// CVE-2017-15361: keys that Infineon's chips made are powers of 65537 modulo each small prime, and can be
// factored. Of all others one in 200 million looks so.
bool has_roca_fingerprint(const BIGNUM* modulus) {
    constexpr unsigned kPrimes[] = {3,  5,  7,  11, 13, 17, 19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
                                    73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
    return std::all_of(std::begin(kPrimes), std::end(kPrimes), [&](unsigned prime) {
        const BN_ULONG rest = BN_mod_word(modulus, prime);
        unsigned power = 1;
        do {
            if (power == rest) return true;
            power = power * (65537 % prime) % prime;
        } while (power != 1);
        return false;
    });
}

Result<void> check_rsa(EVP_PKEY* pkey) {
    const int bits = EVP_PKEY_get_bits(pkey);
    if (bits < kLeastRsaBits) return unfit("RSA keys must have at least 2048 bits (RFC 7518 §3.3)");
    if (bits > kMostRsaBits) return unfit("RSA keys may have at most 8192 bits");
    BIGNUM *n = nullptr, *e = nullptr;
    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n);
    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e);
    BnPtr modulus(n), exponent(e);
    if (!modulus || !exponent || !BN_is_odd(n)) return unfit("its numbers make no RSA key");
    if (!BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > kMostExponentBits) return unfit("its RSA exponent is not sound; 65537 is the usual one");
    if (has_roca_fingerprint(n)) return unfit("it was made by a chip whose RSA keys can be broken (ROCA, CVE-2017-15361)");
    return {};
}

Result<void> check_curve_point(EVP_PKEY* pkey) {
    PkeyCtxPtr ctx(EVP_PKEY_CTX_new(pkey, nullptr));
    if (!ctx || EVP_PKEY_public_check(ctx.get()) != 1) return unfit("its point is not on its curve");
    return {};
}

Result<void> check_strength(EVP_PKEY* pkey, KeyKind kind) {
    if (kind == KeyKind::rsa) return check_rsa(pkey);
    const bool edwards = kind == KeyKind::ed25519 || kind == KeyKind::ed448;
    return edwards ? Result<void>() : check_curve_point(pkey);
}

bool holds(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

int no_password(char*, int, int, void*) { return -1; }

// RFC 7468 §5.1, §10, §13; RFC 8017 A.1.1 (RSA PUBLIC KEY), and OpenSSL's own private keys.
PkeyPtr read_pem(std::string_view pem, bool is_private) {
    BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!bio) return {};
    if (is_private) return PkeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_password, nullptr));
    if (holds(pem, "-----BEGIN CERTIFICATE-----")) {
        X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, &no_password, nullptr));
        return PkeyPtr(certificate ? X509_get_pubkey(certificate.get()) : nullptr);
    }
    EVP_PKEY* pkey = nullptr;
    std::unique_ptr<OSSL_DECODER_CTX, rt::openssl::Release<OSSL_DECODER_CTX_free>> decoder(
        OSSL_DECODER_CTX_new_for_pkey(&pkey, "PEM", nullptr, nullptr, EVP_PKEY_PUBLIC_KEY, nullptr, nullptr));
    if (decoder) OSSL_DECODER_from_bio(decoder.get(), bio.get());
    return PkeyPtr(pkey);
}

}  // namespace

Error unfit(std::string sentence) {
    ERR_clear_error();  // what a connection of this thread would find there otherwise
    return {Code::invalid_config, std::move(sentence)};
}

Key::~Key() {
    EVP_PKEY_free(pkey_);
    OPENSSL_cleanse(secret_.data(), secret_.size());
}

bool Key::allows(Algorithm algorithm) const {
    return std::find(algorithms_.begin(), algorithms_.end(), algorithm) != algorithms_.end();
}

Result<KeyPtr> Key::of_secret(std::string_view secret, std::vector<Algorithm> algorithms, std::string id) {
    if (holds(secret, "-----BEGIN ")) return unfit("a PEM is no secret: many know the public key that it may be of");
    std::shared_ptr<Key> key(new Key);
    key->id_ = std::move(id);
    key->secret_ = secret;
    key->signs_ = true;
    if (auto bound = key->bind(KeyKind::secret, std::move(algorithms)); !bound) return bound.error();
    return KeyPtr(std::move(key));
}

Result<KeyPtr> Key::of_pem(std::string_view pem, std::vector<Algorithm> algorithms, std::string id) {
    constexpr std::size_t kLongestPem = 64 * 1024;
    if (pem.size() > kLongestPem) return unfit("a PEM of more than 64 KiB is no key");
    const bool is_private = holds(pem, "PRIVATE KEY-----");
    PkeyPtr pkey = read_pem(pem, is_private);
    if (!pkey) return unfit("it is no PEM of a public key, a certificate, or a private key without a password");
    return of_pkey(pkey.release(), is_private, std::move(algorithms), std::move(id));
}

Result<KeyPtr> Key::of_pkey(EVP_PKEY* pkey, bool signs, std::vector<Algorithm> algorithms, std::string id) {
    std::shared_ptr<Key> key(new Key);
    key->pkey_ = pkey;
    key->id_ = std::move(id);
    key->signs_ = signs;
    auto kind = kind_of(pkey);
    if (!kind) return kind.error();
    if (auto strong = check_strength(pkey, *kind); !strong) return strong.error();
    if (auto bound = key->bind(*kind, std::move(algorithms)); !bound) return bound.error();
    ERR_clear_error();
    if (!signs) return KeyPtr(std::move(key));
    const Algorithm first = key->algorithms_.front();
    auto signature = key->sign(first, "suoke");
    if (!signature || !key->verify(first, "suoke", *signature)) return unfit("its private half does not belong to its public half");
    return KeyPtr(std::move(key));
}

// Refuses what such a key cannot do; without wishes it may do all it can.
Result<void> Key::bind(KeyKind kind, std::vector<Algorithm> algorithms) {
    const bool any = algorithms.empty();
    for (std::size_t i = 0; any && i < kAlgorithms; ++i) {
        const auto algorithm = static_cast<Algorithm>(i);
        const bool long_enough = pkey_ || secret_.size() >= least_secret(algorithm);
        if (suits(kind, algorithm) && long_enough) algorithms.push_back(algorithm);
    }
    if (algorithms.empty()) return unfit("a secret of " + std::to_string(secret_.size()) + " bytes is too short; HS256 needs 32");
    for (Algorithm algorithm : algorithms) {
        const std::string name(name_of(algorithm));
        if (!suits(kind, algorithm)) return unfit("a key of this kind cannot do " + name);
        if (!pkey_ && secret_.size() < least_secret(algorithm))
            return unfit("a secret of " + std::to_string(secret_.size()) + " bytes is too short; " + name + " needs " +
                         std::to_string(least_secret(algorithm)));
        if (!pkey_ || algorithm == Algorithm::eddsa) continue;
        EVP_PKEY_CTX* first = context_for(algorithm);
        if (!first) return unfit("OpenSSL cannot do " + name + " with it");
        ready_[static_cast<std::size_t>(algorithm)].put_back(first);
    }
    algorithms_ = std::move(algorithms);
    return {};
}

}  // namespace suoke::auth
