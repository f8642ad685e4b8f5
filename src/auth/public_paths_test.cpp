// SPDX-License-Identifier: MIT
#include "auth/public_paths.h"

#include <gtest/gtest.h>

#include <string>

namespace suoke::auth {
namespace {

bool fits(std::string_view pattern, std::string_view path) {
    PublicPaths paths;
    paths.add(pattern);
    return paths.contains(path);
}

TEST(PublicPaths, always_are_health_documents_and_the_way_in) {
    const PublicPaths& always = PublicPaths::always();
    for (const char* path : {"/", "/health", "/health/ready", "/health/live", "/metrics", "/metrics/", "/docs", "/docs/oauth2-redirect", "/redoc", "/static/app.js",
                             "/openapi.json", "/api/v1/auth/login", "/api/v1/auth/register", "/api/v1/auth/refresh", "/api/auth/login", "/auth/refresh",
                             "/api/v1/gateway/auth-service/auth/login", "/api/v1/gateway/auth/auth/refresh", "/api/v1/gateway/auth-service/api/v1/auth/register"})
        EXPECT_TRUE(always.contains(path)) << path;
    for (const char* path : {"", "/docsX", "/redocs", "/healthz", "/metrics/stats", "/metrics/prometheus", "/api/v1/auth", "/api/v1/auth/logout", "/api/v1/auth/login/",
                             "/api/v1/auth/loginx", "/api/v1/gateway/users/auth/login", "/api/v1/gateway/services", "/x/api/v1/auth/login", "/API/V1/auth/login"})
        EXPECT_FALSE(always.contains(path)) << path;
}

TEST(PublicPaths, a_star_at_the_end_is_everything_that_begins_so) {
    EXPECT_TRUE(fits("/open/*", "/open/a/b"));
    EXPECT_TRUE(fits("/open*", "/opener"));
    EXPECT_TRUE(fits("*", "/anything"));
    EXPECT_FALSE(fits("/open/*", "/open"));
}

TEST(PublicPaths, know_the_wildcards_of_a_shell) {
    EXPECT_TRUE(fits("/api/*/status", "/api/users/status"));
    EXPECT_TRUE(fits("/api/*/status", "/api/a/b/status"));
    EXPECT_TRUE(fits("*/status", "/api/status"));
    EXPECT_FALSE(fits("/api/*/status", "/api/users/status/x"));
    EXPECT_FALSE(fits("/api/*/status", "/apx/users/status"));
    EXPECT_TRUE(fits("/v?/open", "/v1/open"));
    EXPECT_FALSE(fits("/v?/open", "/v/open"));
    EXPECT_TRUE(fits("/v[0-9]/a", "/v7/a"));
    EXPECT_FALSE(fits("/v[0-9]/a", "/vx/a"));
    EXPECT_TRUE(fits("/v[!0-9]/a", "/vx/a"));
    EXPECT_FALSE(fits("/v[!0-9]/a", "/v7/a"));
    EXPECT_TRUE(fits("/v[]]/a", "/v]/a"));
    EXPECT_TRUE(fits("/v[/a", "/v[/a")) << "what nothing closes is itself";
    EXPECT_TRUE(fits("/a**b*c", "/axxbyyc"));
    EXPECT_FALSE(fits("/a**b*c", "/axxbyy"));
}

TEST(PublicPaths, hostile_patterns_take_no_time) {
    std::string path = "/" + std::string(8000, 'a');
    EXPECT_FALSE(fits("/*a*a*a*a*a*a*a*a*b", path));
}

TEST(PublicPaths, only_those_that_a_route_could_mean_are_looked_at) {
    auto open = [](std::string_view head) {
        PublicPaths paths;
        paths.add(PublicPaths::always(), head);
        return paths;
    };
    EXPECT_TRUE(open("/api/v1/users").empty());
    EXPECT_TRUE(open("/api/v1/auth").contains("/api/v1/auth/login"));
    EXPECT_TRUE(open("").contains("/health"));
    EXPECT_TRUE(open("/api/v1/gateway/").contains("/api/v1/gateway/auth-service/auth/login"));
    EXPECT_TRUE(open("/docs/pictures").contains("/docs/pictures/a.png"));
    EXPECT_FALSE(open("/docs/pictures").empty());
    PublicPaths wild, mine;
    wild.add("*/status");
    mine.add(wild, "/api/v1/users");
    EXPECT_TRUE(mine.contains("/api/v1/users/status"));
}

}  // namespace
}  // namespace suoke::auth
