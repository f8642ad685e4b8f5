// SPDX-License-Identifier: MIT
// What keys are for: signatures as JOSE writes them (RFC 7518 §3, RFC 8037 §3.1).
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <array>

#include "auth/key.h"
#include "auth/key_openssl.h"
#include "rt/digest.h"

namespace suoke::auth {
namespace {

using EcdsaPtr = std::unique_ptr<ECDSA_SIG, rt::openssl::Release<ECDSA_SIG_free>>;

const unsigned char* bytes_of(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }
unsigned char* bytes_of(std::string& s) { return reinterpret_cast<unsigned char*>(s.data()); }

// Looked up once: OpenSSL 3 would do so for each digest otherwise, and half of the time is spent with that.
const EVP_MD* digest_of(Algorithm algorithm) {
    static const std::array<const EVP_MD*, 3> kDigests = {EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_fetch(nullptr, "SHA384", nullptr),
                                                          EVP_MD_fetch(nullptr, "SHA512", nullptr)};
    return kDigests[static_cast<std::size_t>(algorithm) % 3];  // they stand in threes: 256, 384, 512
}
static_assert(static_cast<int>(Algorithm::hs256) % 3 == 0 && static_cast<int>(Algorithm::es256) % 3 == 0);

bool is_rsa(Algorithm algorithm) { return algorithm >= Algorithm::rs256 && algorithm <= Algorithm::ps512; }
bool is_pss(Algorithm algorithm) { return algorithm >= Algorithm::ps256 && algorithm <= Algorithm::ps512; }

// Half of an ES signature; 0 for the others.
std::size_t half_of(Algorithm algorithm) {
    switch (algorithm) {
        case Algorithm::es256: return 32;
        case Algorithm::es384: return 48;
        case Algorithm::es512: return 66;
        default: return 0;
    }
}

struct Digest {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    Digest(Algorithm algorithm, std::string_view text) { CHECK(EVP_Digest(text.data(), text.size(), bytes, &size, digest_of(algorithm), nullptr) == 1); }
};

std::string hmac(Algorithm algorithm, std::string_view secret, std::string_view text) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    CHECK(HMAC(digest_of(algorithm), secret.data(), static_cast<int>(secret.size()), bytes_of(text), text.size(), mac, &size));
    return {reinterpret_cast<char*>(mac), size};
}

// INTEGER of a number that is never negative: no zero in front, unless what follows would look like a sign.
void append_integer(std::string& der, std::string_view number) {
    while (number.size() > 1 && number.front() == 0) number.remove_prefix(1);
    const bool looks_negative = (static_cast<unsigned char>(number.front()) & 0x80) != 0;
    der += '\x02';
    der += static_cast<char>(number.size() + (looks_negative ? 1 : 0));
    if (looks_negative) der += '\0';
    der += number;
}

// r || s (RFC 7518 §3.4) as ECDSA-Sig-Value (RFC 3279 §2.2.3), which OpenSSL wants.
std::string der_of(std::string_view raw) {
    std::string numbers, der = "\x30";
    append_integer(numbers, raw.substr(0, raw.size() / 2));
    append_integer(numbers, raw.substr(raw.size() / 2));
    if (numbers.size() > 127) der += '\x81';
    der += static_cast<char>(numbers.size());
    return der + numbers;
}

std::string raw_of(std::string_view der, std::size_t half) {
    const unsigned char* at = bytes_of(der);
    EcdsaPtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    CHECK(signature);
    std::string raw(2 * half, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes_of(raw), static_cast<int>(half));
    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes_of(raw) + half, static_cast<int>(half));
    return raw;
}

Result<std::string> cannot_sign() { return unfit("OpenSSL cannot sign with this key"); }

Result<std::string> sign_edwards(EVP_PKEY* pkey, std::string_view text) {
    MdCtxPtr ctx(EVP_MD_CTX_new());
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(pkey)), '\0');
    std::size_t size = signature.size();
    if (!ctx || EVP_DigestSignInit(ctx.get(), nullptr, nullptr, nullptr, pkey) != 1) return cannot_sign();
    if (EVP_DigestSign(ctx.get(), bytes_of(signature), &size, bytes_of(text), text.size()) != 1) return cannot_sign();
    signature.resize(size);
    return signature;
}

