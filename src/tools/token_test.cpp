// SPDX-License-Identifier: MIT
#include "tools/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "auth/jwt.h"
#include "testing/files.h"

namespace suoke::tools {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kSecret = "5d1f0c9a8b7e6d5c4b3a29181706f5e4d3c2b1a0";

// RFC 8410 §10.3: a private key, and the public one that belongs to it.
const std::string kPrivate = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
const std::string kPublic = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

std::string file_with(const char* name, const std::string& text) {
    std::string path = scene::own_file(name);
    std::ofstream(path) << text;
    return path;
}

class TokenTest : public ::testing::Test {
 protected:
    TokenTest() {
        auth.jwt.secret_key = Secret(kSecret);
        order.subject = "alice";
    }
    std::string minted() {
        auto token = mint_token(order, auth.jwt, SystemClock().wall());
        EXPECT_TRUE(token) << token.error().detail;
        return token ? *token : "";
    }
    std::string refusal() {
        auto token = mint_token(order, auth.jwt, SystemClock().wall());
        return token ? "none" : token.error().detail;
    }
    static json claims(const std::string& token) {
        auto parsed = auth::parse_token(token);
        return parsed ? json::parse(parsed->payload) : json();
    }

    config::Auth auth;
    TokenOrder order;
};

TEST_F(TokenTest, a_minted_token_says_what_the_platforms_own_say) {
    order.roles = {"user", "admin"};
    order.scopes = {"read", "write"};
    order.user_type = "premium";
    json said = claims(minted());
    EXPECT_EQ(said["sub"], "alice");
    EXPECT_EQ(said["iss"], "suoke-auth-service");
    EXPECT_EQ(said["aud"], "suoke-life");
    EXPECT_EQ(said["type"], "access");
    EXPECT_EQ(said["roles"], json::array({"user", "admin"}));
    EXPECT_EQ(said["scope"], "read write");
    EXPECT_EQ(said["user_type"], "premium");
    EXPECT_EQ(said["exp"].get<int>() - said["iat"].get<int>(), 30 * 60);
    EXPECT_EQ(said["jti"].get<std::string>().size(), 32u);
    EXPECT_NE(claims(minted())["jti"], said["jti"]);
}

TEST_F(TokenTest, the_configuration_says_who_issues_it_for_whom_and_where_roles_are) {
    auth.jwt.issuers = {"https://idp.test", "other"};
    auth.jwt.audiences = {"suoke-api"};
    auth.jwt.roles_claim = "realm_access.roles";
    auth.jwt.access_token_expire_minutes = 5;
    order.roles = {"user"};
    json said = claims(minted());
    EXPECT_EQ(said["iss"], "https://idp.test");
    EXPECT_EQ(said["aud"], "suoke-api");
    EXPECT_EQ(said["realm_access"]["roles"], json::array({"user"}));
    EXPECT_EQ(said["exp"].get<int>() - said["iat"].get<int>(), 300);
    EXPECT_TRUE(judge_token(minted(), auth).good);
}

TEST_F(TokenTest, other_claims_are_text_or_json) {
    order.ttl = 90s;
    order.claims = {"tenant=north", "level=7", "tags=[\"a\",\"b\"]", "note=a=b", "empty="};
    json said = claims(minted());
    EXPECT_EQ(said["tenant"], "north");
    EXPECT_EQ(said["level"], 7);
    EXPECT_EQ(said["tags"], json::array({"a", "b"}));
    EXPECT_EQ(said["note"], "a=b");
    EXPECT_EQ(said["empty"], "");
    EXPECT_EQ(said["exp"].get<int>() - said["iat"].get<int>(), 90);
    order.claims = {"nothing"};
    EXPECT_THAT(refusal(), HasSubstr("write it as name=value"));
}

TEST_F(TokenTest, what_is_missing_or_does_not_fit_is_said) {
    order.algorithm = "HS999";
    EXPECT_THAT(refusal(), HasSubstr("--algorithm: 'HS999'"));
    order.algorithm = "RS256";
    EXPECT_EQ(refusal(), "the key cannot do RS256");
    order.algorithm = "";
    auth.jwt.secret_key = Secret("short");
    EXPECT_THAT(refusal(), StartsWith("auth.jwt.secret_key: "));
    auth.jwt.secret_key = {};
    EXPECT_THAT(refusal(), HasSubstr("set auth.jwt.secret_key (JWT_SECRET_KEY), or give a private key with --key FILE"));
    order.key_file = scene::own_file("no-such.pem");
    EXPECT_THAT(refusal(), HasSubstr("no-such.pem: cannot be read"));
    order.subject = "";
    order.key_file = file_with("private.pem", kPrivate);
    EXPECT_THAT(refusal(), HasSubstr("--subject is missing"));
}

TEST_F(TokenTest, a_private_key_signs_what_its_public_key_verifies) {
    order.key_file = file_with("private.pem", kPrivate);
    order.key_id = "2026-01";
    std::string token = minted();
    auto parsed = auth::parse_token(token);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->algorithm, auth::Algorithm::eddsa);
    EXPECT_EQ(parsed->key_id, "2026-01");
    EXPECT_FALSE(judge_token(token, auth).good) << "auth.jwt has another key";
    auth.providers["partner"].public_key_file = file_with("public.pem", kPublic);
    TokenReport report = judge_token(token, auth);
    EXPECT_TRUE(report.good) << report.text;
    EXPECT_THAT(report.text, StartsWith("good, by auth.providers.partner\n"));
}

