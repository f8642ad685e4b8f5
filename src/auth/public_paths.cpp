// SPDX-License-Identifier: MIT
#include "auth/public_paths.h"

#include <algorithm>

namespace suoke::auth {
namespace {

// Whether `c` is in the set that begins behind a '['; `end` is behind its ']'. A '[' that nothing closes is
// itself.
struct Bracket {
    bool closed = false, hit = false;
    std::size_t end = 0;
};

Bracket read_bracket(std::string_view pattern, std::size_t at, char c) {
    bool negated = at < pattern.size() && pattern[at] == '!';
    std::size_t begin = at + negated;
    std::size_t close = pattern.find(']', begin + 1);   // a first ']' is one of the set
    Bracket bracket;
    if (begin >= pattern.size() || close == pattern.npos) return bracket;
    bracket.closed = true;
    bracket.end = close + 1;
    bool in = false;
    for (std::size_t i = begin; i < close; ++i) {
        bool range = i + 2 < close && pattern[i + 1] == '-';
        char high = range ? pattern[i + 2] : pattern[i];
        in |= pattern[i] <= c && c <= high;
        if (range) i += 2;
    }
    bracket.hit = in != negated;
    return bracket;
}

// One step of the pattern against one character; nothing: they do not fit.
std::size_t step(std::string_view pattern, std::size_t at, char c) {
    if (at >= pattern.size()) return 0;
    if (pattern[at] == '?') return 1;
    if (pattern[at] == '[') {
        Bracket bracket = read_bracket(pattern, at + 1, c);
        if (bracket.closed) return bracket.hit ? bracket.end - at : 0;
    }
    return pattern[at] == c ? 1 : 0;
}

// Goes back to the last '*' only: at most as many steps as both are long, multiplied.
bool fits(std::string_view pattern, std::string_view text) {
    std::size_t at = 0, star = pattern.npos, kept = 0;
    for (std::size_t i = 0; i < text.size();) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            kept = i;
        } else if (std::size_t taken = step(pattern, at, text[i])) {
            at += taken;
            ++i;
        } else if (star != pattern.npos) {
            at = star + 1;
            i = ++kept;
        } else {
            return false;
        }
    }
    while (at < pattern.size() && pattern[at] == '*') ++at;
    return at == pattern.size();
}

PublicPaths make_always() {
    PublicPaths paths;
    for (const char* own : {"/", "/health", "/health/", "/health/ready", "/health/live", "/metrics", "/metrics/", "/openapi.json"}) paths.add(own);
    // By segments: /docsX is somebody else's.
    for (const char* tree : {"/docs", "/redoc", "/static"}) {
        paths.add(tree);
        paths.add(std::string(tree) + "/*");
    }
    for (const char* verb : {"login", "register", "refresh"}) {
        for (const char* base : {"/api/v1/auth/", "/api/auth/", "/auth/"}) paths.add(base + std::string(verb));
        for (const char* way : {"/api/v1/gateway/", "/api/v1/proxy/"})
            for (const char* service : {"auth-service", "auth"})
                for (const char* base : {"/", "/auth/", "/api/v1/auth/", "/api/auth/"})
                    paths.add(std::string(way) + service + base + verb);
    }
    return paths;
}

}  // namespace

const PublicPaths& PublicPaths::always() {
    static const PublicPaths kAlways = make_always();
    return kAlways;
}

bool PublicPaths::Pattern::matches(std::string_view path) const {
    switch (kind) {
        case exact: return path == text;
        case prefix: return path.starts_with(text);
        default: return path.starts_with(std::string_view(text).substr(0, literal)) && fits(text, path);
    }
}

bool PublicPaths::Pattern::could_match_below(std::string_view head) const {
    std::string_view known = std::string_view(text).substr(0, literal);
    return known.starts_with(head) || (kind != exact && head.starts_with(known));
}

void PublicPaths::add(std::string_view pattern) {
    std::size_t wild = std::min(pattern.find_first_of("*?["), pattern.size());
    Pattern made{Pattern::exact, std::string(pattern), wild};
    if (wild + 1 == pattern.size() && pattern[wild] == '*') {
        made.kind = Pattern::prefix;
        made.text.pop_back();
    } else if (wild < pattern.size()) {
        made.kind = Pattern::wild;
    }
    patterns_.push_back(std::move(made));
}

void PublicPaths::add(const PublicPaths& others, std::string_view head) {
    for (const Pattern& pattern : others.patterns_)
        if (pattern.could_match_below(head)) patterns_.push_back(pattern);
}

bool PublicPaths::contains(std::string_view path) const {
    return std::any_of(patterns_.begin(), patterns_.end(), [path](const Pattern& pattern) { return pattern.matches(path); });
}

}  // namespace suoke::auth
