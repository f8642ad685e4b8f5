// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace suoke::config {
namespace {

using testing::HasSubstr;

std::string with_route(const std::string& keys, const std::string& rest = {}) {
    return "services:\n  users: {host: 127.0.0.1, port: 80}\nroutes:\n  - {prefix: /users, service: users, " + keys + "}\n" + rest;
}

// The first problem, or nothing.
std::string problem(const std::string& yaml) {
    Loaded loaded = load_text(yaml, "c.yaml");
    return loaded.problems.empty() ? "" : to_string(loaded.problems.front());
}

TEST(ValidationKeys, a_schema_may_be_text_or_say_its_file) {
    Loaded loaded = load_text(with_route("validation: {body: '{\"type\": \"object\"}', query: {schema_file: q.json}, max_depth: 8, "
                                         "content_types: [application/json, 'application/*+json'], multipart: {max_parts: 3, types: [image/*]}}"),
                              "c.yaml");
    ASSERT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
    const Validation& rules = *loaded.config.routes.front().validation;
    EXPECT_EQ(rules.body->schema, R"({"type": "object"})");
    EXPECT_EQ(rules.query->schema_file, "q.json");
    EXPECT_EQ(rules.max_depth, 8u);
    EXPECT_EQ(rules.multipart->max_parts, 3u);
    EXPECT_EQ(rules.multipart->max_file_size, 10u << 20);
}

TEST(ValidationKeys, a_schema_has_one_source) {
    EXPECT_THAT(problem(with_route("validation: {body: {schema: '{}', schema_file: a.json}}")), HasSubstr("validation.body: needs one of schema and schema_file"));
    EXPECT_THAT(problem(with_route("validation: {headers: {}}")), HasSubstr("needs one of"));
}

TEST(ValidationKeys, what_cannot_work_together_is_said) {
    EXPECT_THAT(problem(with_route("validation: {openapi_base: /api}")), HasSubstr("needs openapi_file"));
    EXPECT_THAT(problem(with_route("validation: {body: '{}', content_types: [text/plain]}")), HasSubstr("no type that is JSON"));
    EXPECT_THAT(problem("routes:\n  - {path: /a, respond: {body: x}, validation: {max_depth: 3}}\n"), HasSubstr("this route answers itself"));
}

TEST(ValidationKeys, media_types_are_media_types) {
    for (const char* wrong : {"json", "/json", "application/", "a b/c"})
        EXPECT_THAT(problem(with_route(std::string("validation: {content_types: ['") + wrong + "']}")), HasSubstr("must be a media type")) << wrong;
}

TEST(IdempotencyKeys, a_route_that_says_something_wants_it_and_has_the_rest_from_the_section) {
    Loaded loaded = load_text(with_route("idempotency: {anonymous: true, max_body: 4KB}", "idempotency: {lifetime: 1h, methods: [PUT]}\n"), "c.yaml");
    ASSERT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
    const Idempotency& rules = *loaded.config.routes.front().idempotency;
    EXPECT_TRUE(rules.enabled);
    EXPECT_EQ(rules.lifetime, 1h);
    EXPECT_EQ(rules.methods, std::vector<std::string>{"PUT"});
    EXPECT_EQ(rules.max_body, 4096u);
    EXPECT_FALSE(loaded.config.idempotency.enabled);
}

TEST(IdempotencyKeys, true_and_false_are_short_for_enabled) {
    EXPECT_FALSE(load_text(with_route("idempotency: false", "idempotency: {enabled: true}\n"), "c.yaml").config.routes.front().idempotency->enabled);
}

TEST(IdempotencyKeys, keys_need_somebody_they_belong_to) {
    EXPECT_THAT(problem(with_route("idempotency: true", "auth: {enabled: false}\n")), HasSubstr("this route lets anybody in"));
    EXPECT_EQ(problem(with_route("idempotency: {anonymous: true}", "auth: {enabled: false}\n")), "");
}

TEST(IdempotencyKeys, times_that_make_no_sense_are_refused) {
    EXPECT_THAT(problem(with_route("idempotency: {anonymous: true, lifetime: 10ms}")), HasSubstr("nobody could ask again"));
}

}  // namespace
}  // namespace suoke::config
