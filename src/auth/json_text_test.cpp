// SPDX-License-Identifier: MIT
#include "auth/json_text.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "testing/files.h"

namespace suoke::auth {
namespace {

using Kind = JsonValue::Kind;

bool parses(std::string_view json) { return JsonText::parse(json).has_value(); }

// What nlohmann's parser makes of the same, to compare with.
nlohmann::json tree_of(const JsonValue& value) {
    nlohmann::json tree;
    switch (value.kind) {
        case Kind::null: break;
        case Kind::boolean:
        case Kind::number: tree = nlohmann::json::parse(value.text); break;
        case Kind::text: tree = std::string(value.text); break;
        case Kind::list:
            tree = nlohmann::json::array();
            for (const JsonValue& item : value) tree.push_back(tree_of(item));
            break;
        case Kind::object:
            tree = nlohmann::json::object();
            for (const JsonValue& member : value) tree[std::string(member.name)] = tree_of(member);
            break;
    }
    return tree;
}

TEST(JsonTexts, give_their_members_in_order_with_what_is_in_them) {
    auto text = JsonText::parse(R"( {"sub" : "42","roles":["a",["b"],{"c":null}],"exp":-1.5e3, "ok":true,"none":null,"in":{"deep":[]}} )");
    ASSERT_TRUE(text);
    const JsonValue& root = text->root();
    std::string names;
    for (const JsonValue& member : root) names += std::string(member.name) + " ";
    EXPECT_EQ(names, "sub roles exp ok none in ");
    EXPECT_EQ(root.find("sub")->text, "42");
    EXPECT_TRUE(root.find("exp")->is(Kind::number));
    EXPECT_EQ(root.find("exp")->text, "-1.5e3");
    EXPECT_EQ(root.find("ok")->text, "true");
    EXPECT_TRUE(root.find("none")->is(Kind::null));
    EXPECT_EQ(root.find("roles")->text, R"(["a",["b"],{"c":null}])");
    EXPECT_TRUE(root.find("in")->find("deep")->is(Kind::list));
    EXPECT_EQ(root.find("c"), nullptr) << "it is a member of another";
    EXPECT_EQ(root.find("sub")->find("x"), nullptr);
    int items = 0;
    for (const JsonValue& item : *root.find("roles")) items += item.span > 0 ? 1 : 0;
    EXPECT_EQ(items, 3);
}

TEST(JsonTexts, undo_escapes_in_names_and_texts) {
    const std::string json = R"({"\u0073ub":"\"\\\/\b\f\n\r\t","e":"\u00e9\u20AC\ud83d\ude00 plain é€😀","nul":"a\u0000b"})";
    auto text = JsonText::parse(json);
    ASSERT_TRUE(text);
    auto moved = std::move(*text);
    EXPECT_EQ(moved.root().find("sub")->text, "\"\\/\b\f\n\r\t");
    EXPECT_EQ(moved.root().find("e")->text, "é€😀 plain é€😀");
    EXPECT_EQ(moved.root().find("nul")->text, std::string_view("a\0b", 3));
    auto small = std::move(*JsonText::parse(R"(["\n"])"));
    EXPECT_EQ((*small.root().begin()).text, "\n");
}

TEST(JsonTexts, are_refused_when_a_member_stands_twice_however_it_is_spelled) {
    EXPECT_FALSE(parses(R"({"alg":"RS256","alg":"none"})"));
    EXPECT_FALSE(parses(R"({"alg":"RS256","\u0061lg":"none"})"));
    EXPECT_FALSE(parses(R"({"a":{"b":1,"b":1}})"));
    EXPECT_FALSE(parses(R"({"":1,"":2})"));
    EXPECT_TRUE(parses(R"({"a":{"b":1},"b":1,"c":{"b":1}})"));
}

