// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/api_version.h"
#include "config/load.h"

namespace suoke::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The first problem, or nothing.
std::string problem(const std::string& yaml) {
    Loaded loaded = load_text(yaml, "c.yaml");
    return loaded.problems.empty() ? "" : to_string(loaded.problems.front());
}

Config config(const std::string& yaml) {
    Loaded loaded = load_text(yaml, "c.yaml");
    for (const Problem& each : loaded.problems) ADD_FAILURE() << to_string(each);
    return loaded.config;
}

std::string with_route(const std::string& keys, const std::string& rest = {}) {
    return rest + "services: {users: {url: \"http://users\"}}\nroutes:\n- {name: r, prefix: /users, service: users, " + keys + "}\n";
}

// ---- compression

TEST(CompressionKeys, nothing_said_is_off_and_anything_said_is_on) {
    EXPECT_FALSE(config("").compression.on());
    EXPECT_TRUE(config("compression: {min_size: 2KB}\n").compression.on());
    EXPECT_TRUE(config("compression: true\n").compression.on());
    EXPECT_FALSE(config("compression: {enabled: false, min_size: 2KB}\n").compression.on());
    Config c = config("compression: {algorithms: [gzip, BR], gzip_level: 1, types: text/plain}\n");
    EXPECT_THAT(c.compression.algorithms, ElementsAre(ContentCoding::gzip, ContentCoding::br));
    EXPECT_THAT(c.compression.types, ElementsAre("text/plain"));
    EXPECT_EQ(c.compression.gzip_level, 1u);
}

TEST(CompressionKeys, the_predecessors_spelling_works) {
    EXPECT_TRUE(config("middleware: {compression: true}\n").compression.on());
    Config c = config("middleware: {compression: {enabled: true, minimum_size: 500, level: 9}}\n");
    EXPECT_TRUE(c.compression.on());
    EXPECT_EQ(c.compression.min_size, 500u);
    EXPECT_EQ(c.compression.gzip_level, 9u);
    Sources sources;
    sources.environment = {{"SUOKE_COMPRESSION_ENABLED", "true"}};
    EXPECT_TRUE(load(sources).config.compression.on());
}

TEST(CompressionKeys, a_route_has_the_rest_from_the_section) {
    Config c = config(with_route("compression: {min_size: 1}", "compression: {algorithms: gzip, breach_protection: false}\n"));
    const Compression& route = *c.routes.at(0).compression;
    EXPECT_TRUE(route.on());
    EXPECT_EQ(route.min_size, 1u);
    EXPECT_THAT(route.algorithms, ElementsAre(ContentCoding::gzip));
    EXPECT_FALSE(route.breach_protection);
    EXPECT_FALSE(config(with_route("compression: false", "compression: true\n")).routes.at(0).compression->on());
    EXPECT_TRUE(config(with_route("compression: {min_size: 1}")).routes.at(0).compression->on());
}

TEST(CompressionKeys, what_cannot_be_is_refused) {
    EXPECT_THAT(problem("compression: {algorithms: [deflate]}\n"), HasSubstr("must be one of br, zstd, gzip"));
    EXPECT_THAT(problem("compression: {algorithms: []}\n"), HasSubstr("names none"));
    EXPECT_THAT(problem("compression: {br_level: 11}\n"), HasSubstr("from 1 to 9"));
    for (const char* wrong : {"text", "*/*", "text/*/*", "text/a*b*", "a b/c", "/"})
        EXPECT_THAT(problem(std::string("compression: {types: [\"") + wrong + "\"]}\n"), HasSubstr("media type")) << wrong;
}

// ---- versions

TEST(VersioningKeys, are_read_and_passed_on_to_routes) {
    Config c = config(with_route("versioning: {supported: [v2], default: v2}",
                                 "versioning: {strategy: custom_header, strict: true, deprecated: {v1: {since: 2026-01-31, sunset: 2026-06-30, "
                                 "link: \"https://docs.suoke.life/v1\"}}}\n"));
    EXPECT_TRUE(c.versioning.on());
    EXPECT_EQ(c.versioning.strategy, VersionFrom::custom_header);
    EXPECT_EQ(c.versioning.deprecated.at("v1").sunset, "2026-06-30");
    EXPECT_TRUE(c.routes.at(0).versioning->strict);
    EXPECT_THAT(c.routes.at(0).versioning->supported, ElementsAre("v2"));
}

TEST(VersioningKeys, what_cannot_be_is_refused) {
    EXPECT_THAT(problem("versioning: {default: v3}\n"), HasSubstr("'v3' is none of those that are supported"));
    EXPECT_THAT(problem("versioning: {supported: [v1, one]}\n"), HasSubstr("must be a version"));
    EXPECT_THAT(problem("versioning: {deprecated: {v7: {}}}\n"), HasSubstr("'v7' is none of those"));
    EXPECT_THAT(problem("versioning: {deprecated: {v1: {sunset: tomorrow}}}\n"), HasSubstr("must be a day"));
    EXPECT_THAT(problem("versioning: {deprecated: {v1: {since: 2026-06-30, sunset: 2026-01-31}}}\n"), HasSubstr("before its deprecation"));
    EXPECT_THAT(problem("versioning: {deprecated: {v1: {link: \"x>; rel=a\"}}}\n"), HasSubstr("must be a URL"));
    EXPECT_EQ(problem("versioning: {enabled: false, default: v3}\n"), "");
}

