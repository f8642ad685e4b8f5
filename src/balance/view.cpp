// SPDX-License-Identifier: MIT
#include "balance/view.h"

#include <algorithm>
#include <map>

namespace suoke::balance {

constexpr double kSpare = 1.4;             // a level takes all its traffic while 1 / 1.4 of it is up
constexpr double kLeastShare = 0.1;        // of its own, that one gets at the beginning of its slow start
constexpr int kSlowStartSteps = 20;

View::View(MembersPtr members, Random& random, std::uint32_t start) : members_(std::move(members)), random_(random), cursor_(start) {}

// ---- who may get traffic

void View::refresh_when_stale(TimePoint now) {
    if (members_->state->epoch.load(std::memory_order_acquire) != seen_ || now >= next_change_) [[unlikely]]
        refresh(now);
}

void View::refresh(TimePoint now) {
    seen_ = members_->state->epoch.load(std::memory_order_acquire);
    next_change_ = kNever;
    Levels levels = levels_of(now, false);
    bool panic = static_cast<double>(levels.up) < members_->rules.panic_threshold * static_cast<double>(levels.members);
    levels_ = panic ? levels_of(now, true).all : std::move(levels.all);
    for (Level& level : levels_) level.balancer = balancer_of(level);
}

// Effective weight; 0: no traffic. Notes when time alone will change it.
double View::weight_of(const Member& member, TimePoint now) {
    const EndpointState& state = *member.state;
    if (TimePoint until = state.ejected_until(); until > now) return changes_at(until), 0;
    if (state.checked() == EndpointState::Checked::unwell) return 0;
    if (TimePoint until = state.breaker.open_until(); until > now && members_->rules.endpoint_breaker.enabled) return changes_at(until), 0;
    double weight = member.instance->weight;
    Duration slow = members_->rules.slow_start, up = now - state.up_since();
    if (slow <= Duration::zero() || up >= slow) return weight;
    changes_at(now + slow / kSlowStartSteps);
    return weight * std::max(kLeastShare, static_cast<double>(up.count()) / static_cast<double>(slow.count()));
}

// Levels of preference, with the shares that the health of those before them leaves them.
View::Levels View::levels_of(TimePoint now, bool whatever_their_health) {
    struct Found {
        std::vector<Candidate> up;
        double weight_up = 0, weight_all = 0;
    };
    std::map<std::uint32_t, Found> found;
    Levels levels;
    for (std::uint32_t i = 0; i < members_->all.size(); ++i) {
        const Member& member = members_->all[i];
        if (member.instance->draining || member.instance->weight == 0) continue;
        Found& level = found[member.level];
        level.weight_all += member.instance->weight;
        ++levels.members;
        double weight = whatever_their_health ? member.instance->weight : weight_of(member, now);
        if (weight <= 0) continue;
        // A slow start is no illness: it takes from its neighbours, not from its level.
        level.weight_up += member.instance->weight;
        level.up.push_back({i, weight, member.state.get()});
        ++levels.up;
    }
    double capacity = 0;
    for (const auto& [preference, level] : found) capacity += std::min(1.0, kSpare * level.weight_up / level.weight_all);
    double left = 1, scale = capacity > 0 && capacity < 1 ? 1 / capacity : 1;
    for (auto& [preference, level] : found) {
        double share = std::min(left, scale * std::min(1.0, kSpare * level.weight_up / level.weight_all));
        left -= share;
        if (share > 0) levels.all.push_back({std::move(level.up), share, nullptr});
    }
    return levels;
}

std::unique_ptr<Balancer> View::balancer_of(const Level& level) {
    Candidates candidates = level.candidates;
    switch (members_->rules.strategy) {
        case Strategy::least_connections: return least_connections(candidates);
        case Strategy::random: return random_choice(candidates);
        case Strategy::two_choices: return two_choices(candidates);
        case Strategy::consistent_hash: return consistent_hash(candidates, *members_);
        default: return round_robin(candidates, cursor_, &level == &levels_.front(), random_);
    }
}

std::size_t View::fit(TimePoint now) {
    refresh_when_stale(now);
    std::size_t sum = 0;
    for (const Level& level : levels_) sum += level.candidates.size();
    return sum;
}

// ---- which is next

View::Level& View::choose_level() {
    if (levels_.size() == 1) return levels_.front();
    double draw = random_.unit();
    for (Level& level : levels_)
        if ((draw -= level.share) < 0) return level;
    return levels_.back();
}

Seat View::try_take(const Wish& wish, std::uint32_t index) {
    const Member& member = members_->all[index];
    EndpointState& state = *member.state;
    if (std::find(wish.avoid.begin(), wish.avoid.end(), &state) != wish.avoid.end()) return {};
    Breaker::Admission admission = Breaker::Admission::pass;
    if (members_->rules.endpoint_breaker.enabled) admission = state.breaker.admit(wish.now, members_->rules.endpoint_breaker);
    if (admission == Breaker::Admission::no) return {};
    return Seat(*members_, member, admission);
}

Seat View::take(const Wish& wish) {
    refresh_when_stale(wish.now);
    if (levels_.empty()) return {};
    if (wish.preferred) {
        for (const Level& level : levels_)
            for (const Candidate& each : level.candidates)
                if (members_->all[each.member].hash == *wish.preferred)
                    if (Seat seat = try_take(wish, each.member)) return seat;
    }
    constexpr std::uint32_t kTries = 4;
    for (Ask ask{random_, wish.hash}; ask.again < kTries; ++ask.again) {
        Level& level = choose_level();
        std::uint32_t chosen = level.balancer->pick(ask);
        if (Seat seat = try_take(wish, level.candidates[chosen].member)) return seat;
    }
    return take_any(wish);
}

// The strategy's choices were all tried before, or their breakers let nobody in: whoever is left.
Seat View::take_any(const Wish& wish) {
    for (const Level& level : levels_) {
        std::size_t count = level.candidates.size(), start = random_.below(count);
        for (std::size_t step = 0; step < count; ++step)
            if (Seat seat = try_take(wish, level.candidates[(start + step) % count].member)) return seat;
    }
    return {};
}

}  // namespace suoke::balance
