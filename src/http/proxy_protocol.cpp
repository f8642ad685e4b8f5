// SPDX-License-Identifier: MIT
#include "http/proxy_protocol.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace suoke::http {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kV1 = "PROXY ";
constexpr std::size_t kFixed = 16;  // of version 2

Error broken(std::string rule) { return Error(Code::malformed_request, "PROXY protocol: " + std::move(rule)); }

// ---- version 1

// Decimal without leading zeros, up to 65535.
std::optional<std::uint16_t> parse_port(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    auto port = parse_u64(text);
    if (!port || *port > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(*port);
}

bool parse_ip(int family, std::string_view text, ProxyAddress& out) {
    if (text.find('\0') != text.npos) return false;  // inet_pton would stop there
    return ::inet_pton(family, std::string(text).c_str(), out.ip.data()) == 1;
}

// Exactly one blank between the words (§2.1).
Result<ProxyHeader> parse_v1_line(std::string_view line, std::size_t length) {
    ProxyHeader header{.length = length};
    line.remove_prefix(kV1.size());
    if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return header;
    bool v6 = line.starts_with("TCP6 ");
    if (!v6 && !line.starts_with("TCP4 ")) return broken("neither TCP4 nor TCP6 nor UNKNOWN");
    line.remove_prefix(5);
    std::array<std::string_view, 4> words;
    for (std::size_t i = 0; i < 4; ++i) {
        std::size_t blank = i < 3 ? line.find(' ') : line.size();
        if (blank == line.npos) return broken("two addresses and two ports are needed");
        words[i] = line.substr(0, blank);
        line.remove_prefix(std::min(blank + 1, line.size()));
    }
    int family = v6 ? AF_INET6 : AF_INET;
    if (!parse_ip(family, words[0], header.source) || !parse_ip(family, words[1], header.destination))
        return broken("an address that is none");
    auto from = parse_port(words[2]), to = parse_port(words[3]);
    if (!from || !to) return broken("a port that is none");
    header.source.port = *from;
    header.destination.port = *to;
    header.kind = v6 ? ProxyHeader::inet6 : ProxyHeader::inet;
    return header;
}

Result<ProxyHeader> parse_v1(std::string_view bytes) {
    std::string_view window = bytes.substr(0, kMaxProxyV1);
    std::size_t end = window.find('\n');
    if (end == window.npos) {
        if (window.size() == kMaxProxyV1) return broken("no line end within 107 bytes");
        return ProxyHeader{};
    }
    if (window[end - 1] != '\r') return broken("the line does not end with CR LF");
    return parse_v1_line(window.substr(0, end - 1), end + 1);
}

// ---- version 2

std::uint16_t be16(std::string_view bytes) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[0]) << 8 | static_cast<unsigned char>(bytes[1]));
}

constexpr std::uint8_t kCrc = 0x03;  // PP2_TYPE_CRC32C

// The checksum of the whole header, its own four bytes taken as zero (§2.2.3).
bool crc_is_right(std::string_view header, std::size_t at) {
    std::string_view told = header.substr(at, 4);
    std::uint32_t sum = crc32c(header.substr(0, at));
    sum = crc32c(std::string_view("\0\0\0\0", 4), sum);
    sum = crc32c(header.substr(at + 4), sum);
    return sum == (static_cast<std::uint32_t>(be16(told)) << 16 | be16(told.substr(2)));
}

Result<void> check_tlvs(std::string_view header, std::size_t at) {
    while (at < header.size()) {
        if (header.size() - at < 3) return broken("a TLV without length");
        auto type = static_cast<std::uint8_t>(header[at]);
        std::size_t length = be16(header.substr(at + 1));
        at += 3;
        if (length > header.size() - at) return broken("a TLV longer than its header");
        if (type == kCrc && (length != 4 || !crc_is_right(header, at))) return broken("the CRC32c is wrong");
        at += length;
    }
    return {};
}

// How many bytes of addresses a family and protocol has (§2.2); nothing: not a stream we know.
std::optional<std::size_t> address_bytes(std::uint8_t family) {
    switch (family) {
        case 0x11: return 12;   // TCP over IPv4
        case 0x21: return 36;   // TCP over IPv6
        case 0x31: return 216;  // Unix stream
        default: return std::nullopt;
    }
}

void read_address(std::string_view block, std::size_t size, ProxyHeader& header) {
    std::copy_n(block.begin(), size, header.source.ip.begin());
    std::copy_n(block.begin() + static_cast<std::ptrdiff_t>(size), size, header.destination.ip.begin());
    header.source.port = be16(block.substr(2 * size));
    header.destination.port = be16(block.substr(2 * size + 2));
}

