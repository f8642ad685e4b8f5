// SPDX-License-Identifier: MIT
#pragma once
// Paths that nobody needs a credential for. Patterns are those of the predecessor: an exact path, one with a
// `*` at its end for everything that begins so, or shell wildcards (`*`, `?`, `[a-z]`, `[!a]`; a `*` takes
// slashes, too).

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace suoke::auth {

class PublicPaths {
 public:
    // Those that always are: login, documents, health (contract of the predecessor, 1.0 and 4.2).
    static const PublicPaths& always();

    void add(std::string_view pattern);
    // Adds those that a path which begins with `head` could match.
    void add(const PublicPaths& others, std::string_view head);
    bool contains(std::string_view path) const;
    bool empty() const { return patterns_.empty(); }

 private:
    struct Pattern {
        enum Kind : std::uint8_t { exact, prefix, wild } kind = exact;
        std::string text;      // of a prefix without its `*`
        std::size_t literal;   // so many bytes of it are no wildcards
        bool matches(std::string_view path) const;
        bool could_match_below(std::string_view head) const;
    };
    std::vector<Pattern> patterns_;
};

}  // namespace suoke::auth
