// SPDX-License-Identifier: MIT
#include "validation/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "validation/operation.h"

namespace suoke::validation {
namespace {

using testing::HasSubstr;

Result<SchemaPtr> compiled(std::string_view schema, Dialect dialect = Dialect::json_schema) {
    auto document = read_document(schema);
    if (!document) return document.error();
    auto translated = translate(**document, **document, dialect);
    if (!translated) return translated.error();
    return compile(*translated);
}

// "/a int_type, /b missing"; nothing when all is well.
std::string faults_of(std::string_view schema, std::string_view value, Dialect dialect = Dialect::json_schema) {
    auto made = compiled(schema, dialect);
    if (!made) return "unfit: " + made.error().detail;
    Faults faults;
    check_body(**made, value, faults);
    std::string out;
    for (const Fault& fault : faults) out += (out.empty() ? "" : ", ") + pointer_to(fault.place) + " " + fault.type;
    return out;
}

TEST(JsonSchema, types) {
    EXPECT_EQ(faults_of(R"({"type":"integer"})", "7"), "");
    EXPECT_EQ(faults_of(R"({"type":"integer"})", "7.0"), "");
    EXPECT_EQ(faults_of(R"({"type":"integer"})", "7.5"), " int_type");
    EXPECT_EQ(faults_of(R"({"type":"string"})", "null"), " string_type");
    EXPECT_EQ(faults_of(R"({"type":["string","null"]})", "null"), "");
    EXPECT_EQ(faults_of(R"({"type":["string","null"]})", "1"), " type_error");
    EXPECT_EQ(faults_of(R"({"type":"object"})", "[]"), " dict_type");
    EXPECT_EQ(faults_of("true", "[]"), "");
    EXPECT_EQ(faults_of("false", "[]"), " value_error");
}

TEST(JsonSchema, says_where_each_fault_is) {
    const char* schema = R"({"type":"object","required":["name","items"],"additionalProperties":false,"properties":{
        "name":{"type":"string","minLength":2},"items":{"type":"array","items":{"type":"object","properties":{"n":{"type":"integer","maximum":9}},"required":["n"]}}}})";
    EXPECT_EQ(faults_of(schema, R"({"name":"ab","items":[{"n":1}]})"), "");
    EXPECT_EQ(faults_of(schema, R"({"name":"a","items":[{"n":1},{"n":10},{}],"more~/":1})"),
              "/items/1/n less_than_equal, /items/2/n missing, /name string_too_short, /more~0~1 extra_forbidden");
}

TEST(JsonSchema, numbers) {
    EXPECT_EQ(faults_of(R"({"exclusiveMinimum":0})", "0"), " greater_than");
    EXPECT_EQ(faults_of(R"({"minimum":0,"exclusiveMinimum":true})", "0"), " greater_than");
    EXPECT_EQ(faults_of(R"({"minimum":0,"exclusiveMinimum":false})", "0"), "");
    EXPECT_EQ(faults_of(R"({"multipleOf":0.1})", "0.3"), "");
    EXPECT_EQ(faults_of(R"({"multipleOf":3})", "18446744073709551615"), "");
    EXPECT_EQ(faults_of(R"({"multipleOf":3})", "-4"), " multiple_of");
    EXPECT_THAT(faults_of(R"({"multipleOf":0})", "1"), HasSubstr("unfit"));
    EXPECT_EQ(faults_of(R"({"format":"int32"})", "2147483648"), " int_type");
    EXPECT_EQ(faults_of(R"({"type":"number"})", "1e999"), " json_invalid");
}

