// SPDX-License-Identifier: MIT
#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace suoke::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Loaded yaml(const std::string& text, Sources rest = {}) {
    return load_text(text, "c.yaml", rest);
}

std::vector<std::string> problems(const Loaded& loaded) {
    std::vector<std::string> out;
    for (const Problem& problem : loaded.problems) out.push_back(to_string(problem));
    return out;
}
std::vector<std::string> problems(const std::string& text) {
    return problems(yaml(text));
}

// Loads what must have no problem at all.
Config config(const std::string& text, Sources rest = {}) {
    Loaded loaded = yaml(text, rest);
    EXPECT_THAT(problems(loaded), IsEmpty());
    return loaded.config;
}

Loaded from_environment(std::map<std::string, std::string> environment) {
    Sources sources;
    sources.environment = std::move(environment);
    return load(sources);
}

// A file that is gone when the test is.
class TemporaryFile {
 public:
    explicit TemporaryFile(const std::string& text) {
        char name[] = "/tmp/suoke-config-XXXXXX";
        int descriptor = ::mkstemp(name);
        EXPECT_GE(descriptor, 0);
        ::close(descriptor);
        path_ = name;
        std::ofstream(path_) << text;
    }
    ~TemporaryFile() { std::filesystem::remove(path_); }
    const std::string& path() const { return path_; }

 private:
    std::string path_;
};

// ---- values ----

TEST(Load, an_empty_file_is_the_defaults) {
    EXPECT_EQ(config(""), Config{});
    EXPECT_EQ(config("server:\nservices:\nroutes:\n"), Config{});
}

TEST(Load, reads_each_kind_of_value) {
    Config c = config(R"(
app: {name: gate, environment: STAGING, debug: yes}
server: {port: 9000, keepalive: 30, header_timeout: 500ms, trusted_proxies: [10.0.0.0/8, "::1"]}
logging: {level: WARN, modules: {upstream: debug}}
performance: {buffer_budget: 64MB}
security: {max_request_size: "10MB", max_header_size: 8KB}
)");
    EXPECT_EQ(c.app.name, "gate");
    EXPECT_EQ(c.app.environment, Environment::staging);
    EXPECT_TRUE(c.app.debug);
    EXPECT_EQ(c.server.port, 9000);
    EXPECT_EQ(c.server.keepalive, 30s);
    EXPECT_EQ(c.server.header_timeout, 500ms);
    EXPECT_THAT(c.server.trusted_proxies, ElementsAre("10.0.0.0/8", "::1"));
    EXPECT_EQ(c.logging.level, LogLevel::warning);
    EXPECT_EQ(c.logging.modules.at("upstream"), LogLevel::debug);
    EXPECT_EQ(c.performance.buffer_budget, 64u << 20);
    EXPECT_EQ(c.security.max_request_size, 10u << 20);
    EXPECT_EQ(c.security.max_header_size, 8192u);
}

TEST(Load, reads_a_whole_route) {
    Config c = config(R"(
services: {users: {url: "http://users:8080"}}
routes:
  - hosts: [api.suoke.life, "*.suoke.life"]
    prefix: /api/v1/users/
    methods: [GET, POST]
    headers: [{name: X-Client-Version, regex: "1\\..*"}]
    query: [{name: beta, equals: "1"}]
    cookies: [{name: session}]
    priority: -3
    service: users
    strip_prefix: false
    upstream_prefix: ""
    rewrite_path: "^/a/(.*)$ => /b/$1"
    timeout: 0
    response_timeout: 45s
    idle_timeout: 90
    max_request_size: 16MB
    host_header: preserve
    request_headers: {set: {X-Gate: "1"}, remove: [X-Secret]}
    response_headers: {add: {Cache-Control: no-store}}
)");
    const Route& route = c.routes.at(0);
    EXPECT_EQ(route.name, "api-v1-users");
    EXPECT_THAT(route.hosts, ElementsAre("api.suoke.life", "*.suoke.life"));
    EXPECT_THAT(route.methods, ElementsAre("GET", "POST"));
    EXPECT_EQ(route.headers.at(0).regex, "1\\..*");
    EXPECT_EQ(route.query.at(0).equals, "1");
    EXPECT_FALSE(route.cookies.at(0).equals);
    EXPECT_EQ(route.priority, -3);
    EXPECT_EQ(route.upstream_prefix, "");
    EXPECT_EQ(route.rewrite_path, "^/a/(.*)$ => /b/$1");
    EXPECT_EQ(route.timeout, 0s);
    EXPECT_EQ(route.response_timeout, 45s);
    EXPECT_EQ(route.idle_timeout, 90s);
    EXPECT_EQ(route.max_request_size, 16u << 20);
    EXPECT_EQ(route.request_headers.set.at("X-Gate"), "1");
    EXPECT_THAT(route.request_headers.remove, ElementsAre("X-Secret"));
    EXPECT_EQ(route.response_headers.add.at("Cache-Control"), "no-store");
    EXPECT_EQ(route.place.line, 4);
}

TEST(Load, a_json_file_is_a_yaml_file) {
    Config c = config(R"({"server": {"port": 9001}, "app": {"name": "a\u00e9b"}})");
    EXPECT_EQ(c.server.port, 9001);
    EXPECT_EQ(c.app.name,
              "a\xC3\xA9"
              "b");
}

TEST(Load, routes_without_a_name_get_one) {
    Config c = config(
        "routes:\n- {prefix: /a, respond: {}}\n- {path: /a, respond: {}}\n- {respond: {}}\n");
    EXPECT_EQ(c.routes[0].name, "a");
    EXPECT_EQ(c.routes[1].name, "route-2");
    EXPECT_EQ(c.routes[2].name, "route-3");
}

