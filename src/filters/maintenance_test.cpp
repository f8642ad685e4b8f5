// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "filters/filters.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

TEST(Maintenance, answers_503_and_says_when_to_come_back) {
    Scene s(one_service("users", {.rest = "maintenance: {enabled: true, message: Back at six, retry_after: 2m}\n"}));
    s.client() << get("/users");
    s.client() >> response(503).with("retry-after", "120").saying("\"message\":\"Back at six\"").saying("\"code\":\"maintenance\"");
    EXPECT_EQ(s.upstream("users").dials(), 0u);
    s.reload(one_service("users"));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client() >> response(200, "all");
}

TEST(Maintenance, some_clients_are_served_all_the_same) {
    Scene s(one_service("users", {.rest = "maintenance: {enabled: true, allow: [192.0.2.0/24]}\n"}));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client() >> response(200, "all");
    s.comes_from("198.51.100.1");
    s.client("other") << get("/users");
    s.client("other") >> response(503).with("retry-after", "300");
}

TEST(Maintenance, one_route_can_be_closed_or_stay_open_alone) {
    Scene closed(one_service("users", {.route = "maintenance: true"}));
    closed.client() << get("/users");
    closed.client() >> response(503).saying("under maintenance");
    Scene open(one_service("users", {.route = "maintenance: {enabled: false}", .rest = "maintenance: true\n"}));
    open.client() << get("/users");
    open.upstream("users") >> request("GET", "/users") << ok("all");
    open.client() >> response(200, "all");
}

TEST(Maintenance, what_the_gateway_answers_itself_goes_on) {
    config::Config config;
    config.maintenance.enabled = true;
    config::Route own, forwarded, fixed;
    own.path = "/health";
    forwarded.service = "{service}";
    fixed.respond.emplace();
    EXPECT_FALSE(filters::maintenance(config, own));
    EXPECT_TRUE(filters::maintenance(config, forwarded));
    EXPECT_TRUE(filters::maintenance(config, fixed));
}

}  // namespace
}  // namespace suoke::scene
