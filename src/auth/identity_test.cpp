// SPDX-License-Identifier: MIT
#include "auth/identity.h"

#include <gtest/gtest.h>

namespace suoke::auth {
namespace {

Identity named(std::string subject) {
    Identity who;
    who.subject = std::move(subject);
    return who;
}

TEST(Identity, is_told_as_it_is_where_that_is_plain) {
    Identity who = named("user-7@suoke.life");
    who.name = "Li Wei";
    who.roles = {"doctor", "premium"};
    who.scopes = {"read", "write"};
    IdentityPtr settled_one = settled(who);
    EXPECT_EQ(settled_one->told.subject, "user-7@suoke.life");
    EXPECT_EQ(settled_one->told.name, "Li Wei");
    EXPECT_EQ(settled_one->told.roles, "doctor,premium");
    EXPECT_EQ(settled_one->told.scopes, "read write");
}

TEST(Identity, cannot_break_the_header_it_is_told_in) {
    Identity who = named("a\r\nX-User-Roles: admin");
    who.name = "\xE6\x9D\x8E 100% ";
    EXPECT_EQ(settled(who)->told.subject, "a%0D%0AX-User-Roles: admin");
    EXPECT_EQ(settled(who)->told.name, "%E6%9D%8E 100%25%20");
}

TEST(Identity, one_role_cannot_pass_for_two) {
    Identity who = named("li");
    who.roles = {"user,admin", "", "a b"};
    who.scopes = {"read admin:write"};
    EXPECT_EQ(settled(who)->told.roles, "user%2Cadmin,a%20b");
    EXPECT_EQ(settled(who)->told.scopes, "read%20admin:write");
}

TEST(Identity, what_no_service_would_take_is_left_out) {
    Identity who = named("li");
    who.roles.assign(1000, "a-role-of-some-length");
    EXPECT_EQ(settled(who)->told.roles, "");
    EXPECT_EQ(settled(who)->told.subject, "li");
}

TEST(Identity, is_the_same_word_in_every_log_and_not_the_subject) {
    std::string digest = settled(named("li"))->told.digest;
    EXPECT_EQ(digest.size(), 16u);
    EXPECT_EQ(settled(named("li"))->told.digest, digest);
    EXPECT_NE(settled(named("wei"))->told.digest, digest);
}

}  // namespace
}  // namespace suoke::auth
