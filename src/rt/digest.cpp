// SPDX-License-Identifier: MIT
#include "rt/digest.h"

#include <openssl/evp.h>

#include "base/error.h"

namespace suoke::rt {

std::string digest_of(std::initializer_list<std::string_view> values) {
    std::string all;
    for (std::string_view value : values) all.append(std::to_string(value.size())).append(":").append(value);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    CHECK(EVP_Digest(all.data(), all.size(), bytes, &size, EVP_sha256(), nullptr) == 1);
    return {reinterpret_cast<char*>(bytes), size};
}

}  // namespace suoke::rt
