// SPDX-License-Identifier: MIT
#include "auth/introspection.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace suoke::auth {
namespace {

constexpr WallTime kNow{std::chrono::seconds(1'735'689'600)};

std::string why_not(std::string_view json) {
    auto said = read_introspection(json, kNow);
    return said ? "let in" : std::string(said.error().reason());
}

TEST(Introspection, an_active_token_says_who_it_is_for) {
    auto said = read_introspection(R"({"active":true,"sub":"u-7","username":"li","scope":"read write","exp":1735689660,"iat":1735689000.5,
                                       "jti":"t1","roles":["doctor","premium"],"user_type":"premium","tenant":"north","groups":["a",2,true]})",
                                   kNow);
    ASSERT_TRUE(said);
    const Identity& who = **said;
    EXPECT_EQ(who.method, Method::introspection);
    EXPECT_EQ(who.subject, "u-7");
    EXPECT_EQ(who.name, "li");
    EXPECT_EQ(who.token_id, "t1");
    EXPECT_EQ(who.type, UserType::premium);
    EXPECT_EQ(who.expires, kNow + 60s);
    EXPECT_TRUE(who.has_scope("write"));
    EXPECT_TRUE(who.has_role("doctor"));
    auto has = [&](const char* name, const char* value) {
        return std::find(who.claims.begin(), who.claims.end(), std::pair<std::string, std::string>(name, value)) != who.claims.end();
    };
    EXPECT_TRUE(has("tenant", "north"));
    EXPECT_TRUE(has("groups", "a") && has("groups", "2") && has("groups", "true"));
    EXPECT_EQ(who.told.subject, "u-7");
}

TEST(Introspection, somebody_is_named_somehow) {
    EXPECT_EQ((*read_introspection(R"({"active":true,"username":"li"})", kNow))->subject, "li");
    EXPECT_EQ((*read_introspection(R"({"active":true,"client_id":"batch"})", kNow))->subject, "batch");
    EXPECT_EQ(why_not(R"({"active":true})"), "invalid_token");
}

TEST(Introspection, what_is_not_active_now_is_refused) {
    EXPECT_EQ(why_not(R"({"active":false,"sub":"u-7"})"), "invalid_token");
    EXPECT_EQ(why_not(R"({"active":true,"sub":"u-7","exp":1735689600})"), "token_expired");
    EXPECT_EQ(why_not(R"({"active":true,"sub":"u-7","nbf":1735689601})"), "invalid_token");
    EXPECT_EQ(why_not(R"({"active":true,"sub":"u-7","token_type":"refresh_token"})"), "invalid_token");
    EXPECT_EQ(why_not(R"({"active":true,"sub":"u-7","typ":"Refresh"})"), "invalid_token");
}

TEST(Introspection, a_token_for_somebody_else_is_refused_where_audiences_are_named) {
    auto lets_in = [](std::string_view json) { return static_cast<bool>(read_introspection(json, kNow, {"suoke-life", "suoke-web"})); };
    EXPECT_TRUE(lets_in(R"({"active":true,"sub":"u-7","aud":"suoke-web"})"));
    EXPECT_TRUE(lets_in(R"({"active":true,"sub":"u-7","aud":["billing","suoke-life"]})"));
    EXPECT_FALSE(lets_in(R"({"active":true,"sub":"u-7","aud":"billing"})"));
    EXPECT_FALSE(lets_in(R"({"active":true,"sub":"u-7"})"));
}

TEST(Introspection, what_is_no_answer_is_the_servers_fault) {
    for (const char* text : {"", "[]", "null", "{}", "<html>", R"({"active":"true"})", R"({"active":1})", R"({"active":true,"active":false,"sub":"a"})", R"({"active":true)"})
        EXPECT_EQ(why_not(text), "keys_unavailable") << text;
}

}  // namespace
}  // namespace suoke::auth
