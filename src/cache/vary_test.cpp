// SPDX-License-Identifier: MIT
#include "cache/vary.h"

#include <gtest/gtest.h>

namespace suoke::cache {
namespace {

http::Headers fields(std::initializer_list<std::pair<std::string_view, std::string_view>> list) {
    http::Headers headers;
    for (const auto& [name, value] : list) headers.add(name, value);
    return headers;
}

std::string selection(std::initializer_list<std::pair<std::string_view, std::string_view>> request, const std::vector<std::string>& names) {
    std::string out;
    append_selection(out, fields(request), names);
    return out;
}

TEST(Vary, is_a_list_over_all_lines) {
    Vary vary = vary_of(fields({{"Vary", "Foo, BAR"}, {"vary", "foo,, baz"}}));
    EXPECT_FALSE(vary.any);
    EXPECT_EQ(vary.names, (std::vector<std::string>{"bar", "baz", "foo"}));
}

TEST(Vary, a_star_anywhere_is_any) {
    for (std::string_view value : {"*", "*, *", ", *", "*, Foo", "Foo, *"}) EXPECT_TRUE(vary_of(fields({{"Vary", value}})).any) << value;
    EXPECT_TRUE(vary_of(fields({{"Vary", ""}, {"Vary", "*"}})).any);
    EXPECT_FALSE(vary_of(fields({{"Vary", ""}})).any);
}

TEST(Selection, is_alike_when_the_fields_mean_the_same) {   // RFC 9111 §4.1
    EXPECT_EQ(selection({{"Foo", "1, 2"}}, {"foo"}), selection({{"Foo", "1"}, {"foo", "2"}}, {"foo"}));
    EXPECT_EQ(selection({{"Foo", "1,2"}}, {"foo"}), selection({{"Foo", " 1, 2 "}}, {"foo"}));
    EXPECT_EQ(selection({{"Foo", "1"}, {"Other", "2"}}, {"foo"}), selection({{"Foo", "1"}, {"Other", "3"}}, {"foo"}));
}

TEST(Selection, is_another_when_they_do_not) {
    EXPECT_NE(selection({{"Foo", "1"}}, {"foo"}), selection({{"Foo", "2"}}, {"foo"}));
    EXPECT_NE(selection({{"Foo", "1"}}, {"foo"}), selection({}, {"foo"}));
    EXPECT_NE(selection({{"Foo", ""}}, {"foo"}), selection({}, {"foo"})) << "an empty field is not a missing one";
    EXPECT_NE(selection({{"Foo", "a b"}}, {"foo"}), selection({{"Foo", "ab"}}, {"foo"}));
    EXPECT_NE(selection({{"Foo", "\"1, 2\""}}, {"foo"}), selection({{"Foo", "\"1,2\""}}, {"foo"})) << "a quoted string is what it is";
    EXPECT_NE(selection({{"A", "1"}, {"B", "2"}}, {"a", "b"}), selection({{"A", "2"}, {"B", "1"}}, {"a", "b"}));
    EXPECT_NE(selection({{"A", "1"}}, {"a", "b"}), selection({{"B", "1"}}, {"a", "b"}));
}

TEST(Selection, languages_and_codings_go_by_their_weight) {
    auto languages = [](std::string_view value) { return selection({{"Accept-Language", value}}, {"accept-language"}); };
    EXPECT_EQ(languages("en, de"), languages("de, en"));
    EXPECT_EQ(languages("en, de"), languages("eN,   De"));
    EXPECT_EQ(languages("de;q=0.5, en"), languages("en, de; q=0.5"));
    EXPECT_NE(languages("de;q=0.5, en"), languages("en;q=0.5, de"));
    EXPECT_NE(languages("en"), languages("de"));
    EXPECT_EQ(selection({{"Accept-Encoding", "gzip, br"}}, {"accept-encoding"}), selection({{"Accept-Encoding", "br,gzip"}}, {"accept-encoding"}));
}

}  // namespace
}  // namespace suoke::cache
