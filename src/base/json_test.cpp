// SPDX-License-Identifier: MIT
#include "base/json.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/random.h"

namespace suoke {
namespace {

std::string json_string(std::string_view s) {
    std::string out;
    append_json_string(out, s);
    return out;
}

TEST(Json, escapes_what_must_be_escaped) {
    EXPECT_EQ(json_string("a\"b\\c\n\r\t"), R"("a\"b\\c\n\r\t")");
    EXPECT_EQ(json_string(std::string_view("\0\x1f", 2)), R"("\u0000\u001f")");
    EXPECT_EQ(json_string("中文 é 🙂"), "\"中文 é 🙂\"");
}

TEST(Json, bytes_that_are_not_utf8_become_the_replacement_character) {
    const std::string bad = "\xEF\xBF\xBD";
    EXPECT_EQ(json_string("\xFF"), "\"" + bad + "\"");
    EXPECT_EQ(json_string("a\xC3"), "\"a" + bad + "\"");
    EXPECT_FALSE(
        nlohmann::json::parse(json_string("\xED\xA0\x80")).get<std::string>().empty());  // a surrogate
    EXPECT_FALSE(nlohmann::json::parse(json_string("\xC0\xAF")).get<std::string>().empty());  // overlong
}

TEST(Json, any_bytes_make_valid_json) {
    Random random(3);
    for (int i = 0; i < 5000; ++i) {
        std::string bytes(random.below(40), '\0');
        for (char& c : bytes) c = static_cast<char>(random.next());
        std::string text = json_string(bytes);
        auto parsed = nlohmann::json::parse(text, nullptr, false);
        ASSERT_TRUE(parsed.is_string()) << text;
    }
}

TEST(Json, writes_objects_and_arrays) {
    std::string out;
    JsonWriter j(out);
    j.open('{').field("s", "x").field("n", 1).field("d", 0.5).field("b", true).key("none").null();
    j.key("list").open('[').value(1).value("two").open('{').close('}').close(']').close('}');
    EXPECT_EQ(out, R"({"s":"x","n":1,"d":0.5,"b":true,"none":null,"list":[1,"two",{}]})");
}

TEST(Json, what_is_nested_too_deep_is_known_before_it_is_parsed) {
    EXPECT_FALSE(nested_deeper("", 0));
    EXPECT_FALSE(nested_deeper("7", 0));
    EXPECT_TRUE(nested_deeper("[]", 0));
    EXPECT_FALSE(nested_deeper(R"([{"a":[1]}, [2], {"b":{}}])", 3));
    EXPECT_TRUE(nested_deeper(R"([{"a":[1]}])", 2));
    EXPECT_FALSE(nested_deeper(R"(["[[[[", "\"[[[[", "\\"])", 1)) << "those are text";
    EXPECT_TRUE(nested_deeper(std::string(40'000, '['), 32));
}

TEST(Json, what_is_no_number_is_null) {
    std::string out;
    JsonWriter j(out);
    j.open('[')
        .value(std::numeric_limits<double>::quiet_NaN())
        .value(std::numeric_limits<double>::infinity())
        .close(']');
    EXPECT_EQ(out, "[null,null]");
}

}  // namespace
}  // namespace suoke
