// SPDX-License-Identifier: MIT
#include "limits/address_key.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.h"

namespace suoke::limits {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

// "192.0.2.1" into four bytes.
bool read_ipv4(std::string_view text, std::uint8_t* into) {
    for (int i = 0; i < 4; ++i) {
        std::size_t end = i < 3 ? text.find('.') : text.size();
        if (end == text.npos || end == 0 || end > 3) return false;
        unsigned number = 0;
        auto [stop, error] = std::from_chars(text.data(), text.data() + end, number);
        if (error != std::errc() || stop != text.data() + end || number > 255) return false;
        into[i] = static_cast<std::uint8_t>(number);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return text.empty();
}

// Groups of one side of "::", as bytes: how many, or -1.
int read_groups(std::string_view text, Bytes& into) {
    int size = 0;
    while (!text.empty()) {
        std::size_t end = std::min(text.find(':'), text.size());
        std::string_view group = text.substr(0, end);
        bool last = end == text.size();
        if (last && group.find('.') != group.npos) return size <= 12 && read_ipv4(group, &into[static_cast<std::size_t>(size)]) ? size + 4 : -1;
        unsigned number = 0;
        auto [stop, error] = std::from_chars(group.data(), group.data() + group.size(), number, 16);
        if (group.empty() || group.size() > 4 || error != std::errc() || stop != group.data() + group.size() || size > 14) return -1;
        into[static_cast<std::size_t>(size++)] = static_cast<std::uint8_t>(number >> 8);
        into[static_cast<std::size_t>(size++)] = static_cast<std::uint8_t>(number & 0xff);
        if (!last && end + 1 == text.size()) return -1;   // "1:"
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return size;
}

bool is_ipv4(const Bytes& bytes) {
    return std::all_of(bytes.begin(), bytes.begin() + 10, [](std::uint8_t b) { return b == 0; }) && bytes[10] == 0xff && bytes[11] == 0xff;
}

}  // namespace

std::optional<Bytes> parse_ipv6(std::string_view text) {
    Bytes bytes{};
    std::size_t gap = text.find("::");
    if (gap == text.npos) {
        if (read_groups(text, bytes) != 16) return std::nullopt;
        return bytes;
    }
    Bytes tail{};
    int front = read_groups(text.substr(0, gap), bytes), back = read_groups(text.substr(gap + 2), tail);
    if (front < 0 || back < 0 || front + back > 14) return std::nullopt;
    std::copy_n(tail.begin(), back, bytes.end() - back);
    return bytes;
}

void add_address(KeyedHash& hash, std::string_view text, int ipv6_prefix) {
    if (text.find(':') == text.npos) return hash.add(text);
    auto bytes = parse_ipv6(text.substr(0, text.find('%')));
    if (!bytes) return hash.add(text);
    if (is_ipv4(*bytes)) {
        char spelled[16];
        char* end = spelled;
        for (std::size_t i = 12; i < 16; ++i) {
            if (i > 12) *end++ = '.';
            end = std::to_chars(end, spelled + sizeof spelled, unsigned{(*bytes)[i]}).ptr;
        }
        return hash.add(std::string_view(spelled, static_cast<std::size_t>(end - spelled)));
    }
    auto kept = static_cast<std::size_t>(ipv6_prefix / 8);
    if (int bits = ipv6_prefix % 8) (*bytes)[kept++] &= static_cast<std::uint8_t>(0xff << (8 - bits));
    std::fill(bytes->begin() + static_cast<std::ptrdiff_t>(kept), bytes->end(), std::uint8_t{0});
    std::uint64_t words[2];
    std::memcpy(words, bytes->data(), sizeof words);
    hash.add(words[0]);
    hash.add(words[1]);
}

}  // namespace suoke::limits
