// SPDX-License-Identifier: MIT
#pragma once
// A JSON or YAML text as a tree that knows where everything stood, so that a fault can be pointed at.
// Strict and bounded: no duplicate keys, one document, and what an alias repeats is counted again.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace suoke::discovery {

struct Place {
    int line = 0, column = 0;  // from 1
};

struct Member;

struct Node {
    enum Kind : std::uint8_t { null, scalar, list, map } kind = null;
    bool quoted = false;          // of a scalar: a text, whatever it looks like
    Place place;
    std::string text;             // of a scalar
    std::vector<Node> items;      // of a list
    std::vector<Member> members;  // of a map, in their order
};

struct Member {
    std::string name;
    Place place;
    Node value;
};

constexpr std::size_t kMostNodes = 100'000;
constexpr std::size_t kMostMembers = 1000;  // of one map
constexpr int kMostDepth = 32;

// What is wrong, with its place in front: "3:7: a value is missing".
Error fault_at(Place place, std::string_view sentence);

Result<Node> parse_json_document(std::string_view text);
Result<Node> parse_yaml_document(std::string_view text);

}  // namespace suoke::discovery
