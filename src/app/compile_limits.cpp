// SPDX-License-Identifier: MIT
#include "app/compile_limits.h"

#include <algorithm>
#include <map>

#include "app/limit_shares.h"

namespace suoke::app {
namespace {

using limits::By;
using limits::Plan;
using limits::PolicyPtr;
using limits::PolicyRules;
using limits::Rule;

By by_of(config::LimitBy by) {
    switch (by) {
        case config::LimitBy::subject: return By::subject;
        case config::LimitBy::api_key: return By::api_key;
        case config::LimitBy::ip: return By::address;
        case config::LimitBy::route: return By::route;
        case config::LimitBy::header: return By::header;
        default: return By::client;
    }
}

Rate rate_of(const std::string& text) { return parse_rate(text).value_or(Rate{}); }   // checked when it was read

// What answers questions about the gateway itself is never refused (contract: /health*, /metrics).
bool is_about_us(const config::Config& config, const std::string& path) {
    auto below = [&](std::string_view top) { return path == top || (path.starts_with(top) && path[top.size()] == '/'); };
    return below("/health") || below("/metrics") || (!config.metrics.path.empty() && path == config.metrics.path);
}

// A prefix as rules have it: "/api/auth" for "/api/auth/" and "/api/auth/*".
std::string prefix_of(std::string path) {
    if (path.ends_with("/*")) path.resize(path.size() - 1);
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
}

// Without those that are below others: a request is charged once.
std::vector<std::string> outermost(const std::vector<std::string>& paths) {
    std::vector<std::string> all, out;
    for (const std::string& path : paths) all.push_back(prefix_of(path));
    std::sort(all.begin(), all.end());   // what is below another one comes behind it
    for (std::string& path : all) {
        bool is_below = std::any_of(out.begin(), out.end(), [&](const std::string& other) { return Rule{nullptr, other, {}, 1}.is_for("", path); });
        if (!is_below) out.push_back(std::move(path));
    }
    return out;
}

class LimitCompiler {
 public:
    LimitCompiler(gateway::Site& site, const config::Config& config)
        : site_(site), config_(config), from_(config.rate_limit), shared_(LimitShares::wanted(config)) {}

    void run(const std::vector<config::Route>& routes) {
        if (!from_.enabled.value_or(true)) return;
        for (const auto& [name, policy] : from_.policies) named_[name] = named(name, policy);
        if (from_.max_concurrent > 0) at_once_ = made(usual("concurrency", Rate{}, from_.max_concurrent));
        if (from_.enabled) make_usual();
        for (std::size_t i = 0; i < routes.size(); ++i) {
            bool ours = i >= config_.routes.size();
            if (!(ours && is_about_us(config_, routes[i].path))) site_.routes[i]->plan = plan_of(routes[i]);
        }
        for (auto* route : {site_.no_route.get(), site_.wrong_method.get(), site_.unreadable.get()}) route->plan = plan_of({});
        site_.limits_clients = !site_.policies.empty() || penalties().strikes > 0;
    }

 private:
    PolicyPtr made(PolicyRules rules) {
        rules.ipv6_prefix = static_cast<int>(from_.ipv6_prefix);
        rules.shared = shared_;
        site_.policies.push_back(limits::make_policy(std::move(rules), static_cast<std::uint32_t>(site_.policies.size())));
        return site_.policies.back();
    }

    // Told apart as the section says.
    PolicyRules usual(std::string name, Rate rate, std::uint32_t most_at_once = 0) const {
        PolicyRules rules;
        rules.name = std::move(name);
        rules.rate = rate;
        rules.by = by_of(from_.by);
        rules.header = from_.header_name;
        rules.per_route = from_.per_route;
        rules.most_at_once = most_at_once;
        return rules;
    }

    PolicyPtr named(const std::string& name, const config::LimitPolicy& policy) {
        PolicyRules rules;
        rules.name = name;
        rules.rate = rate_of(policy.rate);
        rules.burst = policy.burst;
        rules.cost = policy.cost;
        rules.by = by_of(policy.by);
        rules.header = policy.header;
        rules.per_route = policy.per_route;
        rules.most_at_once = policy.max_concurrent;
        return made(std::move(rules));
    }

