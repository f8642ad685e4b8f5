// SPDX-License-Identifier: MIT
#include "auth/base64url.h"

#include <array>
#include <cstdint>

namespace suoke::auth {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kForeign = 0x80;

constexpr std::array<std::uint8_t, 256> kValues = [] {
    std::array<std::uint8_t, 256> values{};
    for (std::uint8_t& value : values) value = kForeign;
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
    return values;
}();

std::uint32_t value_of(char c) { return kValues[static_cast<unsigned char>(c)]; }

}  // namespace

std::optional<std::string> from_base64url(std::string_view text) {
    const std::size_t rest = text.size() % 4, whole = text.size() - rest;
    if (rest == 1) return {};
    std::string bytes(whole / 4 * 3 + (rest == 0 ? 0 : rest - 1), '\0');
    char* out = bytes.data();
    std::uint32_t seen = 0;  // foreign characters leave their mark here; asked once, at the end
    for (std::size_t i = 0; i < whole; i += 4) {
        const std::uint32_t a = value_of(text[i]), b = value_of(text[i + 1]), c = value_of(text[i + 2]), d = value_of(text[i + 3]);
        seen |= a | b | c | d;
        *out++ = static_cast<char>(a << 2 | b >> 4);
        *out++ = static_cast<char>(b << 4 | c >> 2);
        *out++ = static_cast<char>(c << 6 | d);
    }
    if (rest != 0) {
        const std::uint32_t a = value_of(text[whole]), b = value_of(text[whole + 1]), c = rest == 3 ? value_of(text[whole + 2]) : 0;
        seen |= a | b | c;
        *out++ = static_cast<char>(a << 2 | b >> 4);
        if (rest == 3) *out++ = static_cast<char>(b << 4 | c >> 2);
        if ((rest == 2 ? b & 0x0F : c & 0x03) != 0) return {};
    }
    if (seen & kForeign) return {};
    return bytes;
}

std::string to_base64url(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    int count = 0;  // of bits that are not written yet
    for (char byte : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(byte);
        for (count += 8; count >= 6; count -= 6) text += kAlphabet[bits >> (count - 6) & 0x3F];
    }
    if (count > 0) text += kAlphabet[bits << (6 - count) & 0x3F];
    return text;
}

}  // namespace suoke::auth
