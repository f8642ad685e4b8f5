// SPDX-License-Identifier: MIT
#include "cache/directives.h"

#include <gtest/gtest.h>

namespace suoke::cache {
namespace {

using namespace std::chrono_literals;

ResponseDirectives answer(std::initializer_list<std::string_view> lines) {
    ResponseDirectives directives;
    for (std::string_view line : lines) directives.read(line);
    return directives;
}
RequestDirectives ask(std::string_view line) {
    RequestDirectives directives;
    directives.read(line);
    return directives;
}

TEST(DeltaSeconds, are_whole_numbers_and_never_overflow) {
    EXPECT_EQ(parse_delta_seconds("0"), 0s);
    EXPECT_EQ(parse_delta_seconds("003600"), 3600s);
    EXPECT_EQ(parse_delta_seconds("2147483647"), 2147483647s);
    EXPECT_EQ(parse_delta_seconds("99999999999999999999999"), kMostSeconds) << "RFC 9111 §1.2.2";
    for (std::string_view none : {"", "-1", "+1", "1.0", "1 ", "a", "0x10"}) EXPECT_EQ(parse_delta_seconds(none), std::nullopt) << none;
}

TEST(CacheControl, names_are_read_whatever_their_case) {
    ResponseDirectives cc = answer({"MaX-aGe=60, No-StOrE,PUBLIC , must-Revalidate"});
    EXPECT_EQ(cc.max_age, 60s);
    EXPECT_TRUE(cc.no_store && cc.is_public && cc.must_revalidate);
    EXPECT_FALSE(cc.no_cache || cc.is_private || cc.proxy_revalidate);
}

TEST(CacheControl, what_nobody_knows_is_passed_over) {
    EXPECT_EQ(answer({"foobar, max-age=60"}).max_age, 60s);
    EXPECT_EQ(answer({"a=b, c=\"d, e\", max-age=60"}).max_age, 60s);
    EXPECT_EQ(answer({",, ,"}).max_age, std::nullopt);
}

TEST(CacheControl, what_stands_in_a_quoted_string_is_no_directive) {
    EXPECT_EQ(answer({"extension=\"max-age=3600\", max-age=1"}).max_age, 1s);
    EXPECT_EQ(answer({"max-age=1, extension=\"max-age=3600\""}).max_age, 1s);
    EXPECT_FALSE(answer({"extension=\"a, no-store, b\""}).no_store);
    EXPECT_FALSE(answer({"extension=\"a\\\", no-store, b\""}).no_store);
}

TEST(CacheControl, a_number_may_be_quoted) { EXPECT_EQ(answer({"max-age=\"60\""}).max_age, 60s); }

TEST(CacheControl, freshness_that_is_no_number_is_none) {   // RFC 9111 §4.2.1
    for (std::string_view line : {"max-age=-3600", "max-age='3600'", "max-age=3600.5", "max-age=a3600", "max-age=3600a", "max-age=", "max-age", "max-age =3600"})
        EXPECT_EQ(answer({line}).max_age, 0s) << line;
}

TEST(CacheControl, of_several_the_shortest_counts) {   // RFC 9111 §4.2.1
    EXPECT_EQ(answer({"max-age=1800, max-age=1"}).max_age, 1s);
    EXPECT_EQ(answer({"max-age=1", "max-age=1800"}).max_age, 1s);
    EXPECT_EQ(answer({"s-maxage=5", "s-maxage=7"}).s_maxage, 5s);
}

TEST(CacheControl, what_forbids_counts_even_when_it_is_badly_written) {
    EXPECT_TRUE(answer({"no-store=yes"}).no_store);
    EXPECT_TRUE(answer({"no-store foo"}).no_store);
    EXPECT_TRUE(answer({"no-cache=\"unfinished"}).no_cache);
    EXPECT_TRUE(answer({"private=\"\""}).is_private);
    EXPECT_TRUE(answer({"private=\"a b\""}).is_private) << "no list of names";
}

TEST(CacheControl, qualified_forms_name_fields) {   // RFC 9111 §5.2.2.4, §5.2.2.7
    ResponseDirectives cc = answer({"no-cache=\"Set-Cookie, X-A\", private=x-b"});
    EXPECT_FALSE(cc.no_cache || cc.is_private);
    EXPECT_EQ(cc.no_cache_fields, (std::vector<std::string_view>{"Set-Cookie", "X-A"}));
    EXPECT_EQ(cc.private_fields, (std::vector<std::string_view>{"x-b"}));
}

TEST(CacheControl, requests_say_how_old_or_fresh_an_answer_may_be) {
    RequestDirectives cc = ask("max-age=10, min-fresh=5, max-stale=20");
    EXPECT_EQ(cc.max_age, 10s);
    EXPECT_EQ(cc.min_fresh, 5s);
    EXPECT_EQ(cc.max_stale, 20s);
    EXPECT_EQ(ask("max-stale").max_stale, Duration::max());
    EXPECT_EQ(ask("max-stale, max-stale=3").max_stale, 3s);
    EXPECT_TRUE(ask("only-if-cached").only_if_cached);
    EXPECT_TRUE(ask("no-cache").no_cache && ask("no-store").no_store);
    EXPECT_EQ(ask("nothing-to-see-here").max_age, std::nullopt);
}

// ---- RFC 9213

TEST(TargetedCacheControl, is_a_dictionary_of_structured_fields) {
    ResponseDirectives cc;
    EXPECT_TRUE(cc.read_targeted("max-age=600, must-revalidate, foobar;a=1;b, x=(1 \"2\" c), no-cache=?0, public=?1"));
    EXPECT_EQ(cc.max_age, 600s);
    EXPECT_TRUE(cc.must_revalidate && cc.is_public);
    EXPECT_FALSE(cc.no_cache);
}

TEST(TargetedCacheControl, what_is_no_such_dictionary_counts_for_nothing) {
    for (std::string_view text : {"max-age=10000, &&&&&", "max-age=\"10000\"", "MaX-aGe=3600", "max-age =100", "max-age= 100", "max-age=1,", "", "  ", "max-age=-5", "max-age=1.5",
                                  "max-age", "no-store=5", "private=(a)", "a=\"unfinished", "a=:b", "a=?2", "a=(1 2", "max-age=1234567890123456"}) {
        ResponseDirectives cc;
        EXPECT_FALSE(cc.read_targeted(text)) << text;
        EXPECT_EQ(cc.max_age, std::nullopt) << text;
    }
}

TEST(TargetedCacheControl, the_last_of_a_name_counts) {
    ResponseDirectives cc;
    EXPECT_TRUE(cc.read_targeted("max-age=1, max-age=7"));
    EXPECT_EQ(cc.max_age, 7s);
}

TEST(TargetedCacheControl, a_quoted_truth_value_is_a_name_that_is_none) {
    ResponseDirectives cc;
    EXPECT_TRUE(cc.read_targeted("private=\"?0\""));
    EXPECT_TRUE(cc.is_private);
}

TEST(SurrogateControl, what_is_for_others_is_passed_over) {
    ResponseDirectives cc;
    cc.read_surrogate("max-age=3600;not-for-you, max-age=60;suoke, foobar", "suoke");
    EXPECT_EQ(cc.max_age, 60s);
}

}  // namespace
}  // namespace suoke::cache