// ---- services, in every spelling ----

TEST(Services, are_written_in_four_ways) {
    Config c = config(R"(
services:
  a: {endpoints: [{host: a1, port: 81, weight: 3}, {host: a2}]}
  b: {host: b1, port: 82, weight: 2, timeout: 7}
  c: {url: "http://c1:83/api/v1/"}
  d: {name: d-service, host: "::1"}
)");
    EXPECT_EQ(c.services.at("a").endpoints,
              (std::vector<Endpoint>{{"a1", 81, 3, {}}, {"a2", 80, 1, {}}}));
    EXPECT_EQ(c.services.at("b").endpoints, (std::vector<Endpoint>{{"b1", 82, 2, {}}}));
    EXPECT_EQ(c.services.at("b").timeout, 7s);
    EXPECT_EQ(c.services.at("c").endpoints, (std::vector<Endpoint>{{"c1", 83, 1, {}}}));
    EXPECT_EQ(c.services.at("c").upstream_prefix, "/api/v1");
    EXPECT_EQ(c.services.at("d-service").endpoints, (std::vector<Endpoint>{{"::1", 80, 1, {}}}));
    EXPECT_FALSE(c.services.contains("d"));
    EXPECT_EQ(c.services.at("b").shorthand, Shorthand{});
}

TEST(Services, speak_tls_when_their_url_or_an_old_key_says_so) {
    Config c = config(R"(
services:
  a: {url: "https://a1/base"}
  b: {host: b1, port: 8443, use_tls: true}
  c: {endpoints: [{host: c1, use_tls: true}, {host: c2}]}
  d: {host: d1, port: 443, tls: {enabled: true, verify: false, server_name: d.test}}
  e: {url: "http://e1"}
)");
    EXPECT_TRUE(c.services.at("a").tls.enabled);
    EXPECT_EQ(c.services.at("a").endpoints.at(0).port, 443);
    EXPECT_EQ(c.services.at("a").upstream_prefix, "/base");
    EXPECT_TRUE(c.services.at("b").tls.enabled);
    EXPECT_EQ(c.services.at("c").endpoints.at(0).use_tls, true);
    EXPECT_FALSE(c.services.at("c").tls.enabled);
    EXPECT_FALSE(c.services.at("d").tls.verify);
    EXPECT_FALSE(c.services.at("e").tls.enabled);
}

TEST(ServerTls, says_what_is_missing_beside_it) {
    EXPECT_THAT(problems("server: {tls: {client_auth: required}}"),
                ElementsAre("c.yaml:1:29: error: server.tls.client_auth: needs "
                            "server.tls.client_ca_file beside it"));
    EXPECT_THAT(problems("services: {a: {host: h, tls: {cert_file: /c.pem}}}"), SizeIs(1));
    EXPECT_THAT(problems("routes: [{prefix: /a, respond: {}, client_certificate: required}]"),
                SizeIs(1));
    EXPECT_THAT(problems("server: {tls: {certificates: [{cert_file: /c.pem}]}}"), SizeIs(1));
    EXPECT_TRUE(config("security: {enable_https_redirect: true}").server.tls.redirect_http);
}

TEST(Services, may_be_a_list_of_items_with_names) {
    Config c = config("services:\n- {name: xiaoai, url: 'http://localhost:8001', weight: 2}\n");
    EXPECT_EQ(c.services.at("xiaoai").endpoints,
              (std::vector<Endpoint>{{"localhost", 8001, 2, {}}}));
}

TEST(Services, of_service_discovery_join_the_others) {
    Config c = config(R"(
services: {a: {host: a1}}
service_discovery: {services: {b: {endpoints: [{host: b1, port: 50051}]}}}
)");
    EXPECT_EQ(c.services.size(), 2u);
    EXPECT_EQ(c.services.at("b").endpoints.at(0).port, 50051);
}

TEST(Services, described_twice_are_an_error) {
    EXPECT_THAT(
        problems("services: {a: {host: a1}}\nservice_discovery: {services: {a: {host: b1}}}\n"),
        ElementsAre("c.yaml:2:32: error: service_discovery.services.a: 'a' is described twice"));
}

TEST(Services, that_share_a_name_are_an_error) {
    EXPECT_THAT(problems("services:\n  a: {host: h}\n  b: {name: a, host: i}\n"),
                ElementsAre("c.yaml:3:6: error: services.b: there is another service 'a'"));
}

TEST(Services, refuse_urls_we_cannot_serve) {
    for (std::string url : {"a:80", "http://", "http://:80", "http://a:0", "http://a:70000",
                            "http://a:x", "http://[::1", "http://a/?b", "ftp://a"})
        EXPECT_FALSE(yaml("services: {a: {url: '" + url + "'}}").ok()) << url;
    EXPECT_THAT(problems("services: {a: {url: 'http://me:hush@a'}}"),
                testing::Not(testing::Contains(HasSubstr("hush"))));
}

TEST(Services, refuse_two_spellings_at_once_and_none_at_all) {
    EXPECT_THAT(problems("services:\n  a: {host: h, endpoints: [{host: i}]}\n"),
                ElementsAre("c.yaml:2:27: error: services.a.endpoints: give either endpoints, or "
                            "one of url and host"));
    EXPECT_THAT(problems("services:\n  a: {timeout: 3}\n"),
                ElementsAre("c.yaml:2:6: error: services.a: has no endpoint: give endpoints, or "
                            "url, or host and port, or discovery"));
    EXPECT_TRUE(yaml("auth: {jwt: {secret_key: 5d1f0c9a8b7e6d5c4b3a29181706f5e4d3c2b1a0}}\nservices:\n  a: {timeout: 3}\n").ok())
        << "who has a role may register some";
}

