// SPDX-License-Identifier: MIT
#include "http/proxy_protocol.h"

#include <gtest/gtest.h>

#include "http/proxy_reader.h"
#include "rt/scope.h"

namespace suoke::http {
namespace {

using namespace std::string_literals;

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

// A header of version 2 by its parts.
std::string v2(char command, char family, const std::string& rest) {
    std::string out = kSignature + command + family;
    out += static_cast<char>(rest.size() >> 8);
    out += static_cast<char>(rest.size() & 255);
    return out + rest;
}
const std::string kIpv4 = "\xc0\0\x02\x07\x0a\0\0\x01\x10\x67\x1f\x40"s;  // 192.0.2.7:4199 -> 10.0.0.1:8000

// "192.0.2.7:4199", "-" for none, "more", or the rule that was broken.
std::string told(std::string_view bytes) {
    auto header = parse_proxy_header(bytes);
    if (!header) return header.error().detail;
    if (header->length == 0) return "more";
    if (header->kind == ProxyHeader::none) return "-";
    std::string v1 = write_proxy_v1(*header);
    return v1.substr(6, v1.size() - 8);
}

TEST(ProxyV1, is_one_strict_line) {
    EXPECT_EQ(told("PROXY TCP4 192.0.2.7 10.0.0.1 4199 8000\r\nGET"), "TCP4 192.0.2.7 10.0.0.1 4199 8000");
    EXPECT_EQ(told("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"), "TCP6 2001:db8::1 ::1 1 65535");
    EXPECT_EQ(told("PROXY UNKNOWN\r\n"), "-");
    EXPECT_EQ(told("PROXY UNKNOWN ff:ff 1 x y\r\n"), "-");
    EXPECT_EQ(parse_proxy_header("PROXY UNKNOWN\r\nabc")->length, 15u);
}

TEST(ProxyV1, refuses_everything_else) {
    for (const char* line :
         {"PROXY TCP4 192.0.2.7 10.0.0.1 4199 8000\n", "PROXY  TCP4 192.0.2.7 10.0.0.1 4199 8000\r\n",
          "PROXY TCP4 192.0.2.7  10.0.0.1 4199 8000\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 4199\r\n",
          "PROXY TCP4 192.0.2.7 10.0.0.1 4199 8000 \r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 04199 8000\r\n",
          "PROXY TCP4 192.0.2.7 10.0.0.1 65536 8000\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 -1 8000\r\n",
          "PROXY TCP4 192.0.2.007 10.0.0.1 1 8000\r\n", "PROXY TCP4 ::1 ::1 1 8000\r\n",
          "PROXY TCP6 192.0.2.7 10.0.0.1 1 2\r\n", "PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n",
          "PROXY tcp4 192.0.2.7 10.0.0.1 1 2\r\n", "PROXY UNKNOWNS\r\n", "PROXY \r\n", "PROXY \n",
          "proxy TCP4 192.0.2.7 10.0.0.1 4199 8000\r\n", "GET / HTTP/1.1\r\n", "\x16\x03\x01"})
        EXPECT_TRUE(told(line).starts_with("PROXY protocol:")) << line << " gave " << told(line);
}

TEST(ProxyV1, has_at_most_107_bytes) {
    std::string line = "PROXY UNKNOWN " + std::string(kMaxProxyV1 - 16, 'x');
    EXPECT_EQ(told(line), "more");
    EXPECT_EQ(told(line + "\r\n"), "-");
    EXPECT_EQ(told(line + "x"), "more");
    EXPECT_EQ(told(line + "x\r\n"), "PROXY protocol: no line end within 107 bytes");
}

TEST(ProxyV2, tells_addresses_and_skips_what_it_does_not_know) {
    EXPECT_EQ(told(v2(0x21, 0x11, kIpv4)), "TCP4 192.0.2.7 10.0.0.1 4199 8000");
    EXPECT_EQ(told(v2(0x21, 0x11, kIpv4 + "\x02\0\x03"s + "api" + "\xe0\0\0"s)), "TCP4 192.0.2.7 10.0.0.1 4199 8000");
    std::string ipv6 = std::string(15, '\0') + '\1' + std::string(15, '\0') + '\2' + "\0\1\0\2"s;
    EXPECT_EQ(told(v2(0x21, 0x21, ipv6)), "TCP6 ::1 ::2 1 2");
    EXPECT_EQ(told(v2(0x21, 0x31, std::string(216, 'p'))), "-") << "AF_UNIX";
    EXPECT_EQ(told(v2(0x20, 0x11, kIpv4)), "-") << "LOCAL";
    EXPECT_EQ(told(v2(0x20, 0x77, "anything")), "-") << "LOCAL";
    EXPECT_EQ(told(v2(0x21, 0x00, "anything")), "-") << "UNSPEC";
}

TEST(ProxyV2, refuses_lengths_that_lie_and_what_is_unknown) {
    auto refused = [](const std::string& bytes) { return told(bytes).starts_with("PROXY protocol:"); };
    EXPECT_TRUE(refused(v2(0x11, 0x11, kIpv4))) << "version 1";
    EXPECT_TRUE(refused(v2(0x22, 0x11, kIpv4))) << "command 2";
    EXPECT_TRUE(refused(v2(0x21, 0x12, kIpv4))) << "UDP";
    EXPECT_TRUE(refused(v2(0x21, 0x41, kIpv4)));
    EXPECT_TRUE(refused(v2(0x21, 0x11, kIpv4.substr(1))));
    EXPECT_TRUE(refused(v2(0x21, 0x21, kIpv4)));
    EXPECT_TRUE(refused(v2(0x21, 0x11, kIpv4 + "\x02\0"s)));
    EXPECT_TRUE(refused(v2(0x21, 0x11, kIpv4 + "\x02\0\x04"s + "api")));
    EXPECT_EQ(told(v2(0x21, 0x00, std::string(kMaxProxyV2 - 16, 'x'))), "-");
    EXPECT_TRUE(refused(v2(0x21, 0x00, std::string(kMaxProxyV2 - 15, 'x'))));
}

TEST(ProxyV2, checks_the_crc_when_there_is_one) {
    EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
    std::string bytes = v2(0x21, 0x11, kIpv4 + "\x03\0\x04\0\0\0\0"s);
    std::uint32_t sum = crc32c(bytes);
    for (std::size_t i = 0; i < 4; ++i) bytes[bytes.size() - 4 + i] = static_cast<char>(sum >> (24 - 8 * i));
    EXPECT_EQ(told(bytes), "TCP4 192.0.2.7 10.0.0.1 4199 8000");
    bytes[16] ^= 1;
    EXPECT_EQ(told(bytes), "PROXY protocol: the CRC32c is wrong");
    EXPECT_EQ(told(v2(0x21, 0x11, kIpv4 + "\x03\0\x03\0\0\0"s)), "PROXY protocol: the CRC32c is wrong");
}

TEST(Proxy, a_part_of_a_header_asks_for_more_and_never_says_anything_else) {
    for (const std::string& whole : {"PROXY TCP4 192.0.2.7 10.0.0.1 4199 8000\r\n"s, v2(0x21, 0x11, kIpv4 + "\x04\0\1x"s)})
        for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_EQ(told(whole.substr(0, size)), "more") << size;
}

TEST(Proxy, what_it_writes_it_reads) {
    ProxyHeader header{.kind = ProxyHeader::inet6, .source = {{0x20, 1}, 7}, .destination = {{1, 2, 3}, 65535}};
    for (auto kind : {ProxyHeader::none, ProxyHeader::inet, ProxyHeader::inet6}) {
        header.kind = kind;
        for (const std::string& bytes : {write_proxy_v1(header), write_proxy_v2(header)}) {
            auto back = parse_proxy_header(bytes);
            ASSERT_TRUE(back) << back.error().detail;
            EXPECT_EQ(back->length, bytes.size());
            EXPECT_EQ(write_proxy_v1(*back), write_proxy_v1(header));
        }
    }
}

TEST(Proxy, a_client_is_told_by_its_address) {
    EXPECT_EQ(write_proxy_v1(proxy_header_of("192.0.2.7", 4711)), "PROXY TCP4 192.0.2.7 0.0.0.0 4711 0\r\n");
    EXPECT_EQ(write_proxy_v1(proxy_header_of("2001:db8::7", 1)), "PROXY TCP6 2001:db8::7 :: 1 0\r\n");
    EXPECT_EQ(write_proxy_v1(proxy_header_of("unix", 1)), "PROXY UNKNOWN\r\n");
    EXPECT_EQ(write_proxy_v2(proxy_header_of("", 1)), v2(0x20, 0x00, ""));
}

// ---- on a connection

class ProxyReader : public ::testing::Test {
 protected:
    using Told = Result<std::optional<rt::Address>>;
    rt::Task<void> ask(ProxyUse use) {
        Told answer = co_await read_proxy_header(*ours, use, loop.now() + 10s);
        told.emplace(std::move(answer));
    }
    void begin(ProxyUse use) {
        scope.spawn(ask(use));
        loop.settle();
    }
    void send(std::string_view bytes) {
        if (theirs) theirs->write(bytes);
        loop.settle();
    }
    std::string rest() {
        char space[64];
        return std::string(space, ours->read(space).bytes);
    }
    std::string answer() const {
        if (!told) return "waits";
        if (!*told) return std::string((*told).error().reason());
        return *(*told) ? (**told)->to_string() : "the peer";
    }

