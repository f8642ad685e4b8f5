// SPDX-License-Identifier: MIT
#include "balance/ejection.h"

#include <algorithm>
#include <cmath>

namespace suoke::balance {
namespace {

bool uses_statistics(const OutlierRules& rules) {
    return rules.enabled && (rules.success_rate_deviations > 0 || rules.latency_factor > 0);
}

// One that refuses connections is of no use however few are left, except when nobody is.
bool enough_left(const Members& members, const Member& member, Why why, TimePoint now) {
    std::size_t out = 0, up = 0;
    for (const Member& other : members.all) {
        out += other.state->ejected(now);
        up += &other != &member && is_up(other, now) && !other.instance->draining;
    }
    if (why == Why::refused) return up > 0;
    return out + 1 <= static_cast<std::size_t>(members.rules.outlier.max_ejected * static_cast<double>(members.all.size()));
}

}  // namespace

bool eject(const Members& members, const Member& member, Why why, TimePoint now) {
    std::lock_guard lock(members.state->ejecting);
    if (!enough_left(members, member, why, now)) return false;
    if (!member.state->eject(why, now, members.rules.outlier)) return false;
    members.state->events.tell(Level::warning, "endpoint.ejected",
                               {{"service", members.service},
                                {"endpoint", member.name},
                                {"because", name_of(why)},
                                {"seconds", seconds(member.state->ejected_until() - now)}});
    return true;
}

void judge(const Members& members, const Member& member, Verdict verdict, Duration took, TimePoint now) {
    const OutlierRules& rules = members.rules.outlier;
    EndpointState& state = *member.state;
    bool ok = verdict == Verdict::ok;
    if (ok || verdict == Verdict::error) state.took(took, now);
    if (!rules.enabled) return;
    if (uses_statistics(rules)) state.sample(ok, took);
    if (ok) return state.succeed();
    std::uint32_t in_a_row = state.fail();
    auto reached = [in_a_row](std::uint32_t limit) { return limit > 0 && in_a_row >= limit; };
    if (verdict == Verdict::refused)
        eject(members, member, Why::refused, now);
    else if (verdict == Verdict::failed && reached(rules.consecutive_failures))
        eject(members, member, Why::failures, now);
    else if (reached(rules.consecutive_errors))
        eject(members, member, Why::errors, now);
}

std::vector<Outlier> outliers(std::span<const EndpointState::Interval> samples, const OutlierRules& rules) {
    std::vector<Outlier> found;
    std::vector<std::size_t> counted;
    for (std::size_t i = 0; i < samples.size(); ++i)
        if (samples[i].all >= std::max<std::uint64_t>(1, rules.minimum_requests)) counted.push_back(i);
    if (counted.size() < std::max<std::size_t>(2, rules.minimum_endpoints)) return found;

    auto rate = [&](std::size_t i) { return 1 - static_cast<double>(samples[i].bad) / static_cast<double>(samples[i].all); };
    if (rules.success_rate_deviations > 0) {
        double mean = 0, variance = 0;
        auto count = static_cast<double>(counted.size());
        for (std::size_t i : counted) mean += rate(i) / count;
        for (std::size_t i : counted) variance += (rate(i) - mean) * (rate(i) - mean) / count;
        // Where all do alike a hundredth is no outlier, whatever the deviation.
        double limit = std::min(mean - rules.success_rate_deviations * std::sqrt(variance), mean - 0.01);
        for (std::size_t i : counted)
            if (rate(i) < limit) found.push_back({i, Why::success_rate});
    }
    if (rules.latency_factor > 0) {
        std::vector<Duration> sorted;
        for (std::size_t i : counted) sorted.push_back(samples[i].mean);
        auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
        std::nth_element(sorted.begin(), middle, sorted.end());
        for (std::size_t i : counted)
            if (static_cast<double>(samples[i].mean.count()) > rules.latency_factor * static_cast<double>(middle->count()))
                found.push_back({i, Why::latency});
    }
    return found;
}

void eject_outliers(const Members& members, TimePoint now) {
    if (!uses_statistics(members.rules.outlier)) return;
    std::vector<EndpointState::Interval> samples;
    for (const Member& member : members.all) samples.push_back(member.state->take_interval());
    for (const Outlier& outlier : outliers(samples, members.rules.outlier)) eject(members, members.all[outlier.index], outlier.why, now);
}

}  // namespace suoke::balance
