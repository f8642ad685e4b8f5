// SPDX-License-Identifier: MIT
// The rules of the response cache that look at more than one value, and the older words of routes.
#include <fmt/format.h>

#include <utility>

#include "base/text.h"
#include "config/decode.h"
#include "config/settle.h"

namespace suoke::config {
namespace {

void check_rule(const CacheRule& rule, std::size_t index, Report& report) {
    std::string key = fmt::format("cache.rules[{}]", index);
    auto complain = [&](std::string sentence) {
        Place place = report.place_of(key);
        report.error(place.source.empty() ? rule.place : place, key, std::move(sentence));
    };
    if (rule.pattern.empty()) return;   // said already
    if (!rule.ttl && !rule.stale_while_revalidate && !rule.stale_if_error) complain("says nothing: give a ttl, stale_while_revalidate or stale_if_error");
    if (rule.force && rule.ttl.value_or(0s) <= 0s) complain("has force, but no ttl to enforce");
}

class RouteRules {
 public:
    RouteRules(const Config& config, std::size_t index, Report& report)
        : config_(config), route_(config.routes[index]), key_(fmt::format("routes[{}].cache", index)), report_(report) {}

    void run() {
        if (!route_.cache) return;
        const RouteCache& cache = *route_.cache;
        if (!route_.forwards()) return complain("", "goes with service or split; this route answers itself");
        if (cache.enabled.value_or(false) && !config_.cache.enabled) warn("is without effect: cache.enabled is false");
        if (!cache.strategy.empty() && cache.ttl) complain("strategy", "stands beside ttl; give one");
        if (!cache.strategy.empty() && !config_.cache.strategies.contains(cache.strategy)) complain_of_strategy(cache.strategy);
        if (cache.force && cache.strategy.empty() && cache.ttl.value_or(0s) <= 0s) complain("force", "has no ttl to enforce");
    }

 private:
    std::string full(std::string_view field) const { return field.empty() ? key_ : fmt::format("{}.{}", key_, field); }
    Place place(const std::string& key) const {
        Place found = report_.place_of(key);
        return found.source.empty() ? route_.place : found;
    }
    void complain(std::string_view field, std::string sentence) { report_.error(place(full(field)), full(field), std::move(sentence)); }
    void warn(std::string sentence) { report_.warning(place(key_), key_, std::move(sentence)); }
    void complain_of_strategy(const std::string& name) {
        std::vector<std::string_view> names;
        for (const auto& [known, strategy] : config_.cache.strategies) names.push_back(known);
        complain("strategy", fmt::format("there is no strategy '{}' in cache.strategies{}", clipped(name), suggestion(name, names)));
    }

    const Config& config_;
    const Route& route_;
    std::string key_;
    Report& report_;
};

}  // namespace

// cache_enabled and cache_ttl of older files. What the route says in `cache` itself counts.
void fold_cache(Config& config) {
    for (Route& route : config.routes) {
        RouteCacheWords words = std::exchange(route.cache_words, {});
        if (words == RouteCacheWords()) continue;
        if (!route.cache) route.cache.emplace();
        RouteCache& cache = *route.cache;
        if (!cache.enabled) cache.enabled = words.cache_enabled;
        if (!cache.ttl && cache.strategy.empty()) cache.ttl = words.cache_ttl;
    }
}

void check_cache(const Config& config, Report& report) {
    const Cache& cache = config.cache;
    if (cache.max_object > cache.max_memory)
        report.error(report.place_of("cache.max_object"), "cache.max_object", "is more than cache.max_memory: no answer of that size could be kept");
    if (cache.enabled && cache.type == CacheType::redis && !config.redis.wanted())
        report.warning(report.place_of("cache.type"), "cache.type", "is redis, but the section redis names none: answers are kept in memory");
    for (std::size_t i = 0; i < cache.rules.size(); ++i) check_rule(cache.rules[i], i, report);
    for (std::size_t i = 0; i < config.routes.size(); ++i) RouteRules(config, i, report).run();
}

}  // namespace suoke::config
