// SPDX-License-Identifier: MIT
#include "rt/socket.h"

#include <gtest/gtest.h>

namespace suoke::rt {
namespace {

std::string spelled(std::string_view host, std::uint16_t port) {
    auto address = Address::parse(host, port);
    return address ? address->to_string() : "refused";
}

TEST(Address, is_written_the_usual_way) {
    EXPECT_EQ(spelled("192.0.2.1", 80), "192.0.2.1:80");
    EXPECT_EQ(spelled("2001:db8::1", 443), "[2001:db8::1]:443");
    EXPECT_EQ(spelled("[2001:db8::1]", 443), "[2001:db8::1]:443");
    EXPECT_EQ(spelled("unix:/run/x.sock", 0), "unix:/run/x.sock");
}

TEST(Address, takes_no_names_and_no_half_addresses) {
    for (const char* text : {"", "localhost", "192.0.2", "192.0.2.256", "192.0.2.1:80",
                             "2001:db8::1::", "[]", "unix:"})
        EXPECT_EQ(spelled(text, 1), "refused") << text;
    EXPECT_EQ(spelled("unix:/" + std::string(200, 'x'), 0), "refused");
}

TEST(Address, an_ipv4_peer_on_an_ipv6_socket_is_shown_as_ipv4) {
    EXPECT_EQ(Address::parse("::ffff:192.0.2.7", 1)->host(), "192.0.2.7");
}

TEST(Address, nothing_is_not_an_address) {
    EXPECT_EQ(Address().to_string(), "");
}

bool contains(std::string_view network, std::string_view address) {
    auto n = Network::parse(network);
    auto a = Address::parse(address, 0);
    return n && a && n->contains(*a);
}

TEST(Network, contains_what_shares_its_prefix) {
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.1.2"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
    EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
    EXPECT_TRUE(contains("192.0.2.7", "192.0.2.7"));
    EXPECT_FALSE(contains("192.0.2.7", "192.0.2.8"));
    EXPECT_TRUE(contains("2001:db8::/32", "2001:db8:ffff::1"));
    EXPECT_FALSE(contains("2001:db8::/32", "2001:db9::1"));
    EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
    EXPECT_TRUE(contains("::/0", "203.0.113.9"));
}

TEST(Network, an_ipv4_network_holds_mapped_addresses_and_no_other_ipv6_ones) {
    EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
    EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
    EXPECT_FALSE(contains("0.0.0.0/0", "unix:/run/x"));
}

TEST(Network, refuses_what_is_none) {
    for (const char* text : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "::/129",
                             "name/8", "unix:/x/8"})
        EXPECT_FALSE(Network::parse(text)) << text;
}

}  // namespace
}  // namespace suoke::rt
