// SPDX-License-Identifier: MIT
#pragma once
// What every fuzz target needs: a way to say what broke, and choices taken from the input.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace suoke::fuzz {

// `broken` names what does not hold; null when all is well.
inline void expect(const char* broken) {
    if (!broken) return;
    std::fprintf(stderr, "broken: %s\n", broken);
    std::abort();
}

inline void expect_same(std::string_view whole, std::string_view pieces) {
    if (whole == pieces) return;
    std::fprintf(stderr, "whole:\n%.*s\npieces:\n%.*s\n", static_cast<int>(whole.size()),
                 whole.data(), static_cast<int>(pieces.size()), pieces.data());
    std::abort();
}

// Every position of a short input, a few dozen of a long one.
inline std::vector<std::size_t> cuts(std::size_t size) {
    std::vector<std::size_t> out;
    const std::size_t step = size / 64 + 1;
    for (std::size_t at = 0; at < size; at += step) out.push_back(at);
    return out;
}

}  // namespace suoke::fuzz
