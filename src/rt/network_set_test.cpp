// SPDX-License-Identifier: MIT
#include "rt/network_set.h"

#include <gtest/gtest.h>

#include <random>

namespace suoke::rt {
namespace {

NetworkSet set_of(std::vector<std::string> networks) {
    auto set = NetworkSet::parse(networks);
    EXPECT_TRUE(set.has_value());
    return std::move(*set);
}

Address at(const std::string& host) { return *Address::parse(host, 4711); }

TEST(NetworkSet, knows_the_addresses_of_its_networks_and_no_others) {
    NetworkSet set = set_of({"10.0.0.0/8", "192.0.2.7", "2001:db8::/33", "198.51.100.128/25"});
    for (const char* in : {"10.0.0.0", "10.255.255.255", "192.0.2.7", "2001:db8::1", "2001:db8:7fff:ffff::", "198.51.100.128"})
        EXPECT_TRUE(set.contains(at(in))) << in;
    for (const char* out : {"9.255.255.255", "11.0.0.0", "192.0.2.6", "192.0.2.8", "2001:db8:8000::", "2001:db7:ffff::", "198.51.100.127", "::1"})
        EXPECT_FALSE(set.contains(at(out))) << out;
}

TEST(NetworkSet, an_ipv4_address_is_the_same_in_its_ipv6_form) {
    EXPECT_TRUE(set_of({"10.0.0.0/8"}).contains(at("::ffff:10.1.2.3")));
    EXPECT_TRUE(set_of({"::ffff:10.0.0.0/104"}).contains(at("10.1.2.3")));
    EXPECT_FALSE(set_of({"::ffff:10.0.0.0/104"}).contains(at("11.1.2.3")));
}

TEST(NetworkSet, all_of_ipv6_is_not_ipv4_nor_the_other_way_round) {
    NetworkSet six = set_of({"::/0"}), four = set_of({"0.0.0.0/0"});
    for (const char* address : {"::", "::1", "2001:db8::1", "ffff::", "::fffe:10.0.0.1"}) {
        EXPECT_TRUE(six.contains(at(address))) << address;
        EXPECT_FALSE(four.contains(at(address))) << address;
    }
    for (const char* address : {"0.0.0.0", "10.0.0.1", "255.255.255.255", "::ffff:10.0.0.1"}) {
        EXPECT_FALSE(six.contains(at(address))) << address;
        EXPECT_TRUE(four.contains(at(address))) << address;
    }
}

TEST(NetworkSet, networks_within_each_other_are_one) {
    NetworkSet set = set_of({"10.1.0.0/16", "10.0.0.0/8", "10.2.3.4", "10.1.2.0/24"});
    EXPECT_TRUE(set.contains(at("10.200.0.1")));
    EXPECT_TRUE(set.contains(at("10.1.2.3")));
    EXPECT_FALSE(set.contains(at("11.0.0.1")));
}

TEST(NetworkSet, a_unix_socket_and_an_empty_set_are_nowhere) {
    EXPECT_FALSE(set_of({"0.0.0.0/0", "::/0"}).contains(at("unix:/run/x.sock")));
    EXPECT_TRUE(NetworkSet().empty());
    EXPECT_FALSE(NetworkSet().contains(at("10.0.0.1")));
}

TEST(NetworkSet, refuses_what_is_no_network) {
    for (const char* wrong : {"10.0.0.0/33", "::/129", "localhost", "unix:/run/x", "10.0.0.0/", ""})
        EXPECT_FALSE(NetworkSet::parse(std::vector<std::string>{wrong}).has_value()) << wrong;
}

TEST(NetworkSet, says_of_random_addresses_what_each_network_says) {
    std::mt19937 random(7);
    auto address = [&] {
        return std::to_string(10 + random() % 2) + "." + std::to_string(random() % 4) + "." + std::to_string(random() % 256) + ".1";
    };
    std::vector<std::string> texts;
    std::vector<Network> networks;
    for (int i = 0; i < 40; ++i) {
        texts.push_back(address() + "/" + std::to_string(14 + random() % 19));
        networks.push_back(*Network::parse(texts.back()));
    }
    NetworkSet set = set_of(texts);
    for (int i = 0; i < 2000; ++i) {
        Address one = at(address());
        bool expected = std::any_of(networks.begin(), networks.end(), [&](const Network& n) { return n.contains(one); });
        EXPECT_EQ(set.contains(one), expected) << one.to_string();
    }
}

}  // namespace
}  // namespace suoke::rt
