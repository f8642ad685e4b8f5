// SPDX-License-Identifier: MIT
#include "config/definition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/load.h"
#include "testing/files.h"

namespace suoke::config {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string read(const std::string& path) {
    std::ifstream file(std::string(SUOKE_SOURCE_DIR) + "/" + path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(Definition, no_variable_sets_two_keys) {
    std::map<std::string, std::string> owner;
    for (const Leaf& leaf : leaves())
        for (const std::string& name : leaf.variables()) {
            auto [first, is_new] = owner.try_emplace(name, leaf.path);
            EXPECT_TRUE(is_new) << name << " sets " << leaf.path << " and " << first->second;
        }
}

TEST(Definition, no_key_is_both_a_field_and_without_effect) {
    for (const Later& row : later_keys()) EXPECT_EQ(leaf_at(row.key), nullptr) << row.key;
}

void check_fields(const Fields& fields) {
    std::set<std::string_view> names;
    for (const Field& field : fields) {
        EXPECT_TRUE(names.insert(field.name).second) << field.name << " is listed twice";
        EXPECT_TRUE(field.doc.ends_with('.')) << field.name;
        const Shape* inner = &field.shape->inner();
        while (inner->kind == Kind::list || inner->kind == Kind::map) inner = inner->element;
        if (inner->kind == Kind::object) check_fields(*inner->fields);
    }
}

TEST(Definition, every_field_has_one_name_and_a_sentence) {
    check_fields(describe(std::type_identity<Config>{}));
}

TEST(Definition, what_takes_a_restart_is_said) {
    std::set<std::string> restart;
    for (const Leaf& leaf : leaves())
        if (!leaf.live()) restart.insert(leaf.path);
    EXPECT_THAT(restart, testing::ElementsAre("logging.file", "logging.file_enabled", "performance.buffer_budget", "rate_limit.gateways", "rate_limit.max_keys", "rate_limit.storage_url", "redis.ca_file", "redis.command_timeout", "redis.connect_timeout", "redis.db", "redis.enabled", "redis.host", "redis.key_prefix", "redis.master_name", "redis.mode", "redis.nodes", "redis.password", "redis.port", "redis.sentinel_password", "redis.sentinel_username", "redis.tls", "redis.url", "redis.username", "registry.enabled", "registry.max_instances", "server.cpu_pinning", "server.unix_mode", "server.workers", "service_discovery.dns_servers", "store.path"));
}

TEST(Golden, the_reference_is_up_to_date) {
    EXPECT_EQ(read("docs/reference/config.md"), reference_markdown())
        << "regenerate with: suoke-gateway config docs > docs/reference/config.md";
}

TEST(Golden, the_example_of_a_dotenv_file_is_up_to_date) {
    EXPECT_EQ(read(".env.example"), env_example())
        << "regenerate with: suoke-gateway config env --example > .env.example";
}

TEST(Golden, the_example_of_a_dotenv_file_says_the_defaults) {
    std::string example = env_example();
    std::string given;
    std::istringstream lines(example);
    for (std::string line; std::getline(lines, line);)
        given += line.starts_with("#SUOKE_") ? line.substr(1) + "\n" : "";
    std::string path = scene::own_file("suoke-example.env");
    std::ofstream(path) << given;
    Sources sources;
    sources.dotenv_path = path;
    Loaded loaded = load(sources);
    EXPECT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
    EXPECT_EQ(loaded.config, Config{});
}

TEST(EnvTable, names_every_variable_with_its_key_and_default) {
    EXPECT_THAT(env_table(), testing::ContainsRegex("SUOKE_SERVER_PORT +server.port +8000\n"));
    EXPECT_THAT(env_table(), testing::ContainsRegex("\nPORT +server.port +8000\n"));
}

// ---- the schema ----

class Schema : public testing::Test {
 protected:
    nlohmann::json schema_ = nlohmann::json::parse(json_schema());
    const nlohmann::json& at(const char* pointer) {
        return schema_.at(nlohmann::json::json_pointer(pointer));
    }
};

TEST_F(Schema, knows_ranges_defaults_and_words) {
    EXPECT_EQ(schema_.at("$schema"), "https://json-schema.org/draft/2020-12/schema");
    EXPECT_EQ(at("/properties/server/properties/port/default"), 8000);
    EXPECT_EQ(at("/properties/server/properties/port/anyOf/0/maximum"), 65535);
    EXPECT_EQ(at("/properties/performance/properties/timeouts/properties/connect/default"), "5s");
    EXPECT_THAT(at("/properties/logging/properties/level/anyOf/0/enum"),
                testing::IsSupersetOf({"info", "INFO", "warn"}));
}

TEST_F(Schema, allows_no_other_keys) {
    EXPECT_EQ(at("/additionalProperties"), false);
    EXPECT_EQ(at("/properties/server/additionalProperties"), false);
    EXPECT_EQ(at("/properties/routes/items/additionalProperties"), false);
    EXPECT_EQ(at("/properties/middleware/additionalProperties"), false);
}

TEST_F(Schema, knows_other_spellings_and_keys_without_effect) {
    EXPECT_EQ(at("/properties/server/properties/rest/properties/port/description"),
              "The same as server.port.");
    EXPECT_THAT(at("/properties/tracing/description").get<std::string>(),
                HasSubstr("without effect in this version"));
    EXPECT_TRUE(at("/properties/routes/items/properties").contains("auth_required"));
    EXPECT_TRUE(at("/properties/services/anyOf/0/additionalProperties/properties")
                    .contains("health_check_path"));
    EXPECT_TRUE(at("/properties/logging/properties/file/anyOf/1/properties").contains("path"));
    EXPECT_TRUE(at("/properties/service_discovery/properties").contains("services"));
}

}  // namespace
}  // namespace suoke::config
