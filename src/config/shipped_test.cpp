// SPDX-License-Identifier: MIT
// config/suoke.yaml: every URL the clients use reaches the path its backend serves.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace suoke::config {
namespace {

class Shipped : public testing::Test {
 protected:
    void SetUp() override {
        Sources sources;
        sources.yaml_path = std::string(SUOKE_SOURCE_DIR) + "/config/suoke.yaml";
        Loaded loaded = load(sources);
        for (const Problem& problem : loaded.problems) ADD_FAILURE() << to_string(problem);
        config_ = std::move(loaded.config);
    }

    // The longest prefix at a segment border, as the router has it.
    const Route* route(std::string_view path) const {
        const Route* best = nullptr;
        for (const Route& route : config_.routes) {
            bool fits = path.starts_with(route.prefix) &&
                        (path.size() == route.prefix.size() || path[route.prefix.size()] == '/');
            if (fits && (!best || route.prefix.size() > best->prefix.size())) best = &route;
        }
        return best;
    }

    // "auth-service /api/v1/auth/login": where a request goes, and what its backend sees.
    std::string target(const std::string& path) const {
        const Route* found = route(path);
        if (!found) return "nowhere";
        std::string prefix =
            found->upstream_prefix.value_or(config_.services.at(found->service).upstream_prefix);
        return found->service + " " + prefix +
               (found->strip_prefix ? path.substr(found->prefix.size()) : path);
    }

