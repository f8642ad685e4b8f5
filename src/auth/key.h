// SPDX-License-Identifier: MIT
#pragma once
// Keys that signatures are verified with, each bound to the algorithms it may be used for: a public key
// is never an HMAC secret, whatever a token says.

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/algorithm.h"
#include "base/error.h"

struct evp_pkey_ctx_st;
struct evp_pkey_st;

namespace suoke::auth {

class Key;
using KeyPtr = std::shared_ptr<const Key>;

// OpenSSL's contexts that are set up and free to be used. It takes 7 us to set one up, and two threads must not
// use the same one at once (EVP_PKEY_CTX_new(3)), not even to copy it: who wants one takes it out, and puts it back.
class ReadyContexts {
 public:
    ReadyContexts() = default;
    ~ReadyContexts();
    ReadyContexts(const ReadyContexts&) = delete;
    ReadyContexts& operator=(const ReadyContexts&) = delete;

    evp_pkey_ctx_st* take();                    // null: none is free
    void put_back(evp_pkey_ctx_st* context);    // frees it when there are enough

 private:
    static constexpr std::size_t kMost = 8;     // so many threads find one again
    std::array<std::atomic<evp_pkey_ctx_st*>, kMost> free_{};
};

class Key {
 public:
    // `algorithms`: none, every one that a key of this kind can do. An error (Code::invalid_config) says why it
    // is no such key: too short a secret (32, 48, 64 bytes by algorithm), or one that is a PEM; RSA below 2048
    // bits, a curve that does not fit ... It never shows any of the key.
    static Result<KeyPtr> of_secret(std::string_view secret, std::vector<Algorithm> algorithms = {}, std::string id = {});
    // A public key, a certificate (its dates are not looked at), or, to sign with, a private key without a password.
    static Result<KeyPtr> of_pem(std::string_view pem, std::vector<Algorithm> algorithms = {}, std::string id = {});
    // One JWK (RFC 7517 §4) as JSON text. `use` other than sig, and key_ops without verify, is an error.
    // Whatever it points at elsewhere (x5u, x5c) is not looked at.
    static Result<KeyPtr> of_jwk(std::string_view json);
    ~Key();
    Key(const Key&) = delete;
    Key& operator=(const Key&) = delete;

    const std::string& id() const { return id_; }              // kid; may be empty
    bool allows(Algorithm algorithm) const;
    const std::vector<Algorithm>& algorithms() const { return algorithms_; }
    // RFC 7515 §5.2. False for an algorithm it does not allow. Any number of threads may ask at once.
    bool verify(Algorithm algorithm, std::string_view signed_bytes, std::string_view signature) const;
    // With a secret or a private key; for `token mint` and tests.
    Result<std::string> sign(Algorithm algorithm, std::string_view bytes) const;

 private:
    Key() = default;
    // Takes `pkey`. `signs`: it is a private key.
    static Result<KeyPtr> of_pkey(evp_pkey_st* pkey, bool signs, std::vector<Algorithm> algorithms, std::string id);
    Result<void> bind(KeyKind kind, std::vector<Algorithm> algorithms);
    bool is_genuine(Algorithm algorithm, std::string_view signed_bytes, std::string_view signature) const;
    evp_pkey_ctx_st* context_for(Algorithm algorithm) const;   // null: OpenSSL makes none

    std::string id_, secret_;
    std::vector<Algorithm> algorithms_;
    bool signs_ = false;
    evp_pkey_st* pkey_ = nullptr;   // null: a secret
    mutable std::array<ReadyContexts, kAlgorithms> ready_;   // to verify, by algorithm; RSA and EC
};

// A set of keys, as it was at one moment.
struct KeySet {
    std::vector<KeyPtr> keys;
    // Those that may have made a signature: of that algorithm, and when the token names a key of that id; behind
    // them those that have no id.
    std::vector<const Key*> candidates(std::string_view id, Algorithm algorithm) const;
    // Whether asking for newer keys would help nobody: one has that id, the token names none, or keys here have no ids.
    bool knows(std::string_view id) const;
};
using KeySetPtr = std::shared_ptr<const KeySet>;

// RFC 7517 §5. Keys that are not for us (encryption, kinds we do not know) are passed over; none left is an
// error, and so is a set with a secret or a private key in it: nobody publishes those. At most 100 keys, 256 KiB.
Result<KeySetPtr> parse_jwks(std::string_view json);

}  // namespace suoke::auth