TEST(JsonSchema, whole_numbers_are_compared_with_all_their_digits) {
    EXPECT_EQ(faults_of(R"({"format":"int64"})", "9223372036854775807"), "");
    EXPECT_EQ(faults_of(R"({"format":"int64"})", "-9223372036854775808"), "");
    EXPECT_EQ(faults_of(R"({"format":"int64"})", "9223372036854775808"), " int_type");
    EXPECT_EQ(faults_of(R"({"format":"int32"})", "2147483647"), "");
    EXPECT_EQ(faults_of(R"({"maximum":9007199254740992})", "9007199254740992"), "");
    EXPECT_EQ(faults_of(R"({"maximum":9007199254740992})", "9007199254740993"), " less_than_equal");
    EXPECT_EQ(faults_of(R"({"minimum":-9007199254740992})", "-9007199254740993"), " greater_than_equal");
    EXPECT_EQ(faults_of(R"({"exclusiveMinimum":9007199254740992})", "9007199254740993"), "");
    EXPECT_EQ(faults_of(R"({"exclusiveMaximum":2.5})", "2"), "");
    EXPECT_EQ(faults_of(R"({"minimum":2.5})", "2"), " greater_than_equal");
    EXPECT_EQ(faults_of(R"({"minimum":-2.5})", "-3"), " greater_than_equal");
    EXPECT_EQ(faults_of(R"({"maximum":1e300})", "18446744073709551615"), "");
    EXPECT_EQ(faults_of(R"({"minimum":-1e300})", "-1"), "");
    EXPECT_EQ(faults_of(R"({"minimum":0})", "-1"), " greater_than_equal");
    EXPECT_EQ(faults_of(R"({"maximum":-1})", "18446744073709551615"), " less_than_equal");
}

