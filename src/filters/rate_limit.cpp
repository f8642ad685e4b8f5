// SPDX-License-Identifier: MIT
// How often clients may ask: which limits a request meets, whose keys it is charged to, and what the client is told.
// Two filters: what goes by address alone is asked before anybody looks at credentials, so that guessing them is
// limited, too; the rest behind that, when it is known whose they are.
//
// Answers of limited routes say how the client stands with the limit that leaves it the least: X-RateLimit-Limit,
// -Remaining and -Reset (seconds since the epoch), and RateLimit and RateLimit-Policy
// (draft-ietf-httpapi-ratelimit-headers-10). A refused one says the true Retry-After.
#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "filters/filters.h"
#include "gateway/site.h"
#include "gateway/worker.h"
#include "limits/address_key.h"

namespace suoke::filters {
namespace {

using gateway::Exchange;
using limits::By;
using limits::Policy;
using limits::Rule;

// ---- whose it is

// Of a token the issuer belongs to it: two may call different people the same.
void add_client(limits::KeyedHash& hash, const Exchange& ex, const Policy& policy) {
    bool by_key = ex.who && (ex.who->method == auth::Method::api_key || ex.who->method == auth::Method::basic);
    if (!ex.who || (policy.by == By::api_key && !by_key)) {
        hash.add(std::uint64_t{'a'});
        return limits::add_address(hash, ex.client_ip, policy.ipv6_prefix);
    }
    hash.add(std::uint64_t{'c'});
    hash.add(ex.who->issuer);
    hash.add(ex.who->subject);
}

limits::Hash key_of(const Exchange& ex, const Policy& policy) {
    limits::KeyedHash hash = ex.worker.limiter().key_for(policy);
    if (policy.per_route) hash.add(ex.route->name);
    const std::string_view* header = policy.by == By::header ? ex.request.head.headers.find(policy.header) : nullptr;
    switch (policy.by) {
        case By::route: hash.add(ex.route->name); break;
        case By::address: limits::add_address(hash, ex.client_ip, policy.ipv6_prefix); break;
        case By::header:
            if (header) {
                hash.add(std::uint64_t{'h'});
                hash.add(*header);
            } else {
                hash.add(std::uint64_t{'a'});
                limits::add_address(hash, ex.client_ip, policy.ipv6_prefix);
            }
            break;
        default: add_client(hash, ex, policy);
    }
    return hash.finish();
}

// ---- what it is charged

// The limits one request meets at one filter. Gathered first, because it is charged to all of them or to none.
class Bill {
 public:
    explicit Bill(Exchange& ex) : ex_(ex) {}

    void add(const Rule& rule) {
        if (!rule.policy || size_ == charges_.size()) return;
        charges_[size_++] = {rule.policy.get(), key_of(ex_, *rule.policy), rule.cost};
    }
    void add_all(const std::vector<Rule>& rules) {
        for (const Rule& rule : rules)
            if (is_for(rule)) add(rule);
    }
    bool is_for(const Rule& rule) const { return rule.is_for(ex_.request.head.method_name, ex_.path); }

    gateway::Verdict settle() {
        if (size_ == 0) return gateway::go_on();
        if (auto refused = enter()) return refused;
        return charge();
    }

 private:
    // A place first: it is given back with the exchange, whatever the rates say.
    gateway::Verdict enter() {
        std::size_t held = 0;
        for (std::size_t i = 0; i < size_; ++i) {
            const Policy& policy = *charges_[i].policy;
            if (policy.most_at_once == 0) continue;
            auto place = ex_.worker.limiter().enter(policy, charges_[i].hash);
            if (!place) {
                count(policy, false);
                ex_.retry_after = std::chrono::seconds(1);
                return Error(Code::too_many_at_once);
            }
            while (held < ex_.client_places.size() && ex_.client_places[held]) ++held;
            if (held < ex_.client_places.size()) ex_.client_places[held] = std::move(*place);
        }
        return gateway::go_on();
    }

    gateway::Verdict charge() {
        std::array<limits::Charge, limits::Plan::kMost> rates;
        std::size_t size = 0;
        for (std::size_t i = 0; i < size_; ++i)
            if (charges_[i].policy->step > 0) rates[size++] = charges_[i];
        if (size == 0) return gateway::go_on();
        limits::Outcome outcome = ex_.worker.limiter().take(std::span(rates.data(), size), ex_.worker.loop().now());
        if (!outcome.granted) {
            count(*outcome.standing.policy, false);
            ex_.limit = outcome.standing;
            ex_.retry_after = outcome.standing.reset;
            return Error(Code::rate_limited);
        }
        for (std::size_t i = 0; i < size; ++i) count(*rates[i].policy, true);
        if (!ex_.limit.policy || outcome.standing.remaining < ex_.limit.remaining) ex_.limit = outcome.standing;
        return gateway::go_on();
    }

    void count(const Policy& policy, bool granted) {
        LimitCells& cells = *ex_.local.limits[policy.index];
        (granted ? cells.granted : cells.refused).add();
    }

