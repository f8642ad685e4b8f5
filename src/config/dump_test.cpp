// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/load.h"

namespace suoke::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kRich = R"(
app: {name: "a: \"b\" $${X} $$$$ \n\u00e9", environment: staging}
server: {host: "unix:/run/s.sock", trusted_proxies: ["10.0.0.0/8", "::1"], keepalive: 1500ms}
logging: {modules: {http: debug, rt: "off"}}
services:
  a: {endpoints: [{host: a1, port: 81, weight: 0}, {host: "::1"}], timeout: 0, host_header: preserve}
  b: {url: "http://b/base"}
routes:
- {prefix: /a, service: a, methods: [GET], rewrite_path: "^/a/(.*)$ => /$1", upstream_prefix: "", timeout: 0,
   headers: [{name: X, equals: ""}], request_headers: {set: {X-One: "1", X-Api-Key: hush}, remove: [X-Two]}}
- {name: gone, path: "/old/{id}", redirect: {to: "/new/{id}", status: 308}}
- {name: hello, regex: "/h.*", respond: {body: '{"a": 1}'}, max_request_size: 3KB}
- {respond: {}}
)";

Config config(const std::string& text) {
    Loaded loaded = load_text(text, "c.yaml");
    for (const Problem& problem : loaded.problems) ADD_FAILURE() << to_string(problem);
    return loaded.config;
}

TEST(DumpYaml, reads_back_the_same) {
    Config before = config(kRich);
    before.routes[0].request_headers.set.erase("X-Api-Key");
    EXPECT_EQ(config(dump_yaml(before)), before);
    EXPECT_EQ(config(dump_yaml(Config{})), Config{});
}

TEST(DumpYaml, says_every_scalar_of_a_section_and_only_what_matters_of_an_element) {
    std::string dump =
        dump_yaml(config("services: {a: {host: h}}\nroutes: [{service: a, prefix: /a}]"));
    EXPECT_THAT(dump, HasSubstr("server:\n  host: \"0.0.0.0\"\n  port: 8000\n"));
    EXPECT_THAT(
        dump,
        HasSubstr(
            "services:\n  \"a\":\n    endpoints:\n      - host: \"h\"\nroutes:\n  - name: \"a\"\n"
            "    prefix: \"/a\"\n    service: \"a\"\n"));
}

TEST(Dump, hides_credentials_in_header_edits) {
    Config c = config(kRich);
    EXPECT_THAT(dump_yaml(c), Not(HasSubstr("hush")));
    EXPECT_THAT(dump_yaml(c), HasSubstr("\"X-Api-Key\": \"***\""));
    EXPECT_THAT(dump_json(c), Not(HasSubstr("hush")));
    EXPECT_THAT(dump_json(c), HasSubstr("\"X-One\":\"1\""));
}

TEST(Dump, hides_secrets_wherever_they_stand) {
    Config c = config("redis: {url: 'redis://:hush@r', password: hush}\nregistry: {admin_token: hush-hush-hush-hush}\n");
    EXPECT_EQ(c.redis.password.reveal(), "hush");
    EXPECT_THAT(dump_yaml(c), Not(HasSubstr("hush")));
    EXPECT_THAT(dump_yaml(c), HasSubstr("password: \"***\""));
    EXPECT_THAT(dump_json(c), Not(HasSubstr("hush")));
}

TEST(DumpJson, is_json) {
    auto json = nlohmann::json::parse(dump_json(config(kRich)));
    EXPECT_EQ(json["app"]["name"], "a: \"b\" ${X} $$ \n\u00e9");
    EXPECT_EQ(json["server"]["keepalive"], "1500ms");
    EXPECT_EQ(json["security"]["max_request_size"], "1MB");
    EXPECT_EQ(json["services"]["a"]["endpoints"][0]["weight"], 0);
    EXPECT_EQ(json["services"]["b"]["upstream_prefix"], "/base");
    EXPECT_FALSE(json["services"]["b"].contains("url"));
    EXPECT_EQ(json["routes"][1]["redirect"]["status"], 308);
}

// ---- diff ----

std::vector<std::string> changes(const Config& from, const Config& to) {
    std::vector<std::string> out;
    for (const Change& change : diff(from, to))
        out.push_back(change.key + ": " + change.from + " -> " + change.to +
                      (change.live ? "" : " (restart)"));
    return out;
}

TEST(Diff, of_the_same_is_nothing) {
    EXPECT_THAT(changes(config(kRich), config(kRich)), IsEmpty());
    EXPECT_THAT(changes(config(kRich), config("# elsewhere\n" + std::string(kRich))), IsEmpty());
}

TEST(Diff, says_what_changed_and_what_takes_a_restart) {
    Config from, to;
    to.server.port = 9000;
    to.server.workers = 4;
    to.server.cpu_pinning = true;
    to.logging.file = "/l";
    to.logging.modules["http"] = LogLevel::debug;
    to.performance.buffer_budget = 1 << 20;
    to.performance.timeouts.connect = 1s;
    EXPECT_THAT(
        changes(from, to),
        ElementsAre("server.port: 8000 -> 9000", "server.workers: 0 -> 4 (restart)",
                    "server.cpu_pinning: false -> true (restart)", "logging.file:  -> /l (restart)",
                    "logging.modules.http:  -> debug", "performance.timeouts.connect: 5s -> 1s",
                    "performance.buffer_budget: 512MB -> 1MB (restart)"));
}

TEST(Diff, compares_routes_by_name_and_services_by_key) {
    Config from = config(kRich), to = config(kRich);
    to.routes.erase(to.routes.begin() + 1);
    to.routes[0].timeout = 5s;
    to.services["b"].endpoints[0].port = 81;
    to.services["c"] = to.services["b"];
    EXPECT_THAT(changes(from, to),
                ElementsAre(R"(services.b.endpoints: [{"host":"b"}] -> [{"host":"b","port":81}])",
                            HasSubstr("services.c:  -> {"), "routes[a].timeout: \"0s\" -> \"5s\"",
                            HasSubstr("routes[gone]: {")));
}

TEST(Diff, says_that_routes_changed_places) {
    Config from = config(kRich), to = from;
    std::swap(to.routes[1], to.routes[2]);
    EXPECT_THAT(changes(from, to),
                ElementsAre("routes (order): a, gone, hello, route-4 -> a, hello, gone, route-4"));
}

TEST(Diff, never_shows_a_credential) {
    Config from = config(kRich), to = from;
    to.routes[0].request_headers.set["X-Api-Key"] = "other";
    EXPECT_THAT(changes(from, to),
                ElementsAre("routes[a].request_headers.set.X-Api-Key: *** -> *** (new)"));
}

}  // namespace
}  // namespace suoke::config
