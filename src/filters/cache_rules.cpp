// SPDX-License-Identifier: MIT
#include "filters/cache_rules.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"

namespace suoke::filters {
namespace {

std::shared_ptr<const re2::RE2> compiled(const std::string& pattern) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    return std::make_shared<const re2::RE2>(pattern, options);
}

// Of the route, by its own words or by the name it gives; else the default, when it asks to be cached.
Duration usual_ttl(const config::Cache& section, const config::RouteCache& own) {
    if (own.ttl) return *own.ttl;
    auto strategy = section.strategies.find(own.strategy);
    if (!own.strategy.empty() && strategy != section.strategies.end()) return strategy->second.ttl;
    return own.enabled.value_or(false) ? section.default_ttl : Duration::zero();
}

bool is_for_get(const config::CacheRule& rule) {
    return rule.methods.empty() || std::ranges::find(rule.methods, "GET") != rule.methods.end();
}

// Any line of the field contains it, whatever its case.
bool says(const http::Headers& headers, const std::string& name, const std::string& wanted) {
    for (const http::Field& field : headers)
        if (iequals(field.name, name) && to_lower(field.value).find(to_lower(wanted)) != std::string::npos) return true;
    return false;
}

}  // namespace

std::optional<std::string> fault_of_cache_pattern(const std::string& pattern) {
    auto regex = compiled(pattern);
    if (regex->ok()) return std::nullopt;
    return "is not a regular expression: " + regex->error();
}

CacheRules::CacheRules(const config::Config& config, const config::Route& route)
    : max_memory(config.cache.max_memory),
      max_object(config.cache.max_object),
      max_entries(config.cache.max_entries),
      include_headers(config.cache.include_headers),
      finish_fills(config.cache.finish_fills),
      surrogate(config.cache.surrogate_control),
      second_level(config.cache.type == config::CacheType::redis),
      redis_wait(config.cache.redis_wait),
      redis_max_object(config.cache.redis_max_object) {
    const config::Cache& section = config.cache;
    const config::RouteCache own = route.cache.value_or(config::RouteCache());
    include_headers.insert(include_headers.end(), own.include_headers.begin(), own.include_headers.end());
    // The service is told which version, however the client said it; what it answers is that version's.
    if ((route.versioning ? *route.versioning : config.versioning).on()) include_headers.push_back("X-API-Version");
    usual_.ttl = usual_ttl(section, own);
    usual_.force = own.force && usual_.ttl > Duration::zero();
    usual_.stale_while_revalidate = own.stale_while_revalidate.value_or(section.stale_while_revalidate);
    usual_.stale_if_error = own.stale_if_error.value_or(section.stale_if_error);
    usual_.heuristic_percent = own.heuristic_percent.value_or(section.heuristic_percent);
    usual_.strip_cookies = own.set_cookie.value_or(section.set_cookie) == config::SetCookies::strip;
    usual_.surrogate = surrogate;
    for (const config::CacheRule& rule : section.rules) {
        if (!is_for_get(rule)) continue;
        auto regex = compiled(rule.pattern);
        if (regex->ok()) rules_.push_back({std::move(regex), rule});
    }
}

bool CacheRules::fits(const Rule& rule, std::string_view path, const http::Headers& answer) {
    if (!re2::RE2::PartialMatch(re2::StringPiece(path.data(), path.size()), *rule.pattern)) return false;
    const auto& wanted = rule.rule.conditions.headers;
    return std::ranges::all_of(wanted, [&](const auto& each) { return says(answer, each.first, each.second); });
}

cache::Rules CacheRules::for_answer(std::string_view path, const http::Headers& answer) const {
    cache::Rules found = usual_;
    for (const Rule& each : rules_) {
        if (!fits(each, path, answer)) continue;
        const config::CacheRule& rule = each.rule;
        if (rule.ttl) {
            found.ttl = *rule.ttl;
            found.force = rule.force && found.ttl > Duration::zero();
        }
        found.stale_while_revalidate = rule.stale_while_revalidate.value_or(found.stale_while_revalidate);
        found.stale_if_error = rule.stale_if_error.value_or(found.stale_if_error);
        break;
    }
    return found;
}

}  // namespace suoke::filters