    Exchange& ex_;
    std::array<limits::Charge, limits::Plan::kMost> charges_;
    std::size_t size_ = 0;
};

// ---- what the client is told

bool is_ours(const http::Field& field) {
    std::string_view name = field.name;
    switch (name.size()) {
        case 17: return iequals(name, "X-RateLimit-Limit") || iequals(name, "X-RateLimit-Reset");
        case 21: return iequals(name, "X-RateLimit-Remaining");
        default: return false;
    }
}

std::string_view number(gateway::Arena& arena, std::uint64_t n) {
    char digits[20];
    char* end = std::to_chars(digits, digits + sizeof digits, n).ptr;
    return arena.copy({digits, static_cast<std::size_t>(end - digits)});
}

// The upstream's X-RateLimit-* would say something else about the same thing; RateLimit is a list, which its own
// policies may stand in beside ours.
void tell_standing(Exchange& ex, http::Response& response) {
    if (!ex.limit.policy || std::exchange(ex.limit_told, true)) return;
    const Policy& policy = *ex.limit.policy;
    http::Headers& headers = response.headers;
    headers.remove_if(is_ours);
    auto seconds = static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(ex.limit.reset).count());
    auto now = static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(ex.worker.loop().clock().wall().time_since_epoch()).count());
    std::string_view remaining = number(ex.arena, std::min(ex.limit.remaining, policy.quota));
    auto add = [&](std::string_view name, std::string_view value) { headers.add(http::Field{name, value, http::HeaderId::other}); };
    add("X-RateLimit-Limit", policy.quota_text);
    add("X-RateLimit-Remaining", remaining);
    add("X-RateLimit-Reset", number(ex.arena, now + seconds));
    add("RateLimit", ex.arena.join({policy.item, ";r=", remaining, ";t=", number(ex.arena, seconds)}));
    add("RateLimit-Policy", policy.announcement);
}

// ---- by address

class AddressLimit final : public Check {
    gateway::Verdict on_request(Exchange& ex) const override {
        const limits::Plan& plan = ex.route->plan;
        if (plan.penalties.strikes > 0 && ex.worker.limiter().anybody_shut_out(ex.worker.loop().now())) {
            Duration left = ex.worker.limiter().shut_out(address_of(ex), ex.worker.loop().now());
            if (left > Duration::zero()) {
                ex.retry_after = left;
                return Error(Code::rate_limited, "Too many refused requests");
            }
        }
        if (plan.by_address.empty()) return gateway::go_on();
        Bill bill(ex);
        bill.add_all(plan.by_address);
        return bill.settle();
    }

    void on_response(Exchange& ex, http::Response& response) const override {
        const limits::Plan& plan = ex.route->plan;
        if (plan.headers) tell_standing(ex, response);
        ex.limit_told = false;   // another answer follows when this one breaks before its head is out
        int status = ex.failure ? row(*ex.failure).status : response.status;
        if (plan.penalties.strikes > 0 && (status == 401 || status == 429)) strike(ex, plan.penalties);
    }

    static limits::Hash address_of(const Exchange& ex) {
        limits::KeyedHash hash = ex.worker.limiter().key_for(limits::Limiter::kPenalties);
        limits::add_address(hash, ex.client_ip, ex.route->plan.penalties.ipv6_prefix);
        return hash.finish();
    }

    // Knocking on a closed door counts for nothing, or it would never open.
    static void strike(Exchange& ex, const limits::PenaltyRules& rules) {
        limits::Hash address = address_of(ex);
        TimePoint now = ex.worker.loop().now();
        if (ex.worker.limiter().shut_out(address, now) > Duration::zero()) return;
        Duration length = ex.worker.limiter().strike(address, rules, now);
        if (length == Duration::zero()) return;
        ex.worker.events().tell(Level::warning, "client.shut_out",
                                {{"client", ex.client_ip}, {"route", ex.route->name}, {"seconds", std::int64_t{length / std::chrono::seconds(1)}}});
    }
};

// ---- by who it is

class RateLimit final : public Check {
    gateway::Verdict on_request(Exchange& ex) const override {
        const limits::Plan& plan = ex.route->plan;
        Bill bill(ex);
        if (const Rule* usual = usual_of(ex, bill)) bill.add(*usual);
        bill.add_all(plan.also);
        return bill.settle();
    }

    // That of the path, or else of what the client is.
    static const Rule* usual_of(const Exchange& ex, const Bill& bill) {
        const limits::Plan& plan = ex.route->plan;
        for (const Rule& rule : plan.by_path)
            if (bill.is_for(rule)) return &rule;
        if (plan.by_type.empty()) return nullptr;
        auth::UserType type = ex.who ? ex.who->type : auth::UserType::anonymous;
        return &plan.by_type[static_cast<std::size_t>(type)];
    }

    void on_response(Exchange& ex, http::Response& response) const override {
        if (ex.route->plan.headers) tell_standing(ex, response);
    }
};

// Whether any limit may hold on the route; which ones says the plan that its configuration is compiled to.
bool may_be_limited(const config::RateLimit& limits, const config::Route& route) {
    const config::RouteRateLimit& own = route.rate_limit;
    if (!limits.enabled.value_or(true) || !own.enabled) return false;
    return limits.enabled || limits.penalties.enabled || limits.max_concurrent > 0 || !limits.policies.empty() || !own.rate.empty() || own.max_concurrent > 0;
}

}  // namespace

CheckPtr address_limit(const config::Config& config, const config::Route& route) {
    return may_be_limited(config.rate_limit, route) ? std::make_shared<AddressLimit>() : nullptr;
}

CheckPtr rate_limit(const config::Config& config, const config::Route& route) {
    return may_be_limited(config.rate_limit, route) ? std::make_shared<RateLimit>() : nullptr;
}

}  // namespace suoke::filters
