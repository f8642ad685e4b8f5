// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace suoke::auth {

// RFC 7518 §3.1 and RFC 8037 §3.1. There is no `none`.
enum class Algorithm : std::uint8_t { hs256, hs384, hs512, rs256, rs384, rs512, ps256, ps384, ps512, es256, es384, es512, eddsa };
constexpr std::size_t kAlgorithms = 13;

std::optional<Algorithm> algorithm_of(std::string_view name);   // "HS256"; case counts (RFC 7515 §4.1.1)
std::string_view name_of(Algorithm algorithm);

// What a key is made of decides what it can do; an ES algorithm has one curve (RFC 7518 §3.4).
enum class KeyKind : std::uint8_t { secret, rsa, p256, p384, p521, ed25519, ed448 };
bool suits(KeyKind kind, Algorithm algorithm);

}  // namespace suoke::auth