// ---- where values come from ----

TEST(Sources, each_one_is_stronger_than_the_one_before) {
    TemporaryFile dotenv("PORT=3\n");
    Sources rest;
    EXPECT_EQ(config("", rest).server.port, 8000);
    EXPECT_EQ(config("server: {port: 2}", rest).server.port, 2);
    rest.dotenv_path = dotenv.path();
    EXPECT_EQ(config("server: {port: 2}", rest).server.port, 3);
    rest.environment["PORT"] = "4";
    EXPECT_EQ(config("server: {port: 2}", rest).server.port, 4);
    rest.flags["server.port"] = "5";
    EXPECT_EQ(config("server: {port: 2}", rest).server.port, 5);
}

TEST(Sources, a_file_that_cannot_be_read_is_an_error) {
    Sources sources;
    sources.yaml_path = "/nowhere/c.yaml";
    EXPECT_THAT(problems(load(sources)),
                ElementsAre("/nowhere/c.yaml: error: cannot be read: No such file or directory"));
    sources.yaml_path = "/tmp";
    EXPECT_FALSE(load(sources).ok());
}

TEST(Sources, an_absent_dotenv_file_is_none) {
    Sources sources;
    sources.dotenv_path = "/nowhere/.env";
    EXPECT_TRUE(load(sources).ok());
}

TEST(Flags, must_name_a_key) {
    Sources sources;
    sources.flags = {{"server.prot", "1"}, {"server.workers", "x"}};
    EXPECT_THAT(
        problems(load(sources)),
        testing::UnorderedElementsAre(
            "--server.prot: error: server.prot: unknown key; did you mean 'server.port'?",
            "--workers: error: server.workers: must be a whole number from 0 to 1024, found 'x'"));
}

// ---- the environment ----

TEST(Environment, every_spelling_of_a_key_works) {
    for (std::string name : {"SUOKE_SERVER_PORT", "PORT", "SERVER_PORT", "GATEWAY_PORT",
                             "SERVER__PORT", "server__port", "SERVER__REST__PORT",
                             "API_GATEWAY_SERVER_PORT", "API_GATEWAY_SERVER_REST_PORT"}) {
        Loaded loaded = from_environment({{name, "9100"}});
        EXPECT_THAT(problems(loaded), IsEmpty());
        EXPECT_EQ(loaded.config.server.port, 9100) << name;
    }
}

TEST(Environment, every_variable_of_the_readme_works) {
    Loaded loaded = from_environment({{"ENVIRONMENT", "production"},
                                      {"SUOKE_AUTH_ENABLED", "false"},
                                      {"LOG_LEVEL", "DEBUG"},
                                      {"HOST", "127.0.0.1"},
                                      {"WORKERS", "4"},
                                      {"DEBUG", "true"},
                                      {"APP_NAME", "n"},
                                      {"APP_VERSION", "9"},
                                      {"LOG_FORMAT", "text"},
                                      {"LOG_FILE", "/tmp/l"},
                                      {"METRICS_ENABLED", "0"},
                                      {"METRICS_PATH", "/m"}});
    EXPECT_THAT(problems(loaded), IsEmpty());
    const Config& c = loaded.config;
    EXPECT_EQ(c.app.environment, Environment::production);
    EXPECT_TRUE(c.server.production);
    EXPECT_EQ(c.logging.level, LogLevel::debug);
    EXPECT_EQ(c.server.host, "127.0.0.1");
    EXPECT_EQ(c.server.workers, 4);
    EXPECT_TRUE(c.app.debug);
    EXPECT_EQ(c.app.name, "n");
    EXPECT_EQ(c.app.version, "9");
    EXPECT_EQ(c.logging.format, LogFormat::text);
    EXPECT_EQ(c.logging.file, "/tmp/l");
    EXPECT_FALSE(c.metrics.enabled);
    EXPECT_EQ(c.metrics.path, "/m");
}

TEST(Environment, the_stronger_of_two_spellings_counts_and_the_other_is_named) {
    Loaded loaded = from_environment({{"SUOKE_SERVER_PORT", "1"}, {"PORT", "2"}});
    EXPECT_EQ(loaded.config.server.port, 1);
    EXPECT_THAT(
        problems(loaded),
        ElementsAre("environment variable PORT: warning: server.port: PORT is not used, because "
                    "SUOKE_SERVER_PORT says something else"));
}

TEST(Environment, variables_of_later_versions_are_named_in_one_warning) {
    Loaded loaded = from_environment({{"GRPC_ENABLED", "r"},
                                      {"TRACING_ENABLED", "hush"},
                                      {"REDIS__MAX_CONNECTIONS", "20"},
                                      {"SERVICES__USERS__HOST", "u"},
                                      {"SERVICES__USERS__VERSION", "v3"}});
    EXPECT_THAT(problems(loaded), ElementsAre("environment: warning: known, but without effect in "
                                              "this version: GRPC_ENABLED, REDIS__MAX_CONNECTIONS, "
                                              "SERVICES__USERS__VERSION, TRACING_ENABLED"));
}

