// SPDX-License-Identifier: MIT
#include "auth/judge_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace suoke::auth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallTime kNow{std::chrono::seconds(1'735'689'600)};

KeyPtr key(const std::string& name, std::string id = {}) {
    auto made = Key::of_secret(name + std::string(32, 'x') + "0123456789", {Algorithm::hs256}, std::move(id));
    EXPECT_TRUE(made);
    return *made;
}

JwtRules rules(const std::string& name, std::vector<std::string> issuers = {}) {
    JwtRules made;
    made.name = name;
    made.algorithms = {Algorithm::hs256};
    made.issuers = std::move(issuers);
    return made;
}

std::string token(const KeyPtr& signer, const std::string& more = {}, int lifetime = 60) {
    std::string claims = R"({"sub":"li","jti":"t1","iat":1735689600,"exp":)" + std::to_string(1'735'689'600 + lifetime) + more + "}";
    auto made = mint(claims, *signer, Algorithm::hs256);
    EXPECT_TRUE(made);
    return *made;
}

class Judged : public testing::Test {
 protected:
    void has(const std::string& provider, std::vector<KeyPtr> keys) {
        auto set = std::make_shared<KeySet>();
        set->keys = std::move(keys);
        ring_.providers[provider].keys = std::move(set);
    }
    TokenJudgement judge(const std::string& text) { return judge_token(text, providers_, ring_, revoked_, kNow); }
    std::string came_of(const std::string& text) {
        TokenJudgement judged = judge(text);
        return judged.who ? judged.who->subject : std::string(judged.refusal.reason());
    }
    std::vector<JwtRules> providers_ = {rules("")};
    KeyRing ring_;
    Revocations revoked_;
};

TEST_F(Judged, the_key_decides) {
    has("", {key("ours")});
    EXPECT_EQ(came_of(token(key("ours"))), "li");
    EXPECT_EQ(came_of(token(key("theirs"))), "invalid_token");
    EXPECT_EQ(came_of(token(key("ours"), "", -60)), "token_expired");
    EXPECT_EQ(came_of("no token"), "invalid_token");
    EXPECT_FALSE(judge("no token").is_ours);
    EXPECT_FALSE(judge("a.b.c").is_ours);
}

TEST_F(Judged, without_any_key_it_is_our_fault_and_worth_asking) {
    TokenJudgement judged = judge(token(key("ours")));
    EXPECT_EQ(judged.refusal.code, Code::keys_unavailable);
    EXPECT_THAT(judged.ask, ElementsAre(""));
    has("", {key("ours")});
    ring_.providers[""].usable_until = kNow;
    EXPECT_EQ(came_of(token(key("ours"))), "keys_unavailable") << "too old to be believed";
    ring_.providers[""].usable_until = kNow + 1s;
    EXPECT_EQ(came_of(token(key("ours"))), "li");
}

TEST_F(Judged, a_key_nobody_knows_is_worth_asking_for_and_a_known_one_is_not) {
    has("", {key("ours", "k1")});
    EXPECT_EQ(came_of(token(key("ours", "k1"))), "li");
    TokenJudgement unknown = judge(token(key("newer", "k2")));
    EXPECT_EQ(unknown.refusal.code, Code::invalid_token);
    EXPECT_THAT(unknown.ask, ElementsAre(""));
    EXPECT_EQ(unknown.key_id, "k2");
    EXPECT_THAT(judge(token(key("forged", "k1"))).ask, IsEmpty());
}

TEST_F(Judged, a_provider_is_chosen_by_the_issuer_it_names) {
    providers_ = {rules(""), rules("partner", {"https://partner"}), rules("other", {"https://other"})};
    has("", {key("ours")});
    has("partner", {key("partner")});
    has("other", {key("other")});
    EXPECT_EQ(came_of(token(key("partner"), R"(,"iss":"https://partner")")), "li");
    EXPECT_EQ(came_of(token(key("ours"))), "li");
    EXPECT_EQ(came_of(token(key("ours"), R"(,"iss":"https://partner")")), "invalid_token") << "nobody signs for another";
    EXPECT_EQ(came_of(token(key("partner"), R"(,"iss":"https://other")")), "invalid_token");
    EXPECT_EQ(came_of(token(key("partner"))), "invalid_token") << "a partner's key is not the platform's";
}

TEST_F(Judged, a_token_of_no_provider_is_not_ours) {
    providers_ = {rules("a", {"https://a"}), rules("b", {"https://b"})};
    has("a", {key("a")});
    has("b", {key("b")});
    TokenJudgement judged = judge(token(key("a"), R"(,"iss":"https://c")"));
    EXPECT_FALSE(judged.is_ours);
    EXPECT_THAT(judged.ask, IsEmpty());
}

TEST_F(Judged, of_many_providers_only_a_few_are_tried) {
    providers_.clear();
    for (std::size_t i = 0; i <= kMostProvidersTried; ++i) {
        providers_.push_back(rules("p" + std::to_string(i)));
        has("p" + std::to_string(i), {key("key" + std::to_string(i))});
    }
    EXPECT_EQ(came_of(token(key("key3"))), "li");
    EXPECT_EQ(came_of(token(key("key4"))), "invalid_token");
}

TEST_F(Judged, a_good_signature_says_more_than_a_bad_one) {
    providers_ = {rules("a"), rules("b")};
    has("a", {key("a")});
    has("b", {key("b")});
    EXPECT_EQ(came_of(token(key("a"), "", -60)), "token_expired");
    ring_.providers["b"].keys = nullptr;
    EXPECT_EQ(came_of(token(key("c"))), "keys_unavailable") << "it may be one of b's";
}

TEST_F(Judged, what_was_taken_back_is_refused) {
    has("", {key("ours")});
    revoked_.tokens["t1"] = WallTime::max();
    EXPECT_EQ(came_of(token(key("ours"))), "token_revoked");
    revoked_.tokens.clear();
    revoked_.subjects["li"] = kNow;
    EXPECT_EQ(came_of(token(key("ours"))), "token_revoked");
}

TEST(JwtForm, is_three_parts) {
    EXPECT_TRUE(looks_like_jwt("a.b.c"));
    EXPECT_FALSE(looks_like_jwt("opaque"));
    EXPECT_FALSE(looks_like_jwt("a.b"));
    EXPECT_FALSE(looks_like_jwt("a.b.c.d"));
}

}  // namespace
}  // namespace suoke::auth
