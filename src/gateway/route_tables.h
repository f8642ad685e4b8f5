// SPDX-License-Identifier: MIT
#pragma once
// What a router is made of: built by router_compile.cpp, walked by router.cpp, seen by nobody else.
//
// One trie of path segments per host. All nodes of all tries lie in one vector, a node before its
// subtree, so that the lines a walk needs next are neighbours of the one it is at. One hash table
// finds a child by (parent node, segment), however many routes there are. The roots of the hosts
// are found in it too, under two parents that do not exist.

#include <re2/re2.h>
#include <re2/set.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/route_conditions.h"
#include "gateway/router.h"

namespace suoke::gateway {

using NodeId = std::uint32_t;
constexpr NodeId kNoNode = 0xffffffff;
constexpr NodeId kExactHosts = 0xfffffffe;     // "parent" of the roots of whole host names
constexpr NodeId kWildcardHosts = 0xfffffffd;  // and of the wildcards, without their "*."

using Rank = std::uint32_t;  // place in the total order; less is better
constexpr Rank kNoRank = 0xffffffff;

// Methods as bits, in the order of RouteMethods::names.
using MethodSet = std::uint64_t;
constexpr MethodSet kEveryMethod = ~MethodSet{0};
constexpr MethodSet kUnnamedMethod = MethodSet{1} << 63;  // only in kEveryMethod

struct RouteMethods {
    std::vector<std::string> names = {"GET",    "HEAD",    "POST",    "PUT",  "PATCH",
                                      "DELETE", "OPTIONS", "CONNECT", "TRACE"};
    MethodSet bit(std::string_view name) const {
        for (std::size_t i = 0; i < names.size(); ++i)
            if (names[i] == name) return MethodSet{1} << i;
        return kUnnamedMethod;
    }
    std::string list(MethodSet set) const;
};

// One route under one of its hosts.
struct RouteEntry {
    Rank rank;
    std::uint32_t route;
    MethodSet methods;
    std::uint32_t conditions;  // index in RouteTables::conditions; 0 = none
    std::uint32_t capture;     // index in RouteTables::captures
};

// Which pieces of the path a route keeps. Routes alike share one, so it is usually in the cache.
struct Capture {
    static constexpr std::uint8_t kNoRest = 255;
    std::uint8_t params = 0;
    std::array<std::uint8_t, kMaxParams> segments{};  // of the i-th param
    std::uint8_t rest = kNoRest;                      // the rest begins after so many segments
    std::uint32_t names = 0;                          // first of `params` in RouteTables::names
    std::uint32_t regex = 0;                          // index in RouteTables::regexes; 0 = none
    auto operator<=>(const Capture&) const = default;
};

struct alignas(64) RouteNode {  // one cache line
    static constexpr std::size_t kInline = 30;

    NodeId parent = kNoNode;
    NodeId param = kNoNode;  // child for a {param}
    Rank best = kNoRank;     // of this node and all below
    // Entries in RouteTables::entries, by the End of their pattern, each kind in order:
    // closed in [first, regex), regex in [regex, rest), rest in [rest, open), open in [open, end).
    std::uint32_t first = 0, regex = 0, rest = 0, open = 0, end = 0;
    std::uint8_t has_literals = 0;
    std::uint8_t length = 0;  // of the segment; > kInline: it is in RouteTables::long_texts
    char text[kInline] = {};
};
static_assert(sizeof(RouteNode) == 64);

// Where a child is. The tag is a part of the hash, so that a wrong child is hardly ever looked at.
struct ChildSlot {
    std::uint32_t tag = 0;
    NodeId node = kNoNode;  // kNoNode: the slot is empty
};

// More regexes than this at one node are first asked all at once.
constexpr std::size_t kRegexesOneByOne = 8;

struct RouteTables {
    std::vector<RouteNode> nodes;
    std::vector<ChildSlot> slots;  // open addressing, at most half full
    std::uint32_t mask = 0;        // slots.size() - 1
    NodeId any_host = kNoNode;
    bool has_exact_hosts = false;
    std::size_t wildcard_labels = 0;  // of the longest wildcard; 0 = there are none

    std::vector<RouteEntry> entries;
    std::vector<Capture> captures;
    std::vector<RouteConditions> conditions;
    std::vector<std::unique_ptr<const re2::RE2>> regexes;
    std::map<std::uint32_t, std::unique_ptr<const re2::RE2::Set>> regex_sets;  // by node.regex
    std::vector<std::string_view> names;
    std::set<std::string, std::less<>> name_texts;  // what `names` view
    std::map<NodeId, std::string> long_texts;
    RouteMethods methods;

    NodeId find(NodeId parent, std::string_view text) const {
        std::uint64_t key = hash(parent, text);
        for (auto i = static_cast<std::uint32_t>(key) & mask;; i = (i + 1) & mask) {
            const ChildSlot& slot = slots[i];
            if (slot.node == kNoNode) return kNoNode;
            if (slot.tag == key >> 32 && is_child(slot.node, parent, text)) return slot.node;
        }
    }

    // What a walk reads next, most likely. Of 10,000 routes in random order: 229 -> 215 ns.
    void prefetch_below(NodeId id) const {
        const RouteNode* node = nodes.data() + id;
        __builtin_prefetch(node + 1);
        __builtin_prefetch(node + 2);
        __builtin_prefetch(node + 3);
        __builtin_prefetch(entries.data() + node->first);
    }

    bool is_child(NodeId id, NodeId parent, std::string_view text) const {
        const RouteNode& node = nodes[id];
        if (node.parent != parent) return false;
        if (node.length > RouteNode::kInline) return long_texts.at(id) == text;
        return node.length == text.size() && std::memcmp(node.text, text.data(), text.size()) == 0;
    }

    // After wyhash: two overlapping reads and a 128-bit multiplication for up to 16 bytes.
    static std::uint64_t hash(NodeId parent, std::string_view text) {
        std::uint64_t state = (parent + 1) * 0x9e3779b97f4a7c15u ^ text.size();
        for (; text.size() > 16; text.remove_prefix(16))
            state = mixed(read<8>(text.data()) ^ state, read<8>(text.data() + 8) ^ kSalt);
        std::uint64_t head = 0, tail = 0;
        if (text.size() >= 8) {
            head = read<8>(text.data());
            tail = read<8>(text.data() + text.size() - 8);
        } else if (text.size() >= 4) {
            head = read<4>(text.data());
            tail = read<4>(text.data() + text.size() - 4);
        } else if (!text.empty()) {
            head = static_cast<unsigned char>(text[0]);
            tail = static_cast<unsigned char>(text[text.size() / 2]) << 8 |
                   static_cast<unsigned char>(text.back());
        }
        return mixed(head ^ state, tail ^ kSalt);
    }

 private:
    static constexpr std::uint64_t kSalt = 0xe7037ed1a0b428db;
    template <std::size_t N>
    static std::uint64_t read(const char* from) {
        std::uint64_t word = 0;
        std::memcpy(&word, from, N);
        return word;
    }
    static std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
        __extension__ using Wide = unsigned __int128;
        Wide product = static_cast<Wide>(a) * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
};

}  // namespace suoke::gateway
