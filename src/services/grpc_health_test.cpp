// SPDX-License-Identifier: MIT
#include "services/grpc_health.h"

#include <gtest/gtest.h>

namespace suoke::services {
namespace {

using namespace std::string_literals;

TEST(GrpcHealth, the_question_names_a_service_or_none) {
    EXPECT_EQ(grpc_health_question(""), "\0\0\0\0\0"s);
    EXPECT_EQ(grpc_health_question("users"), "\0\0\0\0\7\x0a\5users"s);
    std::string longer(200, 's');
    EXPECT_EQ(grpc_health_question(longer), "\0\0\0\0\xcb\x0a\xc8\1"s + longer);
}

TEST(GrpcHealth, the_status_is_read_whatever_stands_around_it) {
    EXPECT_EQ(*read_serving_status(""), 0u);
    EXPECT_EQ(*read_serving_status("\x08\x01"), 1u);
    EXPECT_EQ(*read_serving_status("\x08\x02\x08\x01"), 1u) << "the last one counts";
    EXPECT_EQ(*read_serving_status("\x12\x03" "abc\x08\x01"), 1u) << "length-delimited";
    EXPECT_EQ(*read_serving_status("\x15" "abcd\x19" "abcdefgh\x20\x80\x01\x08\x01"), 1u);
}

TEST(GrpcHealth, what_is_cut_off_or_no_protobuf_is_refused) {
    for (const std::string& bytes : {"\x08"s, "\x08\x80"s, "\x0a\x01"s, "\x0a\x00"s, "\x12\x05" "abc"s, "\x00\x00"s, "\x13"s, "\x14"s, "\x16"s,
                                     "\x15" "abc"s, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"s,
                                     "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"s, "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s})
        EXPECT_FALSE(read_serving_status(bytes)) << ::testing::PrintToString(bytes);
}

class Judging : public ::testing::Test {
 protected:
    Judging() {
        response.status = 200;
        response.fields = {{"content-type", "application/grpc+proto"}};
        response.trailers = {{"grpc-status", "0"}};
        response.body = "\0\0\0\0\2\x08\1"s;
    }
    std::string said() {
        auto error = judge_grpc_health(response, "users");
        return error ? error->detail : "well";
    }
    upstream::FetchResponse response;
};

TEST_F(Judging, a_server_that_serves_is_well) { EXPECT_EQ(said(), "well"); }

TEST_F(Judging, every_other_status_is_said) {
    response.body.back() = 2;
    EXPECT_EQ(said(), "says NOT_SERVING");
    response.body.back() = 3;
    EXPECT_EQ(said(), "says SERVICE_UNKNOWN of \"users\"");
    response.body.back() = 0;
    EXPECT_EQ(said(), "says UNKNOWN");
    response.body.back() = 77;
    EXPECT_EQ(said(), "says UNKNOWN");
}

TEST_F(Judging, a_failed_call_is_named) {
    response.body.clear();
    response.trailers = {{"grpc-status", "5"}, {"grpc-message", "unknown%20service"}};
    EXPECT_EQ(said(), "does not know the service \"users\" (unknown service)");
    response.fields.push_back({"grpc-status", "12"});
    response.trailers.clear();
    EXPECT_EQ(said(), "does not implement grpc.health.v1.Health") << "trailers only";
    response.fields.back().value = "99";
    EXPECT_NE(said().find("without a valid grpc-status"), std::string::npos);
}

TEST_F(Judging, what_is_no_grpc_is_not_well) {
    response.status = 404;
    EXPECT_NE(said().find("HTTP status 404"), std::string::npos);
    response.status = 200;
    response.fields = {{"content-type", "text/html"}};
    EXPECT_NE(said().find("does not speak gRPC"), std::string::npos);
}

TEST_F(Judging, the_answer_is_exactly_one_message) {
    std::string one = response.body;
    for (const std::string& body : {""s, one + one, one + "\0"s, one.substr(0, 6), "\1"s + one.substr(1), "\0\xff\xff\xff\xff"s}) {
        response.body = body;
        EXPECT_NE(said(), "well") << ::testing::PrintToString(body);
    }
}

}  // namespace
}  // namespace suoke::services
