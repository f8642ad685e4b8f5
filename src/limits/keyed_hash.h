// SPDX-License-Identifier: MIT
#pragma once
// SipHash with 128 bits (Aumasson and Bernstein), over words and texts in turn. Keyed, so that no client can
// choose keys that meet in one bucket; with one round a word it takes 15 ns for an address.
//
//   KeyedHash hash(seed);
//   hash.add(policy.id);
//   hash.add(ip);
//   cells.find(hash.finish());

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace suoke::limits {

struct Seed {
    std::uint64_t first = 0, second = 0;
    friend bool operator==(const Seed&, const Seed&) = default;
};

// 128 bits: where a key's cell is, and which of those there it is.
struct Hash {
    std::uint64_t place = 0, tag = 0;
    friend bool operator==(const Hash&, const Hash&) = default;
};

template <int kRounds, int kLastRounds>
class SipHash128 {
 public:
    explicit SipHash128(const Seed& seed)
        : v0_(seed.first ^ 0x736f6d6570736575ULL), v1_(seed.second ^ 0x646f72616e646f6dULL ^ 0xee),
          v2_(seed.first ^ 0x6c7967656e657261ULL), v3_(seed.second ^ 0x7465646279746573ULL) {}

    void add(std::uint64_t word) {
        v3_ ^= word;
        rounds<kRounds>();
        v0_ ^= word;
    }
    // Ends with a word that has its length, so that two texts are not the same as one of both.
    void add(std::string_view text) {
        std::uint64_t last = static_cast<std::uint64_t>(text.size()) << 56, word = 0;
        for (; text.size() >= 8; text.remove_prefix(8)) {
            std::memcpy(&word, text.data(), 8);
            add(word);
        }
        for (std::size_t i = 0; i < text.size(); ++i) last |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
        add(last);
    }

    Hash finish() {
        Hash hash;
        v2_ ^= 0xee;
        rounds<kLastRounds>();
        hash.place = v0_ ^ v1_ ^ v2_ ^ v3_;
        v1_ ^= 0xdd;
        rounds<kLastRounds>();
        hash.tag = v0_ ^ v1_ ^ v2_ ^ v3_;
        return hash;
    }

 private:
    template <int kTimes>
    void rounds() {
        for (int i = 0; i < kTimes; ++i) {
            v0_ += v1_, v1_ = std::rotl(v1_, 13) ^ v0_, v0_ = std::rotl(v0_, 32);
            v2_ += v3_, v3_ = std::rotl(v3_, 16) ^ v2_;
            v0_ += v3_, v3_ = std::rotl(v3_, 21) ^ v0_;
            v2_ += v1_, v1_ = std::rotl(v1_, 17) ^ v2_, v2_ = std::rotl(v2_, 32);
        }
    }
    std::uint64_t v0_, v1_, v2_, v3_;
};

using KeyedHash = SipHash128<1, 3>;

}  // namespace suoke::limits
