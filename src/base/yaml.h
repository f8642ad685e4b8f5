// SPDX-License-Identifier: MIT
#pragma once
// YAML text -> a tree with places, so that yaml-cpp stays in yaml.cpp. Anchors, aliases and merge
// keys are resolved; duplicate keys, keys that are not text and alias bombs are troubles.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace suoke::yaml {

// What a file may cost us, whatever it says. A hundred routes take about two thousand nodes.
constexpr std::size_t kMaxText = 16 << 20;
constexpr std::size_t kMaxNodes = 500'000;  // after following every alias
constexpr std::size_t kMaxDepth = 64;

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct Entry {
    std::string key;
    int line = 0;
    int column = 0;
    NodePtr value;
};

struct Node {
    enum Kind { null, scalar, sequence, mapping };
    Kind kind = null;
    int line = 0;  // from 1
    int column = 0;
    std::string text;  // scalar
    bool quoted = false;
    std::vector<NodePtr> items;  // sequence
    std::vector<Entry> entries;  // mapping, in file order
    std::size_t weight = 1;      // nodes in it, following aliases
    std::size_t depth = 1;
};

struct Trouble {
    int line = 0;
    int column = 0;
    std::string sentence;
};

struct Document {
    NodePtr root;  // never null
    std::vector<Trouble> troubles;
};

Document parse(const std::string& text);

const Entry* find(const Node& mapping, std::string_view key);
std::string_view kind_name(const Node& node);  // "a list", for sentences

}  // namespace suoke::yaml
