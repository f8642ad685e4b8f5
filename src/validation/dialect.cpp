// SPDX-License-Identifier: MIT
#include "validation/dialect.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace suoke::validation {
namespace {

constexpr int kDeepest = 64;
constexpr std::size_t kMostDefinitions = 5000;

// What a keyword's value is, and so what becomes of it. Alphabetical within each.
constexpr std::string_view kCopied[] = {"const",     "enum",          "format", "maxItems",   "maxLength", "maxProperties", "minItems",
                                        "minLength", "minProperties", "type",   "uniqueItems"};
constexpr std::string_view kSchemas[] = {"additionalItems", "additionalProperties", "contains", "else", "if", "not", "propertyNames", "then"};
constexpr std::string_view kLists[] = {"allOf", "anyOf", "oneOf"};
// Words for people and tools: they refuse nothing.
constexpr std::string_view kAnnotations[] = {
    "$anchor", "$comment", "$defs", "$id", "$schema", "$vocabulary", "contentEncoding", "contentMediaType", "contentSchema", "default", "definitions",
    "deprecated", "description", "discriminator", "example", "examples", "externalDocs", "id", "nullable", "readOnly", "title", "writeOnly", "xml"};

template <std::size_t N>
bool is_one_of(const std::string_view (&words)[N], std::string_view word) {
    return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

struct Unfit {
    std::string sentence;
};
[[noreturn]] void refuse(const std::string& path, const std::string& why) { throw Unfit{"the schema at '" + (path.empty() ? "/" : path) + "' " + why}; }

Tree object_of(const char* key, Tree value) {
    Tree out = Tree::object();
    out[key] = std::move(value);
    return out;
}

// ECMA-262 -> RE2, where they spell the same differently.
std::string re2_of(const std::string& pattern) {
    std::string out;
    bool in_class = false;   // [...], where every bracket but the last stands for itself
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        std::string_view rest = std::string_view(pattern).substr(i);
        bool unicode = rest.starts_with("\\u") && rest.size() >= 6 && std::all_of(rest.begin() + 2, rest.begin() + 6, [](char c) { return hex_value(c) >= 0; });
        if (unicode) {
            out += "\\x{" + std::string(rest.substr(2, 4)) + "}";
            i += 5;
        } else if (!in_class && rest.starts_with("(?<") && rest.size() > 3 && rest[3] != '=' && rest[3] != '!') {
            out += "(?P<";
            i += 2;
        } else if (rest.front() == '\\' && rest.size() > 1) {
            out += rest.substr(0, 2);
            ++i;
        } else {
            in_class = rest.front() == '[' || (in_class && rest.front() != ']');
            out += rest.front();
        }
    }
    return out;
}

class Translator {
 public:
    Translator(const Tree& document, Dialect dialect) : document_(document), dialect_(dialect) {}

    Translated run(const Tree& from) {
        Tree schema = schema_at(from, "", 0);
        Tree definitions = Tree::object();
        while (!waiting_.empty()) {
            Waiting next = std::move(waiting_.front());
            waiting_.pop_front();
            definitions[next.name] = schema_at(*next.target, next.path, 0);
        }
        check_circles(definitions);
        if (schema.is_object()) schema["definitions"] = std::move(definitions);
        return {std::make_shared<const Tree>(std::move(schema)), std::move(patterns_), std::move(choices_)};
    }

 private:
    struct Waiting {
        std::string name, path;
        const Tree* target;
    };

    Tree schema_at(const Tree& from, const std::string& path, int depth) {
        if (from.is_boolean()) return from;
        if (!from.is_object()) refuse(path, "should be an object");
        if (depth > kDeepest) refuse(path, "is nested too deep");
        Tree out = Tree::object();
        bool only_a_reference = from.contains("$ref") && dialect_ == Dialect::openapi_30;   // what stands beside it counts for nothing there
        for (const auto& [keyword, value] : from.items())
            if (!only_a_reference || keyword == "$ref") translate_keyword(out, keyword, value, from, path, depth);
        bool nullable = !only_a_reference && dialect_ == Dialect::openapi_30 && from.value("nullable", Tree(false)) == Tree(true);
        if (auto values = out.find("enum"); values != out.end()) {
            if (nullable && values->is_array() && std::find(values->begin(), values->end(), Tree()) == values->end()) values->push_back(nullptr);
            choices_.push_back(std::make_shared<const Tree>(*values));
            out[kChoices] = choices_.size() - 1;
        }
        return nullable ? with_null(std::move(out)) : out;
    }

