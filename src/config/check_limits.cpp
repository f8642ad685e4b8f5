// SPDX-License-Identifier: MIT
// Limits: other ways to say them, and rules about more than one value.
#include <fmt/format.h>

#include <algorithm>

#include "base/rate.h"
#include "base/text.h"
#include "config/decode.h"
#include "config/settle.h"

namespace suoke::config {
namespace {

constexpr std::uint64_t kUsualCount = 100;
constexpr std::string_view kUsualRate = "100/minute";
// The predecessor's, in the families of URLs that clients use.
constexpr std::pair<std::string_view, std::string_view> kEndpoints[] = {
    {"/api/v1/auth", "10/minute"}, {"/api/auth", "10/minute"}, {"/api/v1/gateway/auth-service/auth", "10/minute"}, {"/api/v1/upload", "5/minute"}};
constexpr std::size_t kMostPolicies = 6, kMostConcurrent = 3;   // that one request may meet; limits/policy.h

void fold_section(RateLimit& limits) {
    if (limits.default_rate.empty() && (limits.requests || limits.window))
        limits.default_rate = format_rate({limits.requests.value_or(kUsualCount), limits.window.value_or(1min)});
    if (limits.burst_size == 0 && !limits.burst_rate.empty()) {
        auto number = parse_u64(limits.burst_rate);
        auto rate = parse_rate(limits.burst_rate);
        limits.burst_size = number ? *number : rate ? rate->count : 0;
    }
    if (limits.by_ip.value_or(false) && !limits.by_user.value_or(false) && limits.by == LimitBy::client) limits.by = LimitBy::ip;
    if (iequals(limits.storage_url, "memory://")) {
        limits.storage = LimitStorage::memory;
        limits.storage_url.clear();
    }
    limits.requests.reset();
    limits.window.reset();
    limits.burst_rate.clear();
    limits.by_ip.reset();
    limits.by_user.reset();
}

// What holds for everybody is switched on by being said.
bool is_said(const RateLimit& limits) {
    const RateLimit nothing;
    return limits.default_rate != nothing.default_rate || limits.burst_size != nothing.burst_size || limits.endpoints != nothing.endpoints ||
           limits.user_types != nothing.user_types;
}

void fold_route(RouteRateLimit& limits) {
    if (limits.rate.empty() && limits.limit) limits.rate = format_rate({*limits.limit, limits.window.value_or(1min)});
    limits.limit.reset();
    limits.window.reset();
}

class LimitCheck {
 public:
    LimitCheck(const Config& config, Report& report) : config_(config), limits_(config.rate_limit), report_(report) {}

    void run() {
        by_header("rate_limit", limits_.by, limits_.header_name, {});
        if (limits_.storage == LimitStorage::redis && limits_.storage_url.empty() && !config_.redis.wanted())
            complain("rate_limit.storage", {}, "needs a Redis: say redis.url, or storage_url");
        if (limits_.penalties.window < 1s || limits_.penalties.duration < 1s)
            complain("rate_limit.penalties", {}, "window and duration must be 1s or more");
        for (const auto& [name, policy] : limits_.policies) check_policy(name, policy);
        for (std::size_t i = 0; i < config_.routes.size(); ++i) check_route(config_.routes[i], fmt::format("routes[{}].rate_limit", i));
    }

 private:
    void complain(const std::string& key, const Place& place, std::string sentence) {
        Place said = report_.place_of(key);
        report_.error(said.source.empty() ? place : said, key, std::move(sentence));
    }

    void by_header(const std::string& key, LimitBy by, const std::string& header, const Place& place) {
        if (by == LimitBy::header && header.empty()) complain(key, place, "goes by a header, but names none");
    }

    static bool is_too_much(std::uint32_t cost, const std::string& of, std::uint64_t burst) {
        auto rate = parse_rate(of);
        return rate && !rate->is_unlimited() && cost > (burst ? burst : rate->count);
    }

    void check_policy(const std::string& name, const LimitPolicy& policy) {
        std::string key = "rate_limit.policies." + name;
        if (name == "default" || name == "concurrency")
            complain(key, policy.place, "is the name of what default_rate and max_concurrent say; give it another one");
        auto rate = parse_rate(policy.rate);
        if ((!rate || rate->is_unlimited()) && policy.max_concurrent == 0) complain(key, policy.place, "limits nothing: give a rate, or max_concurrent");
        if (is_too_much(policy.cost, policy.rate, policy.burst)) complain(key, policy.place, "lets nobody in: a request costs more than may be used at once");
        by_header(key, policy.by, policy.header, policy.place);
    }

    void check_route(const Route& route, const std::string& key) {
        const RouteRateLimit& own = route.rate_limit;
        by_header(key, own.by.value_or(LimitBy::client), own.header, route.place);
        if (is_too_much(own.cost.value_or(1), own.rate, own.burst)) complain(key, route.place, "lets nobody in: a request costs more than may be used at once");
        std::size_t met = 0, concurrent = (limits_.max_concurrent > 0) + (own.max_concurrent > 0);
        std::vector<std::string_view> names;
        for (const auto& [name, policy] : limits_.policies) {
            names.push_back(name);
            bool named = std::find(own.policies.begin(), own.policies.end(), name) != own.policies.end();
            if (!named && policy.paths.empty()) continue;
            if (named && own.cost && is_too_much(*own.cost, policy.rate, policy.burst))
                complain(key + ".cost", route.place, fmt::format("lets nobody in: it is more than policy '{}' has at once", clipped(name)));
            ++met;
            concurrent += policy.max_concurrent > 0;
        }
        for (const std::string& name : own.policies)
            if (!limits_.policies.contains(name))
                complain(key + ".policies", route.place, fmt::format("there is no policy '{}'{}", clipped(name), suggestion(name, names)));
        if (met > kMostPolicies) complain(key, route.place, fmt::format("meets {} policies; at most {} may hold for a request", met, kMostPolicies));
        if (concurrent > kMostConcurrent)
            complain(key, route.place, fmt::format("meets {} limits of what is under way; at most {} may hold for a request", concurrent, kMostConcurrent));
    }

    const Config& config_;
    const RateLimit& limits_;
    Report& report_;
};

}  // namespace

void fold_limits(Config& config) {
    RateLimit& limits = config.rate_limit;
    fold_section(limits);
    for (Route& route : config.routes) fold_route(route.rate_limit);
    if (!limits.enabled && is_said(limits)) limits.enabled = true;
    if (!limits.enabled.value_or(false)) return;
    if (limits.default_rate.empty()) limits.default_rate = kUsualRate;
    for (const auto& [path, rate] : kEndpoints) limits.endpoints.try_emplace(std::string(path), rate);
}

void check_rate_limits(const Config& config, Report& report) { LimitCheck(config, report).run(); }

}  // namespace suoke::config
