// SPDX-License-Identifier: MIT
#include "testing/token_keys.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "auth/base64url.h"
#include "auth/jwt.h"
#include "base/json.h"

namespace suoke::scene {
namespace {

using auth::Algorithm;
using auth::KeyKind;

struct FreeKey {
    void operator()(EVP_PKEY* pkey) const { EVP_PKEY_free(pkey); }
};
using Pkey = std::unique_ptr<EVP_PKEY, FreeKey>;

EVP_PKEY* make(KeyKind kind) {
    switch (kind) {
        case KeyKind::rsa: return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048});
        case KeyKind::p256: return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
        case KeyKind::p384: return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384");
        case KeyKind::p521: return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-521");
        case KeyKind::ed25519: return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
        case KeyKind::ed448: return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448");
        case KeyKind::secret: return nullptr;
    }
    return nullptr;
}

template <class Write>
std::string pem_of(Write write) {
    std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    CHECK(write(bio.get()) == 1);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

std::string number(EVP_PKEY* pkey, const char* name, std::size_t size = 0) {
    BIGNUM* number = nullptr;
    CHECK(EVP_PKEY_get_bn_param(pkey, name, &number) == 1);
    if (size == 0) size = static_cast<std::size_t>(BN_num_bytes(number));
    std::string bytes(size, '\0');
    CHECK(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)) >= 0);
    BN_free(number);
    return auth::to_base64url(bytes);
}

std::string raw_public(EVP_PKEY* pkey) {
    std::string bytes(64, '\0');
    std::size_t size = bytes.size();
    CHECK(EVP_PKEY_get_raw_public_key(pkey, reinterpret_cast<unsigned char*>(bytes.data()), &size) == 1);
    return auth::to_base64url(std::string_view(bytes).substr(0, size));
}

void add_curve(JsonWriter& json, EVP_PKEY* pkey, std::string_view name, std::size_t size) {
    json.field("kty", std::string_view("EC")).field("crv", name);
    json.field("x", number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, size)).field("y", number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, size));
}

auth::KeyPtr must(Result<auth::KeyPtr> key) {
    CHECK(key);
    return *key;
}

}  // namespace

const TokenPem& token_pem(KeyKind kind, int which) {
    static std::mutex mutex;
    static std::map<std::pair<KeyKind, int>, TokenPem> made;
    const std::lock_guard lock(mutex);
    auto [at, fresh] = made.try_emplace({kind, which});
    if (fresh) {
        const Pkey pkey(make(kind));
        CHECK(pkey);
        at->second.secret = pem_of([&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, pkey.get(), nullptr, nullptr, 0, nullptr, nullptr); });
        at->second.open = pem_of([&](BIO* bio) { return PEM_write_bio_PUBKEY(bio, pkey.get()); });
    }
    return at->second;
}

const std::string& token_secret() {
    static const std::string kSecret = "a secret of sixty-four bytes, which is enough for HS512 as well.";
    return kSecret;
}

KeyKind kind_for(Algorithm algorithm) {
    for (KeyKind kind : {KeyKind::secret, KeyKind::rsa, KeyKind::p256, KeyKind::p384, KeyKind::p521})
        if (auth::suits(kind, algorithm)) return kind;
    return KeyKind::ed25519;
}

auth::KeyPtr signing_key(Algorithm algorithm, std::string id) {
    const KeyKind kind = kind_for(algorithm);
    if (kind == KeyKind::secret) return must(auth::Key::of_secret(token_secret(), {algorithm}, std::move(id)));
    return must(auth::Key::of_pem(token_pem(kind).secret, {algorithm}, std::move(id)));
}

auth::KeyPtr verifying_key(Algorithm algorithm, std::string id) {
    const KeyKind kind = kind_for(algorithm);
    if (kind == KeyKind::secret) return must(auth::Key::of_secret(token_secret(), {algorithm}, std::move(id)));
    return must(auth::Key::of_pem(token_pem(kind).open, {algorithm}, std::move(id)));
}

std::string public_jwk(KeyKind kind, std::string_view id, int which) {
    const std::string& pem = token_pem(kind, which).open;
    std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    const Pkey pkey(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
    CHECK(pkey);
    std::string text;
    JsonWriter json(text);
    json.open('{');
    if (!id.empty()) json.field("kid", id);
    json.field("use", std::string_view("sig"));
    switch (kind) {
        case KeyKind::rsa:
            json.field("kty", std::string_view("RSA"));
            json.field("n", number(pkey.get(), OSSL_PKEY_PARAM_RSA_N)).field("e", number(pkey.get(), OSSL_PKEY_PARAM_RSA_E));
            break;
        case KeyKind::p256: add_curve(json, pkey.get(), "P-256", 32); break;
        case KeyKind::p384: add_curve(json, pkey.get(), "P-384", 48); break;
        case KeyKind::p521: add_curve(json, pkey.get(), "P-521", 66); break;
        default:
            json.field("kty", std::string_view("OKP")).field("crv", std::string_view(kind == KeyKind::ed448 ? "Ed448" : "Ed25519"));
            json.field("x", raw_public(pkey.get()));
    }
    json.close('}');
    return text;
}

std::string jwks(std::initializer_list<std::string> keys) {
    std::string text;
    JsonWriter json(text);
    json.open('{').key("keys").open('[');
    for (const std::string& key : keys) json.raw(key);
    json.close(']').close('}');
    return text;
}

std::string token(std::string_view claims, Algorithm algorithm, std::string id) {
    auto made = auth::mint(claims, *signing_key(algorithm, std::move(id)), algorithm);
    CHECK(made);
    return *made;
}

}  // namespace suoke::scene