    void translate_keyword(Tree& out, const std::string& keyword, const Tree& value, const Tree& from, const std::string& path, int depth) {
        std::string below = path + "/" + keyword;
        if (is_one_of(kAnnotations, keyword) || keyword.starts_with("x-")) return;
        if (is_one_of(kCopied, keyword)) {
            out[keyword] = value;
        } else if (is_one_of(kSchemas, keyword)) {
            out[keyword] = schema_at(value, below, depth + 1);
        } else if (is_one_of(kLists, keyword)) {
            for (Tree& each : list_at(value, below, depth)) out[keyword].push_back(std::move(each));
        } else if (keyword == "properties") {
            out[keyword] = map_at(value, below, depth);
        } else if (keyword == "patternProperties") {
            Tree schemas = map_at(value, below, depth);
            out[keyword] = Tree::object();
            for (auto& [pattern, schema] : schemas.items()) out[keyword][known_pattern(pattern, below)] = std::move(schema);
        } else if (keyword == "pattern") {
            if (!value.is_string()) refuse(below, "should be a text");
            out[keyword] = known_pattern(value.get<std::string>(), below);
        } else if (keyword == "required") {
            out[keyword] = required_at(value, from, below);
        } else if (keyword == "multipleOf") {
            if (!value.is_number() || value.get<double>() <= 0) refuse(below, "should be a number above 0");
            out[keyword] = value;
        } else {
            translate_newer(out, keyword, value, from, path, depth);
        }
    }

    // What dialects say differently.
    void translate_newer(Tree& out, const std::string& keyword, const Tree& value, const Tree& from, const std::string& path, int depth) {
        std::string below = path + "/" + keyword;
        if (keyword == "$ref") {
            refer(out, value, from, below);
        } else if (keyword == "maximum" || keyword == "minimum" || keyword == "exclusiveMaximum" || keyword == "exclusiveMinimum") {
            set_bound(out, keyword, value, from, below);
        } else if (keyword == "items") {
            bool rest = from.contains("prefixItems");
            if (value.is_array()) out["items"] = list_at(value, below, depth);
            else out[rest ? "additionalItems" : "items"] = schema_at(value, below, depth + 1);
        } else if (keyword == "prefixItems") {
            out["items"] = list_at(value, below, depth);
        } else if (keyword == "dependentRequired") {
            out["allOf"].push_back(object_of("dependencies", value));
        } else if (keyword == "dependentSchemas") {
            out["dependencies"] = map_at(value, below, depth);
        } else if (keyword == "dependencies") {
            if (!value.is_object()) refuse(below, "should be an object");
            for (const auto& [name, each] : value.items()) out[keyword][name] = each.is_array() ? each : schema_at(each, below + "/" + name, depth + 1);
        } else {
            refuse(path, "says '" + keyword + "', which is not understood here");
        }
    }

    Tree list_at(const Tree& from, const std::string& path, int depth) {
        if (!from.is_array() || from.empty()) refuse(path, "should be a list of schemas");
        Tree out = Tree::array();
        for (const Tree& each : from) out.push_back(schema_at(each, path + "/" + std::to_string(out.size()), depth + 1));
        return out;
    }

    Tree map_at(const Tree& from, const std::string& path, int depth) {
        if (!from.is_object()) refuse(path, "should be an object of schemas");
        Tree out = Tree::object();
        for (const auto& [name, each] : from.items()) {
            if (name.find('\0') != std::string::npos) refuse(path, "has a name with a NUL in it");
            out[name] = schema_at(each, path + "/" + name, depth + 1);
        }
        return out;
    }

