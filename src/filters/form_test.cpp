// SPDX-License-Identifier: MIT
#include "filters/form.h"

#include <gtest/gtest.h>

namespace suoke::filters {
namespace {

std::string json(std::string_view form) {
    auto made = json_of_form(form);
    return made ? *made : std::string(made.error().reason());
}

TEST(JsonOfForm, each_name_has_its_text_and_a_repeated_one_a_list) {
    EXPECT_EQ(json("a=1&b=2&b=3"), R"({"a":"1","b":["2","3"]})");
    EXPECT_EQ(json(""), "{}");
    EXPECT_EQ(json("&&a&b=&=c&"), R"({"":"c","a":"","b":""})");
    EXPECT_EQ(json("a=&a="), R"({"a":["",""]})");
    EXPECT_EQ(json("a=1=2"), R"({"a":"1=2"})");
}

TEST(JsonOfForm, names_and_values_are_read_as_they_were_meant) {
    EXPECT_EQ(json("full+name=Li%20Shi+zhen%2B&%61=%26"), R"({"a":"&","full name":"Li Shi zhen+"})");
    EXPECT_EQ(json("herb=%E4%BA%BA%E5%8F%82"), R"({"herb":"人参"})");
    EXPECT_EQ(json("a=\"%0A\\"), R"({"a":"\"\n\\"})");
}

TEST(JsonOfForm, bytes_that_are_no_text_make_no_second_key) {
    EXPECT_EQ(json("%FF=1&%FE=2"), "{\"\xEF\xBF\xBD\":[\"1\",\"2\"]}");
}

TEST(JsonOfForm, what_cannot_be_read_is_an_error) {
    EXPECT_EQ(json("a=%zz"), "malformed_request");
    EXPECT_EQ(json("a=1&%00=2"), "malformed_request");
    std::string many = "a";
    for (std::size_t i = 0; i < kMostFields - 1; ++i) many += "&a";
    EXPECT_TRUE(json_of_form(many));
    EXPECT_EQ(json(many + "&a"), "body_too_large");
}

}  // namespace
}  // namespace suoke::filters
