// SPDX-License-Identifier: MIT
// Key sets, keys and PEMs of strangers: what is made of them is strong enough, is no secret, and takes no
// signature that is none.
#include "auth/key.h"
#include "tests/fuzz/fuzz.h"

using namespace suoke;

namespace {

void use(const auth::Key& key) {
    fuzz::expect(key.algorithms().empty() ? "a key for nothing" : nullptr);
    for (auth::Algorithm algorithm : key.algorithms()) {
        fuzz::expect(key.allows(algorithm) ? nullptr : "it does not do what it says");
        if (algorithm == auth::Algorithm::eddsa) continue;  // zeros are a point of that curve; whose key it is may sign with them
        for (std::size_t size : {0u, 1u, 32u, 64u, 96u, 114u, 132u, 256u})
            fuzz::expect(key.verify(algorithm, "header.payload", std::string(size, '\0')) ? "zeros for a signature" : nullptr);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<char> exact(data, data + size);
    const std::string_view text(exact.data(), exact.size());
    if (auto set = auth::parse_jwks(text)) {
        fuzz::expect((*set)->keys.empty() || (*set)->keys.size() > 100 ? "no keys, or too many" : nullptr);
        for (const auth::KeyPtr& key : (*set)->keys) {
            use(*key);
            for (auth::Algorithm algorithm : {auth::Algorithm::hs256, auth::Algorithm::hs384, auth::Algorithm::hs512})
                fuzz::expect(key->allows(algorithm) ? "a secret for everybody" : nullptr);
            fuzz::expect(key->sign(key->algorithms().front(), "x") ? "a private key for everybody" : nullptr);
            fuzz::expect((*set)->knows(key->id()) ? nullptr : "it does not know its own keys");
        }
    }
    if (auto key = auth::Key::of_jwk(text)) use(**key);
    if (auto key = auth::Key::of_pem(text)) use(**key);
    return 0;
}