// ---- verify

TEST_F(TokenTest, a_good_token_is_shown_with_its_claims) {
    TokenReport report = judge_token("Bearer " + minted(), auth);
    EXPECT_TRUE(report.good);
    EXPECT_THAT(report.text, StartsWith("good, by auth.jwt\n"));
    EXPECT_THAT(report.text, HasSubstr("  algorithm    HS256\n"));
    EXPECT_THAT(report.text, HasSubstr("  sub          \"alice\"\n"));
    EXPECT_THAT(report.text, Not(HasSubstr(kSecret)));
}

TEST_F(TokenTest, why_a_token_is_not_good_is_said) {
    std::string good = minted();
    EXPECT_THAT(judge_token("abc", auth).text, StartsWith("not a token: "));
    std::string changed = good;
    changed[good.find('.') + 5] ^= 1;
    EXPECT_FALSE(judge_token(changed, auth).good);
    auth.jwt.issuers = {"somebody-else"};
    TokenReport report = judge_token(good, auth);
    EXPECT_FALSE(report.good);
    EXPECT_THAT(report.text, StartsWith("not good; by\n  auth.jwt: "));
    EXPECT_THAT(report.text, HasSubstr("it says (nothing of which is to be believed)"));
    EXPECT_THAT(judge_token(good, config::Auth()).text, StartsWith("not verified: no keys are configured"));
}

TEST_F(TokenTest, what_a_token_says_is_no_command_to_a_terminal_and_no_line_of_ours) {
    auto key = auth::Key::of_secret("another key that is long enough, too", {}, "k\x1b[2J\n");
    ASSERT_TRUE(key);
    auto token = auth::mint("{\"a\\u001b[31m\\ngood, by auth.jwt\":1,\"b\":\"\u009b2J\u674e\\u007f\"}", **key, auth::Algorithm::hs256);
    ASSERT_TRUE(token);
    TokenReport report = judge_token(*token, auth);
    EXPECT_FALSE(report.good);
    for (const char* bad : {"\x1b", "\x7f", "\u009b", "\ngood, by"}) EXPECT_THAT(report.text, Not(HasSubstr(bad)));
    EXPECT_THAT(report.text, HasSubstr("\"?2J\u674e?\""));
    EXPECT_THAT(report.text, HasSubstr("k?[2J?"));
}

TEST_F(TokenTest, an_expired_token_is_not_good) {
    order.ttl = 60s;
    auto old = mint_token(order, auth.jwt, SystemClock().wall() - 1h);
    ASSERT_TRUE(old);
    TokenReport report = judge_token(*old, auth);
    EXPECT_FALSE(report.good);
    EXPECT_THAT(report.text, HasSubstr("expired"));
}

}  // namespace
}  // namespace suoke::tools
