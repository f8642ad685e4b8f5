// SPDX-License-Identifier: MIT
#include "filters/json_shape.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace suoke::filters {
namespace {

using config::JsonEdits;
using config::KeyCase;

std::string shaped(const JsonEdits& edits, std::string_view json) { return JsonShape(edits).apply(json).value_or("no JSON"); }

TEST(JsonShape, renames_members_where_they_stand) {
    JsonEdits edits{.rename = {{"mail", "email"}, {"user.name", "fullName"}}};
    EXPECT_EQ(shaped(edits, R"({"id":1,"mail":"a@b","user":{"name":"x","mail":"y"}})"),
              R"({"id":1,"email":"a@b","user":{"fullName":"x","mail":"y"}})");
}

TEST(JsonShape, takes_members_out) {
    JsonEdits edits{.remove = {"secret", "user.secret"}};
    EXPECT_EQ(shaped(edits, R"({"secret":[1,{"a":2}],"user":{"secret":1}})"), R"({"user":{}})");
    EXPECT_EQ(shaped(edits, R"({"a":1,"secret":2,"b":3,"secret":4})"), R"({"a":1,"b":3})");
}

TEST(JsonShape, sets_what_is_there_and_what_is_not) {
    JsonEdits edits{.set = {{"source", "gateway"}, {"n", "5"}, {"text", "\"5\""}, {"meta.seen", "true"}, {"list", "[1, 2]"}}};
    EXPECT_EQ(shaped(edits, R"({"n":{"old":1},"a":null})"),
              R"({"n":5,"a":null,"list":[1,2],"meta":{"seen":true},"source":"gateway","text":"5"})");
    EXPECT_EQ(shaped(edits, R"({"meta":{"by":1}})"), R"({"meta":{"by":1,"seen":true},"list":[1,2],"n":5,"source":"gateway","text":"5"})");
    EXPECT_EQ(shaped({.set = {{"a", "1"}}}, "{}"), R"({"a":1})");
    EXPECT_EQ(shaped({.set = {{"a", "1"}}}, "[{},5]"), R"([{"a":1},5])");
}

TEST(JsonShape, a_new_member_may_have_another_name_than_its_path) {
    EXPECT_EQ(shaped({.rename = {{"a", "b"}}, .set = {{"a", "1"}}}, R"({"a":0})"), R"({"b":1})");
    EXPECT_EQ(shaped({.rename = {{"a", "b"}}, .set = {{"a", "1"}}}, "{}"), R"({"b":1})");
}

TEST(JsonShape, looks_into_lists_on_the_way) {
    JsonEdits edits{.rename = {{"items.id", "key"}}, .remove = {"items.tags.internal"}};
    EXPECT_EQ(shaped(edits, R"({"items":[{"id":1},{"id":2,"tags":[[{"internal":1,"x":2}]]}],"id":3})"),
              R"({"items":[{"key":1},{"key":2,"tags":[[{"x":2}]]}],"id":3})");
    EXPECT_EQ(shaped({.rename = {{"id", "key"}}}, R"([{"id":1}])"), R"([{"key":1}])");
}

TEST(JsonShape, drops_nulls_of_objects_and_not_of_lists) {
    EXPECT_EQ(shaped({.drop_nulls = true}, R"({"a":null,"b":[null,{"c":null}],"d":1,"e":null})"), R"({"b":[null,{}],"d":1})");
    EXPECT_EQ(shaped({.set = {{"a", "null"}}, .drop_nulls = true}, R"({"a":1})"), R"({"a":null})") << "who says null means it";
}

TEST(JsonShape, no_key_becomes_one_that_is_set) {
    JsonEdits edits{.set = {{"userRole", "guest"}, {"deepOne.x", "1"}}, .key_case = KeyCase::camel};
    EXPECT_EQ(shaped(edits, R"({"user_role":"admin","a_b":1,"deep_one":{"x":2}})"), R"({"aB":1,"deepOne":{"x":1},"userRole":"guest"})");
    EXPECT_EQ(shaped(edits, R"({"user_role":"admin","userRole":"admin","deepOne":{}})"), R"({"userRole":"guest","deepOne":{"x":1}})");
    JsonEdits renamed{.rename = {{"userRole", "role"}}, .set = {{"userRole", "guest"}}, .key_case = KeyCase::camel};
    EXPECT_EQ(shaped(renamed, R"({"user_role":1})"), R"({"userRole":1,"role":"guest"})") << "that is another one";
}

TEST(JsonShape, numbers_keep_their_digits) {
    for (const char* number : {"1.10", "18446744073709551616", "-0.0", "1E+02", "0.1e-7", "123456789012345678901234567890.5"})
        EXPECT_EQ(shaped({.key_case = KeyCase::snake}, std::string("{\"a\":") + number + "}"), std::string("{\"a\":") + number + "}");
}

TEST(JsonShape, strings_keep_their_escapes) {
    std::string text = R"({"a":"\u00e9 \/ \" \ud83d\ude00 )" "\xC3\xA9" R"("})";
    EXPECT_EQ(shaped({.key_case = KeyCase::camel}, text), text);
}

