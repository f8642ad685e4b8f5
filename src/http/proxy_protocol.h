// SPDX-License-Identifier: MIT
#pragma once
// The PROXY protocol, versions 1 and 2, as HAProxy's doc/proxy-protocol.txt describes it (2020/03/05):
// what a proxy in front says about the client before the first byte of the connection. No I/O.
//
//   switch (guess_proxy_header(bytes)) ...                 // is it one at all?
//   auto header = parse_proxy_header(bytes);               // length 0: more bytes are needed
//
// Whoever may connect directly could claim any address: believe it from known proxies only.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace suoke::http {

// An address as it stands in the header; a value. IPv4 takes the first four bytes.
struct ProxyAddress {
    std::array<std::uint8_t, 16> ip{};
    std::uint16_t port = 0;
    friend bool operator==(const ProxyAddress&, const ProxyAddress&) = default;
};

struct ProxyHeader {
    enum Kind : std::uint8_t {
        none,   // the proxy's own connection (LOCAL), or it does not know (UNKNOWN, UNSPEC, AF_UNIX)
        inet,   // TCP over IPv4
        inet6,  // TCP over IPv6
    } kind = none;
    ProxyAddress source, destination;  // of `inet` and `inet6`
    std::size_t length = 0;            // bytes it took; 0: more are needed
    friend bool operator==(const ProxyHeader&, const ProxyHeader&) = default;
};

enum class ProxyGuess : std::uint8_t { no, maybe, v1, v2 };

constexpr std::size_t kMaxProxyV1 = 107;   // with its line end (§2.1)
constexpr std::size_t kMaxProxyV2 = 1024;  // with its TLVs; the specification asks for at least 536

// What the first bytes are; `maybe` only while they are too few to tell. A TLS or HTTP/1 client is
// told apart from its first byte on, except for a method that begins with "P" (six bytes), and
// HTTP/1's empty lines (twelve).
ProxyGuess guess_proxy_header(std::string_view bytes);

// Code::malformed_request with the rule that was broken. TLVs are checked for their lengths and
// skipped, but a CRC32c (PP2_TYPE_CRC32C) must be right.
Result<ProxyHeader> parse_proxy_header(std::string_view bytes);

// A header that tells of this client; of kind `none` when `ip` is no literal address. The destination
// is 0.0.0.0 or ::, port 0.
ProxyHeader proxy_header_of(std::string_view ip, std::uint16_t port);
// `kind`, `source` and `destination` as a header of version 1 ("PROXY TCP4 ...\r\n") or 2.
std::string write_proxy_v1(const ProxyHeader& header);
std::string write_proxy_v2(const ProxyHeader& header);

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace suoke::http
