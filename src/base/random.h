// SPDX-License-Identifier: MIT
#pragma once
// Fast, seedable, not for secrets: request ids, jitter, picks. xoshiro256** by Blackman and Vigna.

#include <array>
#include <bit>
#include <cstdint>
#include <random>

namespace suoke {

class Random {
 public:
    explicit Random(std::uint64_t seed) {
        for (auto& word : state_) {  // splitmix64
            std::uint64_t z = (seed += 0x9e3779b97f4a7c15ULL);
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
            z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
            word = z ^ (z >> 31);
        }
    }
    static Random from_system() {
        std::random_device device;
        return Random((std::uint64_t{device()} << 32) ^ device());
    }

    std::uint64_t next() {
        std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        std::uint64_t t = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }
    // Uniform in [0, bound); bound > 0.
    std::uint64_t below(std::uint64_t bound) {
        return static_cast<std::uint64_t>((static_cast<__uint128_t>(next()) * bound) >> 64);
    }
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)

 private:
    std::array<std::uint64_t, 4> state_{};
};

}  // namespace suoke