TEST(JsonShape, a_key_is_found_however_it_is_spelled) {
    EXPECT_EQ(shaped({.remove = {"abc"}}, R"({"\u0061b\u0063":1,"x":2})"), R"({"x":2})");
    EXPECT_EQ(shaped({.remove = {"\xC3\xA9"}}, R"({"\u00E9":1})"), "{}");
    EXPECT_EQ(shaped({.remove = {"\xF0\x9F\x98\x80"}}, R"({"\ud83d\uDE00":1})"), "{}");
    EXPECT_EQ(shaped({.remove = {" a/\"\n"}}, R"({" a\/\"\n":1})"), "{}");
    EXPECT_EQ(shaped({.remove = {"a"}}, R"({"\ud83da":1})"), R"({"\ud83da":1})") << "half a pair is nobody's name";
}

TEST(JsonShape, members_of_the_same_name_all_stay) {
    EXPECT_EQ(shaped({.key_case = KeyCase::snake}, R"({"aB":1,"aB":2,"a_b":3})"), R"({"a_b":1,"a_b":2,"a_b":3})");
}

TEST(JsonShape, what_is_no_json_is_left_alone) {
    JsonShape shape({.drop_nulls = true});
    for (const char* wrong : {"", " ", "{", "{}x", "[1,]", "{\"a\":1,}", "{a:1}", "{'a':1}", "01", "1.", ".5", "+1", "-", "1e", "nul", "nulls", "NaN",
                              "\"\\x\"", "\"\\u12g4\"", "\"a", "\"\n\"", "[1 2]", "{\"a\" 1}", "{1:2}", "\xEF\xBB\xBF{}", "[}", "{\"a\":1]", "\"\\"})
        EXPECT_FALSE(shape.apply(wrong)) << wrong;
    for (const char* right : {"null", "0", "-1.5e3", "\"\"", "[]", "{}", " [ 1 , { } ] \n"}) EXPECT_TRUE(shape.apply(right)) << right;
}

TEST(JsonShape, goes_so_deep_and_no_deeper) {
    auto nested = [](int levels) { return std::string(static_cast<std::size_t>(levels), '[') + std::string(static_cast<std::size_t>(levels), ']'); };
    JsonShape shape({.drop_nulls = true});
    EXPECT_TRUE(shape.apply(nested(JsonShape::kDeepest)));
    EXPECT_FALSE(shape.apply(nested(JsonShape::kDeepest + 1)));
    EXPECT_FALSE(shape.apply(std::string(1'000'000, '[')));
}

// ---- keys

TEST(KeyCase, knows_words_when_it_sees_them) {
    struct Row {
        const char *key, *snake, *camel, *pascal;
    };
    for (const Row& row : {Row{"user_id", "user_id", "userId", "UserId"}, Row{"userId", "user_id", "userId", "UserId"},
                           Row{"UserID", "user_id", "userId", "UserId"}, Row{"HTTPServer", "http_server", "httpServer", "HttpServer"},
                           Row{"id", "id", "id", "Id"}, Row{"MAX_SIZE", "max_size", "maxSize", "MaxSize"},
                           Row{"address1", "address1", "address1", "Address1"}, Row{"oauth2Token", "oauth2_token", "oauth2Token", "Oauth2Token"},
                           Row{"_id", "_id", "_id", "_Id"}, Row{"__typename", "__typename", "__typename", "__Typename"},
                           Row{"a__b_", "a_b_", "aB_", "AB_"}, Row{"_", "_", "_", "_"}}) {
        EXPECT_EQ(in_case(row.key, KeyCase::snake), row.snake) << row.key;
        EXPECT_EQ(in_case(row.key, KeyCase::camel), row.camel) << row.key;
        EXPECT_EQ(in_case(row.key, KeyCase::pascal), row.pascal) << row.key;
        EXPECT_EQ(in_case(row.key, KeyCase::keep), row.key);
    }
}

TEST(KeyCase, what_is_no_identifier_stays) {
    for (const char* key : {"", "content-Type", "a.bC", "first Name", "7Eleven", "\xC3\xA9tatCivil", "https://x/Y"})
        EXPECT_EQ(in_case(key, KeyCase::snake), key);
}