    std::string known_pattern(const std::string& pattern, const std::string& path) {
        std::string text = re2_of(pattern);
        RE2::Options quiet;
        quiet.set_log_errors(false);
        RE2 compiled(text, quiet);
        if (!compiled.ok() || text.find('\0') != std::string::npos) refuse(path, "has a pattern that RE2 does not read (" + compiled.error() + "): " + pattern);
        patterns_.insert(text);
        return text;
    }

    // OpenAPI: what only answers have cannot be required of requests.
    Tree required_at(const Tree& value, const Tree& from, const std::string& path) {
        if (!value.is_array()) refuse(path, "should be a list of names");
        Tree out = Tree::array();
        for (const Tree& name : value) {
            if (!name.is_string() || name.get_ref<const std::string&>().find('\0') != std::string::npos) refuse(path, "should be a list of names");
            if (dialect_ == Dialect::json_schema || !is_read_only(from, name.get<std::string>())) out.push_back(name);
        }
        return out;
    }

    bool is_read_only(const Tree& from, const std::string& name) const {
        auto properties = from.find("properties");
        if (properties == from.end() || !properties->is_object() || !properties->contains(name)) return false;
        const Tree* property = &(*properties)[name];
        for (int hops = 0; hops < 16 && property && property->is_object(); ++hops) {
            if (property->value("readOnly", Tree(false)) == Tree(true)) return true;
            auto reference = property->find("$ref");
            if (reference == property->end() || !reference->is_string()) return false;
            std::string_view to = reference->get_ref<const std::string&>();
            property = to.starts_with('#') ? find_pointer(document_, to.substr(1)) : nullptr;
        }
        return false;
    }

    // {"exclusiveMinimum": true} beside a minimum, as draft 4 and OpenAPI 3.0 have it, is {"exclusiveMinimum": <minimum>}.
    void set_bound(Tree& out, const std::string& keyword, const Tree& value, const Tree& from, const std::string& path) {
        bool exclusive = keyword.starts_with("exclusive");
        std::string plain = keyword.ends_with("aximum") ? "maximum" : "minimum", strict = plain == "maximum" ? "exclusiveMaximum" : "exclusiveMinimum";
        if (exclusive && value.is_boolean()) {
            if (value.get<bool>() && !from.contains(plain)) refuse(path, "needs a " + plain + " beside it");
            if (value.get<bool>()) out[strict] = from[plain];
            return;
        }
        if (!value.is_number()) refuse(path, "should be a number");
        bool is_strict = !exclusive && from.value(strict, Tree(false)) == Tree(true);
        if (!is_strict) out[keyword] = value;
    }

    void refer(Tree& out, const Tree& value, const Tree& from, const std::string& path) {
        if (!value.is_string()) refuse(path, "should be a text");
        Tree reference = object_of("$ref", "#/definitions/" + definition_of(value.get<std::string>(), path));
        bool alone = dialect_ == Dialect::openapi_30 || std::all_of(from.items().begin(), from.items().end(), [](const auto& each) {
            return each.key() == "$ref" || each.key().starts_with("x-") || is_one_of(kAnnotations, each.key());
        });
        if (alone) out = std::move(reference);
        else out["allOf"].push_back(std::move(reference));   // draft 7 would not look at what stands beside it
    }

    std::string definition_of(const std::string& reference, const std::string& path) {
        if (!reference.starts_with('#')) refuse(path, "refers to another document, which is not fetched: " + reference);
        std::string fragment = reference.substr(1);
        const Tree* target = find_pointer(document_, fragment);
        if (!target) refuse(path, "refers to nothing: " + reference);
        auto [known, is_new] = names_.try_emplace(target, "d" + std::to_string(names_.size()));
        if (names_.size() > kMostDefinitions) refuse(path, "refers to too much");
        if (is_new) waiting_.push_back({known->second, fragment, target});
        return known->second;
    }

