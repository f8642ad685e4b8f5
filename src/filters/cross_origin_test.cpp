// SPDX-License-Identifier: MIT
#include "filters/cross_origin.h"

#include <gtest/gtest.h>

namespace suoke::filters {
namespace {

TEST(Origins, a_name_means_itself_byte_for_byte) {
    Origins origins({"https://app.suoke.life", "http://localhost:3000"});
    EXPECT_TRUE(origins.lists("https://app.suoke.life"));
    EXPECT_TRUE(origins.lists("http://localhost:3000"));
    for (const char* other : {"http://app.suoke.life", "https://app.suoke.life:8443", "https://APP.suoke.life", "https://app.suoke.life.evil.com",
                              "https://app.suoke.life/", "https://evil.com/https://app.suoke.life", "http://localhost", "null", "*", ""})
        EXPECT_FALSE(origins.allows(other)) << other;
}

TEST(Origins, a_wildcard_stands_for_whole_labels) {
    Origins origins({"https://*.suoke.life"});
    EXPECT_TRUE(origins.lists("https://app.suoke.life"));
    EXPECT_TRUE(origins.lists("https://a-1.b.suoke.life"));
    for (const char* other : {"https://suoke.life", "https://.suoke.life", "https://evilsuoke.life", "https://evil-suoke.life", "http://app.suoke.life",
                              "https://app.suoke.life:8443", "https://app.suoke.life.evil.com", "https://evil.com/.suoke.life",
                              "https://evil.com#.suoke.life", "https://a@b.suoke.life", "https://a..suoke.life", "https://evil.com:1.suoke.life", "null"})
        EXPECT_FALSE(origins.lists(other)) << other;
}

TEST(Origins, a_port_may_be_any) {
    Origins origins({"http://localhost:*", "https://*.suoke.life:*", "http://[::1]:*"});
    for (const char* one : {"http://localhost", "http://localhost:1", "http://localhost:65535", "https://a.suoke.life", "https://a.suoke.life:8443",
                            "http://[::1]", "http://[::1]:3000"})
        EXPECT_TRUE(origins.lists(one)) << one;
    for (const char* other : {"https://localhost", "http://localhost:", "http://localhost:a", "http://localhost.evil.com", "http://localhost:1:2",
                              "http://a.localhost:1", "http://[::2]:3000"})
        EXPECT_FALSE(origins.lists(other)) << other;
}

TEST(Origins, a_port_that_is_named_counts_behind_a_wildcard_too) {
    Origins origins({"https://*.suoke.life:8443"});
    EXPECT_TRUE(origins.lists("https://a.suoke.life:8443"));
    EXPECT_FALSE(origins.lists("https://a.suoke.life"));
    EXPECT_FALSE(origins.lists("https://a.suoke.life:18443"));
}

TEST(Origins, null_is_an_origin_like_another_and_a_star_names_nobody) {
    EXPECT_TRUE(Origins({"null"}).lists("null"));
    Origins any({"*"});
    EXPECT_TRUE(any.any());
    EXPECT_TRUE(any.allows("https://app.suoke.life"));
    EXPECT_FALSE(any.lists("https://app.suoke.life"));
    EXPECT_FALSE(any.lists("*"));
    EXPECT_FALSE(Origins().allows("https://app.suoke.life"));
}

TEST(CorsOf, a_route_replaces_the_section_and_may_switch_it_off) {
    config::Config config;
    config::Route route;
    EXPECT_FALSE(cors_of(config, route));
    config.cors.allow_origins = {"https://app.suoke.life"};
    EXPECT_EQ(cors_of(config, route)->allow_origins, config.cors.allow_origins);
    route.cors.emplace().allow_origins = {"https://shop.suoke.life"};
    EXPECT_EQ(cors_of(config, route)->allow_origins, route.cors->allow_origins);
    route.cors->enabled = false;
    EXPECT_FALSE(cors_of(config, route));
}

TEST(CorsOf, pages_that_speak_grpc_web_are_those_of_the_section_unless_the_route_names_some) {
    config::Config config;
    config.cors.allow_origins = {"https://app.suoke.life"};
    config.cors.allow_credentials = true;
    config::Route route;
    route.grpc_web.emplace();
    auto cors = cors_of(config, route);
    ASSERT_TRUE(cors);
    EXPECT_EQ(cors->allow_origins, config.cors.allow_origins);
    EXPECT_TRUE(cors->allow_credentials);
    EXPECT_EQ(cors->allow_methods, std::vector<std::string>{"POST"});
    route.grpc_web->allow_origins = {"https://shop.suoke.life"};
    cors = cors_of(config, route);
    EXPECT_EQ(cors->allow_origins, route.grpc_web->allow_origins);
    EXPECT_FALSE(cors->allow_credentials);
}

}  // namespace
}  // namespace suoke::filters