TEST(Environment, names_that_look_like_ours_are_warned_about_and_others_ignored) {
    EXPECT_THAT(problems(from_environment(
                    {{"SUOKE_SERVER_PROT", "1"}, {"PATH", "/bin"}, {"SUOKE_CONFIG", "x"}})),
                ElementsAre("environment variable SUOKE_SERVER_PROT: warning: the variable "
                            "SUOKE_SERVER_PROT is not known; "
                            "did you mean 'SUOKE_SERVER_PORT'?"));
}

TEST(Environment, the_service_links_of_kubernetes_are_not_ours) {
    Loaded loaded = from_environment({{"GATEWAY_PORT", "tcp://10.0.0.1:80"},
                                      {"GATEWAY_SERVICE_HOST", "10.0.0.1"},
                                      {"GATEWAY_PORT_80_TCP_ADDR", "10.0.0.1"},
                                      {"SUOKE_API_GATEWAY_SERVICE_PORT_HTTP", "80"}});
    EXPECT_THAT(problems(loaded), IsEmpty());
    EXPECT_EQ(loaded.config.server.port, 8000);
}

TEST(Environment, describes_and_changes_services) {
    Sources rest;
    rest.environment = {{"SERVICES__USER_SERVICE__PORT", "9"},
                        {"SERVICES__AUTH__HOST", "auth"},
                        {"SERVICES__AUTH__NAME", "auth-service"},
                        {"SERVICES__AUTH__TIMEOUT", "3"}};
    Config c = config("services: {user-service: {host: users, port: 8}}", rest);
    EXPECT_EQ(c.services.at("user-service").endpoints,
              (std::vector<Endpoint>{{"users", 9, 1, {}}}));
    EXPECT_EQ(c.services.at("auth-service").endpoints,
              (std::vector<Endpoint>{{"auth", 80, 1, {}}}));
    EXPECT_EQ(c.services.at("auth-service").timeout, 3s);
}

TEST(Environment, a_port_without_a_host_is_an_error_with_its_variable) {
    EXPECT_THAT(problems(from_environment({{"SERVICES__X__PORT", "9"}})),
                ElementsAre("environment variable SERVICES__X__PORT: error: services.x.port: needs "
                            "a host beside it"));
    EXPECT_THAT(problems(from_environment({{"SERVICES__X__HSOT", "9"}})),
                ElementsAre("environment variable SERVICES__X__HSOT: warning: services have no "
                            "variable field hsot; did you mean 'host'?"));
}

