// SPDX-License-Identifier: MIT
#include "upstream/url.h"

#include <gtest/gtest.h>

namespace suoke::upstream {
namespace {

TEST(Url, has_a_host_a_port_and_a_base) {
    auto url = parse_url("https://consul.internal:8501/base/");
    ASSERT_TRUE(url);
    EXPECT_EQ(*url, (Url{true, "consul.internal", 8501, "/base"}));
    EXPECT_EQ(url->authority(), "consul.internal:8501");
    EXPECT_EQ(url->endpoint().to_string(), "consul.internal:8501");
}

TEST(Url, knows_the_usual_ports) {
    EXPECT_EQ(*parse_url("http://a"), (Url{false, "a", 80, ""}));
    EXPECT_EQ(*parse_url("HTTPS://a/"), (Url{true, "a", 443, ""}));
    EXPECT_EQ(parse_url("https://a:443")->authority(), "a");
    EXPECT_EQ(parse_url("http://a:443")->authority(), "a:443");
}

TEST(Url, keeps_the_brackets_of_an_ipv6_address_for_the_authority) {
    auto url = parse_url("http://[2001:db8::1]:8500");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->host, "2001:db8::1");
    EXPECT_EQ(url->authority(), "[2001:db8::1]:8500");
    EXPECT_EQ(authority_of(url->endpoint()), "[2001:db8::1]:8500");
}

TEST(Url, refuses_what_could_be_read_in_two_ways) {
    for (const char* text : {"", "consul:8500", "ftp://a", "http://", "http://a:0", "http://a:99999", "http://a/?q", "http://a/#f",
                             "http://a/b c", "http://a b/", "http:///base", "http://a:80:80"})
        EXPECT_FALSE(parse_url(text)) << text;
    EXPECT_FALSE(parse_url("http://" + std::string(5000, 'a')));
}

TEST(Url, with_a_password_is_refused_and_not_repeated) {
    auto url = parse_url("http://root:hunter2@a/");
    ASSERT_FALSE(url);
    EXPECT_EQ(url.error().detail.find("hunter2"), std::string::npos);
}

TEST(Url, parameters_are_escaped) {
    std::string target = "/v1";
    append_parameter(target, "tag", "a&b=c d");
    append_parameter(target, "dc", "eu-1");
    EXPECT_EQ(target, "/v1?tag=a%26b%3Dc%20d&dc=eu-1");
}

}  // namespace
}  // namespace suoke::upstream
