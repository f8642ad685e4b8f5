// SPDX-License-Identifier: MIT
// The definition as JSON Schema 2020-12, for editors and for checks outside the gateway.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "config/definition.h"
#include "config/load.h"
#include "config/show.h"

namespace suoke::config {
namespace {

using Json = nlohmann::ordered_json;

Json variable() {
    return {{"$ref", "#/$defs/variable"}};
}

Json choice_schema(const Shape& shape) {
    Json words = Json::array();
    for (std::string_view word : shape.choices) words.push_back(word);
    for (std::string_view word : shape.choices) {
        std::string upper(word);
        for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
        words.push_back(upper);
    }
    return {{"anyOf", {{{"enum", words}}, variable()}}};
}

Json integer_schema(const Field& field, const Shape& shape) {
    auto [low, high] = field.limits.value_or(std::pair(shape.low, shape.high));
    Json number = {{"type", "integer"}, {"minimum", low}, {"maximum", high}};
    return {{"anyOf", {number, {{"type", "string"}, {"pattern", "^-?[0-9]+$"}}, variable()}}};
}

Json scalar_schema(const Field& field, const Shape& shape) {
    switch (shape.kind) {
        case Kind::boolean:
            return {{"anyOf",
                     {{{"type", "boolean"}},
                      {{"enum", {"true", "false", "yes", "no", "on", "off", 0, 1}}},
                      variable()}}};
        case Kind::integer:
            return integer_schema(field, shape);
        case Kind::duration:
            return {{"$ref", "#/$defs/duration"}};
        case Kind::bytes:
            return {{"$ref", "#/$defs/size"}};
        case Kind::choice:
            return choice_schema(shape);
        default: {
            Json text = {{"type", {"string", "number", "boolean"}}};
            if (field.needs_text) text["minLength"] = 1;
            return text;
        }
    }
}

Json object_schema(const Fields* fields, const Shape* shape, const std::string& pattern);

Json value_schema(const Field& field, const Shape& shape, const std::string& pattern) {
    switch (shape.kind) {
        case Kind::optional:
            return value_schema(field, *shape.element, pattern);
        case Kind::object:
            return object_schema(shape.fields, &shape, pattern);
        case Kind::list: {
            Json list = {{"type", {"array", "null"}},
                         {"items", value_schema(field, *shape.element, pattern + ".*")}};
            if (!shape.element->is_scalar()) return list;
            return {
                {"anyOf", {list, {{"type", "string"}, {"description", "Separated by commas."}}}}};
        }
        case Kind::map: {
            Json element = value_schema(field, *shape.element, pattern + ".*");
            Json map = {{"type", {"object", "null"}}, {"additionalProperties", element}};
            if (field.name_key.empty()) return map;
            element["required"] = {field.name_key};
            return {{"anyOf", {map, {{"type", "array"}, {"items", element}}}}};
        }
        default:
            return scalar_schema(field, shape);
    }
}

// `retry: 2` for `retry: {max_retries: 2}`.
Json with_short_form(const Field& field, Json schema, const std::string& pattern) {
    for (const Field& each : *field.shape->inner().fields)
        if (each.name == field.scalar_key) return {{"anyOf", {schema, value_schema(each, *each.shape, pattern)}}};
    return schema;
}

Json property(const Field& field, const void* value, const std::string& pattern) {
    Json schema = value_schema(field, *field.shape, pattern);
    if (!field.scalar_key.empty()) schema = with_short_form(field, std::move(schema), pattern);
    if (field.shape->is_scalar() && key_index().is_group(pattern))  // logging.file: {path: ...}
        schema = {{"anyOf", {schema, object_schema(nullptr, nullptr, pattern)}}};
    Json out = {{"description", field.doc}};
    if (field.shape->is_scalar() && value)
        out["default"] = Json::parse(scalar_json(*field.shape, value));
    out.update(schema);
    return out;
}

// A key that is no field of its object: another spelling, one of a later version, or a group of
// such.
Json other_property(const std::string& path) {
    if (const Later* row = key_index().later(path))
        return {{"description",
                 fmt::format("Known, but without effect in this version: {}.", row->what)}};
    const Leaf* leaf = key_index().leaf(path);
    if (!leaf) return object_schema(nullptr, nullptr, path);
    Json out = {{"description", fmt::format("The same as {}.", leaf->path)}};
    out.update(value_schema(leaf->field(), *leaf->field().shape, leaf->path));
    return out;
}

Json object_schema(const Fields* fields, const Shape* shape, const std::string& pattern) {
    Json properties = Json::object();
    std::string dot = pattern.empty() ? "" : ".";
    for (const Field& field : fields ? *fields : Fields{})
        properties[std::string(field.name)] =
            property(field, shape->defaults ? field.in(shape->defaults) : nullptr,
                     pattern + dot + std::string(field.name));
    for (const std::string& name : key_index().names_below(pattern))
        if (name != "*" && !properties.contains(name))
            properties[name] = other_property(pattern + dot + name);
    return {
        {"type", {"object", "null"}}, {"properties", properties}, {"additionalProperties", false}};
}

Json definitions() {
    Json number = {{"type", "number"}, {"minimum", 0}};
    Json duration = {
        {"type", "string"},
        {"pattern",
         "^ *([0-9]+\\.?[0-9]*|\\.[0-9]+) *([nN][sS]|[uU][sS]|[mM][sS]|[sSmMhHdD])? *$"}};
    Json size = {
        {"type", "string"},
        {"pattern", "^ *([0-9]+\\.?[0-9]*|\\.[0-9]+) *([kKmMgG][iI]?[bB]|[kKmMgGbB])? *$"}};
    return {
        {"variable",
         {{"description", "Filled in from a variable."},
          {"type", "string"},
          {"pattern", "\\$\\{"}}},
        {"duration", {{"anyOf", {number, duration, variable()}}}},
        {"size", {{"anyOf", {number, size, variable()}}}},
    };
}

}  // namespace

std::string json_schema() {
    Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                   {"title", "Suoke Gateway configuration"}};
    const Shape& root = shape_of<Config>();
    schema.update(object_schema(root.fields, &root, ""));
    schema["patternProperties"] = {{"^x-", {{"description", "A place for anchors; not read."}}}};
    schema["$defs"] = definitions();
    return schema.dump(2) + "\n";
}

}  // namespace suoke::config
