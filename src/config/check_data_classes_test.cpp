// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/settle.h"

namespace suoke::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A route with health information that keeps all the rules, in production.
Config good() {
    Config config;
    config.app.environment = Environment::production;
    config.auth.enabled = true;
    Service& service = config.services["records"];
    service.tls.enabled = true;
    service.endpoints.push_back({.host = "10.0.0.1", .port = 443});
    Route& route = config.routes.emplace_back();
    route.name = "records";
    route.prefix = "/records";
    route.service = "records";
    route.data_class = DataClass::phi;
    route.place = {"c.yaml", 7, 3};
    return config;
}

std::vector<std::string> problems_of(const Config& config) {
    Report report;
    check_data_classes(config, report);
    std::vector<std::string> all;
    for (const Problem& problem : report.take({"c.yaml"})) all.push_back(to_string(problem));
    return all;
}

TEST(DataClasses, a_route_that_keeps_the_rules_loads) {
    EXPECT_THAT(problems_of(good()), IsEmpty());
}

TEST(DataClasses, each_rule_names_the_route_its_place_and_what_to_do) {
    Config config = good();
    config.routes.front().mirror = Mirror{.service = "shadow"};
    EXPECT_THAT(problems_of(config), ElementsAre(AllOf(HasSubstr("c.yaml:7:3: error: routes[0].mirror"), HasSubstr("'records' is labelled phi"),
                                                       HasSubstr("take `mirror` out of this route"))));
}

TEST(DataClasses, nothing_of_it_is_stored) {
    Config config = good();
    config.routes.front().cache.emplace();
    config.routes.front().sse.replay.emplace();
    config.routes.front().idempotency = Idempotency{.enabled = true};
    EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("routes[0].cache"), HasSubstr("routes[0].sse.replay"), HasSubstr("routes[0].idempotency")));
}

TEST(DataClasses, what_is_switched_off_or_said_for_all_routes_is_no_fault) {
    Config config = good();
    config.registry.service_paths = false;
    config.idempotency.enabled = true;
    config.routes.front().idempotency = Idempotency{.enabled = false};
    EXPECT_THAT(problems_of(config), IsEmpty());
}

TEST(DataClasses, only_for_clients_that_are_known) {
    for (AuthMode mode : {AuthMode::none, AuthMode::optional}) {
        Config config = good();
        config.routes.front().auth.mode = mode;
        EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("only for clients that are known")));
    }
    Config off = good();
    off.registry.service_paths = false;
    off.auth.enabled = false;
    EXPECT_THAT(problems_of(off), ElementsAre(HasSubstr("routes[0].auth")));
    Config nothing_to_know_them_by = good();
    nothing_to_know_them_by.registry.service_paths = false;
    nothing_to_know_them_by.auth.enabled.reset();
    EXPECT_THAT(problems_of(nothing_to_know_them_by), ElementsAre(HasSubstr("routes[0].auth")));
    Config with_key = good();
    with_key.auth.enabled.reset();
    with_key.auth.jwt.secret_key = Secret("0123456789abcdef0123456789abcdef");
    EXPECT_THAT(problems_of(with_key), IsEmpty());
}

TEST(DataClasses, never_in_the_clear_but_on_this_machine_or_while_developing) {
    Config config = good();
    config.services["records"].tls.enabled = false;
    EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("never sent in the clear")));
    config.services["records"].endpoints.front().use_tls = true;
    EXPECT_THAT(problems_of(config), IsEmpty());
    config.services["records"].endpoints.front() = {.host = "127.0.0.1", .port = 80};
    EXPECT_THAT(problems_of(config), IsEmpty());
    config.services["records"].endpoints.front() = {.host = "10.0.0.1", .port = 80};
    config.app.environment = Environment::development;
    EXPECT_THAT(problems_of(config), IsEmpty());
    config.server.production = true;
    EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("never sent in the clear")));
}

TEST(DataClasses, a_service_nobody_has_described_may_come_in_the_clear) {
    Config config = good();
    config.services.clear();
    EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("never sent in the clear")));
}

TEST(DataClasses, every_service_of_a_split_is_held_to_it) {
    Config config = good();
    config.services["new-records"].endpoints.push_back({.host = "10.0.0.2", .port = 80});
    config.routes.front().service.clear();
    config.routes.front().split = {{.service = "records", .weight = 9}, {.service = "new-records", .weight = 1}};
    EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("never sent in the clear")));
}

TEST(DataClasses, tls_that_believes_anybody_is_none) {
    Config config = good();
    config.services["records"].tls.verify = false;
    EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("tls.verify: true")));
    config.services["records"].tls.enabled = false;
    config.services["records"].endpoints.front().use_tls = true;   // the endpoint says it for itself
    EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("tls.verify: true")));
}

TEST(DataClasses, a_name_that_only_looks_like_this_machine_is_another) {
    Config config = good();
    for (const char* host : {"127.evil.test", "localhost.evil.test", "127.0.0.1.evil.test"}) {
        config.services["records"].endpoints.front() = {.host = host, .port = 80, .use_tls = false};
        EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("never sent in the clear"))) << host;
    }
}

