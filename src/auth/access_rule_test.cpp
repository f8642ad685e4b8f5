// SPDX-License-Identifier: MIT
#include "auth/access_rule.h"

#include <gtest/gtest.h>

namespace suoke::auth {
namespace {

using Lack = AccessRule::Lack;

Identity doctor() {
    Identity who;
    who.subject = "li";
    who.roles = {"doctor", "user"};
    who.scopes = {"read", "write"};
    who.claims = {{"tenant", "north"}, {"tenant", "south"}, {"level", "3"}};
    return who;
}

TEST(AccessRule, one_role_is_enough) {
    AccessRule rule;
    rule.roles = {"admin", "doctor"};
    EXPECT_EQ(rule.lack(doctor()), Lack::nothing);
    rule.roles = {"admin", "Doctor", "doctor "};
    EXPECT_EQ(rule.lack(doctor()), Lack::role);
}

TEST(AccessRule, every_scope_is_needed) {
    AccessRule rule;
    rule.scopes = {"read", "write"};
    EXPECT_EQ(rule.lack(doctor()), Lack::nothing);
    rule.scopes.push_back("delete");
    EXPECT_EQ(rule.lack(doctor()), Lack::scope);
}

TEST(AccessRule, each_claim_has_one_of_its_values) {
    AccessRule rule;
    rule.claims = {{"tenant", {"east", "south"}}, {"level", {"3"}}};
    EXPECT_EQ(rule.lack(doctor()), Lack::nothing);
    rule.claims.push_back({"email_verified", {"true"}});
    EXPECT_EQ(rule.lack(doctor()), Lack::claim);
}

TEST(AccessRule, nobody_without_anything_passes_a_rule) {
    AccessRule rule;
    EXPECT_TRUE(rule.empty());
    EXPECT_EQ(rule.lack(Identity()), Lack::nothing);
    rule.roles = {"admin"};
    EXPECT_FALSE(rule.empty());
    EXPECT_EQ(rule.lack(Identity()), Lack::role);
}

}  // namespace
}  // namespace suoke::auth
