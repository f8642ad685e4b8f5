// SPDX-License-Identifier: MIT
#include "auth/token_cache.h"

#include <gtest/gtest.h>

namespace suoke::auth {
namespace {

constexpr WallTime kNow{std::chrono::seconds(1'735'689'600)};

IdentityPtr somebody(const std::string& subject, WallTime expires = WallTime::max(), WallTime issued = kNow) {
    Identity who;
    who.subject = subject;
    who.token_id = "id-of-" + subject;
    who.expires = expires;
    who.issued = issued;
    return std::make_shared<const Identity>(std::move(who));
}

class Cached : public testing::Test {
 protected:
    void put(const std::string& token, IdentityPtr who, WallTime until = WallTime::max()) {
        cache.put(Method::jwt, token, std::move(who), generation, revoked, until);
    }
    std::string found(const std::string& token, WallTime now = kNow) {
        IdentityPtr who = cache.find(Method::jwt, token, now, generation, revoked);
        return who ? who->subject : "nobody";
    }
    TokenCache cache;
    std::uint64_t generation = 7;
    Revocations revoked;
};

TEST_F(Cached, what_was_put_is_found_by_its_exact_bytes) {
    std::string token(700, 'a');
    put(token, somebody("li"));
    EXPECT_EQ(found(token), "li");
    EXPECT_EQ(found(token.substr(1)), "nobody");
    EXPECT_EQ(found(token + "a"), "nobody");
    // Both ends alike, as only those are hashed.
    std::string twin = token;
    twin[350] = 'b';
    EXPECT_EQ(found(twin), "nobody");
    put(twin, somebody("wei"));
    EXPECT_EQ(found(twin), "wei");
    EXPECT_EQ(found(token), "li");
}

TEST_F(Cached, short_and_empty_ones_are_no_trouble) {
    put("", somebody("li"));
    EXPECT_EQ(found(""), "nobody");
    put("x", somebody("wei"));
    EXPECT_EQ(found("x"), "wei");
    EXPECT_EQ(found("y"), "nobody");
}

TEST_F(Cached, another_kind_of_credential_with_the_same_bytes_is_another) {
    put("same-bytes", somebody("li"));
    EXPECT_EQ(cache.find(Method::api_key, "same-bytes", kNow, generation, revoked), nullptr);
    cache.put(Method::api_key, "same-bytes", somebody("batch"), generation, revoked);
    EXPECT_EQ(found("same-bytes"), "li");
}

TEST_F(Cached, it_goes_when_it_expires_or_before) {
    put("a", somebody("li", kNow + 10s));
    EXPECT_EQ(found("a", kNow + 9s), "li");
    EXPECT_EQ(found("a", kNow + 10s), "nobody");
    EXPECT_EQ(cache.size(), 0u);
    put("a", somebody("li", kNow + 10s), kNow + 5s);
    EXPECT_EQ(found("a", kNow + 5s), "nobody");
}

TEST_F(Cached, other_keys_or_rules_judge_anew_and_the_old_ones_spoil_nothing) {
    put("a", somebody("li"));
    generation = 8;
    EXPECT_EQ(found("a"), "nobody");
    put("a", somebody("wei"));
    EXPECT_EQ(found("a"), "wei");
    EXPECT_EQ(cache.find(Method::jwt, "a", kNow, 7, revoked), nullptr) << "an exchange that began before the reload";
    EXPECT_EQ(found("a"), "wei");
    EXPECT_EQ(cache.size(), 1u);
}

TEST_F(Cached, a_revocation_takes_the_token_it_is_about_and_no_other) {
    put("a", somebody("li"));
    put("b", somebody("wei"));
    put("c", somebody("mei"));
    revoked.generation = 1;
    revoked.tokens["id-of-li"] = WallTime::max();
    revoked.subjects["mei"] = kNow;
    EXPECT_EQ(found("a"), "nobody");
    EXPECT_EQ(found("b"), "wei");
    EXPECT_EQ(found("c"), "nobody");
    EXPECT_EQ(cache.size(), 1u);
}

TEST_F(Cached, it_holds_no_more_than_it_may) {
    for (std::size_t most : {1u, 5u, 8u, 100u}) {
        cache.set_capacity(most);
        for (int i = 0; i < 1000; ++i) put("token-" + std::to_string(i), somebody(std::to_string(i)));
        EXPECT_LE(cache.size(), most);
        EXPECT_GT(cache.size(), most / 2);
        EXPECT_EQ(found("token-999"), "999") << "the last one is always there";
    }
    cache.set_capacity(0);
    put("a", somebody("li"));
    EXPECT_EQ(found("a"), "nobody");
}

TEST_F(Cached, what_is_asked_for_stays_while_others_come_and_go) {
    cache.set_capacity(8);
    put("busy", somebody("busy"));
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(found("busy"), "busy") << i;
        put("passing-" + std::to_string(i), somebody("passing"));
    }
}

}  // namespace
}  // namespace suoke::auth
