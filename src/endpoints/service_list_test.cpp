// SPDX-License-Identifier: MIT
#include "endpoints/service_list.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace suoke::endpoints {
namespace {

using nlohmann::json;

class ServiceListTest : public ::testing::Test {
 protected:
    ServiceListTest() {
        balance::Instances all(3);
        for (std::size_t i = 0; i < all.size(); ++i) {
            all[i].id = "users-" + std::to_string(i);
            all[i].host = "10.0.0." + std::to_string(i + 1);
            all[i].version = "1.2.3";
            all[i].zone = "east";
            all[i].weight = 77;
        }
        directory.set("users", "test", all);
        directory.members("users")->all[0].state->set_checked(balance::EndpointState::Checked::unwell, clock.now());
    }
    ListOptions options(bool whole) const {
        ListOptions out;
        out.whole = whole;
        out.now = clock.now();
        out.wall = clock.wall();
        return out;
    }

    ManualClock clock;
    rt::Loop loop{clock};
    Events events{clock};
    balance::Epoch epoch{1};
    balance::States states{events, epoch};
    services::Directory directory{loop, states};
};

TEST_F(ServiceListTest, who_shows_the_token_sees_each_instance) {
    json one = json::parse(service_json(*directory.members("users"), options(true)));
    const json& first = one["health"]["instances"][0];
    EXPECT_EQ(first["id"], "users-0");
    EXPECT_EQ(first["host"], "10.0.0.1");
    EXPECT_EQ(first["weight"], 77);
    EXPECT_EQ(first["healthy"], false);
    EXPECT_EQ(first["version"], "1.2.3");
    EXPECT_TRUE(one["health"].contains("circuit_breaker"));
}

TEST_F(ServiceListTest, everybody_else_sees_names_counts_and_health) {
    json all = json::parse(services_json(directory.all(), options(false)));
    EXPECT_EQ(all["total_services"], 1);
    EXPECT_EQ(all["data"][0]["name"], "users");
    EXPECT_EQ(all["data"][0]["status"], "degraded");
    EXPECT_EQ(all["data"][0]["instances"], 3);
    const json& users = all["services"]["users"];
    EXPECT_EQ(users["total_instances"], 3);
    EXPECT_EQ(users["healthy_instances"], 2);
    EXPECT_EQ(users["instances"], json::parse(R"([{"healthy":true},{"healthy":true},{"healthy":false}])")) << "in no order of ours";
    EXPECT_FALSE(users.contains("circuit_breaker"));
    json one = json::parse(service_json(*directory.members("users"), options(false)));
    EXPECT_EQ(one["health"]["instances"], users["instances"]);
    for (const char* secret : {"10.0.0.", "users-", "1.2.3", "east", "77", "weight"})
        EXPECT_EQ(one.dump().find(secret), std::string::npos) << secret;
}

}  // namespace
}  // namespace suoke::endpoints
