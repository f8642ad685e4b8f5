// SPDX-License-Identifier: MIT
#include "tools/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config/definition.h"

namespace suoke::tools {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;
using Arguments = std::vector<std::string>;

CommandLine parsed(Arguments arguments, const Environment& environment = {}) {
    return parse_command_line(std::move(arguments), environment);
}

std::string refusal(Arguments arguments) {
    try {
        parsed(std::move(arguments));
    } catch (const StartupError& error) {
        return error.what();
    }
    return "was accepted";
}

// A directory of its own as the current one, for as long as it lives.
class Elsewhere {
 public:
    Elsewhere() : back_(std::filesystem::current_path()) {
        std::string name = testing::TempDir() + "suoke-XXXXXX";
        CHECK(::mkdtemp(name.data()) != nullptr);
        here_ = name;
        std::filesystem::current_path(here_);
    }
    ~Elsewhere() {
        std::filesystem::current_path(back_);
        std::filesystem::remove_all(here_);
    }

 private:
    std::filesystem::path back_, here_;
};

TEST(CommandLine, without_arguments_is_help) {
    CommandLine line = parsed({});
    EXPECT_EQ(line.verb, Verb::help);
    EXPECT_THAT(line.help, HasSubstr("serve"));
    EXPECT_THAT(line.help, HasSubstr("health"));
}

TEST(CommandLine, help_of_a_command_is_that_commands) {
    CommandLine line = parsed({"serve", "--help"});
    EXPECT_EQ(line.verb, Verb::help);
    EXPECT_THAT(line.help, HasSubstr("--no-access-log"));
}

TEST(CommandLine, config_alone_lists_what_it_can_show) {
    CommandLine line = parsed({"config"});
    EXPECT_EQ(line.verb, Verb::help);
    EXPECT_THAT(line.help, HasSubstr("schema"));
}

TEST(CommandLine, flags_of_serve_become_keys_of_the_configuration) {
    CommandLine line = parsed({"serve", "--host", "::1", "--port=9000", "--workers", "4",
                               "--log-level", "DEBUG", "--no-access-log", "--reload"});
    EXPECT_EQ(line.verb, Verb::serve);
    EXPECT_THAT(line.sources.flags,
                UnorderedElementsAre(Pair("server.host", "::1"), Pair("server.port", "9000"),
                                     Pair("server.workers", "4"), Pair("logging.level", "DEBUG"),
                                     Pair("logging.access", "false")));
}

TEST(CommandLine, run_is_serve) {
    EXPECT_EQ(parsed({"run", "--access-log"}).verb, Verb::serve);
    EXPECT_THAT(parsed({"run", "--access-log"}).sources.flags,
                UnorderedElementsAre(Pair("logging.access", "true")));
}

TEST(CommandLine, every_key_that_names_a_flag_has_it) {
    std::string help = parsed({"serve", "--help"}).help;
    for (const config::Leaf& leaf : config::leaves())
        EXPECT_THAT(help, HasSubstr(std::string(leaf.field().flag_name))) << leaf.path;
}

TEST(CommandLine, what_is_loaded_from_flags_is_what_was_asked) {
    Elsewhere nothing_here;
    CommandLine line =
        parsed({"serve", "--port", "9000", "--log-level", "DEBUG"}, {{"PORT", "7000"}});
    config::Loaded loaded = config::load(line.sources);
    ASSERT_TRUE(loaded.ok());
    EXPECT_EQ(loaded.config.server.port, 9000);
    EXPECT_EQ(loaded.config.logging.level, config::LogLevel::debug);
}

TEST(CommandLine, a_value_that_is_none_is_told_with_its_flag) {
    Elsewhere nothing_here;
    config::Loaded loaded = config::load(parsed({"serve", "--port", "eighty"}).sources);
    ASSERT_FALSE(loaded.ok());
    EXPECT_THAT(to_string(loaded.problems.front()), testing::StartsWith("--port: error"));
}

TEST(CommandLine, the_file_is_the_flag_then_CONFIG_PATH_then_the_usual_places) {
    Elsewhere here;
    Environment environment = {{"CONFIG_PATH", "named.yaml"}};
    EXPECT_EQ(parsed({"serve", "--config", "flag.yaml"}, environment).sources.yaml_path,
              "flag.yaml");
    EXPECT_EQ(parsed({"serve"}, environment).sources.yaml_path, "named.yaml");
    EXPECT_EQ(parsed({"serve"}).sources.yaml_path.substr(0, 7),
              parsed({"check"}).sources.yaml_path.substr(0, 7));
    std::filesystem::create_directory("config");
    std::ofstream("config/config.yaml") << "app: {}";
    EXPECT_EQ(parsed({"serve"}).sources.yaml_path, "config/config.yaml");
    std::ofstream("config/suoke.yaml") << "app: {}";
    EXPECT_EQ(parsed({"serve"}).sources.yaml_path, "config/suoke.yaml");
}

TEST(CommandLine, dev_takes_only_a_file_that_somebody_named) {
    Elsewhere here;
    std::filesystem::create_directory("config");
    std::ofstream("config/suoke.yaml") << "app: {}";
    EXPECT_EQ(parsed({"dev"}).sources.yaml_path, "");
    EXPECT_EQ(parsed({"dev", "-c", "config/suoke.yaml"}).sources.yaml_path, "config/suoke.yaml");
}

TEST(CommandLine, the_env_file_is_dot_env_unless_told_otherwise) {
    EXPECT_EQ(parsed({"serve"}).sources.dotenv_path, ".env");
    EXPECT_EQ(parsed({"serve", "--env-file", "prod.env"}).sources.dotenv_path, "prod.env");
}

TEST(CommandLine, check_takes_the_path_with_or_without_a_flag) {
    EXPECT_EQ(parsed({"check", "a.yaml"}).sources.yaml_path, "a.yaml");
    EXPECT_EQ(parsed({"check", "--config", "a.yaml"}).sources.yaml_path, "a.yaml");
}

TEST(CommandLine, health_has_an_address_and_a_patience) {
    CommandLine usual = parsed({"health"});
    EXPECT_EQ(usual.url, "http://localhost:8000");
    EXPECT_EQ(usual.timeout, std::chrono::seconds(10));
    CommandLine line = parsed({"health", "--url", "http://gw:9000", "--timeout", "500ms"});
    EXPECT_EQ(line.url, "http://gw:9000");
    EXPECT_EQ(line.timeout, std::chrono::milliseconds(500));
    EXPECT_THAT(refusal({"health", "--timeout", "soon"}), HasSubstr("'soon' is no time"));
    EXPECT_THAT(refusal({"health", "--timeout", "0"}), HasSubstr("'0' is no time"));
}

TEST(CommandLine, config_has_four_faces) {
    EXPECT_EQ(parsed({"config", "show", "--json"}).verb, Verb::config_show);
    EXPECT_TRUE(parsed({"config", "show", "--json"}).json);
    EXPECT_EQ(parsed({"config", "schema"}).verb, Verb::config_schema);
    EXPECT_EQ(parsed({"config", "docs"}).verb, Verb::config_docs);
    EXPECT_TRUE(parsed({"config", "env", "--example"}).example);
}

TEST(CommandLine, token_makes_shows_and_hashes) {
    CommandLine line = parsed({"token", "mint", "--subject", "alice", "--role", "admin", "--role", "user", "--scope", "read", "--ttl", "8h",
                               "--claim", "tenant=north", "--key", "k.pem", "--algorithm", "ES256", "--kid", "7", "--config", "c.yaml"});
    EXPECT_EQ(line.verb, Verb::token_mint);
    EXPECT_EQ(line.order.subject, "alice");
    EXPECT_EQ(line.order.roles, (Arguments{"admin", "user"}));
    EXPECT_EQ(line.order.scopes, Arguments{"read"});
    EXPECT_EQ(line.order.ttl, std::chrono::hours(8));
    EXPECT_EQ(line.order.claims, Arguments{"tenant=north"});
    EXPECT_EQ(line.order.key_file, "k.pem");
    EXPECT_EQ(line.order.algorithm, "ES256");
    EXPECT_EQ(line.order.key_id, "7");
    EXPECT_EQ(line.sources.yaml_path, "c.yaml");
    EXPECT_EQ(parsed({"token", "verify", "a.b.c"}).token, "a.b.c");
    EXPECT_EQ(parsed({"token", "verify", "-"}).token, "-");
    EXPECT_EQ(parsed({"token", "verify"}).token, "-");
    EXPECT_TRUE(parsed({"token", "hash", "--new"}).make_new);
    EXPECT_THAT(parsed({"token"}).help, HasSubstr("mint"));
    EXPECT_THAT(refusal({"token", "mint"}), HasSubstr("--subject"));
    EXPECT_THAT(refusal({"token", "mint", "-s", "a", "--ttl", "soon"}), HasSubstr("'soon' is no time"));
}

TEST(CommandLine, version_is_asked_with_a_flag) {
    EXPECT_EQ(parsed({"--version"}).verb, Verb::version);
}

TEST(CommandLine, an_unknown_command_is_refused_with_the_nearest_one) {
    EXPECT_EQ(
        refusal({"serv"}),
        "there is no command 'serv'; did you mean 'serve'? (suoke-gateway --help lists them)");
    EXPECT_THAT(refusal({"bake"}), testing::StartsWith("there is no command 'bake' ("));
    EXPECT_EQ(refusal({"config", "shwo"}),
              "config does not know 'shwo'; did you mean 'show'? (suoke-gateway config --help)");
}

TEST(CommandLine, an_unknown_flag_is_refused_with_the_nearest_one) {
    EXPECT_EQ(refusal({"serve", "--prot=9000"}),
              "serve does not know '--prot'; did you mean '--port'? (suoke-gateway serve --help)");
    EXPECT_THAT(refusal({"check", "--port", "1"}), HasSubstr("does not know '--port'"));
}

TEST(CommandLine, a_flag_without_its_value_is_refused) {
    EXPECT_THAT(refusal({"serve", "--port"}), HasSubstr("--port"));
}

}  // namespace
}  // namespace suoke::tools
