// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "endpoints/prometheus.h"

namespace suoke::endpoints {
namespace {

using ::testing::HasSubstr;

TEST(LimitMetrics, are_shown_by_policy_over_all_workers) {
    MetricsRegistry metrics(2);
    metrics.limit(0, "default").granted.add(3);
    metrics.limit(1, "default").granted.add(4);
    metrics.limit(1, "default").refused.add(2);
    metrics.limit(0, "route:users").refused.add(1);
    std::string page = render(metrics, {});
    EXPECT_THAT(page, HasSubstr("suoke_gateway_rate_limit_hits_total{policy=\"default\"} 2"));
    EXPECT_THAT(page, HasSubstr("suoke_gateway_rate_limit_hits_total{policy=\"route:users\"} 1"));
    EXPECT_THAT(page, HasSubstr("suoke_gateway_rate_limit_decisions_total{decision=\"allowed\",policy=\"default\"} 7"));
    EXPECT_THAT(page, HasSubstr("suoke_gateway_rate_limit_decisions_total{decision=\"limited\",policy=\"default\"} 2"));
    EXPECT_THAT(page, HasSubstr("gateway_rate_limit_total{result=\"allowed\"} 7"));
    EXPECT_THAT(page, HasSubstr("rate_limit_exceeded_total 3"));
}

TEST(LimitMetrics, say_how_many_clients_were_forgotten_early) {
    ProcessFacts facts;
    facts.limit_evictions = 17;
    std::string page = render(MetricsRegistry(1), facts);
    EXPECT_THAT(page, HasSubstr("# TYPE suoke_gateway_rate_limit_evictions_total counter"));
    EXPECT_THAT(page, HasSubstr("suoke_gateway_rate_limit_evictions_total 17"));
}

TEST(LimitMetrics, are_the_same_cells_after_a_reload) {
    MetricsRegistry metrics(1);
    LimitCells* before = &metrics.limit(0, "default");
    EXPECT_EQ(&metrics.limit(0, "default"), before);
    EXPECT_NE(&metrics.limit(0, "other"), before);
}

}  // namespace
}  // namespace suoke::endpoints
