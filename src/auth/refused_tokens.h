// SPDX-License-Identifier: MIT
#pragma once
// Tokens that the server which should know them did not take, for a moment: who shows one again and again does not have
// it asked about each time. Apart from the cache of good ones, so that nobody pushes those out by inventing tokens.
// Bounded: a token has one place, and the newest keeps it. One worker's.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace suoke::auth {

class RefusedTokens {
 public:
    static constexpr std::size_t kMost = 1024;

    // Why it was refused; nothing: it is not remembered. `digest` is rt::digest_of() the token. What was refused under
    // other rules (`generation`) does not count.
    std::optional<Code> find(std::string_view digest, TimePoint now, std::uint64_t generation) const;
    void put(std::string_view digest, Code why, TimePoint until, std::uint64_t generation);

 private:
    static constexpr std::size_t kDigest = 32;
    struct Place {
        std::array<char, kDigest> digest{};
        TimePoint until{};
        std::uint64_t generation = 0;
        Code why = Code::invalid_token;
    };
    static std::size_t place_of(std::string_view digest);

    std::vector<Place> places_;   // made when first needed
};

}  // namespace suoke::auth
