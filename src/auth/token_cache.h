// SPDX-License-Identifier: MIT
#pragma once
// Credentials that were verified a moment ago, so that a signature is looked at once. Bounded; one is found
// by its kind and its exact bytes, and is gone when it expires, when keys or rules are others (`generation`),
// and when it was revoked. One worker's.
//
//   if (IdentityPtr who = cache.find(Method::jwt, token, now, generation, revoked)) return who;
//   cache.put(Method::jwt, token, who, generation, revoked);

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "auth/revocations.h"

namespace suoke::auth {

class TokenCache {
 public:
    TokenCache();

    IdentityPtr find(Method kind, std::string_view token, WallTime now, std::uint64_t generation, const Revocations& revoked);
    // Until `who` expires, or before that `until`.
    void put(Method kind, std::string_view token, IdentityPtr who, std::uint64_t generation, const Revocations& revoked,
             WallTime until = WallTime::max());
    // 0: nothing is kept. Another capacity forgets what there is.
    void set_capacity(std::size_t most);
    std::size_t size() const;

 private:
    static constexpr std::size_t kWays = 8;
    struct Slot {
        std::string token;
        IdentityPtr who;                   // null: the slot is free
        WallTime until{};
        std::uint64_t generation = 0;
        std::uint64_t revocations = 0;     // those it was compared with
        Method kind{};
        bool used = false;                 // since the hand came by
    };
    // A token can be in one set only; its eight tags are one cache line.
    struct Set {
        std::array<std::uint64_t, kWays> tags{};
        std::array<Slot, kWays> slots;
        std::size_t hand = 0;
    };

    std::uint64_t hash_of(Method kind, std::string_view token) const;
    Set& set_of(std::uint64_t hash);
    std::size_t slot_for(Set& set, std::uint64_t hash, Method kind, std::string_view token);

    const std::uint64_t seed_;
    std::size_t capacity_ = 10'000;
    std::size_t ways_ = kWays;
    std::vector<Set> sets_;                // made when first needed
};

}  // namespace suoke::auth
