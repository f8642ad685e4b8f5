// SPDX-License-Identifier: MIT
#pragma once
// What need not be asked twice, as the operator says it; names, docs and checks are in definition_cache.cpp.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/place.h"

namespace suoke::config {

enum class CacheType : std::uint8_t { memory, redis };
enum class SetCookies : std::uint8_t { refuse, strip };   // of an answer with Set-Cookie: not stored, or without it

struct CacheConditions {                    // on the answer
    std::map<std::string, std::string> headers;   // each must be there and contain this
    bool operator==(const CacheConditions&) const = default;
};

struct CacheRule {                          // the first whose pattern fits counts
    std::string pattern;                    // RE2, anywhere in the path
    std::optional<Duration> ttl;            // fresh for so long, where the answer does not say
    bool force = false;                     // ... and whatever it says
    std::optional<Duration> stale_while_revalidate, stale_if_error;
    std::vector<std::string> methods;       // empty: all that can be cached
    CacheConditions conditions;
    Place place;
    bool operator==(const CacheRule&) const = default;
};

struct CacheStrategy {                      // a lifetime with a name
    Duration ttl{};
    bool operator==(const CacheStrategy&) const = default;
};

struct Cache {
    bool enabled = false;
    CacheType type = CacheType::memory;     // redis: behind memory, shared by gateways
    std::string key_prefix = "cache:";      // in Redis, after redis.key_prefix
    Duration redis_wait = 50ms;             // that a request waits for it at most
    std::uint64_t redis_max_object = 1ull << 20;
    std::uint64_t max_memory = 64ull << 20; // of all that is stored
    std::uint64_t max_object = 8ull << 20;  // of one answer
    std::uint64_t max_entries = 0;          // 0: as many as fit
    Duration default_ttl{};                 // of routes that ask to be cached, where the answer does not say
    Duration stale_while_revalidate{}, stale_if_error{};
    std::uint32_t heuristic_percent = 0;    // of the time since Last-Modified; 0: nothing is guessed
    std::vector<std::string> include_headers;   // requests that differ in them have answers of their own
    SetCookies set_cookie = SetCookies::refuse;
    bool surrogate_control = false;
    bool finish_fills = false;              // what was begun is read to its end when every client has left
    std::map<std::string, CacheStrategy> strategies;
    std::vector<CacheRule> rules;
    bool operator==(const Cache&) const = default;
};

// What a route leaves out it has from the section.
struct RouteCache {
    std::optional<bool> enabled;            // true asks for the default ttl, too
    std::optional<Duration> ttl;
    bool force = false;
    std::string strategy;                   // instead of ttl: one of cache.strategies
    std::optional<Duration> stale_while_revalidate, stale_if_error;
    std::optional<std::uint32_t> heuristic_percent;
    std::vector<std::string> include_headers;   // besides those of the section
    std::optional<SetCookies> set_cookie;
    bool operator==(const RouteCache&) const = default;
};

// How an older file says it. Loading folds it into the above.
struct RouteCacheWords {
    std::optional<bool> cache_enabled;
    std::optional<Duration> cache_ttl;
    bool operator==(const RouteCacheWords&) const = default;
};

}  // namespace suoke::config
