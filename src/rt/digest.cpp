// SPDX-License-Identifier: MIT
#include "rt/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/error.h"

namespace suoke::rt {

static std::string joined(std::initializer_list<std::string_view> values) {
    std::string all;
    for (std::string_view value : values) all.append(std::to_string(value.size())).append(":").append(value);
    return all;
}

std::string hmac_of(std::string_view key, std::initializer_list<std::string_view> values) {
    std::string all = joined(values);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(all.data()), all.size(), bytes, &size));
    return {reinterpret_cast<char*>(bytes), size};
}

bool same_secret(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string secret_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1);
    return bytes;
}

std::string digest_of(std::initializer_list<std::string_view> values) {
    std::string all = joined(values);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    CHECK(EVP_Digest(all.data(), all.size(), bytes, &size, EVP_sha256(), nullptr) == 1);
    return {reinterpret_cast<char*>(bytes), size};
}

}  // namespace suoke::rt
