// SPDX-License-Identifier: MIT
#include "validation/parameters.h"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace suoke::validation {
namespace {

template <class Number>
bool read_number(std::string_view text, Tree& out) {
    Number number{};
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return false;
    out = number;
    return true;
}

// A text as what it may be; what it is not stays a text, and the schema says so.
Tree value_of(std::string_view text, unsigned types) {
    Tree out;
    std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    bool numeric = !digits.empty() && is_digit(digits.front());   // not "inf", not ".5"
    if (numeric && (types & (kInteger | kNumber)) && (read_number<std::int64_t>(text, out) || read_number<std::uint64_t>(text, out))) return out;
    if (numeric && (types & kNumber) && read_number<double>(text, out) && std::isfinite(out.get<double>())) return out;
    if ((types & kBoolean) && (text == "true" || text == "false")) return text == "true";
    return std::string(text);
}

// One item, or several with a separator between them.
void append_items(Tree& list, std::string_view value, char separator, unsigned types) {
    if (!separator) return list.push_back(value_of(value, types));
    while (!value.empty()) {
        std::size_t end = std::min(value.find(separator), value.size());
        list.push_back(value_of(trim(value.substr(0, end), " \t"), types));
        value.remove_prefix(std::min(end + 1, value.size()));
    }
}

}  // namespace

std::string_view name_of(Parameters::In in) {
    constexpr std::array<std::string_view, 4> kNames = {"query", "header", "cookie", "path"};
    return kNames[static_cast<std::size_t>(in)];
}

Result<Parameters> Parameters::make(In in, const Translated& translated, const Separators& separators) {
    const Tree& schema = *translated.schema;
    auto compiled = compile(translated);
    if (!compiled) return compiled.error();
    Parameters made(in, std::move(*compiled));
    const Tree* properties = find_pointer(schema, "/properties");
    if (!properties || !properties->is_object()) return Error(Code::invalid_config, "the schema at '/' should have properties, one for each parameter");
    for (const auto& [name, each] : properties->items()) {
        Shape& shape = made.shapes_[name];
        shape.types = types_of(each, schema);
        if (shape.types == kObject) return Error(Code::invalid_config, "the parameter '" + name + "' is an object, which is not understood here");
        if (const Tree* items = items_of(each, schema)) shape.items = types_of(*items, schema);
        if (auto separator = separators.find(name); separator != separators.end()) shape.separator = separator->second;
        if (in != In::query && !shape.separator) shape.separator = ',';
    }
    return made;
}

Result<Parameters> read_parameters(Parameters::In in, const Tree& schema) {
    Tree named = schema;
    if (in == Parameters::In::header && named.is_object()) {
        if (auto properties = named.find("properties"); properties != named.end() && properties->is_object()) {
            Tree lowered = Tree::object();
            for (const auto& [name, each] : properties->items()) lowered[to_lower(name)] = each;
            *properties = std::move(lowered);
        }
        if (auto required = named.find("required"); required != named.end())
            for (Tree& name : *required)
                if (name.is_string()) name = to_lower(name.get<std::string>());
    }
    auto translated = translate(named, named, Dialect::json_schema);
    if (!translated) return translated.error();
    return Parameters::make(in, *translated);
}

void Parameters::check(const std::vector<Given>& given, Faults& faults) const {
    std::map<std::string_view, std::vector<std::string_view>> by_name;
    std::uint64_t size = 0;
    for (const Given& each : given) {
        by_name[each.name].push_back(each.value);
        size += each.name.size() + each.value.size();
    }
    Tree object = Tree::object();
    for (const auto& [name, values] : by_name) {
        auto known = shapes_.find(name);
        Shape shape = known == shapes_.end() ? Shape() : known->second;
        Tree& member = object[std::string(name)];
        if (!(shape.types & kArray) && values.size() == 1) {
            member = value_of(values.front(), shape.types);
            continue;
        }
        member = Tree::array();
        for (std::string_view value : values) append_items(member, value, shape.separator, shape.items);
    }
    schema_->check(object, size, name_of(in_), faults);
}

}  // namespace suoke::validation
