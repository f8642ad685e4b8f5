// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace suoke::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> problems(const std::string& yaml) {
    std::vector<std::string> out;
    for (const Problem& problem : load_text(yaml, "c.yaml").problems) out.push_back(to_string(problem));
    return out;
}

Config config(const std::string& yaml, const Sources& rest = {}) {
    Loaded loaded = load_text(yaml, "c.yaml", rest);
    for (const Problem& problem : loaded.problems) ADD_FAILURE() << to_string(problem);
    return loaded.config;
}

std::string with_route(const std::string& limit) { return "routes: [{path: /a, respond: {}, rate_limit: " + limit + "}]\n"; }

TEST(Limits, are_off_until_a_rate_is_said) {
    EXPECT_EQ(config("").rate_limit, RateLimit{});
    EXPECT_FALSE(config("rate_limit: {headers: false}\n").rate_limit.enabled);
    EXPECT_FALSE(config("rate_limit: {policies: {p: {rate: 1/s}}}\n").rate_limit.enabled);
    EXPECT_EQ(config("rate_limit: {default_rate: 5/s}\n").rate_limit.enabled, true);
    EXPECT_EQ(config("rate_limit: {default_rate: 5/s, enabled: false}\n").rate_limit.enabled, false);
}

TEST(Limits, that_are_on_have_the_predecessors_figures) {
    RateLimit limits = config("rate_limit: {enabled: true, endpoints: {/api/v1/upload: 100/hour}}\n").rate_limit;
    EXPECT_EQ(limits.default_rate, "100/minute");
    EXPECT_EQ(limits.endpoints.at("/api/v1/auth"), "10/minute");
    EXPECT_EQ(limits.endpoints.at("/api/v1/upload"), "100/hour");   // what is said counts
    EXPECT_EQ(limits.user_types.premium, "1000/minute");
    EXPECT_EQ(limits.user_types.admin, "10000/minute");
}

TEST(Limits, are_known_by_every_old_name) {
    RateLimit limits = config("middleware: {rate_limit: {enabled: true, limit: 50, window: 30, by_ip: true, by_user: false, by_endpoint: true}}\n").rate_limit;
    EXPECT_EQ(limits.default_rate, "50/30s");
    EXPECT_EQ(limits.by, LimitBy::ip);
    EXPECT_TRUE(limits.per_route);
    EXPECT_EQ(config("middleware: {rate_limit: {max_requests: 7, reset_interval: 60}}\n").rate_limit.default_rate, "7/minute");
    EXPECT_EQ(config("rate_limit: {default_rate: 100/minute, burst_rate: 200}\n").rate_limit.burst_size, 200u);
    EXPECT_EQ(config("rate_limit: {default_rate: 100/minute, storage_url: 'memory://'}\n").rate_limit.storage, LimitStorage::memory);
    Route route = config(with_route("{enabled: true, limit: 10, window: 60}")).routes.at(0);
    EXPECT_EQ(route.rate_limit.rate, "10/minute");
    EXPECT_EQ(config(with_route("5/second")).routes.at(0).rate_limit.rate, "5/second");
}

TEST(Limits, are_known_by_every_old_variable) {
    Sources sources;
    sources.environment = {{"RATE_LIMIT_ENABLED", "true"}, {"RATE_LIMIT_REQUESTS", "20"}, {"RATE_LIMIT_WINDOW", "10"}, {"RATE_LIMIT_BURST_SIZE", "4"},
                           {"RATE_LIMIT__STORAGE_URL", "redis://localhost:6379/1"}};
    RateLimit limits = config("", sources).rate_limit;
    EXPECT_EQ(limits.enabled, true);
    EXPECT_EQ(limits.default_rate, "20/10s");
    EXPECT_EQ(limits.burst_size, 4u);
    EXPECT_EQ(limits.storage_url, "redis://localhost:6379/1");
    Sources prefixed;
    prefixed.environment = {{"GATEWAY_RATE_LIMIT_DEFAULT_RATE", "9/hour"}};
    EXPECT_EQ(config("", prefixed).rate_limit.default_rate, "9/hour");
}

