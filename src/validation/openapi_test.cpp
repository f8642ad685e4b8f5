// SPDX-License-Identifier: MIT
#include "validation/openapi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace suoke::validation {
namespace {

using testing::HasSubstr;

const char* const kUsers = R"(
openapi: 3.0.3
info: {title: users, version: "1"}
paths:
  /users:
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
        - {name: tag, in: query, schema: {type: array, items: {type: string, maxLength: 3}}}
        - {name: id, in: query, explode: false, schema: {type: array, items: {type: integer}}}
        - {$ref: '#/components/parameters/Tenant'}
    post:
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/User'}}
          image/*: {}
  /users/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer}}
    get: {}
    delete:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string, minLength: 3}}
  /users/me:
    get: {}
  /files/{name}.json:
    get: {}
components:
  parameters:
    Tenant: {name: X-Tenant, in: header, required: true, schema: {type: string, enum: [a, b]}}
  schemas:
    User:
      type: object
      required: [id, name]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string}
        note: {type: string, nullable: true}
        friends: {type: array, items: {$ref: '#/components/schemas/User'}}
)";

OpenApi users() {
    auto document = read_document(kUsers);
    if (!document) ADD_FAILURE() << document.error().detail;
    auto api = OpenApi::read(**document);
    if (!api) ADD_FAILURE() << api.error().detail;
    return std::move(*api);
}

std::string told(const Faults& faults) {
    std::string out;
    for (const Fault& fault : faults) out += (out.empty() ? "" : ", ") + fault.where + pointer_to(fault.place) + " " + fault.type;
    return out;
}

std::string faults_of(const Operation& operation, Parameters::In in, const std::vector<Given>& given) {
    Faults faults;
    for (const Parameters& group : operation.parameters)
        if (group.in() == in) group.check(given, faults);
    return told(faults);
}

TEST(OpenApi, finds_the_operation_by_path_and_method_the_concrete_one_first) {
    OpenApi api = users();
    EXPECT_EQ(api.size(), 6u);
    OpenApi::Found found = api.find("GET", "/users/7");
    ASSERT_TRUE(found.operation);
    ASSERT_EQ(found.path.size(), 1u);
    EXPECT_EQ(found.path.front().value, "7");
    EXPECT_TRUE(api.find("GET", "/users/me").path.empty());
    EXPECT_TRUE(api.find("HEAD", "/users").operation);
    EXPECT_FALSE(api.find("GET", "/nobody").operation);
    EXPECT_FALSE(api.find("GET", "/users/").operation);
    EXPECT_EQ(api.find("GET", "/files/a%20b.json").path.front().value, "a b");
    EXPECT_FALSE(api.find("GET", "/files/.json").operation);
}

TEST(OpenApi, a_path_that_is_known_says_its_methods) {
    OpenApi::Found found = users().find("PUT", "/users");
    EXPECT_FALSE(found.operation);
    EXPECT_EQ(found.allow, "GET, POST");
}

TEST(OpenApi, parameters_are_what_their_schema_says_they_are) {
    OpenApi api = users();
    const Operation& list = *api.find("GET", "/users").operation;
    EXPECT_EQ(faults_of(list, Parameters::In::query, {{"limit", "10"}, {"tag", "a"}, {"tag", "b"}, {"id", "1,2"}, {"other", "x"}}), "");
    EXPECT_EQ(faults_of(list, Parameters::In::query, {{"limit", "x"}}), "query/limit int_type");
    EXPECT_EQ(faults_of(list, Parameters::In::query, {{"limit", "101"}}), "query/limit less_than_equal");
    EXPECT_EQ(faults_of(list, Parameters::In::query, {{"limit", "1"}, {"limit", "2"}}), "query/limit int_type");
    EXPECT_EQ(faults_of(list, Parameters::In::query, {{"tag", "abcd"}}), "query/tag/0 string_too_long");
    EXPECT_EQ(faults_of(list, Parameters::In::query, {{"id", "1,x"}}), "query/id/1 int_type");
    EXPECT_EQ(faults_of(list, Parameters::In::header, {{"x-tenant", "a"}}), "");
    EXPECT_EQ(faults_of(list, Parameters::In::header, {}), "header/x-tenant missing");
}

TEST(OpenApi, an_operation_may_say_a_parameter_of_its_path_anew) {
    OpenApi api = users();
    EXPECT_EQ(faults_of(*api.find("GET", "/users/7").operation, Parameters::In::path, {{"id", "x"}}), "path/id int_type");
    EXPECT_EQ(faults_of(*api.find("DELETE", "/users/7").operation, Parameters::In::path, {{"id", "ab"}}), "path/id string_too_short");
}

TEST(OpenApi, bodies_go_by_their_media_type) {
    OpenApi api = users();
    const Operation& post = *api.find("POST", "/users").operation;
    EXPECT_TRUE(post.body_required);
    EXPECT_FALSE(post.rule_for("text/plain"));
    ASSERT_TRUE(post.rule_for("image/png"));
    EXPECT_FALSE(post.rule_for("image/png")->schema);
    Faults faults;
    check_body(*post.rule_for("Application/JSON")->schema, R"({"name":"Ada","note":null,"friends":[{"name":7}]})", faults);
    EXPECT_EQ(told(faults), "body/friends/0/name string_type");
}

TEST(OpenApi, a_schema_of_a_range_holds_for_the_json_in_it) {
    auto document = read_document("openapi: 3.0.3\npaths:\n  /a: {post: {requestBody: {content: {'*/*': {schema: {type: object}}, "
                                  "image/*: {schema: {type: object}}}}}}\n"
                                  "  /b: {post: {requestBody: {content: {'*/*': {schema: {type: string, format: binary}}}}}}\n");
    ASSERT_TRUE(document) << document.error().detail;
    auto api = OpenApi::read(**document);
    ASSERT_TRUE(api) << api.error().detail;
    EXPECT_TRUE(api->find("POST", "/a").operation->rule_for("application/json")->schema);
    EXPECT_FALSE(api->find("POST", "/a").operation->rule_for("image/png")->schema);
    EXPECT_FALSE(api->find("POST", "/b").operation->rule_for("application/json")->schema);   // any bytes
}

std::string why_not(const std::string& paths) {
    auto document = read_document("openapi: 3.1.0\npaths:\n" + paths);
    if (!document) return document.error().detail;
    auto api = OpenApi::read(**document);
    return api ? "" : api.error().detail;
}

TEST(OpenApi, what_is_not_understood_is_refused_and_says_where) {
    EXPECT_THAT(why_not("  /a: {get: {parameters: [{name: f, in: query, style: deepObject, schema: {type: object}}]}}\n"), HasSubstr("GET /a f: the style 'deepObject'"));
    EXPECT_THAT(why_not("  /a: {get: {parameters: [{name: f, in: query, content: {}}]}}\n"), HasSubstr("content"));
    EXPECT_THAT(why_not("  /a: {get: {parameters: [{$ref: '#/x'}]}}\n"), HasSubstr("refers to nothing"));
    EXPECT_THAT(why_not("  /a/{b}{c}: {get: {}}\n"), HasSubstr("more than one parameter"));
    EXPECT_THAT(why_not("  /a: {post: {requestBody: {content: {application/json: {schema: {type: txt}}}}}}\n"), HasSubstr("POST /a requestBody application/json"));
    auto swagger = read_document(R"({"swagger": "2.0", "paths": {}})");
    ASSERT_TRUE(swagger);
    EXPECT_THAT(OpenApi::read(**swagger).error().detail, HasSubstr("should be 3.0 or 3.1"));
}

}  // namespace
}  // namespace suoke::validation
