// SPDX-License-Identifier: MIT
#include "auth/api_keys.h"

#include <gtest/gtest.h>

namespace suoke::auth {
namespace {

constexpr WallTime kNow{std::chrono::seconds(1'735'689'600)};

ApiKey key(const std::string& id, std::vector<std::string> secrets) {
    ApiKey made;
    made.id = id;
    for (const std::string& secret : secrets) made.hashes.push_back(api_key_hash(secret));
    made.roles = {"machine"};
    return made;
}

std::string who(const Result<IdentityPtr>& found) { return found ? (*found)->subject : std::string(found.error().reason()); }

TEST(ApiKeys, are_kept_as_the_hash_that_everybody_can_make) {
    EXPECT_EQ(api_key_hash("abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ApiKeys, are_found_by_what_they_are) {
    ApiKeys keys({key("batch", {"first"}), key("report", {"second"})});
    auto found = keys.by_key("first", kNow);
    ASSERT_TRUE(found);
    EXPECT_EQ((*found)->subject, "batch");
    EXPECT_EQ((*found)->method, Method::api_key);
    EXPECT_TRUE((*found)->has_role("machine"));
    EXPECT_EQ((*found)->told.subject, "batch");
    EXPECT_EQ(who(keys.by_key("second", kNow)), "report");
    EXPECT_EQ(who(keys.by_key("third", kNow)), "invalid_token");
    EXPECT_EQ(who(keys.by_key(api_key_hash("first"), kNow)), "invalid_token") << "the hash is no key";
}

TEST(ApiKeys, may_be_two_while_one_takes_the_place_of_the_other) {
    ApiKeys keys({key("batch", {"old", "new"})});
    EXPECT_EQ(who(keys.by_key("old", kNow)), "batch");
    EXPECT_EQ(who(keys.by_key("new", kNow)), "batch");
    EXPECT_EQ(who(keys.by_id_and_key("batch", "new", kNow)), "batch");
}

TEST(ApiKeys, are_passwords_of_their_own_id_only) {
    ApiKeys keys({key("batch", {"first"}), key("report", {"second"})});
    auto found = keys.by_id_and_key("batch", "first", kNow);
    ASSERT_TRUE(found);
    EXPECT_EQ((*found)->method, Method::basic);
    EXPECT_EQ(who(keys.by_id_and_key("batch", "second", kNow)), "invalid_token");
    EXPECT_EQ(who(keys.by_id_and_key("nobody", "first", kNow)), "invalid_token");
    EXPECT_EQ(who(keys.by_id_and_key("", "", kNow)), "invalid_token");
}

TEST(ApiKeys, end_when_they_say) {
    ApiKey short_lived = key("batch", {"first"});
    short_lived.expires = kNow + 10s;
    ApiKeys keys({short_lived});
    EXPECT_EQ(who(keys.by_key("first", kNow + 9s)), "batch");
    EXPECT_EQ(who(keys.by_key("first", kNow + 10s)), "token_expired");
    EXPECT_EQ(who(keys.by_id_and_key("batch", "first", kNow + 10s)), "token_expired");
}

TEST(ApiKeys, stay_where_they_are_when_the_table_moves) {
    ApiKeys first({key("batch", {"secret"})});
    ApiKeys second = std::move(first);
    EXPECT_EQ(who(second.by_key("secret", kNow)), "batch");
}

TEST(ApiKeys, without_a_readable_hash_open_nothing) {
    ApiKey bad;
    bad.id = "batch";
    bad.hashes = {"", "sha256:", "sha256:zz", "md5:900150983cd24fb0d6963f7d28e17f72"};
    ApiKeys keys({bad});
    EXPECT_EQ(who(keys.by_key("", kNow)), "invalid_token");
    EXPECT_EQ(who(keys.by_id_and_key("batch", "", kNow)), "invalid_token");
}

}  // namespace
}  // namespace suoke::auth
