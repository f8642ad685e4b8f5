// SPDX-License-Identifier: MIT
#include "auth/refused_tokens.h"

#include <algorithm>
#include <cstring>

namespace suoke::auth {

// Whoever searches for tokens that share a place only makes us forget his own sooner.
std::size_t RefusedTokens::place_of(std::string_view digest) {
    std::uint64_t word = 0;
    std::memcpy(&word, digest.data(), sizeof word);
    return word % kMost;
}

std::optional<Code> RefusedTokens::find(std::string_view digest, TimePoint now, std::uint64_t generation) const {
    if (places_.empty() || digest.size() != kDigest) return std::nullopt;
    const Place& place = places_[place_of(digest)];
    if (now >= place.until || place.generation != generation || !std::equal(digest.begin(), digest.end(), place.digest.begin())) return std::nullopt;
    return place.why;
}

void RefusedTokens::put(std::string_view digest, Code why, TimePoint until, std::uint64_t generation) {
    if (digest.size() != kDigest) return;
    if (places_.empty()) places_.resize(kMost);
    Place& place = places_[place_of(digest)];
    std::copy(digest.begin(), digest.end(), place.digest.begin());
    place.until = until;
    place.generation = generation;
    place.why = why;
}

}  // namespace suoke::auth