    // Definitions that are only references must end somewhere.
    static void check_circles(const Tree& definitions) {
        for (const auto& [name, each] : definitions.items()) {
            const Tree* at = &each;
            std::size_t hops = 0;
            while (at->is_object() && at->contains("$ref")) {
                std::string next = (*at)["$ref"].get<std::string>().substr(std::string_view("#/definitions/").size());
                at = &definitions[next];
                if (++hops > definitions.size()) refuse("", "has references that go round in circles");
            }
        }
    }

    // OpenAPI 3.0's `nullable`.
    static Tree with_null(Tree schema) {
        if (!schema.contains("type")) {
            Tree choices = Tree::array();
            choices.push_back(object_of("type", "null"));
            choices.push_back(std::move(schema));
            return object_of("anyOf", std::move(choices));
        }
        Tree types = schema["type"].is_array() ? schema["type"] : Tree::array();
        if (schema["type"].is_string()) types.push_back(schema["type"]);
        types.push_back("null");
        schema["type"] = std::move(types);
        return schema;
    }

    const Tree& document_;
    const Dialect dialect_;
    std::map<const Tree*, std::string> names_;
    std::deque<Waiting> waiting_;
    std::set<std::string> patterns_;
    std::vector<TreePtr> choices_;
};

// ---- what a schema says of types

unsigned type_named(std::string_view name) {
    if (name == "string") return kString;
    if (name == "number") return kNumber | kInteger;
    if (name == "integer") return kInteger;
    if (name == "boolean") return kBoolean;
    if (name == "null") return kNull;
    if (name == "array") return kArray;
    return name == "object" ? kObject : 0u;
}

unsigned type_of_value(const Tree& value) {
    if (value.is_number_integer()) return kInteger;
    if (value.is_number()) return kNumber;
    return type_named(value.type_name());
}

const Tree* referred(const Tree& schema, const Tree& translated) {
    const Tree* at = &schema;
    for (int hops = 0; hops < 64 && at && at->is_object() && at->contains("$ref"); ++hops)
        at = find_pointer(translated, std::string_view((*at)["$ref"].get_ref<const std::string&>()).substr(1));
    return at && at->is_object() ? at : nullptr;
}

unsigned types_of(const Tree& schema, const Tree& translated, int depth) {
    const Tree* at = referred(schema, translated);
    if (!at || depth > 8) return 0;
    unsigned types = 0;
    if (auto type = at->find("type"); type != at->end()) {
        if (type->is_string()) return type_named(type->get_ref<const std::string&>());
        for (const Tree& each : *type)
            if (each.is_string()) types |= type_named(each.get_ref<const std::string&>());
        return types;
    }
    if (auto value = at->find("const"); value != at->end()) return type_of_value(*value);
    if (auto values = at->find("enum"); values != at->end())
        for (const Tree& each : *values) types |= type_of_value(each);
    for (const char* keyword : {"allOf", "anyOf", "oneOf"})
        if (auto list = at->find(keyword); list != at->end())
            for (const Tree& each : *list) types |= types_of(each, translated, depth + 1);
    return types;
}

const Tree* items_of(const Tree& schema, const Tree& translated, int depth) {
    const Tree* at = referred(schema, translated);
    if (!at || depth > 8) return nullptr;
    if (auto items = at->find("items"); items != at->end()) return items->is_object() ? &*items : nullptr;
    for (const char* keyword : {"allOf", "anyOf", "oneOf"})
        if (auto list = at->find(keyword); list != at->end())
            for (const Tree& each : *list)
                if (const Tree* found = items_of(each, translated, depth + 1)) return found;
    return nullptr;
}

}  // namespace

Result<Translated> translate(const Tree& schema, const Tree& document, Dialect dialect) {
    try {
        return Translator(document, dialect).run(schema);
    } catch (const Unfit& unfit) {
        return Error(Code::invalid_config, unfit.sentence);
    }
}

unsigned types_of(const Tree& schema, const Tree& translated) { return types_of(schema, translated, 0); }

const Tree* items_of(const Tree& schema, const Tree& translated) { return items_of(schema, translated, 0); }

}  // namespace suoke::validation
