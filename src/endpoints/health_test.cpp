// SPDX-License-Identifier: MIT
#include "endpoints/health.h"

#include <nlohmann/json.hpp>

namespace suoke::endpoints {
namespace {

HealthFacts a_gateway() {
    return {
        .identity = {.service = "suoke-gateway", .version = "2.0.0", .environment = "production"},
        .now = WallTime(1735689600123ms),
        .uptime = 90500ms};
}

TEST(Root, says_who_answers_in_both_old_spellings) {
    Identity identity{.service = "suoke-gateway",
                      .version = "2.0.0",
                      .environment = "production",
                      .description = "Suoke \"Life\"",
                      .docs = true};
    EXPECT_EQ(root_json(identity),
              R"({"service":"suoke-gateway","name":"suoke-gateway","version":"2.0.0",)"
              R"("status":"running","description":"Suoke \"Life\"","docs":"/docs"})");
    identity.docs = false;
    EXPECT_TRUE(nlohmann::json::parse(root_json(identity))["docs"].is_null());
}

TEST(HealthJson, is_the_superset_every_client_reads) {
    HealthFacts facts = a_gateway();
    facts.checks = {{"redis", Health::healthy, "connected", 1500us}};
    facts.services = {{"users", 1, 2}, {"rag", 0, 1}, {"tcm", 3, 3}};
    EXPECT_EQ(health_json(facts),
              R"({"status":"degraded","service":"suoke-gateway","version":"2.0.0",)"
              R"("environment":"production","timestamp":"2025-01-01T00:00:00.123Z","uptime":90.5,)"
              R"("checks":[{"name":"redis","status":"healthy","message":"connected",)"
              R"("duration":0.0015}],"services":{)"
              R"("users":{"status":"degraded","healthy_endpoints":1,"total_endpoints":2},)"
              R"("rag":{"status":"unhealthy","healthy_endpoints":0,"total_endpoints":1},)"
              R"("tcm":{"status":"healthy","healthy_endpoints":3,"total_endpoints":3}}})");
}

TEST(HealthJson, is_complete_with_nothing_to_report) {
    auto json = nlohmann::json::parse(health_json(a_gateway()));
    EXPECT_EQ(json["status"], "healthy");
    EXPECT_EQ(json["checks"], nlohmann::json::array());
    EXPECT_EQ(json["services"], nlohmann::json::object());
}

TEST(HealthJson, escapes_what_it_is_given) {
    HealthFacts facts = a_gateway();
    facts.checks = {{"a\"b", Health::unhealthy, "line\nbreak \xFF", 0s}};
    facts.services = {{"s\\", 1, 1}};
    auto json = nlohmann::json::parse(health_json(facts));
    EXPECT_EQ(json["checks"][0]["name"], "a\"b");
    EXPECT_EQ(json["checks"][0]["message"], "line\nbreak \xEF\xBF\xBD");
    EXPECT_TRUE(json["services"].contains("s\\"));
}

TEST(Overall, is_only_degraded_by_services_even_when_all_are_dead) {
    HealthFacts facts = a_gateway();
    facts.services = {{"users", 0, 2}, {"rag", 0, 0}};
    EXPECT_EQ(overall(facts), Health::degraded);
}

TEST(Overall, is_as_bad_as_the_worst_check) {
    HealthFacts facts = a_gateway();
    facts.checks = {{"redis", Health::degraded}, {"disk", Health::healthy}};
    EXPECT_EQ(overall(facts), Health::degraded);
    facts.checks.push_back({"registry", Health::unhealthy});
    EXPECT_EQ(overall(facts), Health::unhealthy);
}

TEST(Probes, answer_what_kubernetes_and_the_old_clients_expect) {
    EXPECT_EQ(live_json(), R"({"status":"alive"})");
    EXPECT_EQ(ready_json(true), R"({"status":"ready"})");
    EXPECT_EQ(ready_json(false), R"({"status":"not ready"})");
}

}  // namespace
}  // namespace suoke::endpoints
