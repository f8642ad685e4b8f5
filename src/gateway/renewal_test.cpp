// SPDX-License-Identifier: MIT
#include "gateway/renewal.h"

#include <gtest/gtest.h>

namespace suoke::gateway {
namespace {

TEST(Renewal, a_token_is_shown_flat_or_in_an_envelope) {
    EXPECT_EQ(renewal_in(R"({"type":"auth","token":"a.b.c"})"), "a.b.c");
    EXPECT_EQ(renewal_in(R"( {"id":"7","type":"auth","data":{"token":"a.b.c"},"timestamp":1.5} )"), "a.b.c");
    EXPECT_EQ(renewal_in(R"({"type":"auth"})"), "");
    EXPECT_EQ(renewal_in(R"({"type":"auth","token":7,"data":"a.b.c"})"), "");
}

TEST(Renewal, anything_else_is_another_message) {
    for (const char* other : {"", "auth", "[]", "[\"type\",\"auth\"]", "{}", R"({"type":"chat","text":"\"auth\""})", R"({"type":["auth"]})",
                              R"({"type":"auth","type":"auth"})", R"({"type":"auth","token":"a.b.c")"})
        EXPECT_EQ(renewal_in(other), std::nullopt) << other;
}

TEST(Renewal, most_other_messages_are_known_by_their_beginning) {
    EXPECT_TRUE(may_be_renewal(R"({"type":"auth","token":"a)"));
    EXPECT_TRUE(may_be_renewal("\n{ \"type\" : \"auth\""));
    for (const char* other : {"", "  ", "hello", R"("auth")", R"({"type":"chat")", R"({"type":"author")"}) EXPECT_FALSE(may_be_renewal(other)) << other;
}

TEST(TokenKinds, a_token_belongs_to_the_first_method_that_takes_it_and_introspection_takes_all) {
    using enum config::AuthMethod;
    EXPECT_FALSE(token_kinds({api_key, basic}).any());
    TokenKinds jwt_first = token_kinds({jwt, introspection}), jwt_last = token_kinds({introspection, jwt});
    EXPECT_TRUE(jwt_first.has(auth::Method::jwt) && jwt_first.has(auth::Method::introspection));
    EXPECT_FALSE(jwt_last.has(auth::Method::jwt));
    EXPECT_TRUE(jwt_last.has(auth::Method::introspection));
    EXPECT_FALSE(jwt_first.has(auth::Method::forward));
}

TEST(Renewal, five_attempts_at_once_and_then_one_every_five_seconds) {
    RenewalAttempts attempts;
    TimePoint now{1h};
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(attempts.take(now));
    EXPECT_FALSE(attempts.take(now));
    RenewalAttempts others;
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(others.take(now += 5s));
}

}  // namespace
}  // namespace suoke::gateway
