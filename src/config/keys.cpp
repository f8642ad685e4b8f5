// SPDX-License-Identifier: MIT
// What follows from the definition: the paths of all keys, their variables, and the index of names.

#include <algorithm>

#include "config/definition.h"

namespace suoke::config {

namespace {

void collect(const Fields& fields, const Leaf& above, std::vector<Leaf>& out) {
    for (const Field& field : fields) {
        Leaf leaf = above;
        leaf.path += (leaf.path.empty() ? "" : ".") + std::string(field.name);
        leaf.chain.push_back(&field);
        if (field.shape->kind == Kind::object)
            collect(*field.shape->fields, leaf, out);
        else
            out.push_back(std::move(leaf));
    }
}

std::string upper_joined(std::string_view path, std::string_view separator) {
    std::string out;
    for (char c : path) {
        if (c == '.')
            out += separator;
        else
            out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
    }
    return out;
}

}  // namespace

void* Leaf::in(Config& config) const {
    void* at = &config;
    for (const Field* field : chain) at = field->member(at);
    return at;
}

const void* Leaf::in(const Config& config) const {
    return in(const_cast<Config&>(config));
}

bool Leaf::live() const {
    for (const Field* field : chain)
        if (!field->live) return false;
    return true;
}

std::vector<std::string> Leaf::variables() const {
    std::vector<std::string> paths = {path};
    paths.insert(paths.end(), field().aliases.begin(), field().aliases.end());
    std::vector<std::string> names = {"SUOKE_" + upper_joined(path, "_")};
    auto add = [&](std::string name) {
        if (std::find(names.begin(), names.end(), name) == names.end())
            names.push_back(std::move(name));
    };
    for (std::string_view name : field().variables) add(std::string(name));
    for (std::string_view name : field().variables) add("GATEWAY_" + std::string(name));
    for (const std::string& key : paths) add(upper_joined(key, "__"));
    for (const std::string& key : paths) add("API_GATEWAY_" + upper_joined(key, "_"));
    return names;
}

const std::vector<Leaf>& leaves() {
    static const std::vector<Leaf> kLeaves = [] {
        std::vector<Leaf> out;
        collect(describe(std::type_identity<Config>{}), {}, out);
        return out;
    }();
    return kLeaves;
}

const Leaf* leaf_at(std::string_view path) {
    return key_index().leaf(path);
}

KeyIndex::KeyIndex() {
    for (const Leaf& leaf : leaves()) {
        leaves_[leaf.path] = &leaf;
        remember(leaf.path);
        for (std::string_view alias : leaf.field().aliases) {
            leaves_[std::string(alias)] = &leaf;
            remember(alias);
        }
    }
    for (const Later& row : later_keys()) {
        later_[std::string(row.key)] = &row;
        remember(row.key);
    }
}

void KeyIndex::remember(std::string_view path) {
    for (;;) {
        std::size_t dot = path.rfind('.');
        std::string_view above = dot == path.npos ? std::string_view() : path.substr(0, dot);
        below_[std::string(above)].insert(std::string(path.substr(dot + 1)));
        if (dot == path.npos) return;
        path = above;
    }
}

const Leaf* KeyIndex::leaf(std::string_view path) const {
    auto found = leaves_.find(path);
    return found == leaves_.end() ? nullptr : found->second;
}

const Later* KeyIndex::later(std::string_view path) const {
    auto found = later_.find(path);
    return found == later_.end() ? nullptr : found->second;
}

bool KeyIndex::is_group(std::string_view path) const {
    return below_.find(path) != below_.end();
}

const std::set<std::string, std::less<>>& KeyIndex::names_below(std::string_view group) const {
    static const std::set<std::string, std::less<>> kNone;
    auto found = below_.find(group);
    return found == below_.end() ? kNone : found->second;
}

const KeyIndex& key_index() {
    static const KeyIndex kIndex;
    return kIndex;
}

}  // namespace suoke::config
