// SPDX-License-Identifier: MIT
// How often clients may ask.
#include "base/rate.h"
#include "base/text.h"
#include "config/definition.h"
#include "config/rules.h"

namespace suoke::config {
namespace {

std::string_view rate(std::string_view text) {
    return parse_rate(text) ? "" : "must be a rate like 100/minute, 5/second or 20/30s, or unlimited";
}
std::string_view rate_or_nothing(std::string_view text) { return text.empty() ? "" : rate(text); }
std::string_view number_or_rate(std::string_view text) {
    return text.empty() || parse_u64(text) || parse_rate(text) ? "" : "must be a number of requests";
}
std::string_view header_or_nothing(std::string_view text) { return text.empty() ? "" : rules::token(text); }
std::string_view storage(std::string_view text) { return iequals(text, "memory://") ? "" : rules::redis_url(text); }

}  // namespace

std::span<const Choice<LimitBy>> choices(std::type_identity<LimitBy>) {
    static constexpr Choice<LimitBy> kAll[] = {
        {"auto", LimitBy::client}, {"subject", LimitBy::subject}, {"api_key", LimitBy::api_key}, {"ip", LimitBy::ip},
        {"route", LimitBy::route}, {"header", LimitBy::header},   {"client", LimitBy::client},   {"user", LimitBy::subject}};
    return kAll;
}

std::span<const Choice<LimitStorage>> choices(std::type_identity<LimitStorage>) {
    static constexpr Choice<LimitStorage> kAll[] = {
        {"auto", LimitStorage::automatic}, {"memory", LimitStorage::memory}, {"redis", LimitStorage::redis}};
    return kAll;
}

const Fields& describe(std::type_identity<UserTypeRates>) {
    static const Fields kFields = {
        field<&UserTypeRates::anonymous>("anonymous", "Who has shown no credentials; empty: default_rate.").check(rate_or_nothing),
        field<&UserTypeRates::authenticated>("authenticated", "Everyone else who is known; empty: default_rate.").check(rate_or_nothing),
        field<&UserTypeRates::premium>("premium", "Users of this type.").check(rate_or_nothing),
        field<&UserTypeRates::admin>("admin", "Users of this type.").check(rate_or_nothing),
    };
    return kFields;
}

const Fields& describe(std::type_identity<LimitPolicy>) {
    static const Fields kFields = {
        field<&LimitPolicy::rate>("rate", "How many in how long: 100/minute, 5/second, 20/30s.").check(rate_or_nothing),
        field<&LimitPolicy::burst>("burst", "How many at once; 0: as many as the rate says."),
        field<&LimitPolicy::cost>("cost", "What a request takes of it.").range(1, 1'000'000),
        field<&LimitPolicy::by>("by", "Who counts for himself: each client (auto: by its subject or API key, or else its address), subject, api_key, "
                                      "ip (before authentication), route (all its clients together), or header."),
        field<&LimitPolicy::header>("header", "The header, of by: header. Whoever does not send it is known by address.").check(header_or_nothing),
        field<&LimitPolicy::per_route>("per_route", "Each route counts for itself."),
        field<&LimitPolicy::paths>("paths", "Holds for these paths and all below, whatever their routes say; none: for routes that name it in rate_limit.policies.")
            .check(rules::path),
        field<&LimitPolicy::methods>("methods", "And only for these; none: any.").check(rules::method),
        field<&LimitPolicy::max_concurrent>("max_concurrent", "Requests under way at once; 0: any number."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Penalties>) {
    static const Fields kFields = {
        field<&Penalties::enabled>("enabled", "Shut out addresses that are refused again and again. Unset: when the section is on."),
        field<&Penalties::strikes>("strikes", "After so many answers 401 or 429 ...").range(1, 1'000'000),
        field<&Penalties::window>("window", "... in so long, whoever sent them."),
        field<&Penalties::duration>("duration", "For how long; twice as long each time, until an address has been quiet for an hour."),
        field<&Penalties::max_duration>("max_duration", "But no longer."),
    };
    return kFields;
}

const Fields& describe(std::type_identity<RateLimit>) {
    static const Fields kFields = {
        field<&RateLimit::enabled>("enabled", "Limit every client. Unset: when default_rate, endpoints or user_types say something. "
                                              "False: nothing is limited, whatever routes say.")
            .env({"RATE_LIMIT_ENABLED"})
            .also({"middleware.rate_limit.enabled"}),
        field<&RateLimit::default_rate>("default_rate", "How often a client may ask, all routes together: 100/minute, 5/second, 20/30s. Empty, and enabled: 100/minute.")
            .env({"RATE_LIMIT_DEFAULT_RATE"})
            .check(rate_or_nothing),
        field<&RateLimit::burst_size>("burst_size", "How many of default_rate at once; 0: as many as it says.").env({"RATE_LIMIT_BURST_SIZE"}),
        field<&RateLimit::endpoints>("endpoints", "Rates for paths and all below, instead of the client's own; the longest path counts. When the section is on, "
                                                  "besides these: 10/minute for /api/v1/auth, /api/auth and /api/v1/gateway/auth-service/auth, 5/minute for /api/v1/upload.")
            .check_keys(rules::path)
            .check(rate),
        field<&RateLimit::user_types>("user_types", "Rates by what a client is."),
        field<&RateLimit::by>("by", "Who counts for himself, as in policies."),
        field<&RateLimit::header_name>("header_name", "The header, of by: header.").check(header_or_nothing),
        field<&RateLimit::per_route>("per_route", "Each route counts for itself.").also({"middleware.rate_limit.by_endpoint"}),
        field<&RateLimit::ipv6_prefix>("ipv6_prefix", "IPv6 addresses that begin with the same so many bits are one client.").range(16, 128),
        field<&RateLimit::max_concurrent>("max_concurrent", "Requests of a client under way at once; 0: any number."),
        field<&RateLimit::policies>("policies", "Further limits, by name. A request must pass all that hold for it, and is charged to all or none. What was used "
                                                "of one is kept under its name, also when the configuration changes.")
            .keyed_by("name")
            .check_keys(rules::token),
        field<&RateLimit::headers>("headers", "Tell clients how they stand: X-RateLimit-Limit, -Remaining, -Reset, RateLimit and RateLimit-Policy."),
        field<&RateLimit::penalties>("penalties", "What becomes of addresses that are refused again and again."),
        field<&RateLimit::storage>("storage", "Who counts together: memory: this gateway alone; redis: all gateways there; auto: redis when there is one."),
        field<&RateLimit::storage_url>("storage_url", "Another Redis than the section redis has, or memory://.")
            .env({"RATE_LIMIT_STORAGE_URL"})
            .check(storage)
            .credentials()
            .restart(),
        field<&RateLimit::gateways>("gateways", "How many gateways share the limits, for one that starts while Redis is away; Redis knows better.")
            .range(1, 1000)
            .restart(),
        field<&RateLimit::max_keys>("max_keys", "How many clients are remembered at once, 64 bytes each; beyond that the ones that used least are forgotten.")
            .range(1000, 100'000'000)
            .restart(),
        field<&RateLimit::requests>("requests", "With window: another way to say default_rate.")
            .env({"RATE_LIMIT_REQUESTS"})
            .also({"middleware.rate_limit.max_requests", "middleware.rate_limit.limit"})
            .range(1, 1'000'000'000)
            .input(),
        field<&RateLimit::window>("window", "With requests; alone: of 100.")
            .env({"RATE_LIMIT_WINDOW"})
            .also({"middleware.rate_limit.reset_interval", "middleware.rate_limit.window"})
            .input(),
        field<&RateLimit::burst_rate>("burst_rate", "Another way to say burst_size.").check(number_or_rate).input(),
        field<&RateLimit::by_ip>("by_ip", "Alone: by ip.").also({"middleware.rate_limit.by_ip"}).input(),
        field<&RateLimit::by_user>("by_user", "By whom clients are; those that are not known by address.").also({"middleware.rate_limit.by_user"}).input(),
    };
    return kFields;
}

const Fields& describe(std::type_identity<RouteRateLimit>) {
    static const Fields kFields = {
        field<&RouteRateLimit::enabled>("enabled", "False: no limit holds on this route."),
        field<&RouteRateLimit::rate>("rate", "Its own, for each client, instead of default_rate, endpoints and user_types.").check(rate_or_nothing),
        field<&RouteRateLimit::limit>("limit", "With window (or a minute): another way to say rate.").range(1, 1'000'000'000).input(),
        field<&RouteRateLimit::window>("window", "With limit.").input(),
        field<&RouteRateLimit::burst>("burst", "How many of its own rate at once; 0: as many as it says."),
        field<&RouteRateLimit::cost>("cost", "What each of its requests takes of every limit; unset: as the limit says.").range(1, 1'000'000),
        field<&RouteRateLimit::by>("by", "Who counts for himself in its own rate; unset: as in the section."),
        field<&RouteRateLimit::header>("header", "The header, of by: header.").check(header_or_nothing),
        field<&RouteRateLimit::policies>("policies", "Names of rate_limit.policies that hold here as well.").check(rules::token),
        field<&RouteRateLimit::max_concurrent>("max_concurrent", "Requests of a client under way here at once; 0: any number."),
    };
    return kFields;
}

}  // namespace suoke::config