Result<std::string> sign_digest(EVP_PKEY* pkey, Algorithm algorithm, std::string_view text) {
    PkeyCtxPtr ctx(EVP_PKEY_CTX_new(pkey, nullptr));
    if (!ctx || EVP_PKEY_sign_init(ctx.get()) != 1 || !set_up(ctx.get(), algorithm)) return cannot_sign();
    const Digest digest(algorithm, text);
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(pkey)), '\0');
    std::size_t size = signature.size();
    if (EVP_PKEY_sign(ctx.get(), bytes_of(signature), &size, digest.bytes, digest.size) != 1) return cannot_sign();
    signature.resize(size);
    const std::size_t half = half_of(algorithm);
    return half == 0 ? signature : raw_of(signature, half);
}

bool verify_edwards(EVP_PKEY* pkey, std::string_view text, std::string_view signature) {
    MdCtxPtr ctx(EVP_MD_CTX_new());
    return ctx && EVP_DigestVerifyInit(ctx.get(), nullptr, nullptr, nullptr, pkey) == 1 &&
           EVP_DigestVerify(ctx.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) == 1;
}

}  // namespace

bool set_up(EVP_PKEY_CTX* ctx, Algorithm algorithm) {
    if (EVP_PKEY_CTX_set_signature_md(ctx, digest_of(algorithm)) <= 0) return false;
    if (!is_rsa(algorithm)) return true;
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, is_pss(algorithm) ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) <= 0) return false;
    return !is_pss(algorithm) || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

ReadyContexts::~ReadyContexts() {
    for (auto& context : free_) EVP_PKEY_CTX_free(context.load(std::memory_order_relaxed));
}

EVP_PKEY_CTX* ReadyContexts::take() {
    for (auto& context : free_) {
        if (!context.load(std::memory_order_relaxed)) continue;
        if (EVP_PKEY_CTX* taken = context.exchange(nullptr, std::memory_order_acquire)) return taken;
    }
    return nullptr;
}

void ReadyContexts::put_back(EVP_PKEY_CTX* context) {
    for (auto& place : free_) {
        EVP_PKEY_CTX* nothing = nullptr;
        if (place.compare_exchange_strong(nothing, context, std::memory_order_release, std::memory_order_relaxed)) return;
    }
    EVP_PKEY_CTX_free(context);
}

// One that is free, or a new one.
EVP_PKEY_CTX* Key::context_for(Algorithm algorithm) const {
    if (EVP_PKEY_CTX* ready = ready_[static_cast<std::size_t>(algorithm)].take()) return ready;
    PkeyCtxPtr made(EVP_PKEY_CTX_new(pkey_, nullptr));
    if (!made || EVP_PKEY_verify_init(made.get()) != 1 || !set_up(made.get(), algorithm)) return nullptr;
    return made.release();
}

bool Key::verify(Algorithm algorithm, std::string_view signed_bytes, std::string_view signature) const {
    if (!allows(algorithm)) return false;
    const bool genuine = is_genuine(algorithm, signed_bytes, signature);
    if (!genuine) ERR_clear_error();  // or this thread's next connection would take them for its own
    return genuine;
}

bool Key::is_genuine(Algorithm algorithm, std::string_view signed_bytes, std::string_view signature) const {
    if (!pkey_) return rt::same_secret(hmac(algorithm, secret_, signed_bytes), signature);
    if (algorithm == Algorithm::eddsa) return verify_edwards(pkey_, signed_bytes, signature);
    // A signature has one length; OpenSSL would fill up a short one of PS (RFC 8017 §8.1.2 forbids).
    const std::size_t half = half_of(algorithm);
    const std::size_t length = half == 0 ? static_cast<std::size_t>(EVP_PKEY_get_size(pkey_)) : 2 * half;
    if (signature.size() != length) return false;
    const Digest digest(algorithm, signed_bytes);
    const std::string der = half == 0 ? std::string() : der_of(signature);
    if (half != 0) signature = der;
    EVP_PKEY_CTX* ctx = context_for(algorithm);
    if (!ctx) return false;
    const bool genuine = EVP_PKEY_verify(ctx, bytes_of(signature), signature.size(), digest.bytes, digest.size) == 1;
    ready_[static_cast<std::size_t>(algorithm)].put_back(ctx);  // one may verify any number of times (EVP_PKEY_verify(3))
    return genuine;
}

Result<std::string> Key::sign(Algorithm algorithm, std::string_view bytes) const {
    if (!allows(algorithm)) return unfit("this key is not for " + std::string(name_of(algorithm)));
    if (!signs_) return unfit("a public key cannot sign");
    if (!pkey_) return hmac(algorithm, secret_, bytes);
    return algorithm == Algorithm::eddsa ? sign_edwards(pkey_, bytes) : sign_digest(pkey_, algorithm, bytes);
}

}  // namespace suoke::auth
