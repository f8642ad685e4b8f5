// SPDX-License-Identifier: MIT
// The response cache.
#include "base/text.h"
#include "config/definition.h"
#include "config/rules.h"

namespace suoke::config {
namespace {

std::string_view cacheable_method(std::string_view s) { return s == "GET" || s == "HEAD" ? "" : "must be GET or HEAD: no other answers are cached"; }

std::string_view redis_wait(std::string_view s) {
    auto wait = parse_duration(s);
    return wait && *wait >= 1ms && *wait <= 1s ? "" : "must be between 1ms and 1s: clients wait for it";
}

constexpr std::string_view kWhileRevalidate = "A stale answer is served for so long while it is validated in the background, where the answer does not say; 0: not.";
constexpr std::string_view kIfError = "A stale answer is served for so long when the service cannot be reached or answers 500, 502, 503 or 504, where the answer does not say; 0: not.";

}  // namespace

std::span<const Choice<CacheType>> choices(std::type_identity<CacheType>) {
    static constexpr Choice<CacheType> kAll[] = {{"memory", CacheType::memory}, {"redis", CacheType::redis}};
    return kAll;
}

std::span<const Choice<SetCookies>> choices(std::type_identity<SetCookies>) {
    static constexpr Choice<SetCookies> kAll[] = {{"refuse", SetCookies::refuse}, {"strip", SetCookies::strip}};
    return kAll;
}

const Fields& describe(std::type_identity<CacheConditions>) {
    static const Fields kFields = {
        field<&CacheConditions::headers>("headers", "Headers of the answer that must contain this, like {cache-control: public}.").check_keys(rules::token).check(rules::header_value),
    };
    return kFields;
}

const Fields& describe(std::type_identity<CacheRule>) {
    static const Fields kFields = {
        field<&CacheRule::pattern>("pattern", "An RE2 expression that is looked for in the path; the first rule that fits counts.").not_empty(),
        field<&CacheRule::ttl>("ttl", "How long an answer is fresh that does not say so itself."),
        field<&CacheRule::force>("force", "The ttl counts whatever the answer says, no-store and private included. Dangerous: only for answers that are the same for everybody."),
        field<&CacheRule::stale_while_revalidate>("stale_while_revalidate", "Instead of cache.stale_while_revalidate."),
        field<&CacheRule::stale_if_error>("stale_if_error", "Instead of cache.stale_if_error."),
        field<&CacheRule::methods>("methods", "The methods it is for: GET, HEAD; none: both.").check(cacheable_method),
        field<&CacheRule::conditions>("conditions", "What the answer must say besides."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<CacheStrategy>) {
    static const Fields kFields = {
        field<&CacheStrategy::ttl>("ttl", "How long an answer is fresh that does not say so itself."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Cache>) {
    static const Fields kFields = {
        field<&Cache::enabled>("enabled", "Keep answers of services as they allow it (RFC 9111). False: nothing is cached, whatever routes say.").env({"CACHE_ENABLED"}),
        field<&Cache::type>("type", "Where answers are kept: memory of this process, or redis: there as well, behind memory, for all gateways that share the section redis."),
        field<&Cache::key_prefix>("key_prefix", "What the keys of answers in Redis begin with, after redis.key_prefix. Gateways whose routes do not mean the same need different ones."),
        field<&Cache::redis_wait>("redis_wait", "How long a request that memory has no answer for waits for Redis, before the service is asked.").check(redis_wait),
        bytes<&Cache::redis_max_object>("redis_max_object", "The largest body that is kept in Redis.").range(1 << 10, 4 << 20),
        bytes<&Cache::max_memory>("max_memory", "The most memory that all of them take.").also({"cache.max_memory_size"}),
        bytes<&Cache::max_object>("max_object", "The largest body that is kept."),
        field<&Cache::max_entries>("max_entries", "The most answers that are kept; 0: as many as fit.").also({"cache.max_size", "cache.max_memory_items"}).env({"CACHE_MAX_SIZE"}),
        field<&Cache::default_ttl>("default_ttl", "How long answers are fresh that do not say so themselves, on routes with cache.enabled: true; 0: not at all.")
            .also({"cache.ttl"})
            .env({"CACHE_DEFAULT_TTL"}),
        field<&Cache::stale_while_revalidate>("stale_while_revalidate", kWhileRevalidate),
        field<&Cache::stale_if_error>("stale_if_error", kIfError),
        field<&Cache::heuristic_percent>("heuristic_percent", "An answer with Last-Modified that does not say how long it is fresh is, for this part of its age; 0: no guessing.").range(0, 100),
        field<&Cache::include_headers>("include_headers", "Request headers whose values make answers of their own, besides those that answers name in Vary.").check(rules::token),
        field<&Cache::set_cookie>("set_cookie", "What becomes of an answer with Set-Cookie: refuse keeps none, strip keeps it without its cookies."),
        field<&Cache::surrogate_control>("surrogate_control", "Heed Surrogate-Control of services, which are told so by Surrogate-Capability."),
        field<&Cache::finish_fills>("finish_fills", "An answer that is being stored is read to its end though every client has left."),
        field<&Cache::strategies>("strategies", "Lifetimes by name, for routes' cache.strategy."),
        field<&Cache::rules>("rules", "Lifetimes by path."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<RouteCache>) {
    static const Fields kFields = {
        field<&RouteCache::enabled>("enabled", "Keep its answers; true asks for cache.default_ttl as well."),
        field<&RouteCache::ttl>("ttl", "How long an answer is fresh that does not say so itself."),
        field<&RouteCache::force>("force", "The ttl counts whatever the answer says, no-store and private included. Dangerous: only for answers that are the same for everybody."),
        field<&RouteCache::strategy>("strategy", "Instead of ttl: the name of one of cache.strategies."),
        field<&RouteCache::stale_while_revalidate>("stale_while_revalidate", "Instead of cache.stale_while_revalidate."),
        field<&RouteCache::stale_if_error>("stale_if_error", "Instead of cache.stale_if_error."),
        field<&RouteCache::heuristic_percent>("heuristic_percent", "Instead of cache.heuristic_percent.").range(0, 100),
        field<&RouteCache::include_headers>("include_headers", "Besides those of cache.include_headers.").check(rules::token),
        field<&RouteCache::set_cookie>("set_cookie", "Instead of cache.set_cookie."),
    };
    return kFields;
}

}  // namespace suoke::config