TEST(ApiVersion, is_read_in_every_spelling) {
    EXPECT_EQ(parse_api_version("v1"), (ApiVersion{1, 0, 0}));
    EXPECT_EQ(parse_api_version("V2.1"), (ApiVersion{2, 1, 0}));
    EXPECT_EQ(parse_api_version("1.2.3"), (ApiVersion{1, 2, 3}));
    EXPECT_EQ(to_string(ApiVersion{1, 2, 3}), "v1.2.3");
    for (const char* wrong : {"", "v", "v1.", ".1", "v1.2.3.4", "vv1", "v-1", "v1a", "v99999999999", "1 "}) EXPECT_FALSE(parse_api_version(wrong)) << wrong;
    EXPECT_LT((ApiVersion{1, 9, 0}), (ApiVersion{1, 10, 0}));
}

TEST(ApiVersion, days_and_times_are_read) {
    EXPECT_EQ(parse_day("2025-01-01"), WallTime(1'735'689'600s));
    EXPECT_EQ(parse_day("2025-01-01T01:00:01Z"), WallTime(1'735'693'201s));
    EXPECT_TRUE(parse_day("2024-02-29"));
    for (const char* wrong : {"", "2025-02-29", "2025-13-01", "2025-1-1", "25-01-01", "2025-01-01T25:00:00Z", "2025-01-01T01:00:00", "2025/01/01"})
        EXPECT_FALSE(parse_day(wrong)) << wrong;
}

// ---- transformations

TEST(TransformationKeys, headers_become_the_routes_own_edits) {
    Config c = config(with_route("request_headers: {set: {X-A: \"1\"}}, transformations: {request: {set_headers: {X-B: \"2\"}, add_headers: {X-C: \"3\"}}, "
                                 "response: {remove_headers: [Server]}}"));
    const Route& route = c.routes.at(0);
    EXPECT_EQ(route.request_headers.set.at("X-A"), "1");
    EXPECT_EQ(route.request_headers.set.at("X-B"), "2");
    EXPECT_EQ(route.request_headers.add.at("X-C"), "3");
    EXPECT_THAT(route.response_headers.remove, ElementsAre("Server"));
    EXPECT_THAT(route.transformations->request.set_headers, IsEmpty());
    EXPECT_THAT(problem(with_route("request_headers: {set: {X-A: \"1\"}}, transformations: {request: {set_headers: {X-A: \"2\"}}}")),
                HasSubstr("says something else of X-A"));
}

TEST(TransformationKeys, a_whole_one_is_read) {
    Config c = config(with_route("transformations: {max_body: 64KB, request: {set_query: {v: \"1\"}, remove_query: [debug], json: {case: snake_case}}, "
                                 "response: {json: {rename: {user.mail: email}, remove: [secret], set: {source: gateway}, case: camel, drop_nulls: true}}}"));
    const Transformations& made = *c.routes.at(0).transformations;
    EXPECT_EQ(made.max_body, 65536u);
    EXPECT_EQ(made.request.set_query.at("v"), "1");
    EXPECT_EQ(made.request.json.key_case, KeyCase::snake);
    EXPECT_EQ(made.response.json.rename.at("user.mail"), "email");
    EXPECT_EQ(made.response.json.key_case, KeyCase::camel);
    EXPECT_TRUE(made.response.json.drop_nulls);
}

TEST(TransformationKeys, what_contradicts_itself_is_refused) {
    auto response_json = [](const std::string& json) { return problem(with_route("transformations: {response: {json: {" + json + "}}}")); };
    EXPECT_THAT(response_json("rename: {a.b: c}, remove: [a]"), HasSubstr("takes out 'a.b'"));
    EXPECT_THAT(response_json("set: {a: 1}, remove: [a]"), HasSubstr("takes out 'a'"));
    EXPECT_THAT(response_json("set: {a: 1, a.b: 2}"), HasSubstr("both 'a' and 'a.b'"));
    EXPECT_THAT(response_json("rename: {a..b: c}"), HasSubstr("with a dot between"));
    EXPECT_THAT(response_json("rename: {a: \"\"}"), HasSubstr("must not be empty"));
    EXPECT_EQ(response_json("rename: {a: b}, remove: [ab], set: {abc: 1}"), "");
    EXPECT_THAT(problem("routes: [{name: r, respond: {}, transformations: {response: {json: {case: snake}}}}]\n"), HasSubstr("answers itself"));
    EXPECT_EQ(problem("routes: [{name: r, respond: {}, transformations: {response: {set_headers: {X-A: b}}}}]\n"), "");
}

}  // namespace
}  // namespace suoke::config