TEST(KeyCase, other_names_are_left_to_who_said_them) {
    JsonEdits edits{.rename = {{"userName", "Full_Name"}}, .set = {{"sourceId", "1"}}, .key_case = KeyCase::snake};
    EXPECT_EQ(shaped(edits, R"({"userName":1,"sourceId":2,"otherKey":3})"), R"({"Full_Name":1,"sourceId":1,"other_key":3})");
    EXPECT_EQ(shaped(edits, "{}"), R"({"sourceId":1})");
}

class Draw {
 public:
    explicit Draw(unsigned seed) : bits_(seed) {}
    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(bits_); }

    // Words of two letters and more: "aBC" could be read as a, bc.
    std::string camel_key() {
        std::string key;
        for (std::size_t words = 1 + below(4); words > 0; --words) {
            std::size_t begin = key.size();
            for (std::size_t n = 2 + below(5); n > 0; --n) key += static_cast<char>('a' + below(26));
            if (below(4) == 0) key += static_cast<char>('0' + below(10));
            if (begin > 0) key[begin] = static_cast<char>(key[begin] - 0x20);
        }
        return key;
    }
    nlohmann::ordered_json json(int depth) {
        switch (depth > 4 ? below(5) : below(8)) {
            case 0: return nullptr;
            case 1: return below(2) == 0;
            case 2: return static_cast<std::int64_t>(below(1'000'000)) - 500'000;
            case 3: return static_cast<double>(below(1000)) / 7;
            case 4: return text();
            case 5: {
                auto list = nlohmann::ordered_json::array();
                for (std::size_t n = below(5); n > 0; --n) list.push_back(json(depth + 1));
                return list;
            }
            default: {
                auto object = nlohmann::ordered_json::object();
                for (std::size_t n = below(6); n > 0; --n) object[camel_key()] = json(depth + 1);
                return object;
            }
        }
    }

 private:
    std::string text() {
        static constexpr const char* kPieces[] = {"a", "\"", "\\", "\n", "\xC3\xA9", "\xF0\x9F\x98\x80", "\x01", "/", "{", "]", ","};
        std::string out;
        for (std::size_t n = below(10); n > 0; --n) out += kPieces[below(11)];
        return out;
    }
    std::mt19937 bits_;
};

TEST(JsonShape, with_nothing_to_do_any_json_is_unchanged) {
    for (unsigned seed = 0; seed < 300; ++seed) {
        Draw draw(seed);
        nlohmann::ordered_json json = draw.json(0);
        bool ascii = seed % 2 == 0;
        EXPECT_EQ(shaped({}, json.dump(-1, ' ', ascii)), json.dump(-1, ' ', ascii));
        EXPECT_EQ(shaped({}, json.dump(2, ' ', ascii)), json.dump(-1, ' ', ascii)) << "but for its blanks";
    }
}

TEST(JsonShape, camel_to_snake_and_back_is_where_it_began) {
    JsonShape to_snake({.key_case = KeyCase::snake}), to_camel({.key_case = KeyCase::camel}), to_pascal({.key_case = KeyCase::pascal});
    for (unsigned seed = 0; seed < 300; ++seed) {
        std::string text = Draw(seed).json(0).dump();
        std::string snake = to_snake.apply(text).value();
        EXPECT_EQ(to_camel.apply(snake), text);
        EXPECT_EQ(to_snake.apply(to_pascal.apply(snake).value()), snake);
        EXPECT_EQ(to_camel.apply(text), text) << "and what is camel already stays";
    }
}

TEST(JsonShape, whatever_it_is_given_comes_out_as_json_or_not_at_all) {
    JsonEdits edits{.rename = {{"ab", "x"}}, .remove = {"cd.ef"}, .set = {{"gh", "1"}}, .key_case = KeyCase::snake, .drop_nulls = true};
    JsonShape shape(edits);
    std::mt19937 bits(3);
    int compared = 0;
    for (unsigned seed = 0; seed < 3000; ++seed) {
        std::string text = Draw(seed % 500).json(1).dump();
        for (int i = 0; i < 2; ++i) text[bits() % text.size()] = "{}[]\",:\\0atn"[bits() % 12];
        auto out = shape.apply(text);
        bool was_json = nlohmann::json::accept(text);
        EXPECT_TRUE(out || !was_json) << text;
        // The other reader also looks at bytes of UTF-8 and at pairs of escapes, which ours passes on.
        if (text.find("\\u") != text.npos || text.find_first_of("\xC3\xA9\xF0\x9F\x98\x80") != text.npos) continue;
        ++compared;
        EXPECT_EQ(out.has_value(), was_json) << text;
        EXPECT_TRUE(!out || nlohmann::json::accept(*out)) << text << " became " << *out;
    }
    EXPECT_GT(compared, 300);
}

}  // namespace
}  // namespace suoke::filters