TEST(Limits, the_url_of_their_redis_is_not_shown) {
    Config c = config("rate_limit: {default_rate: 5/s, storage_url: 'redis://:hush@localhost'}\n");
    EXPECT_THAT(dump_yaml(c), ::testing::Not(HasSubstr("hush")));
}

TEST(Limits, must_be_rates) {
    EXPECT_THAT(problems("rate_limit: {default_rate: 100}\n"), ElementsAre(HasSubstr("rate_limit.default_rate: must be a rate like 100/minute")));
    EXPECT_THAT(problems("rate_limit: {endpoints: {login: 5/s}}\n"), ElementsAre(HasSubstr("must begin with '/'")));
    EXPECT_THAT(problems(with_route("7")), ElementsAre(HasSubstr("routes[0].rate_limit.rate: must be a rate")));
}

TEST(Limits, policies_limit_something_and_let_somebody_in) {
    EXPECT_THAT(problems("rate_limit: {policies: {p: {cost: 2}}}\n"), ElementsAre(HasSubstr("limits nothing")));
    EXPECT_THAT(problems("rate_limit: {policies: {p: {max_concurrent: 2}}}\n"), IsEmpty());
    EXPECT_THAT(problems("rate_limit: {policies: {p: {rate: 5/minute, cost: 6}}}\n"), ElementsAre(HasSubstr("lets nobody in")));
    EXPECT_THAT(problems("rate_limit: {policies: {p: {rate: 5/minute, burst: 6, cost: 6}}}\n"), IsEmpty());
    EXPECT_THAT(problems("rate_limit: {policies: {p: {rate: 5/minute, by: header}}}\n"), ElementsAre(HasSubstr("names none")));
    EXPECT_THAT(problems("rate_limit: {policies: {default: {rate: 5/minute}}}\n"), ElementsAre(HasSubstr("give it another one")));
    EXPECT_THAT(problems(with_route("{rate: 5/minute, cost: 6}")), ElementsAre(HasSubstr("lets nobody in")));
}

TEST(Limits, a_route_costs_no_more_than_its_policies_have) {
    const std::string policies = "rate_limit: {policies: {p: {rate: 5/minute}, q: {rate: 5/minute, burst: 9}, r: {max_concurrent: 1}}}\n";
    EXPECT_THAT(problems(policies + with_route("{cost: 6, policies: [p, q, r]}")), ElementsAre(HasSubstr("lets nobody in: it is more than policy 'p' has at once")));
    EXPECT_THAT(problems(policies + with_route("{cost: 6, policies: [q]}")), IsEmpty());
}

TEST(Limits, a_route_names_policies_that_are_there) {
    EXPECT_THAT(problems("rate_limit: {policies: {partners: {rate: 1/s}}}\n" + with_route("{policies: [partner]}")),
                ElementsAre(HasSubstr("there is no policy 'partner'; did you mean 'partners'?")));
    EXPECT_THAT(problems("rate_limit: {policies: {partners: {rate: 1/s}}}\n" + with_route("{policies: [partners]}")), IsEmpty());
}

TEST(Limits, not_too_many_hold_at_once) {
    std::string many = "rate_limit: {policies: {";
    for (char c = 'a'; c < 'h'; ++c) many += std::string(c == 'a' ? "" : ", ") + c + ": {rate: 1/s, paths: [/]}";
    EXPECT_THAT(problems(many + "}}\n" + with_route("{}")), ElementsAre(HasSubstr("at most 6 may hold")));
    EXPECT_THAT(problems("rate_limit: {max_concurrent: 1, policies: {a: {max_concurrent: 1, paths: [/]}, b: {max_concurrent: 1, paths: [/]}}}\n" +
                         with_route("{max_concurrent: 1}")),
                ElementsAre(HasSubstr("at most 3 may hold")));
}

TEST(Limits, a_redis_that_is_wanted_must_be_there) {
    EXPECT_THAT(problems("rate_limit: {storage: redis}\n"), ElementsAre(HasSubstr("needs a Redis")));
    EXPECT_THAT(problems("rate_limit: {storage: redis}\nredis: {host: localhost}\n"), IsEmpty());
    EXPECT_THAT(problems("rate_limit: {storage: redis, storage_url: 'redis://localhost'}\n"), IsEmpty());
}

}  // namespace
}  // namespace suoke::config