TEST(JsonTexts, are_refused_when_they_are_not_JSON_to_the_letter) {
    for (const char* json : {"",           " ",          "nul",     "nulll", "True",     "[1,]", "[,1]",     "[1 2]",         "{\"a\"}",   "{\"a\":}",
                             "{\"a\":1,}", "{a:1}",      "{'a':1}", "[1",    "{\"a\":1", "\"a",  "\"a\\\"",  "\"\\x\"",       "\"\\u12\"", "\"\\u12g4\"",
                             "\"\t\"",     "\"\n\"",     "[01]",    "[-]",   "[+1]",     "[1.]", "[.5]",     "[1e]",          "[1e+]",     "[0x1]",
                             "[NaN]",      "[Infinity]", "[-01]",   "{}{}",  "{} x",     "[]]",  "// c\n{}", "\xEF\xBB\xBF{}"})
        EXPECT_FALSE(parses(json)) << json;
    EXPECT_FALSE(parses(std::string_view("{}\0", 3)));
}

TEST(JsonTexts, are_refused_when_they_are_no_UTF_8) {
    for (const char* json :
         {"\"\x80\"", "\"\xC0\xAF\"", "\"\xC2\"", "\"\xE0\x80\x80\"", "\"\xED\xA0\x80\"", "\"\xF5\x80\x80\x80\"", "\"\xF4\x90\x80\x80\"", "\"\xE2\x82",
          "\"\\n\xFF\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800x\"", "\"\\ud800\\ud800\""})
        EXPECT_FALSE(parses(json)) << json;
}

TEST(JsonTexts, have_limits) {
    auto nested = [](int levels) { return std::string(static_cast<std::size_t>(levels), '[') + std::string(static_cast<std::size_t>(levels), ']'); };
    EXPECT_TRUE(JsonText::parse(nested(3), {.depth = 3, .values = 100}));
    EXPECT_FALSE(JsonText::parse(nested(4), {.depth = 3, .values = 100}));
    EXPECT_FALSE(JsonText::parse(nested(100'000)));
    EXPECT_TRUE(JsonText::parse("[1,2]", {.depth = 3, .values = 3}));
    EXPECT_FALSE(JsonText::parse("[1,2,3]", {.depth = 3, .values = 3}));
    auto members = [](std::size_t count) {
        std::string json = "{";
        for (std::size_t i = 0; i < count; ++i) json += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
        return json + "}";
    };
    EXPECT_TRUE(parses(members(kMostJsonMembers)));
    EXPECT_FALSE(parses(members(kMostJsonMembers + 1)));
}

TEST(JsonTexts, mean_the_same_to_another_parser) {
    for (const char* json : {R"({"a":[1,-0,2.5e10,true,false,null,"x\u0041\n"],"b":{"c":{}},"d":"é"})", "\"text\"", "1", "[]", R"([[],[[]],{"a":[{}]}])"}) {
        auto text = JsonText::parse(json);
        ASSERT_TRUE(text) << json;
        EXPECT_EQ(tree_of(text->root()), nlohmann::json::parse(json)) << json;
    }
}

// https://github.com/nst/JSONTestSuite: y_ must be read, n_ must not, i_ is up to us.
TEST(JsonTexts, pass_the_public_suite) {
    const std::filesystem::path folder = std::string(SUOKE_VECTORS) + "/jsontestsuite";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no vectors";
    int files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() != ".json") continue;
        ++files;
        const std::string name = entry.path().filename().string(), json = scene::read_file(entry.path().string());
        auto text = JsonText::parse(json);
        // A member twice is JSON, but nothing that we would believe.
        const bool refused_by_choice = name == "y_object_duplicated_key.json" || name == "y_object_duplicated_key_and_value.json";
        if (name.starts_with("y_")) { EXPECT_EQ(text.has_value(), !refused_by_choice) << name; }
        if (name.starts_with("n_")) { EXPECT_FALSE(text) << name; }
        const nlohmann::json other = nlohmann::json::parse(json, nullptr, false);  // knows no numbers beyond a double's
        if (text && !other.is_discarded()) { EXPECT_EQ(tree_of(text->root()), other) << name; }
    }
    EXPECT_GT(files, 100);
}

}  // namespace
}  // namespace suoke::auth