Result<ProxyHeader> parse_v2(std::string_view bytes) {
    if (bytes.size() < kFixed) return ProxyHeader{};
    auto command = static_cast<std::uint8_t>(bytes[12]), family = static_cast<std::uint8_t>(bytes[13]);
    if (command != 0x20 && command != 0x21) return broken("unknown version or command");
    std::size_t length = kFixed + be16(bytes.substr(14));
    if (length > kMaxProxyV2) return broken("a header of more than 1024 bytes");
    if (bytes.size() < length) return ProxyHeader{};
    ProxyHeader header{.length = length};
    std::string_view whole = bytes.substr(0, length), block = whole.substr(kFixed);
    bool local = command == 0x20;
    auto size = address_bytes(family);
    // LOCAL and UNSPEC: whatever follows is to be skipped.
    if (local || family == 0x00) return header;
    if (!size) return broken("an unknown family or protocol");
    if (block.size() < *size) return broken("too short for its addresses");
    if (auto checked = check_tlvs(whole, kFixed + *size); !checked) return checked.error();
    if (family == 0x11) {
        header.kind = ProxyHeader::inet;
        read_address(block, 4, header);
    } else if (family == 0x21) {
        header.kind = ProxyHeader::inet6;
        read_address(block, 16, header);
    }
    return header;
}

std::string text_of(const ProxyHeader& header, const ProxyAddress& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(header.kind == ProxyHeader::inet6 ? AF_INET6 : AF_INET, address.ip.data(), text.data(), text.size());
    return text.data();
}

void put_be16(std::string& out, std::size_t n) {
    out += static_cast<char>(n >> 8 & 255);
    out += static_cast<char>(n & 255);
}

}  // namespace

ProxyGuess guess_proxy_header(std::string_view bytes) {
    auto agrees = [&](std::string_view start) {
        return bytes.substr(0, start.size()) == start.substr(0, bytes.size());
    };
    if (agrees(kV1)) return bytes.size() >= kV1.size() ? ProxyGuess::v1 : ProxyGuess::maybe;
    if (agrees(kSignature)) return bytes.size() >= kSignature.size() ? ProxyGuess::v2 : ProxyGuess::maybe;
    return ProxyGuess::no;
}

Result<ProxyHeader> parse_proxy_header(std::string_view bytes) {
    switch (guess_proxy_header(bytes)) {
        case ProxyGuess::maybe: return ProxyHeader{};
        case ProxyGuess::v1: return parse_v1(bytes);
        case ProxyGuess::v2: return parse_v2(bytes);
        default: return broken("the connection does not begin with it");
    }
}

ProxyHeader proxy_header_of(std::string_view ip, std::uint16_t port) {
    ProxyHeader header;
    if (parse_ip(AF_INET, ip, header.source)) header.kind = ProxyHeader::inet;
    else if (parse_ip(AF_INET6, ip, header.source)) header.kind = ProxyHeader::inet6;
    else return header;
    header.source.port = port;
    return header;
}

std::string write_proxy_v1(const ProxyHeader& header) {
    if (header.kind == ProxyHeader::none) return "PROXY UNKNOWN\r\n";
    return std::string(header.kind == ProxyHeader::inet6 ? "PROXY TCP6 " : "PROXY TCP4 ") + text_of(header, header.source) +
           " " + text_of(header, header.destination) + " " + std::to_string(header.source.port) + " " +
           std::to_string(header.destination.port) + "\r\n";
}

std::string write_proxy_v2(const ProxyHeader& header) {
    std::string out(kSignature);
    bool known = header.kind != ProxyHeader::none;
    std::size_t size = header.kind == ProxyHeader::inet6 ? 16 : 4;
    out += static_cast<char>(known ? 0x21 : 0x20);
    out += static_cast<char>(!known ? 0x00 : size == 16 ? 0x21 : 0x11);
    put_be16(out, known ? 2 * size + 4 : 0);
    if (!known) return out;
    for (const ProxyAddress* address : {&header.source, &header.destination})
        out.append(reinterpret_cast<const char*>(address->ip.data()), size);
    put_be16(out, header.source.port);
    put_be16(out, header.destination.port);
    return out;
}

// RFC 3720 appendix B.4. Bit by bit: it is for a few dozen bytes of few connections.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
    std::uint32_t sum = ~before;
    for (char c : bytes) {
        sum ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? 0x82F63B78u : 0);
    }
    return ~sum;
}

}  // namespace suoke::http