TEST(JsonSchema, a_name_that_a_client_has_chosen_is_told_in_short) {
    auto made = compiled(R"({"additionalProperties":{"items":{"type":"string"}}})");
    ASSERT_TRUE(made);
    std::string name;
    for (int i = 0; i < 50'000; ++i) name += "望";
    Faults faults;
    check_body(**made, "{\"" + name + "\":[1,2]}", faults);
    ASSERT_EQ(faults.size(), 2u);
    EXPECT_EQ(faults.front().place.front().name, name.substr(0, 99) + "...");
    check_body(**compiled("additionalProperties: false"), "{\"" + name + "\":1}", faults);
    EXPECT_EQ(faults.back().place.front().name, name.substr(0, 99) + "...");
}

TEST(JsonSchema, texts) {
    EXPECT_EQ(faults_of(R"({"maxLength":2})", R"("望闻")"), "");
    EXPECT_EQ(faults_of(R"({"maxLength":1})", R"("望闻")"), " string_too_long");
    EXPECT_EQ(faults_of(R"({"pattern":"^[a-z]{2,3}$"})", R"("abc")"), "");
    EXPECT_EQ(faults_of(R"({"pattern":"^[a-z]{2,3}$"})", R"("abcd")"), " string_pattern_mismatch");
    EXPECT_EQ(faults_of(R"({"pattern":"^\\u671B"})", R"("望闻")"), "");
    EXPECT_EQ(faults_of(R"({"pattern":"^[^[(?<]$"})", R"("P")"), "");
    EXPECT_EQ(faults_of(R"({"pattern":"^(?<a>[x]])$"})", R"("x]")"), "");
    EXPECT_EQ(faults_of(R"({"format":"date"})", R"("2024-02-29")"), "");
    EXPECT_EQ(faults_of(R"({"format":"date"})", R"("2023-02-29")"), " value_error");
    EXPECT_EQ(faults_of(R"({"format":"date"})", "7"), "");
    EXPECT_EQ(faults_of(R"({"format":"favourite colour"})", R"("x")"), "");
}

TEST(JsonSchema, a_pattern_takes_time_with_the_length_of_the_text_only) {
    EXPECT_EQ(faults_of(R"({"pattern":"^(a+)+$"})", '"' + std::string(200'000, 'a') + "b\""), " string_pattern_mismatch");
}

TEST(JsonSchema, lists) {
    EXPECT_EQ(faults_of(R"({"minItems":1,"maxItems":2})", "[]"), " too_short");
    EXPECT_EQ(faults_of(R"({"maxItems":2})", "[1,2,3]"), " too_long");
    EXPECT_EQ(faults_of(R"({"uniqueItems":true})", "[1,2,1.0]"), " unique_items");
    EXPECT_EQ(faults_of(R"({"uniqueItems":true})", R"([{"a":1,"b":2},{"b":2,"a":1}])"), " unique_items");
    EXPECT_EQ(faults_of(R"({"uniqueItems":true})", R"([9007199254740992,9007199254740993,"9007199254740992",true,null,[],{}])"), "");
    EXPECT_EQ(faults_of(R"({"uniqueItems":true})", "[-1,18446744073709551615]"), "");
    EXPECT_EQ(faults_of(R"({"uniqueItems":true})", "[-1,-1.0]"), " unique_items");
    EXPECT_EQ(faults_of(R"({"uniqueItems":true})", "[1.5,1.5]"), " unique_items");
    EXPECT_EQ(faults_of(R"({"contains":{"const":3}})", "[1,2]"), " contains");
    EXPECT_EQ(faults_of(R"({"prefixItems":[{"type":"string"}],"items":{"type":"integer"}})", R"(["a",1,"b"])"), "/2 int_type");
    EXPECT_EQ(faults_of(R"({"items":[{"type":"string"}],"additionalItems":false})", R"(["a",1])"), " too_long");
}

TEST(JsonSchema, a_list_of_numbers_that_doubles_cannot_tell_apart_takes_no_time) {
    std::string list = "[4611686018427387904";
    for (int i = 1; i < 20'000; ++i) list += "," + std::to_string(4611686018427387904 + i);   // many of them are one double
    EXPECT_EQ(faults_of(R"({"uniqueItems":true})", list + "]"), "");
}

TEST(JsonSchema, objects) {
    EXPECT_EQ(faults_of(R"({"patternProperties":{"^x-":{"type":"string"}},"additionalProperties":{"type":"integer"}})", R"({"x-a":1,"b":"c","d":1,"x-e":"f"})"),
              "/x-a string_type, /b int_type");
    EXPECT_EQ(faults_of(R"({"propertyNames":{"maxLength":1}})", R"({"ab":1})"), "/ab string_too_long");
    EXPECT_EQ(faults_of(R"({"dependentRequired":{"a":["b"]}})", R"({"a":1})"), "/b missing");
    EXPECT_EQ(faults_of(R"({"dependencies":{"a":{"required":["c"]}}})", R"({"a":1})"), "/c missing");
    EXPECT_EQ(faults_of(R"({"minProperties":1})", "{}"), " too_short");
}

TEST(JsonSchema, several_schemas) {
    EXPECT_EQ(faults_of(R"({"allOf":[{"minimum":1},{"maximum":2}]})", "3"), " less_than_equal");
    EXPECT_EQ(faults_of(R"({"anyOf":[{"type":"string"},{"type":"integer"}]})", "null"), " any_of");
    EXPECT_EQ(faults_of(R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "3"), " one_of");
    EXPECT_EQ(faults_of(R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "1"), "");
    EXPECT_EQ(faults_of(R"({"not":{"type":"null"}})", "null"), " not_allowed");
    EXPECT_EQ(faults_of(R"({"if":{"properties":{"k":{"const":"a"}}},"then":{"required":["x"]},"else":{"required":["y"]}})", R"({"k":"a"})"), "/x missing");
    EXPECT_EQ(faults_of(R"({"enum":["a",{"b":[1]}]})", R"({"b":[1]})"), "");
    EXPECT_EQ(faults_of(R"({"enum":["a",{"b":[1]}]})", R"({"b":[2]})"), " enum");
    EXPECT_EQ(faults_of(R"({"enum":[1,2.5,true,null,"1",[]]})", "1.0"), "");
    EXPECT_EQ(faults_of(R"({"enum":[1,2.5,true,null,"1",[]]})", "[]"), "");
    EXPECT_EQ(faults_of(R"({"enum":[1,2.5,true,null,"2"]})", "false"), " enum");
    EXPECT_EQ(faults_of(R"({"enum":[1,2.5,true,null,"2"]})", "\"1\""), " enum");
    EXPECT_EQ(faults_of(R"({"properties":{"enum":{"enum":["a"]},"b":{"$ref":"#/$defs/b"}},"$defs":{"b":{"enum":["c"]}}})", R"({"enum":"a","b":"a"})"), "/b enum");
}

TEST(JsonSchema, a_list_of_many_values_from_a_long_enumeration_takes_no_time) {
    std::string codes, list;
    for (int i = 0; i < 2000; ++i) codes += (i ? ",\"" : "\"") + std::to_string(i) + "\"";
    for (int i = 0; i < 100'000; ++i) list += i ? ",\"1999\"" : "\"1999\"";
    EXPECT_EQ(faults_of("{\"items\":{\"enum\":[" + codes + "]}}", "[" + list + "]"), "");
    EXPECT_EQ(faults_of("{\"items\":{\"enum\":[" + codes + "]}}", "[" + list + ",\"2000\"]"), "/100000 enum");
}

TEST(JsonSchema, of_several_that_do_not_fit_the_one_that_got_furthest_says_why) {
    EXPECT_EQ(faults_of(R"({"anyOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},{"type":"null"}]})", R"({"a":"x"})"), "/a int_type");
}

TEST(JsonSchema, references_lead_into_the_document_and_may_go_round) {
    const char* tree = R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"children":{"type":"array","items":{"$ref":"#/$defs/node"}}}}}})";
    EXPECT_EQ(faults_of(tree, R"({"v":1,"children":[{"v":2,"children":[{"v":"x"}]}]})"), "/children/0/children/0/v int_type");
    EXPECT_EQ(faults_of(R"({"properties":{"next":{"$ref":"#"}},"required":["v"]})", R"({"v":1,"next":{"v":1,"next":{}}})"), "/next/next/v missing");
    EXPECT_EQ(faults_of(R"({"$ref":"#/$defs/a","minimum":2,"$defs":{"a":{"type":"integer"}}})", "1"), " greater_than_equal");
    EXPECT_THAT(faults_of(R"({"$ref":"#/nothing"})", "1"), HasSubstr("refers to nothing"));
    EXPECT_THAT(faults_of(R"({"$ref":"https://example.com/a.json"})", "1"), HasSubstr("not fetched"));
    EXPECT_THAT(faults_of(R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}})", "1"), HasSubstr("round in circles"));
}

TEST(JsonSchema, a_schema_that_goes_round_without_end_ends_the_check) {
    EXPECT_EQ(faults_of(R"({"allOf":[{"$ref":"#"}]})", "1"), " too_complex");
}

TEST(JsonSchema, a_schema_whose_time_doubles_with_each_level_ends_the_check) {
    const char* schema = R"({"$ref":"#/$defs/n","$defs":{"n":{"anyOf":[{"properties":{"c":{"$ref":"#/$defs/n"}},"required":["x"]},{"properties":{"c":{"$ref":"#/$defs/n"}},"required":["y"]}]}}})";
    std::string deep = "1";
    for (int i = 0; i < 30; ++i) deep = R"({"c":)" + deep + "}";
    EXPECT_EQ(faults_of(schema, deep), " too_complex");
}

TEST(JsonSchema, a_short_text_may_not_take_long) {
    const char* schema = R"({"$ref":"#/$defs/n","$defs":{"n":{"anyOf":[{"properties":{"c":{"$ref":"#/$defs/n"}},"required":["x"]},{"properties":{"c":{"$ref":"#/$defs/n"}},"required":["y"]}]}}})";
    std::string deep = "1";
    for (int i = 0; i < 12; ++i) deep = R"({"c":)" + deep + "}";
    EXPECT_EQ(faults_of(schema, deep), " too_complex");
    EXPECT_NE(faults_of(schema, R"({"c":{"c":1}})"), " too_complex");
    EXPECT_EQ(faults_of(R"({"uniqueItems":true,"items":{"$ref":"#"}})", std::string(200, '[') + "1" + std::string(200, ']')), "");
    std::string numbers = "0";
    for (int i = 1; i < 50'000; ++i) numbers += "," + std::to_string(i);
    EXPECT_EQ(faults_of(R"({"uniqueItems":true,"items":{"$ref":"#"}})", std::string(200, '[') + numbers + std::string(200, ']')), " too_complex");
}

TEST(JsonSchema, faults_that_are_thrown_away_again_take_time_as_well) {
    const char* schema = R"({"$ref":"#/$defs/n","$defs":{"n":{"anyOf":[{"properties":{"a":{"$ref":"#/$defs/n"},"x":{"type":"integer"}}},{"properties":{"a":{"$ref":"#/$defs/n"},"x":{"type":"boolean"}}}]}}})";
    auto nested = [](int levels) {
        std::string text = R"({"x":"s"})";
        for (int i = 0; i < levels; ++i) text = R"({"a":)" + text + R"(,"x":"s"})";
        return text;
    };
    EXPECT_NE(faults_of(schema, nested(2)), " too_complex");
    EXPECT_EQ(faults_of(schema, nested(9)), " too_complex");
}

TEST(JsonSchema, a_long_text_counts_for_more_each_time_a_pattern_goes_over_it) {
    const char* schema = R"({"$ref":"#/$defs/n","$defs":{"n":{"oneOf":[{"properties":{"a":{"$ref":"#/$defs/n"},"t":{"pattern":"^a*$"}}},{"properties":{"a":{"$ref":"#/$defs/n"},"t":{"pattern":"^b*$"}}}]}}})";
    const std::string leaf = R"({"t":")" + std::string(100'000, 'a') + "\"}";
    EXPECT_EQ(faults_of(schema, leaf), "");
    std::string deep = leaf;
    for (int i = 0; i < 13; ++i) deep = R"({"a":)" + deep + "}";
    EXPECT_EQ(faults_of(schema, deep), " too_complex");
}

TEST(JsonSchema, a_name_that_is_not_utf8_is_told_in_short_as_well) {
    auto made = compiled("additionalProperties: false");
    ASSERT_TRUE(made);
    Tree query = Tree::object();
    query[std::string(150, '\x80')] = "1";
    Faults faults;
    (*made)->check(query, 151, "query", faults);
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults.front().place.front().name, "...");
}

TEST(JsonSchema, finds_at_most_twenty_faults) {
    auto made = compiled(R"({"items":{"type":"string"}})");
    ASSERT_TRUE(made);
    Faults faults;
    std::string many = "[1";
    for (int i = 0; i < 100'000; ++i) many += ",1";
    check_body(**made, many + "]", faults);
    EXPECT_EQ(faults.size(), kMostFaults);
}

TEST(JsonSchema, what_is_not_understood_is_not_left_out) {
    EXPECT_THAT(faults_of(R"({"properties":{"a":{"unevaluatedProperties":false}}})", "{}"), HasSubstr("/properties/a' says 'unevaluatedProperties'"));
    EXPECT_THAT(faults_of(R"({"minLenght":3})", "{}"), HasSubstr("minLenght"));
    EXPECT_THAT(faults_of(R"p({"pattern":"(?!x)"})p", "{}"), HasSubstr("RE2"));
    EXPECT_THAT(faults_of(R"({"type":"text"})", "{}"), HasSubstr("unfit"));
    EXPECT_THAT(faults_of(R"({"required":"a"})", "{}"), HasSubstr("unfit"));
    EXPECT_THAT(faults_of("7", "{}"), HasSubstr("unfit"));
    EXPECT_THAT(faults_of("{\"a\": }", "{}"), HasSubstr("unfit"));
    EXPECT_EQ(faults_of(R"({"x-mine":1,"title":"t","$comment":"c","properties":{"unevaluatedProperties":{},"id":{"type":"integer"}}})", R"({"id":1})"), "");
}

TEST(JsonSchema, may_be_yaml) {
    EXPECT_EQ(faults_of("type: object\nrequired: [a]\nproperties:\n  a: {type: string, enum: ['1', \"2\"]}\n", R"({"a":"1"})"), "");
    EXPECT_EQ(faults_of("type: object\nproperties:\n  a: {const: 1.5}\n", R"({"a":"1.5"})"), "/a literal_error");
}

TEST(OpenApiSchema, nullable_and_read_only) {
    EXPECT_EQ(faults_of(R"({"type":"string","nullable":true,"enum":["a"]})", "null", Dialect::openapi_30), "");
    EXPECT_EQ(faults_of(R"({"type":"string"})", "null", Dialect::openapi_30), " string_type");
    EXPECT_EQ(faults_of(R"({"allOf":[{"type":"string"}],"nullable":true})", "null", Dialect::openapi_30), "");
    EXPECT_EQ(faults_of(R"({"type":"string","nullable":true})", "null", Dialect::openapi_31), " string_type");
    EXPECT_EQ(faults_of(R"({"required":["id","n"],"properties":{"id":{"readOnly":true},"n":{}}})", "{}", Dialect::openapi_31), "/n missing");
}

}  // namespace
}  // namespace suoke::validation
