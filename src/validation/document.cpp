// SPDX-License-Identifier: MIT
#include "validation/document.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/text.h"
#include "base/yaml.h"
#include "http/uri.h"
#include "validation/json_checker.h"

namespace suoke::validation {
namespace {

Error fault_at(int line, int column, const std::string& sentence) {
    return Error(Code::invalid_config, std::to_string(line) + ":" + std::to_string(column) + ": " + sentence);
}

// yaml.org/spec/1.2.2, chapter 10.3.2; what is none of these is a text.
Tree plain_scalar(const std::string& text) {
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    std::string_view digits = text;
    if (digits.front() == '-' || digits.front() == '+') digits.remove_prefix(1);
    if (digits.empty() || !(is_digit(digits.front()) || digits.front() == '.')) return text;
    const char* begin = text.data() + (text.front() == '+' ? 1 : 0);
    const char* end = text.data() + text.size();
    std::int64_t whole = 0;
    if (auto read = std::from_chars(begin, end, whole); read.ec == std::errc() && read.ptr == end) return whole;
    double number = 0;
    if (auto read = std::from_chars(begin, end, number); read.ec == std::errc() && read.ptr == end && std::isfinite(number)) return number;
    return text;
}

Tree tree_of(const yaml::Node& node) {
    switch (node.kind) {
        case yaml::Node::null: return nullptr;
        case yaml::Node::scalar: return node.quoted ? Tree(node.text) : plain_scalar(node.text);
        case yaml::Node::sequence: {
            Tree list = Tree::array();
            for (const yaml::NodePtr& item : node.items) list.push_back(tree_of(*item));
            return list;
        }
        case yaml::Node::mapping: {
            Tree object = Tree::object();
            for (const yaml::Entry& entry : node.entries) object[entry.key] = tree_of(*entry.value);
            return object;
        }
    }
    return nullptr;
}

Result<TreePtr> read_yaml(std::string_view text) {
    yaml::Document document = yaml::parse(std::string(text));
    if (!document.troubles.empty()) {
        const yaml::Trouble& first = document.troubles.front();
        return fault_at(first.line, first.column, first.sentence);
    }
    return std::make_shared<const Tree>(tree_of(*document.root));
}

}  // namespace

// JSON is nearly YAML; what is meant as JSON is read as such, unless it is only YAML's flow style.
Result<TreePtr> read_document(std::string_view text) {
    std::string_view body = trim(text);
    if (body.starts_with('{') || body.starts_with('[')) {
        JsonChecker checker({.depth = 200, .keys = 10'000, .string = 0, .unique_keys = true});
        if (checker.feed(text) && checker.finish()) {
            Tree tree = Tree::parse(text, nullptr, false);
            if (!tree.is_discarded()) return std::make_shared<const Tree>(std::move(tree));
        }
        auto flow = read_yaml(text);
        if (flow) return flow;
        return Error(Code::invalid_config, checker.fault().message);
    }
    return read_yaml(text);
}

Result<TreePtr> read_document_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    if (!file) return Error(Code::invalid_config, "cannot read " + path);
    auto tree = read_document(content.str());
    if (!tree) return Error(Code::invalid_config, path + ":" + tree.error().detail);
    return tree;
}

const Tree* find_pointer(const Tree& root, std::string_view fragment) {
    const Tree* at = &root;
    while (!fragment.empty()) {
        if (fragment.front() != '/') return nullptr;
        fragment.remove_prefix(1);
        std::size_t end = std::min(fragment.find('/'), fragment.size());
        std::string scratch, name;
        auto decoded = http::percent_decode(fragment.substr(0, end), scratch);
        if (!decoded) return nullptr;
        fragment.remove_prefix(end);
        for (std::size_t i = 0; i < decoded->size(); ++i) {
            std::string_view rest = decoded->substr(i);
            bool escape = rest.starts_with("~0") || rest.starts_with("~1");
            name += !escape ? rest[0] : rest[1] == '0' ? '~' : '/';
            i += escape;
        }
        if (at->is_object()) {
            auto member = at->find(name);
            if (member == at->end()) return nullptr;
            at = &*member;
        } else {
            auto index = parse_u64(name);
            if (!at->is_array() || !index || *index >= at->size()) return nullptr;
            at = &(*at)[static_cast<std::size_t>(*index)];
        }
    }
    return at;
}

}  // namespace suoke::validation
