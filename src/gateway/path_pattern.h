// SPDX-License-Identifier: MIT
#pragma once
// What a route says about paths, parsed once, and the one spelling in which paths are compared.
//   "/api/users"  "/users/{id}/photo"  "/files/*"  prefix "/api"  regex "/v[0-9]+/.*"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace suoke::gateway {

constexpr std::size_t kMaxParams = 9;     // so that $1 ... $9 can name them all
constexpr std::size_t kMaxSegments = 64;  // of a pattern; the walk is never deeper than this

// "/%61pi" and "/api" are the same path to every server (RFC 3986 §6.2.2), so they must be the same
// to us, or an escape slips past a route and the filters on it. The one spelling: unreserved
// characters bare, every other escape with upper-case digits, bytes above ASCII escaped. An escaped
// slash stays escaped, so both spellings have the same segments.
bool has_one_spelling(std::string_view path);  // true for nearly all: nothing to do

// The next character of a path in the one spelling, and how many bytes of the sent one it took.
struct Spelled {
    std::size_t taken;
    std::size_t size;
    char bytes[3];
};
Spelled spell(std::string_view sent);

template <class Text>
void append_one_spelling(std::string_view sent, Text& out) {
    while (!sent.empty()) {
        Spelled next = spell(sent);
        out.insert(out.end(), next.bytes, next.bytes + next.size);
        sent.remove_prefix(next.taken);
    }
}

struct PathPattern {
    // What may follow the segments; the more specific first.
    enum class End : std::uint8_t {
        closed,  // nothing
        regex,   // what the regex says: the segments are only the literal head of its matches
        rest,    // '/' and anything (a trailing "/*")
        open,    // nothing, or '/' and anything (a prefix)
    };
    struct Segment {
        bool is_param = false;
        std::string text;  // a literal in the one spelling, or the name of a param
        bool operator==(const Segment&) const = default;
    };

    std::vector<Segment> segments;
    End end = End::open;
    std::string regex;
};

// The part of the total order (router.h) that paths decide: less = more specific.
std::strong_ordering compare_specificity(const PathPattern& a, const PathPattern& b);

// Of the route's path, prefix or regex, whichever is given; none matches every path. The regex
// itself is not compiled here. Nothing when it is wrong; then `why` is a sentence for the operator.
std::optional<PathPattern> parse_path_pattern(const config::Route& route, std::string& why);

}  // namespace suoke::gateway
