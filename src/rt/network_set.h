// SPDX-License-Identifier: MIT
#pragma once
// Many networks at once: a value made when a configuration is compiled, and asked for each request.
//
//   auto office = NetworkSet::parse(access.allow);   // {"10.0.0.0/8", "2001:db8::/32"}
//   office->contains(peer);

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rt/socket.h"

namespace suoke::rt {

class NetworkSet {
 public:
    NetworkSet() = default;
    // As Network reads them. An IPv4 address in its IPv6 form (::ffff:10.1.2.3) is the IPv4 address, and an
    // IPv6 network that only happens to lie around all of those (::/0) is about IPv6.
    static Result<NetworkSet> parse(std::span<const std::string> networks);

    // In logarithmic time. Unix sockets are in no network.
    bool contains(const Address& address) const;
    bool empty() const { return ranges_.empty(); }

 private:
    using Bits = std::array<std::uint8_t, 16>;  // of the IPv6 form
    struct Range {
        Bits first, last;
    };
    static bool bits_of(const Address& address, Bits& out);
    void add(Bits prefix, unsigned length);
    void sort();
    std::vector<Range> ranges_;  // in order, and none overlaps another
};

}  // namespace suoke::rt