    ManualClock clock;
    rt::Loop loop{clock};
    std::pair<rt::StreamPtr, rt::StreamPtr> ends = rt::memory_pair(loop);
    rt::StreamPtr theirs = std::move(ends.first), ours = std::move(ends.second);
    std::optional<Told> told;
    rt::TaskScope scope;
};

TEST_F(ProxyReader, takes_the_header_byte_by_byte_and_nothing_behind_it) {
    begin(ProxyUse::required);
    std::string bytes = v2(0x21, 0x11, kIpv4);
    for (char c : bytes.substr(0, bytes.size() - 1)) send({&c, 1});
    EXPECT_EQ(answer(), "waits");
    send(bytes.substr(bytes.size() - 1) + "GET /");
    EXPECT_EQ(answer(), "192.0.2.7:4199");
    EXPECT_TRUE(ours->maybe_readable());
    EXPECT_EQ(rest(), "GET /");
}

TEST_F(ProxyReader, optional_leaves_a_connection_without_one_untouched) {
    begin(ProxyUse::optional);
    send("P");
    EXPECT_EQ(answer(), "waits");
    send("OST / HTTP/1.1");
    EXPECT_EQ(answer(), "the peer");
    EXPECT_TRUE(ours->maybe_readable());
    EXPECT_EQ(rest(), "POST / HTTP/1.1");
}

TEST_F(ProxyReader, required_refuses_a_connection_without_one) {
    begin(ProxyUse::required);
    send("GET / HTTP/1.1");
    EXPECT_EQ(answer(), "malformed_request");
}

TEST_F(ProxyReader, a_broken_one_is_refused_also_where_it_is_optional) {
    begin(ProxyUse::optional);
    send("PROXY TCP5 x\r\n");
    EXPECT_EQ(answer(), "malformed_request");
}

TEST_F(ProxyReader, waits_until_the_deadline) {
    begin(ProxyUse::required);
    send("PROXY TCP4");
    clock.advance(10s);
    loop.settle();
    EXPECT_EQ(answer(), "request_timeout");
}

TEST_F(ProxyReader, a_silent_connection_without_an_obligation_is_let_in) {
    begin(ProxyUse::optional);
    clock.advance(10s);
    loop.settle();
    EXPECT_EQ(answer(), "the peer");
}

TEST_F(ProxyReader, notices_that_the_peer_left) {
    begin(ProxyUse::required);
    send("PROXY TCP4");
    theirs.reset();
    loop.settle();
    EXPECT_EQ(answer(), "client_gone");
}

}  // namespace
}  // namespace suoke::http