TEST(DataClasses, who_decides_about_a_request_is_not_told_of_it_in_the_clear) {
    Config config = good();
    config.auth.forward = ForwardAuth{.url = "http://auth.internal/verify"};
    EXPECT_THAT(problems_of(config), IsEmpty());   // nobody asks it
    config.routes.front().auth.methods = {AuthMethod::forward};
    EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("auth.forward is told what is asked for")));
    for (const char* near : {"http://127.0.0.1:9000/verify", "http://LOCALHOST/verify", "http://[::1]:9000/verify", "https://auth.internal/verify"}) {
        config.auth.forward->url = near;
        EXPECT_THAT(problems_of(config), IsEmpty()) << near;
    }
    for (const char* far : {"http://127.evil.test/", "http://localhost.evil.test/", "HTTP://auth/", "http://127.0.0.1@auth.test/", "http://[::2]/"}) {
        config.auth.forward->url = far;
        EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("auth.forward"))) << far;
    }
    config.app.environment = Environment::development;
    EXPECT_THAT(problems_of(config), IsEmpty());
}

// /api/v1/gateway/records/... is a way to the same service that knows nothing of the route.
TEST(DataClasses, no_other_way_leads_to_the_service_where_less_is_asked_or_something_is_kept) {
    Config plain = good(), cached = good(), kept = good(), open = good(), roles = good();
    EXPECT_THAT(problems_of(plain), IsEmpty());
    cached.cache.enabled = true;
    kept.idempotency.enabled = true;
    open.auth.mode = AuthMode::optional;
    open.routes.front().auth.mode = AuthMode::required;
    roles.routes.front().auth.roles = {"doctor"};
    for (Config* config : {&cached, &kept, &open, &roles}) {
        EXPECT_THAT(problems_of(*config), ElementsAre(HasSubstr("set registry.service_paths: false")));
        config->registry.service_paths = false;
        EXPECT_THAT(problems_of(*config), IsEmpty());
    }
}

TEST(DataClasses, no_public_path_leads_to_the_service) {
    Config config = good();
    for (const char* way : {"*", "/api/*", "/api/v1/gateway/*", "/api/v?/proxy/records", "/api/v1/gateway/records", "/api/v1/gateway/records/public/*",
                            "/api/v1/proxy/rec*", "/proxy/*"}) {
        config.auth.public_paths = {"/open/*", way};
        EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("set registry.service_paths: false"))) << way;
    }
    for (const char* elsewhere : {"/records/*", "/api/v1/gateway/news/*", "/api/v1/gateway/records-of-music/*", "/api/v1/gateway", "/status"}) {
        config.auth.public_paths = {elsewhere};
        EXPECT_THAT(problems_of(config), IsEmpty()) << elsewhere;
    }
}

TEST(DataClasses, whoever_the_route_would_not_let_in_has_no_other_way) {
    Config by_method = good(), by_certificate = good(), by_address = good();
    by_method.auth.jwt.secret_key = Secret("0123456789abcdef0123456789abcdef");
    by_method.auth.api_keys["batch"];
    by_method.routes.front().auth.methods = {AuthMethod::jwt};
    by_certificate.routes.front().client_certificate = ClientAuth::required;
    by_address.routes.front().access.allow = {"10.0.0.0/8"};
    for (Config* config : {&by_method, &by_certificate, &by_address}) {
        EXPECT_THAT(problems_of(*config), ElementsAre(HasSubstr("set registry.service_paths: false")));
        config->registry.service_paths = false;
        EXPECT_THAT(problems_of(*config), IsEmpty());
    }
    Config the_same = by_method;
    the_same.registry.service_paths = true;
    the_same.routes.front().auth.methods = {AuthMethod::api_key, AuthMethod::jwt};
    EXPECT_THAT(problems_of(the_same), IsEmpty());
}

TEST(DataClasses, another_family_of_urls_to_the_same_service_is_not_forgotten) {
    Config config = good();
    Route& other = config.routes.emplace_back(config.routes.front());
    other.name = "old-records";
    other.prefix = "/api/records";
    other.data_class = DataClass::internal;
    EXPECT_THAT(problems_of(config), IsEmpty()) << "it asks for as much, and keeps nothing";
    other.auth.mode = AuthMode::none;
    EXPECT_THAT(problems_of(config), ElementsAre(AllOf(HasSubstr("warning: routes[1].data_class"), HasSubstr("'old-records' goes to a service of 'records'"))));
    other.data_class = DataClass::open;
    EXPECT_THAT(problems_of(config), IsEmpty());
    other.data_class = DataClass::internal;
    other.auth.mode.reset();
    other.sse.replay.emplace();
    EXPECT_THAT(problems_of(config), ElementsAre(HasSubstr("warning: routes[1].data_class")));
    other.service = "news";
    EXPECT_THAT(problems_of(config), IsEmpty());
}

TEST(DataClasses, other_classes_may_do_all_that) {
    Config config = good();
    config.routes.front().mirror = Mirror{.service = "shadow"};
    for (DataClass other : {DataClass::open, DataClass::internal}) {
        config.routes.front().data_class = other;
        EXPECT_THAT(problems_of(config), IsEmpty());
    }
}

}  // namespace
}  // namespace suoke::config
