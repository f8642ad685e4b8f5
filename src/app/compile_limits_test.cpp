// SPDX-License-Identifier: MIT
#include "app/compile_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/compile.h"
#include "filters/filters.h"

namespace suoke::app {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

gateway::SitePtr site(const std::string& yaml) {
    auto loaded = config::load_text("routes: [{name: users, prefix: /users, respond: {}}]\n" + yaml, "c.yaml");
    std::vector<endpoints::Builtin> builtins;
    for (const char* path : {"/", "/health", "/health/live", "/metrics", "/healthy"})
        builtins.push_back({"gateway:" + std::string(path), path, filters::refusal(), {"GET"}});
    auto made = compile(loaded.config, builtins, 1, loaded.problems);
    for (const auto& problem : loaded.problems) ADD_FAILURE() << to_string(problem);
    CHECK(made);
    return made;
}

const limits::Plan& plan(const gateway::SitePtr& site, const std::string& route = "users") {
    for (const auto& each : site->routes)
        if (each->name == route) return each->plan;
    CHECK(!"the route is there");
    return site->no_route->plan;
}

std::vector<std::string> names(const std::vector<limits::Rule>& rules) {
    std::vector<std::string> out;
    for (const limits::Rule& rule : rules) out.push_back((rule.policy ? rule.policy->name : "unlimited") + (rule.path.empty() ? "" : " at " + rule.path));
    return out;
}

TEST(CompileLimits, nothing_is_said_and_nothing_is_limited) {
    auto s = site("");
    EXPECT_FALSE(s->limits_clients);
    EXPECT_TRUE(plan(s).is_empty());
    EXPECT_TRUE(s->policies.empty());
}

TEST(CompileLimits, the_predecessors_figures_hold_when_the_section_is_on) {
    auto s = site("rate_limit: {enabled: true}\n");
    EXPECT_TRUE(s->limits_clients);
    EXPECT_THAT(names(plan(s).by_path), ElementsAre("path:/api/v1/gateway/auth-service/auth at /api/v1/gateway/auth-service/auth", "path:/api/v1/upload at /api/v1/upload",
                                                    "path:/api/v1/auth at /api/v1/auth", "path:/api/auth at /api/auth"));
    EXPECT_THAT(names(plan(s).by_type), ElementsAre("default", "default", "user:premium", "user:admin"));
    EXPECT_EQ(plan(s).by_type[0].policy->rate, (Rate{100, 1min}));
    EXPECT_EQ(plan(s).by_type[2].policy->rate, (Rate{1000, 1min}));
    EXPECT_EQ(plan(s).by_type[3].policy->rate, (Rate{10'000, 1min}));
    EXPECT_EQ(plan(s).penalties.strikes, 30u);
}

TEST(CompileLimits, what_answers_about_the_gateway_itself_is_never_limited) {
    auto s = site("rate_limit: {enabled: true, max_concurrent: 3, policies: {all: {rate: 1/s, paths: [/]}}}\n");
    for (const char* path : {"/health", "/health/live", "/metrics"}) EXPECT_TRUE(plan(s, "gateway:" + std::string(path)).is_empty()) << path;
    EXPECT_FALSE(plan(s, "gateway:/").is_empty());
    EXPECT_FALSE(plan(s, "gateway:/healthy").is_empty());
    EXPECT_FALSE(s->no_route->plan.is_empty());
}

TEST(CompileLimits, unlimited_is_no_limit) {
    auto s = site("rate_limit: {default_rate: unlimited, endpoints: {/api/v1/auth: unlimited}, user_types: {anonymous: 5/minute, admin: unlimited}}\n");
    EXPECT_THAT(names(plan(s).by_type), ElementsAre("user:anonymous", "unlimited", "user:premium", "unlimited"));
    EXPECT_THAT(names(plan(s).by_path), ::testing::Contains("unlimited at /api/v1/auth"));
}

TEST(CompileLimits, policies_by_address_are_asked_before_who_it_is) {
    auto s = site("rate_limit: {policies: {doors: {rate: 5/s, by: ip, paths: [/]}, hands: {rate: 5/s, paths: [/users/, /users/me, /api/*]}}}\n");
    EXPECT_THAT(names(plan(s).by_address), ElementsAre("doors at /"));
    EXPECT_THAT(names(plan(s).also), ElementsAre("hands at /api", "hands at /users"));   // once for what is below
    EXPECT_THAT(plan(s).by_type, IsEmpty());
}

TEST(CompileLimits, limits_are_shared_where_there_is_a_redis) {
    EXPECT_FALSE(site("rate_limit: {default_rate: 5/s}\n")->policies.front()->shared);
    EXPECT_TRUE(site("rate_limit: {default_rate: 5/s}\nredis: {host: localhost}\n")->policies.front()->shared);
    EXPECT_FALSE(site("rate_limit: {default_rate: 5/s, storage: memory}\nredis: {host: localhost}\n")->policies.front()->shared);
    EXPECT_TRUE(site("rate_limit: {default_rate: 5/s, storage_url: 'redis://localhost:6379/1'}\n")->policies.front()->shared);
}

TEST(CompileLimits, a_burst_is_of_the_default_rate_only) {
    auto s = site("rate_limit: {default_rate: 100/minute, burst_size: 10}\n");
    EXPECT_EQ(plan(s).by_type[0].policy->burst, 10u);
    EXPECT_EQ(plan(s).by_type[2].policy->burst, 1000u);
}

}  // namespace
}  // namespace suoke::app