TEST(Environment, lists_are_split_at_commas_or_written_as_json) {
    EXPECT_THAT(
        from_environment({{"TRUSTED_PROXIES", "10.0.0.0/8, ::1"}}).config.server.trusted_proxies,
        ElementsAre("10.0.0.0/8", "::1"));
    EXPECT_THAT(
        from_environment({{"TRUSTED_PROXIES", R"(["10.0.0.0/8"])"}}).config.server.trusted_proxies,
        ElementsAre("10.0.0.0/8"));
    Loaded services =
        from_environment({{"SUOKE_SERVICES", R"([{"name": "a", "url": "http://a:1"}])"}});
    EXPECT_EQ(services.config.services.at("a").endpoints.at(0).port, 1);
}

TEST(Environment, a_wrong_value_is_an_error_and_an_empty_one_is_none) {
    EXPECT_THAT(problems(from_environment({{"PORT", "http"}, {"WORKERS", ""}})),
                ElementsAre("environment variable PORT: error: server.port: must be a whole number "
                            "from 1 to 65535, found 'http'"));
}

TEST(Environment, production_is_said_in_two_ways_and_the_stronger_source_counts) {
    EXPECT_EQ(config("server: {production: true}\nauth: {enabled: false}\n").app.environment, Environment::production);
    Sources rest;
    rest.environment["ENVIRONMENT"] = "staging";
    Config c = config("server: {production: true}", rest);
    EXPECT_EQ(c.app.environment, Environment::staging);
    EXPECT_FALSE(c.server.production);
    EXPECT_THAT(problems("app: {environment: testing}\nserver: {production: true}\nauth: {enabled: false}\n"),
                ElementsAre("c.yaml:2:22: error: server.production: is true, but app.environment "
                            "is not production"));
}

// ---- .env ----

TEST(Dotenv, reads_lines_as_a_shell_would) {
    TemporaryFile dotenv(
        "# comment\n\nexport APP_NAME='a # b'\nAPP_VERSION=\"1\\\"2\"\nLOG_LEVEL=ERROR # "
        "loud\nLOG_FILE=\nPORT = 7 \r\n");
    Sources rest;
    rest.dotenv_path = dotenv.path();
    Config c = config("", rest);
    EXPECT_EQ(c.app.name, "a # b");
    EXPECT_EQ(c.app.version, "1\"2");
    EXPECT_EQ(c.logging.level, LogLevel::error);
    EXPECT_EQ(c.server.port, 7);
}

TEST(Dotenv, says_which_line_is_wrong) {
    TemporaryFile dotenv(
        "PORT=1\nnonsense\n2X=3\nAPP_NAME='open\nAPP_VERSION='a' b\nWORKERS=many\n");
    Sources rest;
    rest.dotenv_path = dotenv.path();
    const std::string& path = dotenv.path();
    EXPECT_THAT(problems(load(rest)),
                ElementsAre(path + ":2:1: error: must have the form NAME=value",
                            path + ":3:1: error: '2X' is not a variable's name",
                            path + ":4:1: error: APP_NAME: the quote is not closed on this line",
                            path + ":5:1: error: APP_VERSION: text after the closing quote",
                            path + ":6:1: error: server.workers: must be a whole number from 0 to "
                                   "1024, found 'many'"));
}

// ---- ${...} ----

TEST(Substitution, fills_in_variables_and_defaults) {
    TemporaryFile dotenv("A=dotenv\nB=dotenv\n");
    Sources rest;
    rest.dotenv_path = dotenv.path();
    rest.environment = {{"B", "environment"}, {"EMPTY", ""}};
    EXPECT_EQ(config("app: {name: '${A}-${B}'}", rest).app.name, "dotenv-environment");
    EXPECT_EQ(config("app: {name: '${C:c}${C:-d}${EMPTY:-e}${EMPTY}'}", rest).app.name, "cde");
    EXPECT_EQ(config("app: {name: '$$${A} $${A} $1 $'}", rest).app.name, "$dotenv ${A} $1 $");
    EXPECT_EQ(config("server: {port: '${P:8123}'}", rest).server.port, 8123);
    EXPECT_THAT(
        config("server: {trusted_proxies: '${T:-10.0.0.1,10.0.0.2}'}", rest).server.trusted_proxies,
        ElementsAre("10.0.0.1", "10.0.0.2"));
}

TEST(Substitution, of_an_unset_variable_is_an_error_with_its_place) {
    EXPECT_THAT(problems("app:\n  name: ${NOPE}\n"),
                ElementsAre("c.yaml:2:9: error: app.name: the variable NOPE is not set; set it, or "
                            "write ${NOPE:-default}"));
    EXPECT_THAT(
        problems("app: {name: '${NOPE'}"),
        ElementsAre("c.yaml:1:13: error: app.name: ${ without its }; write $${ for a plain ${"));
    EXPECT_THAT(problems("app: {name: '${2}'}"),
                ElementsAre("c.yaml:1:13: error: app.name: ${2} does not name a variable; write "
                            "$${ for a plain ${"));
}

TEST(Substitution, is_not_asked_of_keys_without_effect) {
    EXPECT_TRUE(yaml("tracing: {service_name: '${TRACING_SERVICE_NAME}'}").ok());
}

// ---- what is wrong, and where ----

TEST(Errors, an_unknown_key_is_told_with_its_nearest) {
    EXPECT_THAT(problems("server:\n  prot: 1\n"),
                ElementsAre("c.yaml:2:3: error: server.prot: unknown key; did you mean 'port'?"));
    EXPECT_THAT(problems("sever: {}\n"),
                ElementsAre("c.yaml:1:1: error: sever: unknown key; did you mean 'server'?"));
    EXPECT_THAT(problems("zzzzzzz: 1\n"), ElementsAre("c.yaml:1:1: error: zzzzzzz: unknown key"));
    EXPECT_THAT(
        problems("routes:\n- respond: {}\n  respnd: {}\n"),
        ElementsAre("c.yaml:3:3: error: routes[0].respnd: unknown key; did you mean 'respond'?"));
    EXPECT_THAT(
        problems("middleware: {corse: {}}\n"),
        ElementsAre("c.yaml:1:14: error: middleware.corse: unknown key; did you mean 'cors'?"));
    EXPECT_THAT(
        problems("performance: {timeouts: {raed: 1}}\n"),
        ElementsAre(
            "c.yaml:1:26: error: performance.timeouts.raed: unknown key; did you mean 'read'?"));
}

TEST(Errors, a_key_with_a_dot_is_no_short_way) {
    EXPECT_THAT(problems("server.port: 1\n"),
                ElementsAre(HasSubstr("c.yaml:1:1: error: server.port: unknown key")));
}

TEST(Errors, all_are_listed_in_file_order) {
    EXPECT_THAT(
        problems("server: {port: 0}\napp: {debug: maybe}\nlogging: {level: loud}\n"),
        ElementsAre(
            "c.yaml:1:16: error: server.port: must be a whole number from 1 to 65535, found '0'",
            "c.yaml:2:14: error: app.debug: must be true or false, found 'maybe'",
            "c.yaml:3:18: error: logging.level: must be one of debug, info, warning, error, "
            "critical, off, "
            "found 'loud'"));
}

TEST(Errors, a_value_of_the_wrong_type_or_range_says_what_is_allowed) {
    EXPECT_THAT(problems("server: {port: [1]}"),
                ElementsAre("c.yaml:1:16: error: server.port: must be a whole number from 1 to "
                            "65535, found a list"));
    EXPECT_THAT(problems("server: [1]"),
                ElementsAre("c.yaml:1:9: error: server: must be a mapping, found a list"));
    EXPECT_THAT(problems("routes: {a: 1}"),
                ElementsAre("c.yaml:1:9: error: routes: must be a list, found a mapping"));
    EXPECT_THAT(problems("services: 7"),
                ElementsAre("c.yaml:1:11: error: services: must be a mapping, or a list of "
                            "mappings, found a single value"));
    EXPECT_THAT(problems("server: {keepalive: soon}"),
                ElementsAre("c.yaml:1:21: error: server.keepalive: must be a duration like 30s, "
                            "500ms or 2m (a bare number is "
                            "seconds), found 'soon'"));
    EXPECT_THAT(problems("security: {max_request_size: -1}"),
                ElementsAre("c.yaml:1:30: error: security.max_request_size: must be a size like "
                            "512, 8KB or 10MB, found '-1'"));
    EXPECT_THAT(problems("security: {max_header_size: 10MB}"),
                ElementsAre("c.yaml:1:29: error: security.max_header_size: must be a size from 1KB "
                            "to 1MB, found '10MB'"));
    EXPECT_THAT(problems("server: {trusted_proxies: [10.0.0.0/33, 1.2.3, '::/129']}").size(), 3u);
    EXPECT_THAT(problems("server: {host: 'http://a'}"),
                ElementsAre("c.yaml:1:16: error: server.host: must be an address or a host name, "
                            "without scheme, path or port, "
                            "found 'http://a'"));
    EXPECT_FALSE(yaml("server: {trusted_proxies: [\"10.0.0.1\\0/8\"]}").ok());
    EXPECT_THAT(problems("app: {name: ''}"),
                ElementsAre("c.yaml:1:13: error: app.name: must not be empty"));
    for (const char* number : {"inf", "nan", "1e400", "99999999999999999999d"})
        EXPECT_FALSE(yaml(std::string("server: {keepalive: ") + number + "}").ok()) << number;
}

TEST(Errors, a_key_given_twice_is_refused) {
    EXPECT_THAT(problems("app:\n  name: a\n  name: b\n"),
                ElementsAre("c.yaml:3:3: error: the key 'name' is given twice, first in line 2"));
}

TEST(Errors, two_names_of_one_key_must_agree) {
    EXPECT_THAT(problems("server: {host: a, rest: {host: b}}"),
                ElementsAre("c.yaml:1:26: error: server.rest.host: says something else than "
                            "server.host in line 1, which is the "
                            "same key"));
    EXPECT_EQ(config("server: {host: a, rest: {host: a}}").server.host, "a");
}

TEST(Errors, yaml_that_is_none_is_told_with_its_place) {
    EXPECT_THAT(problems("app: [\n"),
                ElementsAre(HasSubstr("c.yaml:2:1: error: not valid YAML: ")));
    EXPECT_THAT(problems("app: *nobody\n"),
                ElementsAre(HasSubstr("c.yaml:1:6: error: not valid YAML: ")));
    EXPECT_THAT(problems("a\n"),
                ElementsAre("c.yaml:1:1: error: must be a mapping, found a single value"));
    EXPECT_THAT(
        problems("app: {}\n---\nserver: {}\n"),
        ElementsAre("c.yaml:2:1: error: a second document begins here; one file is one document"));
    EXPECT_THAT(problems("? [a]\n: b\n"),
                ElementsAre("c.yaml:1:3: error: a key must be text, not a list"));
}

TEST(Errors, more_than_two_hundred_are_counted) {
    std::string text = "routes:\n";
    for (int i = 0; i < 300; ++i) text += "- {}\n";
    Loaded loaded = yaml(text);
    EXPECT_EQ(loaded.problems.size(), 201u);
    EXPECT_EQ(loaded.problems.back().sentence, "and 100 more problems");
}

// ---- YAML's own devices ----

TEST(Yaml, anchors_and_merge_keys_work) {
    Config c = config(R"(
x-slow: &slow {timeout: 120s, methods: [POST]}
services: {a: {host: h}}
routes:
- {<<: *slow, prefix: /a, service: a}
- {<<: [*slow, {service: a}], prefix: /b, timeout: 1s}
)");
    EXPECT_EQ(c.routes[0].timeout, 120s);
    EXPECT_THAT(c.routes[0].methods, ElementsAre("POST"));
    EXPECT_EQ(c.routes[1].timeout, 1s);
    EXPECT_EQ(c.routes[1].service, "a");
}

// ---- rules over more than one value ----

TEST(Rules, a_route_does_exactly_one_thing) {
    EXPECT_THAT(problems("routes:\n- prefix: /a\n"),
                ElementsAre("c.yaml:2:3: error: routes[0]: does nothing: give one of service, split, redirect and respond"));
    EXPECT_THAT(problems("routes:\n- {respond: {}, redirect: {to: /b}}\n"),
                ElementsAre("c.yaml:2:3: error: routes[0]: has more than one of service, split, redirect "
                            "and respond; give one"));
}

TEST(Rules, a_route_matches_in_at_most_one_way) {
    EXPECT_THAT(
        problems("routes:\n- {respond: {}, prefix: /a, path: /b}\n"),
        ElementsAre(
            "c.yaml:2:3: error: routes[0]: has more than one of prefix, path and regex; give one"));
    EXPECT_THAT(
        problems("routes:\n- {respond: {}, prefix: a}\n"),
        ElementsAre("c.yaml:2:25: error: routes[0].prefix: must begin with '/', found 'a'"));
}

TEST(Rules, a_service_must_exist) {
    EXPECT_THAT(problems("services: {users: {host: h}}\nroutes:\n- {service: user}\n"),
                ElementsAre("c.yaml:3:13: error: routes[0].service: there is no service 'user'; "
                            "did you mean 'users'?"));
    EXPECT_THAT(problems("routes:\n- {service: user}\n"),
                ElementsAre("c.yaml:2:13: warning: routes[0].service: there are no services, so "
                            "'user' cannot be reached"));
}

TEST(Rules, statuses_are_the_allowed_ones) {
    EXPECT_THAT(problems("routes:\n- redirect: {to: /b, status: 306}\n"),
                ElementsAre("c.yaml:2:30: error: routes[0].redirect.status: must be 301, 302, 303, "
                            "307 or 308, found 306"));
    EXPECT_THAT(problems("routes:\n- respond: {status: 101}\n"),
                ElementsAre("c.yaml:2:21: error: routes[0].respond.status: must be a whole number "
                            "from 200 to 599, found '101'"));
    EXPECT_THAT(problems("routes:\n- redirect: {}\n"),
                ElementsAre(HasSubstr("routes[0].redirect: needs a 'to'")));
}

TEST(Rules, header_edits_keep_away_from_framing) {
    EXPECT_THAT(problems("routes:\n- respond: {}\n  request_headers: {set: {Content-Length: 1}}\n"),
                ElementsAre("c.yaml:3:27: error: routes[0].request_headers.set.Content-Length: "
                            "must not be a header that frames "
                            "the message or its connection, found 'Content-Length'"));
    EXPECT_THAT(problems("routes:\n- respond: {}\n  request_headers: {set: {Host: a}}\n"),
                ElementsAre(HasSubstr("must not be host: set host_header instead")));
    EXPECT_THAT(
        problems("routes:\n- respond: {}\n  response_headers: {remove: ['a b']}\n"),
        ElementsAre(HasSubstr("must be a header name, like X-Client-Version, found 'a b'")));
    EXPECT_THAT(problems("routes:\n- respond: {}\n  request_headers: {add: {Authorization: "
                         "\"hush\\r\\nx: y\"}}\n"),
                ElementsAre(testing::AllOf(HasSubstr("must be a header value without line breaks"),
                                           testing::Not(HasSubstr("hush")))));
}

TEST(Rules, names_are_unique_and_methods_are_tokens) {
    EXPECT_THAT(
        problems("routes:\n- {name: a, respond: {}}\n- {name: a, respond: {}}\n"),
        ElementsAre(
            "c.yaml:3:10: error: routes[1].name: 'a' is also the name of the route in line 2"));
    EXPECT_THAT(problems("routes:\n- {methods: [get, 'G T'], respond: {}}\n"),
                ElementsAre("c.yaml:2:14: error: routes[0].methods[0]: must be a method in upper "
                            "case, like GET, found 'get'",
                            "c.yaml:2:19: error: routes[0].methods[1]: must be a method in upper "
                            "case, like GET, found 'G T'"));
}

TEST(Rules, a_rewrite_has_two_sides) {
    EXPECT_THAT(
        problems("routes:\n- {respond: {}, rewrite_path: /a}\n"),
        ElementsAre(HasSubstr(
            "c.yaml:2:31: error: routes[0].rewrite_path: must have the form 'regex => template'")));
}

TEST(Rules, a_condition_has_one_test) {
    EXPECT_THAT(problems("routes:\n- {respond: {}, headers: [{name: a, equals: b, regex: c}]}\n"),
                ElementsAre("c.yaml:2:3: error: routes[0]: the condition on 'a' has both equals "
                            "and regex; give one"));
}

// ---- the predecessor's files ----

TEST(OldFiles, keys_of_later_versions_get_one_warning_each) {
    EXPECT_THAT(problems(R"(tracing: {sample_rate: [what, ever]}
services: {a: {host: h, version: v1}}
routes:
- {prefix: /a, service: a, circuit_breaker: 3}
- {prefix: /b, service: a, circuit_breaker: 2}
)"),
                ElementsAre("c.yaml:1:1: warning: tracing: known, but without effect in this "
                            "version: tracing",
                            "c.yaml:2:25: warning: services.a.version: known, but without "
                            "effect in this version: service versions",
                            "c.yaml:4:28: warning: routes.*.circuit_breaker: known, but without effect in "
                            "this version: circuit breakers (2 places)"));
}

TEST(Resilience, what_a_service_leaves_out_it_has_from_the_section) {
    Config c = config(R"(retry: {max_attempts: 5, initial_delay: 1s}
health_check: {interval: 7s, path: /h}
services:
  a: {host: h, retry: {max_delay: 3s}, health_check: /up}
  b: {host: h, circuit_breaker: {failure_threshold: 9}}
routes:
- {prefix: /a, service: a, retry: 1}
- {prefix: /b, service: b, retry: {enabled: false}}
)");
    const Service& a = c.services.at("a");
    EXPECT_EQ(a.retry->max_attempts, 5u);
    EXPECT_EQ(a.retry->initial_delay, 1s);
    EXPECT_EQ(a.retry->max_delay, 3s);
    EXPECT_TRUE(a.health_check->enabled) << "saying anything switches them on";
    EXPECT_EQ(a.health_check->path, "/up");
    EXPECT_EQ(a.health_check->interval, 7s);
    EXPECT_TRUE(c.services.at("b").circuit_breaker->enabled);
    EXPECT_FALSE(c.services.at("b").retry.has_value());
    EXPECT_EQ(c.routes[0].retry->max_attempts, 2u) << "the number of style 2 counts retries";
    EXPECT_EQ(c.routes[0].retry->max_delay, 3s) << "a route has the rest from its service";
    EXPECT_FALSE(c.routes[1].retry->enabled);
    EXPECT_EQ(c.routes[1].retry->max_attempts, 5u);
}

TEST(Resilience, old_spellings_are_read) {
    Config c = config(R"(load_balancer: {strategy: weighted_round_robin, health_check_interval: 12, max_retries: 1, sticky_session: false}
circuit_breaker: {enabled: true, half_open_max_calls: 4, half_open_success: 2}
retry: {backoff_strategy: linear, base_delay: 2, retryable_status_codes: [502, 504]}
services: {a: {host: h, health_check_path: /alive, retry_count: 0}}
)");
    EXPECT_EQ(c.load_balancer.strategy, Strategy::round_robin);
    EXPECT_EQ(c.health_check.interval, 12s);
    EXPECT_EQ(c.retry.max_attempts, 2u);
    EXPECT_EQ(c.retry.backoff, Backoff::linear);
    EXPECT_EQ(c.retry.initial_delay, 2s);
    EXPECT_EQ(c.retry.statuses, (std::vector<std::uint16_t>{502, 504}));
    EXPECT_EQ(c.circuit_breaker.half_open_requests, 4u);
    EXPECT_EQ(c.circuit_breaker.success_threshold, 2u);
    const Service& a = c.services.at("a");
    EXPECT_EQ(a.health_check->path, "/alive");
    EXPECT_TRUE(a.health_check->enabled);
    EXPECT_EQ(a.retry->max_attempts, 1u);
}

TEST(Resilience, what_cannot_work_is_said_with_its_place) {
    EXPECT_THAT(problems("services:\n  a: {host: h, load_balancer: {strategy: consistent_hash, hash_by: cookie}}\n"),
                ElementsAre(testing::HasSubstr("services.a.load_balancer.hash_name: is missing")));
    EXPECT_THAT(problems("services: {a: {host: h}}\nroutes:\n- {prefix: /, split: [{service: b}]}\n"),
                ElementsAre(testing::HasSubstr("there is no service 'b'")));
    EXPECT_THAT(problems("services: {a: {host: h}}\nroutes: [{prefix: /a, respond: {}, mirror: {service: a}}]"),
                ElementsAre(testing::HasSubstr("this route answers itself")));
    EXPECT_THAT(problems("circuit_breaker: {window: 0}"), ElementsAre(testing::HasSubstr("circuit_breaker.window: is less than 1s")));
    EXPECT_THAT(problems("services: {a: {host: h, circuit_breaker: {window: 1ms}}}"), ElementsAre(testing::HasSubstr("is less than 1s")));
    EXPECT_THAT(problems("concurrency: {adaptive_min: 20, adaptive_max: 10}"), ElementsAre(testing::HasSubstr("adaptive_min is above adaptive_max")));
    EXPECT_THAT(problems("health_check: {statuses: [20]}"), ElementsAre(testing::HasSubstr("must be a status")));
}

TEST(OldFiles, log_files_are_written_in_three_ways) {
    EXPECT_EQ(config("logging: {file: /a}").logging.file, "/a");
    EXPECT_EQ(config("logging: {file: {path: /a, enabled: true}}").logging.file, "/a");
    EXPECT_EQ(config("logging: {file_path: /a}").logging.file, "/a");
    EXPECT_EQ(config("logging: {file: {path: /a, enabled: false}}").logging.file, "");
    EXPECT_THAT(
        problems("logging: {file: {paht: /a}}"),
        ElementsAre("c.yaml:1:18: error: logging.file.paht: unknown key; did you mean 'path'?"));
}

constexpr const char* kReadmeStyle1 = R"(# config/config.yaml
app:
  name: "suoke-api-gateway"
  version: "1.0.0"

server:
  host: "0.0.0.0"
  port: 8000
  workers: 4

logging:
  level: "INFO"
  format: "json"

redis:
  host: "localhost"
  port: 6379
  db: 0

rate_limit:
  enabled: true
  default_rate: "100/minute"
  burst_size: 10
)";

constexpr const char* kReadmeStyle2 = R"(server:
  rest:
    host: 0.0.0.0
    port: 8080
  grpc:
    host: 0.0.0.0
    port: 50050
  production: false

middleware:
  cors:
    enabled: true

  rate_limit:
    enabled: true

  auth:
    enabled: true

cache:
  enabled: true
  type: memory

routes:
  - name: auth
    prefix: /api/auth/
    service: auth-service
)";

TEST(OldFiles, the_first_style_of_the_readme_loads) {
    Loaded loaded = yaml(kReadmeStyle1);
    EXPECT_TRUE(loaded.ok());
    EXPECT_THAT(loaded.problems, testing::IsEmpty());
    EXPECT_EQ(loaded.config.app.name, "suoke-api-gateway");
    EXPECT_EQ(loaded.config.rate_limit.default_rate, "100/minute");
    EXPECT_EQ(loaded.config.rate_limit.burst_size, 10u);
    EXPECT_EQ(loaded.config.server.workers, 4);
}

TEST(OldFiles, the_second_style_of_the_readme_loads) {
    Loaded loaded = yaml(kReadmeStyle2);
    EXPECT_TRUE(loaded.ok());
    EXPECT_EQ(loaded.problems.size(), 4u);
    EXPECT_EQ(loaded.config.server.port, 8080);
    EXPECT_EQ(loaded.config.routes.at(0).service, "auth-service");
}

TEST(OldFiles, both_styles_live_in_one_file) {
    Config c = config(
        "server: {rest: {port: 8081}, workers: 2, debug: true}\nperformance: {timeouts: {read: "
        "9}}\n");
    EXPECT_EQ(c.server.port, 8081);
    EXPECT_EQ(c.server.workers, 2);
    EXPECT_TRUE(c.app.debug);
    EXPECT_EQ(c.performance.timeouts.response, 9s);
}

// ---- hostile input ----

TEST(Hostile, no_json_file_of_the_test_suite_ends_the_loader) {
    const char* given = std::getenv("SUOKE_VECTORS");
    std::filesystem::path vectors =
        std::filesystem::path(given ? given : SUOKE_VECTORS) / "jsontestsuite";
    if (!std::filesystem::exists(vectors)) GTEST_SKIP() << vectors;
    int files = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(vectors)) {
        if (file.path().extension() != ".json") continue;
        Sources sources;
        sources.yaml_path = file.path();
        for (const Problem& problem : load(sources).problems)
            EXPECT_FALSE(problem.sentence.empty()) << file.path();
        ++files;
    }
    EXPECT_GT(files, 100);
}

}  // namespace
}  // namespace suoke::config
