// SPDX-License-Identifier: MIT
#include "app/compile.h"

#include <gtest/gtest.h>

#include <fstream>

#include "auth/api_keys.h"
#include "filters/filters.h"
#include "testing/files.h"

namespace suoke::app {
namespace {

struct Compiled {
    gateway::SitePtr site;
    std::vector<config::Problem> problems;
};

Compiled compiled(const std::string& yaml) {
    auto loaded = config::load_text(yaml, "c.yaml");
    Compiled out;
    out.problems = loaded.problems;
    out.site = compile(loaded.config, {}, 1, out.problems);
    return out;
}

gateway::SitePtr site(const std::string& yaml) {
    Compiled c = compiled(yaml);
    for (const auto& problem : c.problems) ADD_FAILURE() << to_string(problem);
    CHECK(c.site);
    return c.site;
}

TEST(Compile, what_a_service_says_of_its_endpoints_becomes_instances_and_rules) {
    auto s = site("load_balancer: {strategy: ip_hash, slow_start: 20s}\n"
                  "services: {u: {endpoints: [{host: h, port: 1, weight: 3}, {host: i, zone: b, priority: 1}], "
                  "load_balancer: {panic_percent: 30}, circuit_breaker: {scope: both}}}\n");
    const services::Definition& definition = *s->services.front()->definition;
    ASSERT_EQ(definition.instances.size(), 2u);
    EXPECT_EQ(definition.instances[0].weight, 3u);
    EXPECT_EQ(definition.instances[1].zone, "b");
    EXPECT_EQ(definition.rules.strategy, balance::Strategy::consistent_hash);
    EXPECT_EQ(definition.rules.slow_start, 20s) << "what it leaves out it has from the section";
    EXPECT_DOUBLE_EQ(definition.rules.panic_threshold, 0.3);
    EXPECT_TRUE(definition.rules.service_breaker.enabled);
    EXPECT_TRUE(definition.rules.endpoint_breaker.enabled);
}

constexpr const char* kServices =
    "services: {u: {endpoints: [{host: h, port: 1}], upstream_prefix: /base/, timeout: 7s}}\n";

const gateway::Route& only_route(const gateway::SitePtr& s) {
    return *s->routes.front();
}

TEST(Compile, a_route_takes_from_its_service_what_it_does_not_say) {
    auto s = site(std::string(kServices) + "routes: [{name: r, prefix: /r, service: u}]\n");
    const gateway::Route& route = only_route(s);
    EXPECT_FALSE(route.upstream_prefix);
    EXPECT_EQ(route.service->upstream_prefix, "/base");
    EXPECT_FALSE(route.response_timeout);
    EXPECT_EQ(route.service->response_timeout, 7s);
    EXPECT_EQ(route.timeout, 0s);
    EXPECT_EQ(route.idle_timeout, 60s);
    EXPECT_TRUE(route.strip_prefix);
    EXPECT_EQ(route.path_template, "/r/*");
}

TEST(Compile, what_a_route_says_itself_comes_first) {
    auto s = site(std::string(kServices) +
                  "routes: [{name: r, prefix: /r, service: u, upstream_prefix: '', timeout: 2s, "
                  "idle_timeout: 3s, host_header: x}]\n");
    const gateway::Route& route = only_route(s);
    EXPECT_EQ(route.upstream_prefix, "");
    EXPECT_EQ(route.timeout, 2s);
    EXPECT_EQ(route.response_timeout, 2s);
    EXPECT_EQ(route.idle_timeout, 3s);
    EXPECT_EQ(route.host_header, "x");
}

TEST(Compile, an_exact_path_and_a_regex_have_no_prefix_to_strip) {
    auto s = site(std::string(kServices) +
                  "routes:\n  - {name: a, path: '/users/{id}', service: u}\n"
                  "  - {name: b, regex: '/v[0-9]+/.*', service: u}\n"
                  "  - {name: c, path: '/files/*', service: u}\n");
    EXPECT_FALSE(s->routes[0]->strip_prefix);
    EXPECT_FALSE(s->routes[1]->strip_prefix);
    EXPECT_TRUE(s->routes[2]->strip_prefix);
    EXPECT_EQ(s->routes[0]->path_template, "/users/{id}");
}

TEST(Compile, a_faulty_rewrite_is_a_problem_with_its_place_and_no_site) {
    Compiled c = compiled(std::string(kServices) +
                          "routes: [{name: r, prefix: /r, service: u, rewrite_path: '( => x'}]\n");
    EXPECT_FALSE(c.site);
    ASSERT_FALSE(c.problems.empty());
    EXPECT_NE(c.problems.front().key.find("rewrite_path"), std::string::npos);
}

TEST(Compile, whoever_joins_a_service_and_wants_tls_has_a_client_for_it) {
    auto s = site(std::string(kServices) + "registry: {admin_token: 0123456789abcdef}\nroutes: [{name: r, prefix: /r, service: later}]\n");
    const services::Definition& known = *s->by_name.at("u")->definition;
    const services::Definition& later = *s->by_name.at("later")->definition;
    const services::Definition& unlisted = *s->unlisted->definition;
    for (const services::Definition* each : {&known, &later, &unlisted}) {
        EXPECT_FALSE(each->use_tls);
        EXPECT_TRUE(each->tls);
        EXPECT_NE(each->tls_identity, "");
        EXPECT_EQ(each->tls, known.tls) << "one for all that say nothing of it";
    }
    balance::Instance instance;
    instance.host = "users.internal";
    instance.use_tls = true;
    EXPECT_TRUE(services::address_of(unlisted, instance).tls);
}

TEST(Compile, rules_of_tls_count_for_those_who_join_too) {
    auto s = site("services: {u: {endpoints: [{host: h, port: 1}], tls: {server_name: users}}, v: {endpoints: [{host: h, port: 1}]}, "
                  "w: {endpoints: [{host: h, port: 1}], tls: {enabled: true}}}\n");
    const services::Definition &u = *s->by_name.at("u")->definition, &v = *s->by_name.at("v")->definition, &w = *s->by_name.at("w")->definition;
    EXPECT_FALSE(u.use_tls);
    EXPECT_NE(u.tls, v.tls);
    EXPECT_NE(u.tls_identity, v.tls_identity);
    EXPECT_TRUE(w.use_tls);
    EXPECT_EQ(w.tls_identity, v.tls_identity);
}

TEST(Compile, an_empty_file_of_authorities_does_not_mean_the_systems) {
    const std::string file = scene::own_file("authorities of u.pem");
    for (const char* nothing : {"", " \n"}) {
        std::ofstream(file) << nothing;
        Compiled c = compiled("services: {u: {endpoints: [{host: h, port: 1}], tls: {enabled: true, ca_file: '" + file + "'}}}\n");
        EXPECT_FALSE(c.site);
        ASSERT_FALSE(c.problems.empty());
        EXPECT_EQ(c.problems[0].key, "services.u.tls");
    }
}

TEST(Compile, settings_of_redis_that_are_no_good_are_refused_with_their_key) {
    for (auto [settings, key] : {std::pair("{host: h, ca_file: /nowhere/ca.pem}", "redis.ca_file"), std::pair("{mode: sentinel, host: h}", "redis.master_name"),
                                 std::pair("{url: 'redis://:hunter2/x@h'}", "redis.url"), std::pair("{nodes: ['h:x']}", "redis.nodes[0]")}) {
        Compiled c = compiled(std::string("redis: ") + settings + "\n");
        EXPECT_FALSE(c.site) << settings;
        ASSERT_EQ(c.problems.size(), 1u) << settings;
        EXPECT_EQ(c.problems[0].key, key);
        EXPECT_EQ(to_string(c.problems[0]).find("hunter2"), std::string::npos);
    }
    EXPECT_TRUE(compiled("redis: {enabled: false, mode: sentinel, host: h}\n").site);
}

TEST(Compile, an_endpoint_of_our_own_learns_who_asks_also_where_nobody_has_to_say) {
    auto asks = [](const std::string& mode, const std::string& name) {
        auto loaded = config::load_text("auth: {methods: [basic], api_keys: {ops: {hashes: ['" + auth::api_key_hash("5d1f0c9a8b7e") + "']}}, mode: " + mode + "}\n", "c.yaml");
        std::vector<endpoints::Builtin> builtins;
        builtins.push_back({name, "/manage", filters::refusal(), {"POST"}});
        auto made = compile(loaded.config, builtins, 1, loaded.problems);
        CHECK(made);
        return made->routes.front()->admission.by_basic;   // a 401 would offer it
    };
    for (const char* mode : {"required", "optional", "none"}) EXPECT_TRUE(asks(mode, "gateway:revocations")) << mode;
    EXPECT_FALSE(asks("none", "gateway:envelope")) << "what is forwarded goes by the section";
}

TEST(Compile, every_route_has_cells_of_its_own) {
    auto s =
        site(std::string(kServices) +
             "routes: [{name: a, prefix: /a, service: u}, {name: b, prefix: /b, service: u}]\n");
    std::vector<std::uint32_t> indices;
    for (const auto& route : s->routes) indices.push_back(route->index);
    for (const auto* route : {s->no_route.get(), s->wrong_method.get(), s->unreadable.get()})
        indices.push_back(route->index);
    for (std::size_t i = 0; i < indices.size(); ++i) EXPECT_EQ(indices[i], i);
    EXPECT_EQ(s->route_count(), indices.size());
}

}  // namespace
}  // namespace suoke::app