    Config config_;
};

TEST_F(Shipped, has_every_backend_with_one_endpoint) {
    EXPECT_EQ(config_.services.size(), 22u);
    for (const auto& [name, service] : config_.services)
        EXPECT_EQ(service.endpoints.size(), 1u) << name;
    EXPECT_EQ(config_.services.at("auth-service").endpoints[0].port, 8001);
    EXPECT_EQ(config_.services.at("calculation-service").endpoints[0].port, 8023);
}

TEST_F(Shipped, family_one_reaches_the_backends) {
    EXPECT_EQ(target("/api/v1/gateway/auth-service/auth/login"), "auth-service /api/v1/auth/login");
    EXPECT_EQ(target("/api/v1/gateway/auth/auth/refresh"), "auth-service /api/v1/auth/refresh");
    EXPECT_EQ(target("/api/v1/gateway/health-data-service/health-data"),
              "health-data-service /api/v1/health-data");
    EXPECT_EQ(target("/api/v1/gateway/message-bus/publish"), "message-bus /publish");
    EXPECT_EQ(target("/api/v1/gateway/message-bus-service/topics"), "message-bus /topics");
    EXPECT_EQ(target("/api/v1/gateway/med-knowledge-service/herbs"), "med-knowledge /api/v1/herbs");
    EXPECT_EQ(target("/api/v1/gateway/agent-services/laoke-service/chat"),
              "laoke-service /api/v1/chat");
    EXPECT_EQ(target("/api/v1/gateway/diagnostic-services/look-service/analysis/face"),
              "look-service /api/v1/analysis/face");
    EXPECT_EQ(target("/api/v1/proxy/rag-service/rag/query"), "rag-service /api/v1/rag/query");
}

TEST_F(Shipped, family_two_reaches_the_backends) {
    EXPECT_EQ(target("/api/v1/auth/login"), "auth-service /api/v1/auth/login");
    EXPECT_EQ(target("/api/v1/user/profile"), "user-service /api/v1/users/me/profile");
    EXPECT_EQ(target("/api/v1/health/data/batch"), "health-data-service /api/v1/health-data/batch");
    EXPECT_EQ(target("/api/v1/health/metrics"), "health-data-service /api/v1/health-data/metrics");
    EXPECT_EQ(target("/api/v1/agents/soer/nutrition"), "soer-service /api/v1/nutrition");
    EXPECT_EQ(target("/api/v1/agents/chat"), "xiaoai-service /api/v1/chat");
    EXPECT_EQ(target("/api/v1/diagnosis/calculation/ziwu"),
              "calculation-service /api/v1/calculation/ziwu");
    EXPECT_EQ(target("/api/v1/diagnosis/five-diagnosis"),
              "calculation-service /api/v1/diagnosis/five-diagnosis");
    EXPECT_EQ(target("/api/v1/rag/query"), "rag-service /api/v1/rag/query");
    EXPECT_EQ(target("/api/v1/messaging/publish"), "message-bus /publish");
    EXPECT_EQ(target("/api/v1/maze/move"), "corn-maze-service /api/v1/mazes/move");
    EXPECT_EQ(target("/api/v1/benchmark/run"), "suoke-bench-service /api/run");
    EXPECT_EQ(target("/api/v1/review/submit"), "human-review-service /api/v1/submit");
}

TEST_F(Shipped, family_three_reaches_the_backends) {
    EXPECT_EQ(target("/api/auth/login"), "auth-service /api/v1/auth/login");
    EXPECT_EQ(target("/api/users/me"), "user-service /api/v1/users/me");
    EXPECT_EQ(target("/api/health-data/query"), "health-data-service /api/v1/health-data/query");
    EXPECT_EQ(target("/api/agents/xiaoke/chat"), "xiaoke-service /api/v1/chat");
    EXPECT_EQ(target("/api/agents/collaborate/diagnosis"),
              "xiaoai-service /api/v1/agents/collaborate/diagnosis");
    EXPECT_EQ(target("/api/diagnosis/five-methods"),
              "calculation-service /api/v1/diagnosis/five-methods");
}

TEST_F(Shipped, what_is_nobodys_goes_nowhere) {
    EXPECT_EQ(target("/api/v1/gateway[object Object]/x"), "nowhere");
    EXPECT_EQ(target("/api/v1/authority"), "nowhere");
    EXPECT_EQ(target("/"), "nowhere");
}

TEST_F(Shipped, streams_have_no_total_timeout_and_a_long_idle_one) {
    for (const char* path : {"/api/v1/gateway/agent-services/soer-service/chat/stream",
                             "/api/v1/gateway/xiaoai-service/chat/stream",
                             "/api/v1/gateway/rag-service/rag/stream-query",
                             "/api/v1/rag/stream-query", "/api/v1/rag/query/stream",
                             "/api/v1/agents/laoke/chat/stream", "/api/rag/stream-query"}) {
        const Route* found = route(path);
        ASSERT_TRUE(found) << path;
        EXPECT_EQ(found->timeout, 0s) << path;
        EXPECT_GE(found->idle_timeout.value_or(0s), 60s) << path;
        EXPECT_THAT(target(path), testing::AnyOf(testing::EndsWith("/api/v1/chat/stream"),
                                                 testing::EndsWith("/api/v1/rag/stream-query"),
                                                 testing::EndsWith("/api/v1/rag/query/stream")));
    }
}

TEST_F(Shipped, timeouts_and_sizes_are_the_clients) {
    EXPECT_EQ(route("/api/v1/auth/login")->timeout, 10s);
    EXPECT_EQ(route("/api/v1/diagnosis/look")->timeout, 45s);
    EXPECT_EQ(route("/api/v1/diagnosis/look")->max_request_size, 16u << 20);
    EXPECT_EQ(route("/api/v1/diagnosis/listen")->max_request_size, 128u << 20);
    EXPECT_EQ(route("/api/v1/benchmark/datasets")->max_request_size, 128u << 20);
    EXPECT_EQ(route("/api/v1/auth/login")->max_request_size, std::nullopt);
}

TEST_F(Shipped, the_backends_move_with_one_variable) {
    Sources sources;
    sources.yaml_path = std::string(SUOKE_SOURCE_DIR) + "/config/suoke.yaml";
    sources.environment = {{"SERVICE_HOST", "backends"}, {"SERVICES__AUTH_SERVICE__HOST", "auth"}};
    Config moved = load(sources).config;
    EXPECT_EQ(moved.services.at("rag-service").endpoints[0].host, "backends");
    EXPECT_EQ(moved.services.at("auth-service").endpoints[0].host, "auth");
    EXPECT_EQ(moved.services.at("auth-service").endpoints[0].port, 8001);
}

}  // namespace
}  // namespace suoke::config
