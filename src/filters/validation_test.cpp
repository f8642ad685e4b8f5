// SPDX-License-Identifier: MIT
#include <fstream>

#include "testing/files.h"
#include "testing/scene.h"

namespace suoke::scene {
namespace {

const std::string kJson = "content-type: application/json\r\n";

std::string validating(const std::string& keys) { return one_service("users", {.route = "validation: {" + keys + "}", .service = {}, .rest = {}}); }

// A person: a name, and perhaps an age.
const std::string kPerson =
    R"(body: '{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0}},"additionalProperties":false}')";

std::string chunked(std::string_view fields) { return "POST /users HTTP/1.1\r\nhost: api\r\ntransfer-encoding: chunked\r\n" + std::string(fields) + "\r\n"; }

TEST(Validation, a_body_that_fits_its_schema_goes_on_as_it_is) {
    Scene s(validating(kPerson));
    s.client() << post("/users", R"({"name": "Ada"} )", kJson);
    s.upstream("users") >> request("POST", "/users", R"({"name": "Ada"} )") << ok("made");
    s.client() >> response(200, "made");
    s.client() << chunked("content-type: application/merge-patch+json\r\n") + chunk(R"({"name")") + chunk(R"(:"Bob"})") + std::string(last_chunk);
    s.upstream("users") >> request("POST", "/users", R"({"name":"Bob"})").in_chunks() << ok("made");
    s.client() >> response(200, "made");
}

TEST(Validation, a_body_that_does_not_fit_is_told_all_that_is_wrong_with_it) {
    Scene s(validating(kPerson));
    s.client() << post("/users", R"({"age":-1,"more":true})", kJson);
    s.client() >> response(422)
                      .saying(R"("error":"Validation error")")
                      .saying(R"({"type":"missing","loc":["body","name"],"msg":"Field required","pointer":"/name"})")
                      .saying(R"("loc":["body","age"])")
                      .saying(R"("type":"extra_forbidden")")
                      .saying(R"("code":"invalid_request")");
    EXPECT_EQ(s.upstream("users").dials(), 0u);
    EXPECT_EQ(s.counted(Code::invalid_request), 1u);
}

TEST(Validation, who_asks_for_problem_details_gets_the_list_as_well) {
    Scene s(validating(kPerson));
    s.client() << post("/users", "{}", kJson + "accept: application/problem+json\r\n");
    s.client() >> response(422).with("content-type", "application/problem+json").saying(R"("errors":[{"type":"missing")");
}

TEST(Validation, json_is_refused_at_its_first_bad_byte_before_it_is_whole) {
    Scene s(validating(kPerson));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\n" + kJson + "content-length: 1000\r\n\r\n{\"name\":,";
    s.client() >> response(422).saying("json_invalid").with("connection", "close");
    EXPECT_EQ(s.upstream("users").dials(), 0u);
}

TEST(Validation, without_a_schema_a_body_passes_as_it_comes_and_breaks_off_where_it_goes_wrong) {
    Scene s(validating("max_depth: 2"));
    s.client() << chunked(kJson) + chunk("[1,");
    Peer& upstream = s.upstream("users") >> request("POST", "/users").head_only() >> bytes(chunk("[1,"));
    s.client() << chunk("[[2]]]");
    s.client() >> response(422).saying("json_too_deep").with("connection", "close");
    EXPECT_TRUE(upstream.ended());
    EXPECT_EQ(s.counted(Code::invalid_request), 1u);
}

TEST(Validation, the_end_of_a_text_that_is_not_whole_never_reaches_the_service) {
    Scene s(validating("max_depth: 8"));
    s.client() << chunked(kJson) + chunk("[1");
    Peer& upstream = s.upstream("users") >> request("POST", "/users").head_only() >> bytes(chunk("[1"));
    s.client() << last_chunk;
    s.client() >> response(422).saying("ends too early");
    EXPECT_TRUE(upstream.ended());
    EXPECT_EQ(upstream.unread(), "");
}

TEST(Validation, a_key_twice_is_refused_unless_that_is_switched_off) {
    {
        Scene s(validating("max_depth: 8"));
        s.client() << post("/users", R"({"a":1,"a":2})", kJson);
        s.client() >> response(422).saying("json_duplicate_key");
    }
    Scene s(validating("reject_duplicate_keys: false"));
    s.client() << post("/users", R"({"a":1,"a":2})", kJson);
    s.upstream("users") >> request("POST", "/users", R"({"a":1,"a":2})") << ok("");
    s.client() >> response(200);
}

TEST(Validation, what_is_not_json_is_not_looked_into_without_a_schema) {
    Scene s(validating("max_depth: 2"));
    s.client() << post("/users", "{{{", "content-type: text/plain\r\n");
    s.upstream("users") >> request("POST", "/users", "{{{") << ok("");
    s.client() >> response(200);
}

TEST(Validation, a_body_with_a_schema_has_a_size_and_a_type) {
    Scene s(validating(kPerson + ", max_size: 20"));
    s.client() << post("/users", R"({"name":"0123456789abcdef"})", kJson);
    s.client() >> response(413).saying("body_too_large") << hang_up;
    s.client("2") << chunked(kJson) + chunk(R"({"name":"01234)") + chunk(R"(56789abcdef"})");
    s.client("2") >> response(413).saying("body_too_large") << hang_up;
    for (const std::string& fields : {std::string(), std::string("content-type: text/plain\r\n"), kJson + "content-encoding: gzip\r\n", kJson + kJson}) {
        s.client("3" + fields) << post("/users", "{}", fields);
        s.client("3" + fields) >> response(415).saying("unsupported_media") << hang_up;
    }
    EXPECT_EQ(s.upstream("users").dials(), 0u);
}

TEST(Validation, a_body_says_once_what_it_is) {
    Scene s(validating("max_depth: 8, multipart: {max_file_size: 8}"));
    const std::string form = "content-type: multipart/form-data; boundary=b\r\n";
    const std::string good = "content-type: application/json; charset=UTF-8\r\n";
    s.client() << post("/users", "[1]", good + "content-encoding: identity\r\n");
    s.upstream("users") >> request("POST", "/users", "[1]") << ok("");
    s.client() >> response(200);
    for (const std::string& fields : {kJson + kJson, form + form, std::string("content-type: application/json, text/plain\r\n"),
                                      std::string("content-type: application/json; charset=utf-7\r\n"),
                                      std::string("content-type: application/json; charset=utf-8; charset=utf-7\r\n"),
                                      std::string("content-type: application/json; charset*=us-ascii''utf-7\r\n"),
                                      kJson + "content-encoding: identity\r\ncontent-encoding: gzip\r\n",
                                      std::string("content-type: multipart/mixed; boundary=b\r\n")}) {
        s.client(fields) << post("/users", "[1]", fields);
        s.client(fields) >> response(415).saying("unsupported_media") << hang_up;
    }
}

TEST(Validation, other_multipart_types_pass_where_they_are_listed) {
    Scene s(validating("content_types: [multipart/*], multipart: {max_file_size: 8}"));
    s.client() << post("/users", "anything", "content-type: multipart/related; boundary=b\r\n");
    s.upstream("users") >> request("POST", "/users", "anything") << ok("");
    s.client() >> response(200);
}

// Whoever asks for a WebSocket may be answered like anybody else.
TEST(Validation, the_query_and_fields_of_a_websocket_must_fit_as_well) {
    Scene s(validating(R"(query: '{"properties":{"limit":{"type":"integer"}}}')"));
    const std::string handshake = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    s.client() << get("/users?limit=ten", handshake);
    s.client() >> response(422).saying(R"("loc":["query","limit"])");
    EXPECT_EQ(s.upstream("users").dials(), 0u);
}

TEST(Validation, a_body_that_is_needed_must_be_there) {
    Scene s(validating(kPerson));
    s.client() << post("/users", "");
    s.client() >> response(422).saying(R"("loc":["body"])").saying("Field required");
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << ok("all");
    s.client() >> response(200, "all");
}

TEST(Validation, content_types_are_those_that_are_listed) {
    Scene s(validating("content_types: [image/*]"));
    s.client() << post("/users", "x", "content-type: text/plain\r\n");
    s.client() >> response(415) << hang_up;
    s.client("2") << post("/users", "x", "content-type: image/png\r\n");
    s.upstream("users") >> request("POST", "/users", "x") << ok("");
    s.client("2") >> response(200);
}

TEST(Validation, query_and_fields_are_read_by_their_types) {
    Scene s(validating(R"(query: '{"properties":{"limit":{"type":"integer","maximum":10},"tag":{"type":"array","items":{"enum":["a b","c"]}}},"additionalProperties":false}', )"
                       R"(headers: '{"properties":{"X-Level":{"type":"number"}},"required":["X-Level"]}')"));
    s.client() << get("/users?limit=10&tag=a+b&tag=c", "x-level: 1.5\r\n");
    s.upstream("users") >> request("GET", "/users?limit=10&tag=a+b&tag=c") << ok("all");
    s.client() >> response(200, "all");
    s.client() << get("/users?limit=eleven&tag=d&other=1");
    s.client() >> response(422)
                      .saying(R"("loc":["query","limit"])")
                      .saying(R"("pointer":"/tag/0")")
                      .saying(R"("loc":["query","other"])")
                      .saying(R"("loc":["header","x-level"])");
}

TEST(Validation, forms_are_held_to_their_limits_while_they_pass) {
    Scene s(validating("multipart: {max_file_size: 8, types: [image/png]}"));
    const std::string type = "content-type: multipart/form-data; boundary=b\r\n";
    const std::string head = "--b\r\nContent-Disposition: form-data; name=f; filename=x\r\nContent-Type: image/png\r\n\r\n";
    s.client() << post("/users", head + "12345678\r\n--b--\r\n", type);
    s.upstream("users") >> request("POST", "/users", head + "12345678\r\n--b--\r\n") << ok("");
    s.client() >> response(200);
    s.client("2") << chunked(type) + chunk(head + "1234");
    Peer& upstream = s.upstream("users") >> request("POST", "/users").head_only() >> bytes(chunk(head + "1234"));
    s.client("2") << chunk("56789");
    s.client("2") >> response(413).saying("Files may have at most");
    EXPECT_TRUE(upstream.ended());
    s.client("3") << post("/users", "--b\r\n\r\n", type);
    s.client("3") >> response(422).saying("multipart_invalid") << hang_up;
    s.client("4") << post("/users", "--b--", "content-type: multipart/form-data\r\n");
    s.client("4") >> response(415).saying("boundary") << hang_up;
}

TEST(Validation, an_api_description_says_what_each_operation_takes) {
    std::string path = own_file("users.yaml");
    std::ofstream(path) << "openapi: 3.0.3\npaths:\n  /people/{id}:\n    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]\n"
                           "    get: {}\n    put: {requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name]}}}}}\n";
    Scene s("services:\n  users: {endpoints: [{host: 10.0.0.1, port: 80}]}\n"
            "routes:\n  - {prefix: /users, service: users, validation: {openapi_file: " + path + "}}\n");
    s.client() << get("/users/people/7");
    s.upstream("users") >> request("GET", "/people/7") << ok("seven");
    s.client() >> response(200, "seven");
    s.client() << get("/users/people/x");
    s.client() >> response(422).saying(R"("loc":["path","id"])");
    s.client() << get("/users/animals/7");
    s.client() >> response(404).saying("the API has no such path");
    s.client() << post("/users/people/7", "{}", kJson);
    s.client() >> response(405).with("allow", "GET, PUT") << hang_up;
    s.client("2") << "PUT /users/people/7 HTTP/1.1\r\nhost: api\r\n" + kJson + "content-length: 2\r\n\r\n{}";
    s.client("2") >> response(422).saying(R"("pointer":"/name")");
}

TEST(Validation, a_body_that_a_description_requires_must_be_there_whatever_the_method) {
    std::string path = own_file("bulk.yaml");
    std::ofstream(path) << "openapi: 3.0.3\npaths:\n  /people:\n    delete: {requestBody: {required: true, content: {application/json: {}}}}\n";
    Scene s("services:\n  users: {endpoints: [{host: 10.0.0.1, port: 80}]}\n"
            "routes:\n  - {prefix: /users, service: users, validation: {openapi_file: " + path + "}}\n");
    s.client() << "DELETE /users/people HTTP/1.1\r\nhost: api\r\n\r\n";
    s.client() >> response(422).saying(R"("loc":["body"])");
    EXPECT_EQ(s.upstream("users").dials(), 0u);
}

TEST(Validation, what_is_not_below_the_base_is_not_the_root_of_the_description) {
    std::string path = own_file("root.yaml");
    std::ofstream(path) << "openapi: 3.0.3\npaths:\n  /: {get: {}}\n";
    Scene s("services:\n  users: {endpoints: [{host: 10.0.0.1, port: 80}]}\n"
            "routes:\n  - {prefix: /api, service: users, strip_prefix: false, validation: {openapi_file: " + path + ", openapi_base: /api/v1}}\n");
    s.client() << get("/api/v1/");
    s.upstream("users") >> request("GET", "/api/v1/") << ok("root");
    s.client() >> response(200, "root");
    for (const char* other : {"/api/other", "/api/v10", "/api"}) {
        s.client() << get(other);
        s.client() >> response(404).saying("the API has no such path");
    }
}

TEST(Validation, a_schema_that_is_no_good_is_a_problem_of_the_configuration) {
    auto loaded = config::load_text(validating(R"(body: '{"type":"txt"}')"), "c.yaml");
    ASSERT_TRUE(loaded.ok());
    std::vector<config::Problem> problems;
    EXPECT_FALSE(app::compile(loaded.config, {}, 1, problems));
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_EQ(problems.front().key, "routes[0].validation");
    EXPECT_EQ(problems.front().place.line, 4);
}

}  // namespace
}  // namespace suoke::scene
