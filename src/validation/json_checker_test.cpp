// SPDX-License-Identifier: MIT
#include "validation/json_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "testing/files.h"

namespace suoke::validation {
namespace {

bool is_fine(std::string_view text, const JsonLimits& limits = {}) {
    JsonChecker checker(limits);
    return checker.feed(text) && checker.finish();
}

// "json_invalid at 7"; "fine" when nothing is wrong.
std::string verdict(std::string_view text, const JsonLimits& limits = {}) {
    JsonChecker checker(limits);
    if (checker.feed(text) && checker.finish()) return "fine";
    return checker.fault().type + " at " + std::to_string(checker.position());
}

TEST(JsonChecker, agrees_with_the_json_test_suite) {
    std::filesystem::path suite = std::filesystem::path(SUOKE_VECTORS) / "jsontestsuite" / "test_parsing";
    if (!std::filesystem::exists(suite)) GTEST_SKIP() << "there is no " << suite;
    JsonLimits limits{.depth = 1000, .keys = 10'000, .string = 0, .unique_keys = false};
    int read = 0;
    for (const auto& entry : std::filesystem::directory_iterator(suite)) {
        std::string name = entry.path().filename().string(), text = scene::read_file(entry.path().string());
        bool must_pass = name.starts_with("y_"), must_fail = name.starts_with("n_"), passes = is_fine(text, limits);
        EXPECT_FALSE((must_pass && !passes) || (must_fail && passes)) << name;
        ++read;
    }
    EXPECT_GT(read, 300);
}

TEST(JsonChecker, says_the_same_wherever_the_bytes_are_cut) {
    const std::string texts[] = {R"({"a":[1,-0.5e+7,true,null,"\u00e9\uD83D\uDE00 \n"],"bé":{}} )", R"([1,2,)", R"({"a":1,"\u0061":2})", R"("\uD83D x")", "[\"\xC3\"]", "[01]"};
    for (const std::string& text : texts) {
        std::string whole = verdict(text);
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            JsonChecker checker{JsonLimits()};
            bool fine = checker.feed(text.substr(0, cut)) && checker.feed(text.substr(cut)) && checker.finish();
            EXPECT_EQ(fine ? "fine" : checker.fault().type + " at " + std::to_string(checker.position()), whole) << text << " cut at " << cut;
        }
    }
}

TEST(JsonChecker, refuses_at_the_first_byte_that_is_wrong) {
    JsonChecker checker{JsonLimits()};
    EXPECT_TRUE(checker.feed("[1, "));
    EXPECT_FALSE(checker.feed("2 x, and much more"));
    EXPECT_EQ(checker.position(), 6u);
    EXPECT_FALSE(checker.feed("]"));
    EXPECT_FALSE(checker.finish());
}

TEST(JsonChecker, refuses_a_key_that_stands_twice_in_one_object_however_it_is_written) {
    EXPECT_EQ(verdict(R"({"a":1,"a":2})"), "json_duplicate_key at 9");
    EXPECT_EQ(verdict(R"({"a":1,"\u0061":2})"), "json_duplicate_key at 14");
    EXPECT_EQ(verdict("{\"\xC3\xA9\":1,\"\\u00e9\":2}"), "json_duplicate_key at 15");
    EXPECT_EQ(verdict(R"({"\ud83d\ude00":1,"😀":2})"), "json_duplicate_key at 23");
    EXPECT_TRUE(is_fine(R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})"));
    EXPECT_TRUE(is_fine(R"({"a":1,"a":2})", {.unique_keys = false}));
    EXPECT_TRUE(is_fine(R"({"a":1,"A":2})"));
}

TEST(JsonChecker, keeps_its_limits_and_allows_what_is_just_within) {
    EXPECT_TRUE(is_fine("[[1]]", {.depth = 2}));
    EXPECT_EQ(verdict("[[[1]]]", {.depth = 2}), "json_too_deep at 2");
    EXPECT_EQ(verdict(R"({"a":{"b":[]}})", {.depth = 2}), "json_too_deep at 10");
    EXPECT_TRUE(is_fine(R"({"a":1,"b":{"c":1,"d":1}})", {.keys = 2}));
    EXPECT_EQ(verdict(R"({"a":1,"b":1,"c":1})", {.keys = 2}), "json_too_many_keys at 15");
    EXPECT_TRUE(is_fine(R"(["abc"])", {.string = 3}));
    EXPECT_THAT(verdict(R"(["abcd"])", {.string = 3}), testing::StartsWith("string_too_long"));
    EXPECT_THAT(verdict(R"(["\u20ac\u20ac"])", {.string = 5}), testing::StartsWith("string_too_long"));
    EXPECT_TRUE(is_fine("[" + std::string(1000, '1') + "]"));
    EXPECT_THAT(verdict("[" + std::string(1001, '1') + "]"), testing::StartsWith("json_number_too_long"));
}

TEST(JsonChecker, wants_utf_8_and_whole_characters) {
    for (const char* wrong : {"\"\xC0\xAF\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", "\"\xE0\x80\x80\"", "\"\x80\"", R"("\ud800")", R"("\udc00")", R"("\ud800\u0041")", "\xEF\xBB\xBF{}"})
        EXPECT_FALSE(is_fine(wrong)) << wrong;
    EXPECT_TRUE(is_fine("\"\xF4\x8F\xBF\xBF\""));
}

TEST(JsonChecker, a_number_alone_is_a_text) {
    for (const char* good : {"0", "-1", "1.5", "1e9", " 7 ", "true", "\"x\""}) EXPECT_TRUE(is_fine(good)) << good;
    for (const char* bad : {"", " ", "-", "1.", "1e", "01", "tru", "1 2", "\"x"}) EXPECT_FALSE(is_fine(bad)) << bad;
}

}  // namespace
}  // namespace suoke::validation
