// SPDX-License-Identifier: MIT
// A key as JSON: RFC 7517 §4, with the numbers of RFC 7518 §6 and RFC 8037 §2.
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <optional>

#include "auth/base64url.h"
#include "auth/json_text.h"
#include "auth/key.h"
#include "auth/key_openssl.h"

namespace suoke::auth {
namespace {

using Kind = JsonValue::Kind;
using PkeyPtr = rt::openssl::KeyPtr;

constexpr JsonLimits kJwkLimits{.depth = 4, .values = 200};
constexpr std::size_t kLongestKeyId = 256;

// A member's text; nothing when there is none, or it is something else.
std::optional<std::string_view> text_of(const JsonValue& jwk, std::string_view name) {
    const JsonValue* value = jwk.find(name);
    if (!value || !value->is(Kind::text)) return {};
    return value->text;
}

// The bytes that a member is base64url of; none when there are none.
std::string bytes_of(const JsonValue& jwk, std::string_view name) {
    auto text = text_of(jwk, name);
    return (text ? from_base64url(*text) : std::nullopt).value_or(std::string());
}

BnPtr number_of(std::string_view bytes) {
    return BnPtr(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
}

// The numbers of a key on their way to OpenSSL.
class Parts {
 public:
    void text(const char* name, const char* value) { good_ &= OSSL_PARAM_BLD_push_utf8_string(builder_.get(), name, value, 0) == 1; }
    void number(const char* name, std::string_view bytes) {
        numbers_.push_back(number_of(bytes));  // the builder only points at them
        good_ &= OSSL_PARAM_BLD_push_BN(builder_.get(), name, numbers_.back().get()) == 1;
    }
    void octets(const char* name, std::string_view bytes) {
        good_ &= OSSL_PARAM_BLD_push_octet_string(builder_.get(), name, bytes.data(), bytes.size()) == 1;
    }
    PkeyPtr key(const char* type, bool is_private) {
        std::unique_ptr<OSSL_PARAM, rt::openssl::Release<OSSL_PARAM_free>> params(OSSL_PARAM_BLD_to_param(builder_.get()));
        PkeyCtxPtr ctx(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
        EVP_PKEY* pkey = nullptr;
        if (!good_ || !params || !ctx || EVP_PKEY_fromdata_init(ctx.get()) != 1) return {};
        EVP_PKEY_fromdata(ctx.get(), &pkey, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params.get());
        return PkeyPtr(pkey);
    }

 private:
    std::unique_ptr<OSSL_PARAM_BLD, rt::openssl::Release<OSSL_PARAM_BLD_free>> builder_{OSSL_PARAM_BLD_new()};
    std::vector<BnPtr> numbers_;
    bool good_ = true;
};

PkeyPtr rsa_of(const JsonValue& jwk, bool is_private) {
    struct Part {
        const char *member, *name;
    };
    constexpr Part kPublic[] = {{"n", OSSL_PKEY_PARAM_RSA_N}, {"e", OSSL_PKEY_PARAM_RSA_E}};
    constexpr Part kPrivate[] = {{"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                                 {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                                 {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
    Parts parts;
    for (const Part& part : kPublic) {
        const std::string bytes = bytes_of(jwk, part.member);
        if (bytes.empty()) return {};
        parts.number(part.name, bytes);
    }
    for (const Part& part : kPrivate)
        if (is_private && jwk.find(part.member)) parts.number(part.name, bytes_of(jwk, part.member));
    return parts.key("RSA", is_private);
}

// Each coordinate in its full length (RFC 7518 §6.2.1.2).
PkeyPtr curve_key_of(const JsonValue& jwk, bool is_private) {
    struct Curve {
        const char* name;
        std::size_t bytes;
    };
    constexpr Curve kCurves[] = {{"P-256", 32}, {"P-384", 48}, {"P-521", 66}};
    const std::string_view name = text_of(jwk, "crv").value_or(std::string_view());
    const auto* curve = std::find_if(std::begin(kCurves), std::end(kCurves), [&](const Curve& c) { return name == c.name; });
    const std::string x = bytes_of(jwk, "x"), y = bytes_of(jwk, "y");
    if (curve == std::end(kCurves) || x.size() != curve->bytes || y.size() != curve->bytes) return {};
    const std::string point = "\x04" + x + y;  // SEC 1 §2.3.3, uncompressed
    Parts parts;
    parts.text(OSSL_PKEY_PARAM_GROUP_NAME, curve->name);
    parts.octets(OSSL_PKEY_PARAM_PUB_KEY, point);
    if (is_private) parts.number(OSSL_PKEY_PARAM_PRIV_KEY, bytes_of(jwk, "d"));
    return parts.key("EC", is_private);
}

PkeyPtr edwards_of(const JsonValue& jwk, bool is_private) {
    const std::string_view name = text_of(jwk, "crv").value_or(std::string_view());
    if (name != "Ed25519" && name != "Ed448") return {};
    const char* type = name == "Ed448" ? "ED448" : "ED25519";
    const std::string x = bytes_of(jwk, "x"), d = bytes_of(jwk, "d");
    auto raw = [](const std::string& bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); };
    if (!is_private) return PkeyPtr(EVP_PKEY_new_raw_public_key_ex(nullptr, type, nullptr, raw(x), x.size()));
    PkeyPtr pkey(EVP_PKEY_new_raw_private_key_ex(nullptr, type, nullptr, raw(d), d.size()));
    std::string derived(64, '\0');
    std::size_t length = derived.size();
    if (!pkey || EVP_PKEY_get_raw_public_key(pkey.get(), reinterpret_cast<unsigned char*>(derived.data()), &length) != 1) return {};
    return derived.substr(0, length) == x ? std::move(pkey) : PkeyPtr();
}

PkeyPtr pkey_of(const JsonValue& jwk, std::string_view kty, bool is_private) {
    if (kty == "RSA") return rsa_of(jwk, is_private);
    if (kty == "EC") return curve_key_of(jwk, is_private);
    if (kty == "OKP") return edwards_of(jwk, is_private);
    return {};
}

// `use` (RFC 7517 §4.2) and `key_ops` (§4.3), if they are there.
bool may_verify(const JsonValue& jwk) {
    if (jwk.find("use") && text_of(jwk, "use") != "sig") return false;
    const JsonValue* operations = jwk.find("key_ops");
    if (!operations) return true;
    for (const JsonValue& operation : *operations)
        if (operation.is(Kind::text) && operation.text == "verify") return true;
    return false;
}

}  // namespace

Result<KeyPtr> Key::of_jwk(std::string_view json) {
    auto text = JsonText::parse(json, kJwkLimits);
    if (!text || !text->root().is(Kind::object)) return unfit("a JWK is a JSON object in which each member stands once");
    const JsonValue& jwk = text->root();
    const auto kty = text_of(jwk, "kty"), id = text_of(jwk, "kid"), alg = text_of(jwk, "alg");
    if (!kty) return unfit("it does not say what kind of key it is (kty)");
    if (jwk.find("kid") && (!id || id->size() > kLongestKeyId)) return unfit("its kid is no text of up to 256 bytes");
    if (!may_verify(jwk)) return unfit("it is not for signatures that somebody verifies (use, key_ops)");

    std::vector<Algorithm> algorithms;
    if (jwk.find("alg")) {
        auto algorithm = alg ? algorithm_of(*alg) : std::nullopt;
        if (!algorithm) return unfit("its alg is none that signs tokens here");
        algorithms.push_back(*algorithm);
    }
    std::string name(id.value_or(std::string_view()));
    if (kty == "oct") return of_secret(bytes_of(jwk, "k"), std::move(algorithms), std::move(name));

    const bool is_private = jwk.find("d") != nullptr;
    PkeyPtr pkey = pkey_of(jwk, *kty, is_private);
    if (!pkey) return unfit("it is no RSA, EC (P-256, P-384, P-521), Ed25519 or Ed448 key, or its numbers are not sound");
    return of_pkey(pkey.release(), is_private, std::move(algorithms), std::move(name));
}

}  // namespace suoke::auth
