// SPDX-License-Identifier: MIT
#include "auth/token_cache.h"

#include <algorithm>
#include <cstring>

#include "rt/digest.h"

namespace suoke::auth {
namespace {

std::uint64_t seed() {
    std::uint64_t word = 0;
    std::memcpy(&word, rt::secret_bytes(sizeof word).data(), sizeof word);
    return word;
}

std::uint64_t folded(std::uint64_t a, std::uint64_t b) {
    auto product = static_cast<__uint128_t>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

TokenCache::TokenCache() : seed_(seed()) {}

// Of both ends only: the end of a token is its signature, which nobody chooses who gets in, and the whole of
// one would take longer to hash than to compare (700 bytes: 130 ns). What is alike is told apart by comparing.
std::uint64_t TokenCache::hash_of(Method kind, std::string_view token) const {
    constexpr std::size_t kHead = 16, kTail = 32;
    constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15ull;
    char ends[kHead + kTail] = {};
    std::memcpy(ends, token.data(), std::min(token.size(), kHead));
    std::size_t tail = std::min(token.size(), kTail);
    std::memcpy(ends + kHead, token.data() + token.size() - tail, tail);
    std::uint64_t hash = folded(seed_ ^ token.size(), kPrime ^ static_cast<std::uint64_t>(kind));
    for (std::size_t at = 0; at < sizeof ends; at += 2 * sizeof(std::uint64_t)) {
        std::uint64_t words[2];
        std::memcpy(words, ends + at, sizeof words);
        hash = folded(hash ^ words[0] ^ seed_, words[1] ^ kPrime) + hash;
    }
    return hash;
}

TokenCache::Set& TokenCache::set_of(std::uint64_t hash) {
    auto index = static_cast<std::size_t>((static_cast<__uint128_t>(hash) * sets_.size()) >> 64);
    return sets_[index];
}

IdentityPtr TokenCache::find(Method kind, std::string_view token, WallTime now, std::uint64_t generation, const Revocations& revoked) {
    if (sets_.empty() || token.empty()) return nullptr;
    std::uint64_t hash = hash_of(kind, token);
    Set& set = set_of(hash);
    for (std::size_t way = 0; way < ways_; ++way) {
        if (set.tags[way] != hash) continue;
        Slot& slot = set.slots[way];
        if (!slot.who || slot.kind != kind || slot.token != token) continue;
        // Of another generation: an exchange that began before a reload must not spoil it for the others.
        if (slot.generation != generation) return nullptr;
        // New revocations are rarely about this one, and then its signature is as good as it was.
        bool revoked_since = slot.revocations != revoked.generation && revoked.covers(*slot.who);
        if (now >= slot.until || revoked_since) {
            slot = Slot();
            return nullptr;
        }
        slot.revocations = revoked.generation;
        slot.used = true;
        return slot.who;
    }
    return nullptr;
}

// The one it is in already, a free one, or that which was not asked for since the hand came by (CLOCK).
std::size_t TokenCache::slot_for(Set& set, std::uint64_t hash, Method kind, std::string_view token) {
    std::size_t free = kWays;
    for (std::size_t way = 0; way < ways_; ++way) {
        const Slot& slot = set.slots[way];
        if (!slot.who) free = std::min(free, way);
        else if (set.tags[way] == hash && slot.kind == kind && slot.token == token) return way;
    }
    if (free < ways_) return free;
    for (;;) {
        std::size_t way = set.hand;
        set.hand = (set.hand + 1) % ways_;
        if (!std::exchange(set.slots[way].used, false)) return way;
    }
}

void TokenCache::put(Method kind, std::string_view token, IdentityPtr who, std::uint64_t generation, const Revocations& revoked,
                     WallTime until) {
    if (capacity_ == 0 || token.empty()) return;
    if (sets_.empty()) {
        ways_ = std::min(capacity_, kWays);
        sets_.resize(std::max<std::size_t>(1, capacity_ / kWays));
    }
    std::uint64_t hash = hash_of(kind, token);
    Set& set = set_of(hash);
    std::size_t way = slot_for(set, hash, kind, token);
    set.tags[way] = hash;
    Slot& slot = set.slots[way];
    slot.until = std::min(until, who->expires);
    slot.token = token;
    slot.who = std::move(who);
    slot.generation = generation;
    slot.revocations = revoked.generation;
    slot.kind = kind;
    slot.used = false;
}

void TokenCache::set_capacity(std::size_t most) {
    if (most == capacity_) return;
    capacity_ = most;
    sets_.clear();
    sets_.shrink_to_fit();
}

std::size_t TokenCache::size() const {
    std::size_t n = 0;
    for (const Set& set : sets_)
        for (const Slot& slot : set.slots) n += slot.who != nullptr;
    return n;
}

}  // namespace suoke::auth
