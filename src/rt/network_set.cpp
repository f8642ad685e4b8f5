// SPDX-License-Identifier: MIT
#include "rt/network_set.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace suoke::rt {
namespace {

using Bits = std::array<std::uint8_t, 16>;

// ::ffff:0:0/96, where IPv4 lives, and what lies before and behind it.
constexpr Bits kFirstV4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0};
constexpr Bits kBeforeV4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 254, 255, 255, 255, 255};
constexpr Bits kBehindV4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
constexpr unsigned kV4Length = 96;

// Every bit behind the first `length` is set or cleared.
Bits filled(Bits bits, unsigned length, bool set) {
    for (unsigned i = length; i < 128; ++i) {
        auto bit = static_cast<std::uint8_t>(0x80 >> i % 8);
        std::uint8_t& byte = bits[i / 8];
        byte = static_cast<std::uint8_t>(set ? byte | bit : byte & ~bit);
    }
    return bits;
}

}  // namespace

bool NetworkSet::bits_of(const Address& address, Bits& out) {
    if (address.family() == AF_INET6) {
        std::memcpy(out.data(), &reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_addr, 16);
        return true;
    }
    if (address.family() != AF_INET) return false;
    out = kFirstV4;
    std::memcpy(out.data() + 12, &reinterpret_cast<const sockaddr_in*>(address.raw())->sin_addr, 4);
    return true;
}

void NetworkSet::add(Bits prefix, unsigned length) {
    Range range{filled(prefix, length, false), filled(prefix, length, true)};
    bool around_v4 = length < kV4Length && range.first <= kFirstV4 && kFirstV4 <= range.last;
    if (!around_v4) return ranges_.push_back(range);
    ranges_.push_back({range.first, kBeforeV4});
    ranges_.push_back({kBehindV4, range.last});
}

void NetworkSet::sort() {
    std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
    std::vector<Range> apart;
    for (const Range& range : ranges_) {
        if (apart.empty() || apart.back().last < range.first)
            apart.push_back(range);
        else
            apart.back().last = std::max(apart.back().last, range.last);
    }
    ranges_ = std::move(apart);
}

Result<NetworkSet> NetworkSet::parse(std::span<const std::string> networks) {
    NetworkSet set;
    for (const std::string& text : networks) {
        auto network = Network::parse(text);
        if (!network) return network.error();
        std::size_t slash = std::min(text.find('/'), text.size());
        auto address = Address::parse(std::string_view(text).substr(0, slash), 0);
        Bits bits{};
        if (!address || !bits_of(*address, bits)) return Error(Code::invalid_config, "not a network: " + text);
        unsigned widest = address->family() == AF_INET ? 32 : 128;
        std::uint64_t length = slash == text.size() ? widest : parse_u64(std::string_view(text).substr(slash + 1)).value_or(widest);
        set.add(bits, static_cast<unsigned>(length) + (widest == 32 ? kV4Length : 0));
    }
    set.sort();
    return set;
}

bool NetworkSet::contains(const Address& address) const {
    Bits bits{};
    if (ranges_.empty() || !bits_of(address, bits)) return false;
    auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), bits,
                                   [](const Bits& sought, const Range& range) { return sought < range.first; });
    return behind != ranges_.begin() && bits <= std::prev(behind)->last;
}

}  // namespace suoke::rt
