// SPDX-License-Identifier: MIT
#include "auth/claims.h"

#include <gtest/gtest.h>

namespace suoke::auth {
namespace {

constexpr std::int64_t kSeconds = 1'735'689'600;  // 2025-01-01
const WallTime kNow = WallTime(std::chrono::seconds(kSeconds));
using Texts = std::vector<std::string>;

Result<IdentityPtr> judge(std::string_view claims, const JwtRules& rules = {}) { return judge_claims(claims, rules, kNow); }

IdentityPtr who(std::string_view claims, const JwtRules& rules = {}) {
    auto judged = judge(claims, rules);
    EXPECT_TRUE(judged) << judged.error().detail << " " << claims;
    return judged ? *judged : std::make_shared<Identity>();
}
// Why not; empty: they are good.
std::string why(std::string_view claims, const JwtRules& rules = {}) {
    auto judged = judge(claims, rules);
    if (!judged) { EXPECT_EQ(judged.error().code, judged.error().detail == "the token has expired" ? Code::token_expired : Code::invalid_token); }
    return judged ? std::string() : judged.error().detail;
}
// {"sub":"42", <more>}
std::string with(const std::string& more) { return R"({"sub":"42",)" + more + "}"; }
std::string at(const char* claim, std::int64_t after) { return with("\"" + std::string(claim) + "\":" + std::to_string(kSeconds + after)); }

constexpr const char* kExpired = "the token has expired";
constexpr const char* kNotYet = "the token is not valid yet (nbf)";
constexpr const char* kFuture = "the token was issued in the future (iat)";
constexpr const char* kIssuer = "the token's issuer (iss) is not trusted here";
constexpr const char* kAudience = "the token is for others (aud)";
constexpr const char* kUse = "the token is no access token";
constexpr const char* kNoSubject = "the token names no subject (sub)";
constexpr const char* kBadSubject = "the token's subject (sub) is not sound";

TEST(Claims, of_the_platform_s_own_tokens_make_an_identity) {
    auto user = who(R"({"iss":"suoke-auth-service","aud":"suoke-life","sub":"u-7","type":"access","iat":1735689000,"nbf":1735689000,"exp":1735690800,
                        "jti":"b1946ac9","roles":["user","premium"],"scope":"read:health  write:health","name":"Lin Mei","email":"lin@suoke.life"})");
    EXPECT_EQ(user->method, Method::jwt);
    EXPECT_EQ(user->subject, "u-7");
    EXPECT_EQ(user->name, "Lin Mei");
    EXPECT_EQ(user->issuer, "");
    EXPECT_EQ(user->token_id, "b1946ac9");
    EXPECT_EQ(user->roles, (Texts{"user", "premium"}));
    EXPECT_EQ(user->scopes, (Texts{"read:health", "write:health"}));
    EXPECT_EQ(user->type, UserType::premium);
    EXPECT_EQ(user->issued, WallTime(1'735'689'000s));
    EXPECT_EQ(user->expires, WallTime(1'735'690'800s));
}

TEST(Claims, must_be_one_JSON_object) {
    const char* sentence = "the token's claims are no JSON object, or are too many or too deep";
    for (const std::string& text :
         {std::string(), std::string("[]"), std::string("null"), std::string("\"sub\""), std::string("Payload"), std::string(R"({"sub":"1","sub":"2"})"),
          std::string(R"({"sub":"1","s\u0075b":"2"})"), std::string("{\"sub\":\"\xFF\"}"), with("\"x\":" + std::string(8, '[') + std::string(8, ']')),
          with("\"x\":" + std::string(3000, '{')), std::string("eyJhbGciOiJub25lIn0.e30.")})
        EXPECT_EQ(why(text), sentence) << text;
    std::string many = "\"x\":[0";
    for (int i = 0; i < 1000; ++i) many += ",0";
    EXPECT_EQ(why(with(many + "]")), sentence);
    EXPECT_EQ(why(with("\"x\":" + std::string(7, '[') + std::string(7, ']'))), "");
}

// ---- times

TEST(Times, of_expiry_have_a_leeway_and_no_more) {
    EXPECT_EQ(why(at("exp", 1)), "");
    EXPECT_EQ(why(at("exp", 0)), "");
    EXPECT_EQ(why(at("exp", -29)), "");
    EXPECT_EQ(why(at("exp", -30)), kExpired) << "on or after that moment (RFC 7519 §4.1.4)";
    EXPECT_EQ(why(at("exp", -31)), kExpired);
    JwtRules strict;
    strict.leeway = 0s;
    EXPECT_EQ(why(at("exp", 1), strict), "");
    EXPECT_EQ(why(at("exp", 0), strict), kExpired);
    EXPECT_EQ(who(at("exp", -10))->expires, kNow - 10s) << "without the leeway";
    EXPECT_EQ(who(R"({"sub":"42"})")->expires, WallTime::max());
}

TEST(Times, before_which_a_token_is_not_valid_are_kept) {
    EXPECT_EQ(why(at("nbf", 30)), "");
    EXPECT_EQ(why(at("nbf", 31)), kNotYet);
    EXPECT_EQ(why(at("iat", 30)), "");
    EXPECT_EQ(why(at("iat", 31)), kFuture);
    EXPECT_EQ(who(at("iat", -5))->issued, kNow - 5s);
    EXPECT_EQ(who(R"({"sub":"42"})")->issued, WallTime());
}

TEST(Times, may_have_fractions_and_exponents) {
    JwtRules strict;
    strict.leeway = 0s;
    EXPECT_EQ(why(with(R"("exp":1735689600.5)"), strict), "");
    EXPECT_EQ(who(with(R"("exp":1735689600.5)"), strict)->expires, kNow + 500ms);
    EXPECT_EQ(why(with(R"("exp":1735689599.5)"), strict), kExpired);
    EXPECT_EQ(who(with(R"("exp":1.7356896e9,"iat":-1.5)"))->expires, kNow);
    EXPECT_EQ(who(with(R"("iat":-1.5)"))->issued, WallTime(-1500ms));
}

TEST(Times, that_are_no_dates_are_refused) {
    for (const char* claim : {"exp", "nbf", "iat"})
        for (const char* value : {"\"1735693200\"", "\"2099-01-01T00:00:00Z\"", "null", "true", "[]", "[1735693200]", "{}", "\"\"", "1e300", "-1e300",
                                  "1e400", "253402300800", "99999999999999999999999", "\"NaN\"", "\"Infinity\""})
            EXPECT_EQ(why(with("\"" + std::string(claim) + "\":" + value)), "the claim " + std::string(claim) + " is no date") << value;
}

TEST(Times, far_away_are_for_ever_and_never_wrap_around) {
    for (const char* value : {"9999999999", "9223372037", "253402300799", "18446744073"})
        EXPECT_EQ(who(with(std::string("\"exp\":") + value))->expires, WallTime::max()) << value;
    EXPECT_EQ(why(with("\"nbf\":9999999999")), kNotYet);
    EXPECT_EQ(why(with("\"iat\":253402300799")), kFuture);
    for (const char* value : {"0", "-0", "-1", "-9223372037", "-253402300799", "1e-300"}) {
        EXPECT_EQ(why(with(std::string("\"exp\":") + value)), kExpired) << value;
        EXPECT_EQ(why(with(std::string("\"nbf\":") + value)), "") << value;
    }
}

// ---- whose and for whom

TEST(Issuer, is_the_platform_s_or_none_when_nothing_was_configured) {
    EXPECT_EQ(why(with(R"("iss":"suoke-auth-service")")), "");
    EXPECT_EQ(why(with(R"("x":1)")), "");
    for (const char* issuer :
         {"\"https://attacker.test\"", "\"\"", "\"Suoke-auth-service\"", "\"suoke-auth-service \"", "null", "1", "[\"suoke-auth-service\"]"})
        EXPECT_EQ(why(with(std::string("\"iss\":") + issuer)), kIssuer) << issuer;
}

TEST(Issuer, must_be_one_of_those_that_were_configured) {
    JwtRules rules;
    rules.issuers = {"https://idp.test/", "https://other.test"};
    EXPECT_EQ(why(with(R"("iss":"https://idp.test/")"), rules), "");
    EXPECT_EQ(why(with(R"("iss":"https://other.test")"), rules), "");
    for (const char* claims : {R"("x":1)", R"("iss":"https://idp.test")", R"("iss":"suoke-auth-service")", R"("iss":["https://idp.test/"])", R"("iss":null)"})
        EXPECT_EQ(why(with(claims), rules), kIssuer) << claims;
}

TEST(Audience, may_be_a_text_or_a_list) {
    for (const char* audience : {"\"suoke-life\"", "[\"suoke-life\"]", "[\"a\",\"suoke-life\"]"})
        EXPECT_EQ(why(with(std::string("\"aud\":") + audience)), "") << audience;
    for (const char* audience :
         {"\"a\"", "[]", "[\"a\"]", "\"\"", "null", "1", "{\"suoke-life\":1}", "[\"suoke-life\",1]", "[[\"suoke-life\"]]", "\"suoke-life,a\"", "true"})
        EXPECT_EQ(why(with(std::string("\"aud\":") + audience)), kAudience) << audience;
}

TEST(Audience, must_be_one_of_those_that_were_configured) {
    JwtRules rules;
    rules.audiences = {"api", "web"};
    EXPECT_EQ(why(with(R"("aud":["x","web"])"), rules), "");
    for (const char* claims : {R"("x":1)", R"("aud":"suoke-life")", R"("aud":[])", R"("aud":null)"}) EXPECT_EQ(why(with(claims), rules), kAudience) << claims;
}

TEST(RequiredClaims, must_be_there_and_say_something) {
    JwtRules rules;
    rules.required_claims = {"sub", "exp", "jti"};
    EXPECT_EQ(why(with(R"("exp":1735693200,"jti":"1")"), rules), "");
    EXPECT_EQ(why(with(R"("exp":1735693200)"), rules), "the token lacks the claim jti");
    EXPECT_EQ(why(with(R"("exp":1735693200,"jti":null)"), rules), "the token lacks the claim jti");
    EXPECT_EQ(why(with(R"("jti":"1")"), rules), "the token lacks the claim exp");
}

// ---- for what

TEST(TokenUse, other_than_access_opens_nothing) {
    for (const char* claim : {"type", "token_type", "token_use"}) {
        const std::string name = "\"" + std::string(claim) + "\":";
        EXPECT_EQ(why(with(name + "\"access\"")), "");
        EXPECT_EQ(why(with(name + "\"Access\"")), "");
        for (const char* use :
             {"\"refresh\"", "\"id\"", "\"reset\"", "\"\"", "\"access \"", "\"access_refresh\"", "null", "1", "[\"access\"]", "[\"access\",\"refresh\"]"})
            EXPECT_EQ(why(with(name + use)), kUse) << name << use;
    }
    EXPECT_EQ(why(with(R"("type":"access","token_use":"id")")), kUse);
}

TEST(TokenUse, of_Keycloak_s_tokens_stands_in_typ) {
    EXPECT_EQ(why(with(R"("typ":"Bearer")")), "");
    for (const char* typ : {"Refresh", "ID", "Offline", "Logout"}) EXPECT_EQ(why(with("\"typ\":\"" + std::string(typ) + "\"")), kUse) << typ;
}

// ---- who

TEST(Subject, is_a_text_or_an_integer) {
    EXPECT_EQ(who(R"({"sub":"张三"})")->subject, "张三");
    EXPECT_EQ(who(R"({"sub":42})")->subject, "42");
    EXPECT_EQ(who(R"({"sub":-7})")->subject, "-7");
    EXPECT_EQ(who(R"({"sub":12345678901234567890123})")->subject, "12345678901234567890123");
    for (const char* claims : {"{}", R"({"sub":""})", R"({"sub":null})", R"({"sub":1.5})", R"({"sub":1e3})", R"({"sub":true})", R"({"sub":["a"]})",
                               R"({"sub":{"id":"a"}})", R"({"Sub":"a"})"})
        EXPECT_EQ(why(claims), kNoSubject) << claims;
}

TEST(Subject, goes_into_a_header_and_must_not_change_there) {
    for (const char* subject : {"a\\nX-User-Roles: admin", "a\\r\\n", "\\u0000", "a\\u0000b", "a\\tb", "\\u001f", "\\u007f", " a", "a ", " "})
        EXPECT_EQ(why(R"({"sub":")" + std::string(subject) + "\"}"), kBadSubject) << subject;
    EXPECT_EQ(who(R"({"sub":"auth0|5f 7"})")->subject, "auth0|5f 7");
}

TEST(Roles, are_a_list_or_a_text_and_stand_in_two_claims) {
    EXPECT_EQ(who(with(R"("roles":["a","b","a"],"role":"c")"))->roles, (Texts{"a", "b", "c"}));
    EXPECT_EQ(who(with(R"("roles":"admin")"))->roles, Texts{"admin"});
    EXPECT_EQ(who(with(R"("role":["x","y"])"))->roles, (Texts{"x", "y"}));
    EXPECT_EQ(who(with(R"("roles":["a",1,null,["b"],{"c":"d"},""],"role":{"admin":true})"))->roles, Texts{"a"});
    EXPECT_EQ(who(with(R"("roles":{"admin":"admin"})"))->roles, Texts());
    EXPECT_EQ(who(with(R"("roles":["user\r\nX-User-Roles: admin","ok","\u0000","a\u007f"])"))->roles, Texts{"ok"});
}

TEST(Roles, are_found_where_the_provider_puts_them) {
    JwtRules rules;
    rules.roles_claim = "realm_access.roles";
    EXPECT_EQ(who(with(R"("realm_access":{"roles":["admin"]},"roles":["nobody"])"), rules)->roles, Texts{"admin"});
    EXPECT_EQ(who(with(R"("realm_access":["roles"])"), rules)->roles, Texts());
    EXPECT_EQ(who(with(R"("realm_access":null)"), rules)->roles, Texts());
    rules.roles_claim = "https://suoke.life/roles";
    EXPECT_EQ(who(with(R"("https://suoke.life/roles":["admin"])"), rules)->roles, Texts{"admin"});
    rules.roles_claim = "resource_access.my.app.roles";
    EXPECT_EQ(who(with(R"("resource_access":{"my.app.roles":"x"})"), rules)->roles, Texts{"x"});
    rules.roles_claim = "";
    EXPECT_EQ(who(with(R"("":["admin"])"), rules)->roles, Texts());
    rules.roles_claim = "a.";
    EXPECT_EQ(who(with(R"("a":{"":["admin"]})"), rules)->roles, Texts());
}

TEST(Scopes, are_separated_by_blanks_or_a_list) {
    EXPECT_EQ(who(with(R"("scope":"a b  c a")"))->scopes, (Texts{"a", "b", "c"}));
    EXPECT_EQ(who(with(R"("scope":["a","b c"])"))->scopes, (Texts{"a", "b c"}));
    EXPECT_EQ(who(with(R"("scope":"a","scp":["b","a"])"))->scopes, (Texts{"a", "b"}));
    EXPECT_EQ(who(with(R"("scp":"User.Read Mail.Send")"))->scopes, (Texts{"User.Read", "Mail.Send"}));
    EXPECT_EQ(who(with(R"("scope":"a b\u0000c d\u0007")"))->scopes, Texts{"a"});
    EXPECT_EQ(who(with(R"("scope":7)"))->scopes, Texts());
}

TEST(Name, is_the_first_that_is_there_and_is_blank_when_it_is_not_plain) {
    EXPECT_EQ(who(with(R"("name":"Lin","preferred_username":"lin")"))->name, "Lin");
    EXPECT_EQ(who(with(R"("preferred_username":"lin","username":"l")"))->name, "lin");
    EXPECT_EQ(who(with(R"("username":"l")"))->name, "l");
    EXPECT_EQ(who(with(R"("name":"","username":"l")"))->name, "l");
    EXPECT_EQ(who(with(R"("name":7,"username":"l")"))->name, "l");
    EXPECT_EQ(who(with(R"("x":7)"))->name, "");
    EXPECT_EQ(who(with(R"("name":"Lin\r\nX-User-Roles: admin","username":"l")"))->name, "");
    JwtRules rules;
    rules.name_claim = "profile.display";
    EXPECT_EQ(who(with(R"("profile":{"display":"Mei"},"name":"Lin")"), rules)->name, "Mei");
}

TEST(UserTypes, come_from_their_claim_or_from_the_roles) {
    EXPECT_EQ(who(with(R"("x":1)"))->type, UserType::authenticated);
    EXPECT_EQ(who(with(R"("user_type":"premium")"))->type, UserType::premium);
    EXPECT_EQ(who(with(R"("user_type":"admin")"))->type, UserType::admin);
    EXPECT_EQ(who(with(R"("user_type":"authenticated","role":"admin")"))->type, UserType::authenticated);
    EXPECT_EQ(who(with(R"("user_type":"doctor","role":"premium")"))->type, UserType::premium);
    EXPECT_EQ(who(with(R"("user_type":"anonymous")"))->type, UserType::authenticated);
    EXPECT_EQ(who(with(R"("roles":["premium","admin"])"))->type, UserType::admin);
    EXPECT_EQ(who(with(R"("user_type":["admin"])"))->type, UserType::authenticated);
}

TEST(TokenIds, are_texts_or_integers) {
    EXPECT_EQ(who(with(R"("jti":"a-1")"))->token_id, "a-1");
    EXPECT_EQ(who(with(R"("jti":17)"))->token_id, "17");
    EXPECT_EQ(who(with(R"("jti":{"a":1})"))->token_id, "");
}

TEST(Provider, gives_the_identity_its_name) {
    JwtRules rules;
    rules.name = "hospital";
    EXPECT_EQ(who(R"({"sub":"42"})", rules)->issuer, "hospital");
}

TEST(FlatClaims, are_pairs_of_names_and_values) {
    auto user = who(R"({"sub":"42","level":3,"ok":true,"none":null,"groups":["a","b",7,null,["c"],{"d":1}],"deep":{"x":"y"},"f":1.50})");
    const std::vector<std::pair<std::string, std::string>> expected = {{"sub", "42"},   {"level", "3"},  {"ok", "true"}, {"groups", "a"},
                                                                       {"groups", "b"}, {"groups", "7"}, {"f", "1.50"}};
    EXPECT_EQ(user->claims, expected);
}

TEST(FlatClaims, are_sixty_four_at_most) {
    std::string groups = "\"groups\":[\"g\"";
    for (int i = 0; i < 200; ++i) groups += ",\"" + std::to_string(i) + "\"";
    auto user = who(with(groups + "],\"late\":1"));
    EXPECT_EQ(user->claims.size(), 64u);
    EXPECT_EQ(user->claims.front().second, "42");
}

}  // namespace
}  // namespace suoke::auth
