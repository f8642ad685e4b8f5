// SPDX-License-Identifier: MIT
// A route's transformations as a client and a service see them.
#include <gtest/gtest.h>

#include "testing/scene.h"

namespace suoke::scene {
namespace {

std::string transforming(const std::string& keys, const std::string& rest = {}) {
    return one_service("users", {.route = "transformations: {" + keys + "}", .rest = rest});
}
const std::string kToSnake = "request: {json: {case: snake}}";
const std::string kToCamel = "response: {json: {case: camel, drop_nulls: true}}";
const std::string kJson = "content-type: application/json\r\n";

TEST(TransformRequest, a_json_body_gets_its_new_shape_and_length) {
    Scene s(transforming(kToSnake));
    s.client() << post("/users", R"({ "userId": 1.10 })", kJson + "digest: sha-256=x\r\n");
    s.upstream("users") >> request("POST", "/users", R"({"user_id":1.10})").with("content-length", "16").without("digest") << ok("1");
    s.client() >> response(200, "1");
}

TEST(TransformRequest, one_that_comes_slowly_is_gathered) {
    Scene s(transforming(kToSnake));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\ncontent-type: application/merge-patch+json\r\ncontent-length: 12\r\n\r\n{\"user";
    Peer& upstream = s.upstream("users") >> request("POST", "/users").head_only().with("transfer-encoding", "chunked").without("content-length") >> silence();
    s.client() << "Id\":1}";
    upstream >> bytes(chunk("{\"user_id\":1}") + std::string(last_chunk)) << ok("1");
    s.client() >> response(200, "1");
}

TEST(TransformRequest, a_chunked_one_as_well) {
    Scene s(transforming(kToSnake));
    std::string body = chunk("{\"user") + chunk("Id\":1}") + std::string(last_chunk);
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\n" + kJson + "transfer-encoding: chunked\r\n\r\n" + body;
    s.upstream("users") >> request("POST", "/users", R"({"user_id":1})") << ok("1");
    s.client() >> response(200, "1");
}

TEST(TransformRequest, what_is_no_json_or_too_long_passes_as_it_is) {
    Scene s(transforming(kToSnake + ", max_body: 30"));
    for (const auto& [fields, body] : std::vector<std::pair<std::string, std::string>>{
             {kJson, R"({"userId":1,})"},
             {"content-type: text/plain\r\n", R"({"userId":1})"},
             {"", R"({"userId":1})"},
             {kJson + "content-encoding: gzip\r\n", R"({"userId":1})"},
             {kJson, R"({"userId":"longer than the limit"})"}}) {
        s.client() << post("/users", body, fields);
        s.upstream("users") >> request("POST", "/users", body).with("content-length", std::to_string(body.size())) << ok("1");
        s.client() >> response(200, "1");
    }
    std::string longer = R"({"userId":"longer than)";
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\n" + kJson + "transfer-encoding: chunked\r\n\r\n" + chunk(longer) + chunk(" the limit\"}");
    Peer& upstream = s.upstream("users") >> request("POST", "/users").head_only() >> bytes(chunk(longer + " the limit\"}"));
    s.client() << chunk("more") + std::string(last_chunk);
    upstream >> bytes(chunk("more") + std::string(last_chunk)) << ok("1");
    s.client() >> response(200, "1");
}

TEST(TransformRequest, may_be_sent_again_to_another_endpoint) {
    Scene s("services:\n  users: {endpoints: [{host: 10.0.0.1, port: 80}, {host: 10.0.0.2, port: 80}]}\nroutes:\n"
            "- {name: users, prefix: /users, service: users, strip_prefix: false, transformations: {" + kToSnake + "}}\n"
            "retry: {initial_delay: 1ms, max_delay: 1ms}\n");
    s.client() << "PUT /users HTTP/1.1\r\nhost: api\r\n" + kJson + "content-length: 12\r\n\r\n{\"userId\":1}";
    s.upstream("users") >> request("PUT", "/users", R"({"user_id":1})") << answer(503, "no");
    s.after(10ms);
    s.upstream("users") >> request("PUT", "/users", R"({"user_id":1})") << ok("1");
    s.client() >> response(200, "1");
}

// Its messages are frames; whoever waits for all of them waits for a stream to end.
TEST(TransformRequest, a_grpc_call_is_no_json_though_its_messages_may_be) {
    Scene s(transforming(kToSnake + ", " + kToCamel));
    const std::string type = "content-type: application/grpc+json\r\n";
    const std::string message = chunk(std::string("\0\0\0\0\x0c", 5) + R"({"userId":1})");
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\n" + type + "transfer-encoding: chunked\r\n\r\n" + message;
    Peer& upstream = s.upstream("users") >> request("POST", "/users").head_only() >> bytes(message);
    s.client() << last_chunk;
    upstream >> bytes(std::string(last_chunk)) << ok("", type + "grpc-status: 0\r\n");
    s.client() >> response(200, "").with("grpc-status", "0");
}

TEST(TransformRequest, edits_the_query_whatever_the_spelling) {
    Scene s(transforming("request: {set_query: {tenant: \"a b&c\"}, remove_query: [debug, \"x y\"]}"));
    for (const auto& [asked, got] : std::vector<std::pair<std::string, std::string>>{
             {"/users", "/users?tenant=a%20b%26c"},
             {"/users?a=1&debug=1&b", "/users?a=1&b&tenant=a%20b%26c"},
             {"/users?%64ebug=1&tenant=evil&t%65nant=evil&x+y=1&x%20y=2", "/users?tenant=a%20b%26c"},
             {"/users?debugger=1&&a=%2B", "/users?debugger=1&a=%2B&tenant=a%20b%26c"}}) {
        s.client() << get(asked);
        s.upstream("users") >> request("GET", got) << ok("1");
        s.client() >> response(200, "1");
    }
    Scene removes(transforming("request: {remove_query: [debug]}"));
    for (const auto& [asked, got] : std::vector<std::pair<std::string, std::string>>{{"/users?debug", "/users"}, {"/users?a==&&b", "/users?a==&&b"}}) {
        removes.client() << get(asked);
        removes.upstream("users") >> request("GET", got) << ok("1");
        removes.client() >> response(200, "1");
    }
}

TEST(TransformRequest, headers_are_the_routes_own_edits) {
    Scene s(transforming("request: {set_headers: {x-a: ours}, remove_headers: [x-b]}, response: {add_headers: {x-c: more}}"));
    s.client() << get("/users", "x-a: theirs\r\nx-b: gone\r\n");
    s.upstream("users") >> request("GET", "/users").with("x-a", "ours").without("x-b") << ok("1");
    s.client() >> response(200, "1").with("x-c", "more");
}

// ---- forms

const std::string kFromForm = "request: {from_form: true, json: {case: snake, set: {source: web}}}";
const std::string kForm = "content-type: application/x-www-form-urlencoded\r\n";

TEST(TransformForm, becomes_json_and_then_what_json_becomes) {
    Scene s(transforming(kFromForm));
    s.client() << post("/users", "firstName=Li+Shizhen&herb=a&herb=%E5%8F%82&source=theirs", "content-type: Application/X-WWW-Form-Urlencoded; charset=utf-8\r\n");
    s.upstream("users") >> request("POST", "/users", R"({"first_name":"Li Shizhen","herb":["a","参"],"source":"web"})").with("content-type", "application/json")
                        << ok("1");
    s.client() >> response(200, "1");
}

TEST(TransformForm, one_that_comes_slowly_is_gathered) {
    Scene s(transforming("request: {from_form: true}"));
    s.client() << "POST /users HTTP/1.1\r\nhost: api\r\n" + kForm + "content-length: 7\r\n\r\na=1";
    Peer& upstream = s.upstream("users") >> request("POST", "/users").head_only().with("transfer-encoding", "chunked").with("content-type", "application/json") >> silence();
    s.client() << "&b=2";
    upstream >> bytes(chunk(R"({"a":"1","b":"2"})") + std::string(last_chunk)) << ok("1");
    s.client() >> response(200, "1");
}

TEST(TransformForm, one_that_cannot_be_json_is_refused) {
    Scene s(transforming(kFromForm + ", max_body: 30"));
    s.client() << post("/users", "a=%zz", kForm);
    s.client() >> response(400).saying("malformed escape") << hang_up;
    s.client("2") << post("/users", "a=" + std::string(29, 'x'), kForm);
    s.client("2") >> response(413).saying("body_too_large") << hang_up;
    s.client("3") << "POST /users HTTP/1.1\r\nhost: api\r\n" + kForm + "transfer-encoding: chunked\r\n\r\n" + chunk("a=" + std::string(29, 'x'));
    s.client("3") >> response(413).saying("body_too_large") << hang_up;
    EXPECT_EQ(s.upstream("users").dials(), 0u);
}

TEST(TransformForm, other_bodies_are_what_they_were) {
    Scene s(transforming("request: {from_form: true}"));
    for (const auto& [fields, body] : std::vector<std::pair<std::string, std::string>>{
             {kJson, R"({"userId": 1})"}, {"content-type: multipart/form-data; boundary=b\r\n", "--b--"}, {kForm + "content-encoding: gzip\r\n", "a=1"}, {"", "a=1"}}) {
        s.client() << post("/users", body, fields);
        s.upstream("users") >> request("POST", "/users", body) << ok("1");
        s.client() >> response(200, "1");
    }
    Scene off(transforming(kToSnake));
    off.client() << post("/users", "userId=1", kForm);
    off.upstream("users") >> request("POST", "/users", "userId=1") << ok("1");
    off.client() >> response(200, "1");
}

// ---- answers

TEST(TransformResponse, a_json_body_gets_its_new_shape_and_length) {
    Scene s(transforming(kToCamel));
    s.client() << get("/users", "accept-encoding: gzip\r\nrange: bytes=0-3\r\nif-range: \"v1\"\r\n");
    s.upstream("users") >> request("GET", "/users").with("accept-encoding", "identity").without("range").without("if-range")
                               << ok(R"({"user_id": 18446744073709551616, "gone": null})", kJson + "etag: \"v1\"\r\naccept-ranges: bytes\r\n");
    s.client() >> response(200, R"({"userId":18446744073709551616})").with("content-length", "31").with("etag", "W/\"v1\"").without("accept-ranges");
}

TEST(TransformResponse, errors_of_the_service_as_well) {
    Scene s(transforming(kToCamel));
    s.client() << get("/users");
    s.upstream("users") >> request("GET", "/users") << answer(404, R"({"error_code":1})", "content-type: application/problem+json; charset=utf-8\r\n");
    s.client() >> response(404, R"({"errorCode":1})");
}

TEST(TransformResponse, one_that_comes_slowly_is_gathered) {
    Scene s(transforming(kToCamel));
    s.client() << get("/users");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    upstream << "HTTP/1.1 200 OK\r\n" + kJson + "transfer-encoding: chunked\r\n\r\n" + chunk("{\"user");
    upstream << chunk("_id\":1}") + std::string(last_chunk);
    s.client() >> response(200, R"({"userId":1})");
}

TEST(TransformResponse, what_is_no_json_or_too_long_passes_as_it_is) {
    Scene s(transforming(kToCamel + ", max_body: 30"));
    for (const auto& [fields, body] : std::vector<std::pair<std::string, std::string>>{
             {kJson, R"({"user_id":1,})"},
             {"content-type: text/plain\r\n", R"({"user_id":1})"},
             {kJson + "content-encoding: br\r\n", R"({"user_id":1})"},
             {kJson + "etag: \"v1\"\r\n", R"({"user_id":"longer than the limit"})"}}) {
        s.client() << get("/users");
        s.upstream("users") >> request("GET", "/users") << ok(body, fields);
        s.client() >> response(200, body);
    }
}

TEST(TransformResponse, a_service_that_breaks_off_is_no_answer) {
    Scene s(transforming(kToCamel));
    s.client() << get("/users");
    Peer& upstream = s.upstream("users") >> request("GET", "/users");
    upstream << "HTTP/1.1 200 OK\r\n" + kJson + "content-length: 100\r\n\r\n{\"user";
    upstream << hang_up;
    // The head was on its way already; its body must not look complete.
    s.client() >> response(200).head_only();
    EXPECT_EQ(s.client().unread().find("\r\n0\r\n"), std::string::npos);
    EXPECT_TRUE(s.client().ended());
    s.client().discards();
}

TEST(TransformResponse, what_comes_of_it_is_compressed_for_who_takes_that) {
    Scene s(transforming("response: {json: {set: {source: gateway}}}", "compression: {algorithms: [gzip], min_size: 10}\n"));
    s.client() << get("/users", "accept-encoding: gzip\r\n");
    std::string long_list = "[" + std::string(5000, ' ') + "{\"a\":\"" + std::string(500, 'a') + "\"}]";
    s.upstream("users") >> request("GET", "/users").with("accept-encoding", "identity") << ok(long_list, kJson);
    Message message = s.client().take_response();
    EXPECT_EQ(message.field("content-encoding"), "gzip");
    EXPECT_LT(message.body.size(), 100u);
}

}  // namespace
}  // namespace suoke::scene
