// SPDX-License-Identifier: MIT
#include "gateway/rewrite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace suoke::gateway {
namespace {

// The rewritten path; "unchanged" when the rewrite does not apply.
std::string rewritten(std::string_view rule, std::string_view path,
                      std::vector<Param> params = {}) {
    auto rewrite = Rewrite::compile(rule);
    if (!rewrite) return "refused";
    std::string out = "untouched";
    if (rewrite->apply(path, out, params)) return out;
    EXPECT_EQ(out, "untouched");
    return "unchanged";
}

TEST(Rewrite, puts_groups_into_the_template) {
    EXPECT_EQ(rewritten("^/api/v1/(.*)$ => /v2/$1", "/api/v1/users/7"), "/v2/users/7");
    EXPECT_EQ(rewritten("^/([a-z]+)/([0-9]+) => /$2/$1", "/users/7/photo"), "/7/users/photo");
    EXPECT_EQ(rewritten("^/(a)(b)(c)(d)(e)(f)(g)(h)(i)=>/$9$1", "/abcdefghi"), "/ia");
    EXPECT_EQ(rewritten("^.* => /all$0", "/x"), "/all/x");
}

TEST(Rewrite, replaces_the_first_match_once_and_keeps_what_is_around_it) {
    EXPECT_EQ(rewritten("old => new", "/an/old/old/path"), "/an/new/old/path");
    EXPECT_EQ(rewritten("/v1 => ", "/api/v1/users"), "/api/users");
    EXPECT_EQ(rewritten("^/v1 => /v2", "/api/v1"), "unchanged");
    EXPECT_EQ(rewritten("^/api$ => /", "/api/users"), "unchanged");
    EXPECT_EQ(rewritten("$ => /end", "/a"), "/a/end");
}

TEST(Rewrite, knows_params_and_the_dollar_sign) {
    EXPECT_EQ(rewritten("^.*$ => /u/${id}/$$1", "/users/7", {{"id", "7"}}), "/u/7/$1");
    EXPECT_EQ(rewritten("^.*$ => /u/${other}x", "/users/7", {{"id", "7"}}), "/u/x");
}

TEST(Rewrite, takes_the_last_arrow_for_the_arrow) {
    EXPECT_EQ(rewritten("^/a=>b => /c", "/a=>b/d"), "/c/d");
    EXPECT_EQ(rewritten("  ^/a   =>   /c  ", "/a/b"), "/c/b");
}

TEST(Rewrite, refuses_what_it_cannot_understand) {
    for (auto rule : {"", "/a", "/a -> /b", "=> /b", "/(a => /b", "/a => /$1", "/(a) => /$2",
                      "/a => /$", "/a => /${", "/a => /${}", "/a => /$x", "/a => /b?c=d",
                      "/a => /b#c", "/a => /b c", "/a => /b\r\nx: y"})
        EXPECT_EQ(rewritten(rule, "/a"), "refused") << rule;
}

TEST(Rewrite, always_starts_with_a_slash) {
    EXPECT_EQ(rewritten("^/api/(.*)$ => $1", "/api/users"), "/users");
    EXPECT_EQ(rewritten("^/api$ => ", "/api"), "/");
    EXPECT_EQ(rewritten("^/ => http://evil/", "/x"), "/http:/evil/x");
}

TEST(Rewrite, never_leaves_empty_or_dot_segments) {
    EXPECT_EQ(rewritten("^/api(.*)$ => /$1", "/api/users"), "/users");
    EXPECT_EQ(rewritten("^/a/(.*)$ => /files/.$1", "/a/./admin"), "/admin");
    EXPECT_EQ(rewritten("x => .", "/files/.x/admin"), "/admin");
    EXPECT_EQ(rewritten("x => %2E", "/files/.x/admin"), "/admin");
    EXPECT_EQ(rewritten("^ => /../..", "/a"), "/a");
    EXPECT_EQ(rewritten("a$ => ..", "/x/y/a"), "/x/");
    EXPECT_EQ(rewritten("^/x => ", "/x"), "/");
    EXPECT_EQ(rewritten("x => ", "/a/x/"), "/a/");
}

TEST(Rewrite, escapes_what_no_path_may_hold) {
    EXPECT_EQ(rewritten("^/(.).*$ => /$1", "/%20"), "/%25");  // a group cut an escape in two
    EXPECT_EQ(rewritten("^/(..)(.).*$ => /$1x/$2", "/%20"), "/%252x/0");
    EXPECT_EQ(rewritten("^.*$ => /${v}", "/a", {{"v", "a\r\nb ?#\xff"}}), "/a%0D%0Ab%20%3F%23%FF");
    EXPECT_EQ(rewritten("^.*$ => /健康", "/a"), "/%E5%81%A5%E5%BA%B7");
}

TEST(Rewrite, cannot_be_tricked_into_dots_by_an_escape_put_together_from_pieces) {
    EXPECT_EQ(rewritten("^/(..)3/(.*)$ => /a/b/$1${e}$1${e}/$2", "/%23/x", {{"e", "e"}}), "/a/x");
}

TEST(Rewrite, sees_the_path_in_its_one_spelling) {
    EXPECT_EQ(rewritten("^/api/(.*)$ => /v2/$1", "/%61pi/%75sers%2f%20"), "/v2/users%2F%20");
}

// ---- redirects -------------------------------------------------------------------------------

std::string filled(std::string_view text, std::vector<Param> params, std::string_view rest = {}) {
    std::string out = ">";
    fill_template(text, params, out, rest);
    return out;
}

TEST(FillTemplate, fills_in_params_by_name_and_number) {
    std::vector<Param> params = {{"id", "7"}, {"photo", "a%20b"}};
    EXPECT_EQ(filled("/u/{id}/p/{photo}?from=$1", params), ">/u/7/p/a%20b?from=7");
    EXPECT_EQ(filled("https://x.life/{id}{rest}", params, "/more"), ">https://x.life/7/more");
    EXPECT_EQ(filled("/{rest}", {{"rest", "mine"}}, "/more"), ">/mine");
    EXPECT_EQ(filled("/$$1/{none}/$9/$/{", params), ">/$1///$/{");
    EXPECT_EQ(filled("", params), ">");
}

TEST(FillTemplate, escapes_what_a_value_may_not_bring_along) {
    EXPECT_EQ(filled("/{v}", {{"v", "a\r\nSet-Cookie: x?y#z\"\\%"}}),
              ">/a%0D%0ASet-Cookie:%20x%3Fy%23z%22%5C%25");
}

TEST(FillTemplate, never_turns_a_path_into_another_host) {
    EXPECT_EQ(filled("/$1", {{"", "/evil.example"}}), ">/evil.example");
    EXPECT_EQ(filled("/{rest}", {}, "/evil.example"), ">/evil.example");
    EXPECT_EQ(filled("/{v}", {{"v", "\\evil.example"}}), ">/%5Cevil.example");
    EXPECT_EQ(filled("//cdn.suoke.life{rest}", {}, "/x"),
              ">//cdn.suoke.life/x");  // the operator's own
}

}  // namespace
}  // namespace suoke::gateway
