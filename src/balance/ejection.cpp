// SPDX-License-Identifier: MIT
#include "balance/ejection.h"

#include <algorithm>
#include <cmath>

namespace suoke::balance {
namespace {

bool uses_statistics(const OutlierRules& rules) {
    return rules.enabled && (rules.success_rate_deviations > 0 || rules.latency_factor > 0);
}

// Among those that could get traffic. One that refuses connections is of no use however few are left; of
// opinions only so many count. Nobody is ejected who is the last.
bool enough_left(const Members& members, const Member& member, Why why, TimePoint now) {
    std::size_t all = 0, up = 0, out_by_opinion = 0;
    for (const Member& other : members.all) {
        if (other.instance->draining || other.instance->weight == 0) continue;
        ++all;
        up += &other != &member && is_up(other, now);
        out_by_opinion += other.state->ejected(now) && other.state->ejected_for() != Why::refused;
    }
    if (up == 0) return false;
    return why == Why::refused || out_by_opinion + 1 <= static_cast<std::size_t>(members.rules.outlier.max_ejected * static_cast<double>(all) + 1e-9);
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
    else state.took_at_least(took, now);
    if (!rules.enabled) return;
    if (uses_statistics(rules)) state.sample(ok, took);
    if (ok) return state.succeed();
    // Where it may not be ejected that is asked again after as many more, not at each.
    auto reached = [](std::uint32_t in_a_row, std::uint32_t limit) { return limit > 0 && in_a_row % limit == 0; };
    std::uint32_t failures = 0;
    if (verdict == Verdict::error) {
        state.err();
        state.end_failures();
    } else {
        failures = state.fail();
    }
    if (verdict == Verdict::refused)
        eject(members, member, Why::refused, now);
    else if (failures > 0 && reached(failures, rules.consecutive_failures))
        eject(members, member, Why::failures, now);
    else if (reached(state.errors_in_a_row(), rules.consecutive_errors))
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
        // The worst first: there may not be room for all.
        std::stable_sort(found.begin(), found.end(), [&](const Outlier& a, const Outlier& b) { return rate(a.index) < rate(b.index); });
    }
    if (rules.latency_factor > 0) {
        std::vector<Duration> sorted;
        for (std::size_t i : counted) sorted.push_back(samples[i].mean);
        auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
        std::nth_element(sorted.begin(), middle, sorted.end());
        for (std::size_t i : counted)
            if (static_cast<double>(samples[i].mean.count()) > rules.latency_factor * static_cast<double>(middle->count()))
                found.push_back({i, Why::latency});
        auto first = std::find_if(found.begin(), found.end(), [](const Outlier& each) { return each.why == Why::latency; });
        std::stable_sort(first, found.end(), [&](const Outlier& a, const Outlier& b) { return samples[a.index].mean > samples[b.index].mean; });
    }
    return found;
}

void eject_outliers(const Members& members, TimePoint now, Intervals& taken) {
    if (!uses_statistics(members.rules.outlier)) return;
    std::vector<EndpointState::Interval> samples;
    for (const Member& member : members.all) {
        auto [known, is_new] = taken.try_emplace(member.state.get());
        if (is_new) known->second = member.state->take_interval();
        samples.push_back(known->second);
    }
    for (const Outlier& outlier : outliers(samples, members.rules.outlier)) eject(members, members.all[outlier.index], outlier.why, now);
}

}  // namespace suoke::balance