    // Names have a word in front that no policy of the configuration can have: ':' is in no token.
    void make_usual() {
        auto unless_unlimited = [&](PolicyRules rules) { return rules.rate.is_unlimited() ? nullptr : made(std::move(rules)); };
        for (const auto& [path, rate] : from_.endpoints)
            by_path_.push_back({unless_unlimited(usual("path:" + path, rate_of(rate))), prefix_of(path), {}, 1});
        std::stable_sort(by_path_.begin(), by_path_.end(), [](const Rule& a, const Rule& b) { return a.path.size() > b.path.size(); });
        PolicyRules rules = usual("default", rate_of(from_.default_rate));
        rules.burst = from_.burst_size;
        PolicyPtr by_default = unless_unlimited(std::move(rules));
        const config::UserTypeRates& types = from_.user_types;
        const std::pair<const char*, const std::string&> all[] = {
            {"user:anonymous", types.anonymous}, {"user:authenticated", types.authenticated}, {"user:premium", types.premium}, {"user:admin", types.admin}};
        for (const auto& [name, rate] : all)   // in the order of auth::UserType
            by_type_.push_back({rate.empty() ? by_default : unless_unlimited(usual(name, rate_of(rate))), "", {}, 1});
    }

    limits::PenaltyRules penalties() const {
        limits::PenaltyRules rules;
        const config::Penalties& from = from_.penalties;
        if (!from.enabled.value_or(from_.enabled.value_or(false))) return rules;
        rules.strikes = from.strikes;
        rules.window = from.window;
        rules.first = from.duration;
        rules.most = std::max(from.duration, from.max_duration);
        rules.ipv6_prefix = static_cast<int>(from_.ipv6_prefix);
        return rules;
    }

    Plan plan_of(const config::Route& route) {
        const config::RouteRateLimit& own = route.rate_limit;
        Plan plan;
        plan.headers = from_.headers;
        if (!own.enabled) return plan;
        plan.penalties = penalties();
        if (own.rate.empty()) {
            plan.by_path = by_path_;
            plan.by_type = by_type_;
            for (Rule& rule : plan.by_path) set_cost(rule, own);
            for (Rule& rule : plan.by_type) set_cost(rule, own);
        }
        if (PolicyPtr policy = policy_of(route)) add(plan, {std::move(policy), "", {}, 1}, own);
        if (at_once_) add(plan, {at_once_, "", {}, 1}, own);
        for (const auto& [name, policy] : from_.policies) {
            bool by_name = std::find(own.policies.begin(), own.policies.end(), name) != own.policies.end();
            if (by_name) add(plan, {named_.at(name), "", policy.methods, 1}, own);
            if (by_name) continue;
            for (std::string& path : outermost(policy.paths)) add(plan, {named_.at(name), std::move(path), policy.methods, 1}, own);
        }
        return plan;
    }

    // What the route says itself.
    PolicyPtr policy_of(const config::Route& route) {
        const config::RouteRateLimit& own = route.rate_limit;
        Rate rate = rate_of(own.rate);
        if (rate.is_unlimited() && own.max_concurrent == 0) return nullptr;
        PolicyRules rules = usual("route:" + route.name, rate, own.max_concurrent);
        rules.burst = own.burst;
        rules.per_route = false;   // its name is in it
        if (own.by) rules.by = by_of(*own.by);
        if (!own.header.empty()) rules.header = own.header;
        return made(std::move(rules));
    }

    static void set_cost(Rule& rule, const config::RouteRateLimit& own) {
        if (rule.policy) rule.cost = own.cost.value_or(static_cast<std::uint32_t>(rule.policy->cost));
    }

    static void add(Plan& plan, Rule rule, const config::RouteRateLimit& own) {
        set_cost(rule, own);
        auto& rules = rule.policy->by == By::address ? plan.by_address : plan.also;
        rules.push_back(std::move(rule));
    }

    gateway::Site& site_;
    const config::Config& config_;
    const config::RateLimit& from_;
    const bool shared_;
    std::map<std::string, PolicyPtr> named_;
    PolicyPtr at_once_;
    std::vector<Rule> by_path_, by_type_;
};

}  // namespace

void compile_limits(gateway::Site& site, const config::Config& config, const std::vector<config::Route>& from) {
    LimitCompiler(site, config).run(from);
}

}  // namespace suoke::app
