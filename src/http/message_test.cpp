// SPDX-License-Identifier: MIT
#include "http/message.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace suoke::http {
namespace {

TEST(Method, is_known_only_in_its_exact_spelling) {
    EXPECT_EQ(method_of("GET"), Method::GET);
    EXPECT_EQ(method_of("HEAD"), Method::HEAD);
    EXPECT_EQ(method_of("POST"), Method::POST);
    EXPECT_EQ(method_of("PUT"), Method::PUT);
    EXPECT_EQ(method_of("DELETE"), Method::DELETE);
    EXPECT_EQ(method_of("CONNECT"), Method::CONNECT);
    EXPECT_EQ(method_of("OPTIONS"), Method::OPTIONS);
    EXPECT_EQ(method_of("TRACE"), Method::TRACE);
    EXPECT_EQ(method_of("PATCH"), Method::PATCH);
    for (std::string_view name : {"", "get", "Get", "GETS", "QUERY", "PROPFIND", "FOO"})
        EXPECT_EQ(method_of(name), Method::other) << name;
}

TEST(Method, is_idempotent_as_rfc_9110_says) {
    for (Method m :
         {Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE})
        EXPECT_TRUE(is_idempotent(m));
    for (Method m : {Method::POST, Method::PATCH, Method::CONNECT, Method::other})
        EXPECT_FALSE(is_idempotent(m));
}

TEST(ReasonPhrase, exists_for_every_status_the_gateway_itself_gives) {
    for (const ErrorRow& row : error_table())
        EXPECT_FALSE(reason_phrase(row.status).empty()) << row.status;
    EXPECT_EQ(reason_phrase(200), "OK");
    EXPECT_EQ(reason_phrase(599), "");
}

TEST(Status, tells_which_have_no_body) {
    EXPECT_TRUE(has_no_body(100));
    EXPECT_TRUE(has_no_body(204));
    EXPECT_TRUE(has_no_body(304));
    EXPECT_FALSE(has_no_body(200));
    EXPECT_FALSE(has_no_body(205));
}

}  // namespace
}  // namespace suoke::http
