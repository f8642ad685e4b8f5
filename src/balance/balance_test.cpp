// SPDX-License-Identifier: MIT
// Properties of the strategies, over a million choices, and of the view around them.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "balance/maglev.h"
#include "balance/retry_budget.h"
#include "balance/states.h"
#include "balance/view.h"

namespace suoke::balance {
namespace {

class Balance : public ::testing::Test {
 protected:
    MembersPtr service(const std::vector<Instance>& instances, Rules rules = {}) {
        auto members = std::make_shared<Members>();
        members->service = "users";
        members->rules = rules;
        members->state = states.service("users");
        for (const Instance& instance : instances) {
            Member member;
            member.address.host = instance.host;
            member.name = member.address.to_string();
            auto owned = std::make_shared<const Instance>(instance);
            members->owners.push_back(owned);
            member.instance = owned.get();
            member.level = instance.priority;
            member.hash = stable_hash(member.name);
            member.state = states.endpoint(member.name);
            members->all.push_back(member);
        }
        if (rules.strategy == Strategy::consistent_hash) members->table = maglev_table(members->all);
        return members;
    }
    static std::vector<Instance> some(std::size_t count) {
        std::vector<Instance> all(count);
        for (std::size_t i = 0; i < count; ++i) all[i].host = "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
        return all;
    }
    static std::vector<Instance> weighing(const std::vector<std::uint32_t>& weights) {
        auto all = some(weights.size());
        for (std::size_t i = 0; i < weights.size(); ++i) all[i].weight = weights[i];
        return all;
    }
    static Rules by(Strategy strategy) {
        Rules rules;
        rules.strategy = strategy;
        return rules;
    }
    // How often each was chosen.
    std::vector<int> spread(View& view, int choices, bool hashed = false) {
        std::vector<int> counts(view.members().all.size());
        for (int i = 0; i < choices; ++i) {
            View::Wish wish{.now = now};
            if (hashed) wish.hash = random.next();
            Seat seat = view.take(wish);
            if (seat) ++counts[view.index_of(seat.member())];
        }
        return counts;
    }

    ManualClock clock;
    Events events{clock};
    Epoch epoch{1};
    States states{events, epoch};
    Random random{7};
    TimePoint now = clock.now();
};

TEST_F(Balance, round_robin_is_exact_over_a_million_choices) {
    View view(service(some(10)), random, 3);
    for (int count : spread(view, 1'000'000)) EXPECT_EQ(count, 100'000);
}

TEST_F(Balance, weights_are_shares_and_spread_evenly) {
    View view(service(weighing({5, 3, 2, 0})), random, 0);
    std::vector<int> counts = spread(view, 1'000'000);
    EXPECT_NEAR(counts[0], 500'000, 2);
    EXPECT_NEAR(counts[1], 300'000, 2);
    EXPECT_NEAR(counts[2], 200'000, 2);
    EXPECT_EQ(counts[3], 0);
    // Smooth: in any ten in a row the heaviest comes four to six times, never in one lump.
    for (int run = 0; run < 1000; ++run) EXPECT_NEAR(spread(view, 10)[0], 5, 1);
}

TEST_F(Balance, random_choices_are_fair_within_chance) {
    View view(service(weighing({1, 2, 1}), by(Strategy::random)), random, 0);
    std::vector<int> counts = spread(view, 1'000'000);
    EXPECT_NEAR(counts[0], 250'000, 2'500);
    EXPECT_NEAR(counts[1], 500'000, 2'500);
}

TEST_F(Balance, least_connections_levels_out_and_sees_other_workers) {
    MembersPtr members = service(some(4), by(Strategy::least_connections));
    View here(members, random, 0);
    Random other_random(8);
    View there(members, other_random, 0);
    std::vector<Seat> seats;
    for (int i = 0; i < 400; ++i) seats.push_back((i % 2 ? here : there).take({.now = now}));
    for (const Member& member : members->all) EXPECT_EQ(member.state->in_flight(), 100);
}

TEST_F(Balance, least_connections_goes_by_weight) {
    MembersPtr members = service(weighing({3, 1}), by(Strategy::least_connections));
    View view(members, random, 0);
    std::vector<Seat> seats;
    for (int i = 0; i < 400; ++i) seats.push_back(view.take({.now = now}));
    EXPECT_NEAR(members->all[0].state->in_flight(), 300, 2);
}

TEST_F(Balance, two_choices_avoid_the_slow_one_without_a_herd) {
    MembersPtr members = service(some(10), by(Strategy::two_choices));
    for (const Member& member : members->all) member.state->took(10ms, now);
    members->all[4].state->took(200ms, now);
    View view(members, random, 0);
    std::vector<int> counts = spread(view, 100'000);
    EXPECT_LT(counts[4], 1'500) << "only when drawn against itself";
    counts.erase(counts.begin() + 4);
    for (int count : counts) EXPECT_NEAR(count, 11'000, 1'500);
}

TEST_F(Balance, a_peak_counts_at_once_and_is_forgotten_with_time) {
    EndpointState state("x", epoch);
    state.took(10ms, now);
    state.took(500ms, now);
    EXPECT_NEAR(state.latency(), 500e6, 1e3);
    state.took(10ms, now + 60s);
    EXPECT_LT(state.latency(), 100e6);
}

TEST_F(Balance, a_hash_always_leads_to_the_same_and_few_move_when_one_leaves) {
    auto ten = some(10);
    Rules rules = by(Strategy::consistent_hash);
    rules.bounded_load = 0;
    View all(service(ten, rules), random, 0);
    auto nine = ten;
    nine.erase(nine.begin() + 3);
    View rest(service(nine, rules), random, 0);
    std::vector<int> counts(10);
    int moved = 0, moved_needlessly = 0;
    for (std::uint64_t key = 0; key < 100'000; ++key) {
        std::uint64_t hash = stable_hash(std::to_string(key));
        std::string before = all.take({.now = now, .hash = hash}).member().name;
        EXPECT_EQ(before, all.take({.now = now, .hash = hash}).member().name);
        std::string after = rest.take({.now = now, .hash = hash}).member().name;
        ++counts[all.index_of(all.take({.now = now, .hash = hash}).member())];
        moved += before != after;
        moved_needlessly += before != after && before != "10.0.0.4:80";
    }
    for (int count : counts) EXPECT_NEAR(count, 10'000, 600);
    EXPECT_LT(moved_needlessly, 3'000) << "of 100,000";
    EXPECT_GT(moved, 9'000);
}

TEST_F(Balance, keys_of_an_ill_member_spread_over_the_others_and_come_back) {
    Rules rules = by(Strategy::consistent_hash);
    rules.bounded_load = 0;
    MembersPtr members = service(some(5), rules);
    View view(members, random, 0);
    std::map<std::uint64_t, std::string> home;
    for (std::uint64_t key = 1; key <= 2000; ++key) home[key] = view.take({.now = now, .hash = key * 0x9e3779b97f4a7c15ULL}).member().name;
    members->all[2].state->set_checked(EndpointState::Checked::unwell, now);
    std::map<std::string, int> instead;
    for (auto& [key, name] : home) {
        std::string where = view.take({.now = now, .hash = key * 0x9e3779b97f4a7c15ULL}).member().name;
        if (name == members->all[2].name) {
            ++instead[where];
        } else {
            EXPECT_EQ(where, name);
        }
    }
    EXPECT_EQ(instead.size(), 4u);
    members->all[2].state->set_checked(EndpointState::Checked::well, now);
    for (auto& [key, name] : home) EXPECT_EQ(view.take({.now = now, .hash = key * 0x9e3779b97f4a7c15ULL}).member().name, name);
}

TEST_F(Balance, bounded_load_sends_a_hot_key_on) {
    Rules rules = by(Strategy::consistent_hash);
    rules.bounded_load = 1.25;
    MembersPtr members = service(some(4), rules);
    View view(members, random, 0);
    std::vector<Seat> seats;
    std::vector<Gate::Place> places;
    for (int i = 0; i < 100; ++i) {
        places.push_back(members->state->gate.enter(0));
        seats.push_back(view.take({.now = now, .hash = 42}));
    }
    for (const Member& member : members->all) EXPECT_LE(member.state->in_flight(), 33);
}

TEST_F(Balance, shares_by_weight_in_the_table) {
    MembersPtr members = service(weighing({4, 1, 1}), by(Strategy::consistent_hash));
    std::vector<int> slots(3);
    for (std::uint16_t slot : members->table) ++slots[slot];
    EXPECT_NEAR(slots[0] / static_cast<double>(members->table.size()), 4.0 / 6, 0.02);
}

// ---- levels

TEST_F(Balance, the_second_level_gets_what_the_first_cannot_take) {
    auto six = some(6);
    for (std::size_t i = 3; i < 6; ++i) six[i].priority = 1;
    MembersPtr members = service(six);
    View view(members, random, 0);
    auto first = [&] {
        auto counts = spread(view, 30'000);
        return counts[0] + counts[1] + counts[2];
    };
    EXPECT_EQ(first(), 30'000);
    members->all[0].state->set_checked(EndpointState::Checked::unwell, now);
    EXPECT_NEAR(first(), 28'000, 500) << "two of three take 1.4 times two thirds";
    members->all[1].state->set_checked(EndpointState::Checked::unwell, now);
    EXPECT_NEAR(first(), 14'000, 500);
    members->all[2].state->set_checked(EndpointState::Checked::unwell, now);
    EXPECT_EQ(first(), 0);
}

TEST_F(Balance, in_panic_health_is_not_heeded) {
    Rules rules;
    rules.panic_threshold = 0.5;
    MembersPtr members = service(some(4), rules);
    for (int i = 0; i < 3; ++i) members->all[static_cast<std::size_t>(i)].state->set_checked(EndpointState::Checked::unwell, now);
    View view(members, random, 0);
    for (int count : spread(view, 4'000)) EXPECT_EQ(count, 1'000);
}

TEST_F(Balance, there_is_no_panic_while_those_in_reserve_are_well) {
    auto ten = some(10);
    for (std::size_t i = 2; i < 10; ++i) ten[i].priority = 1;
    Rules rules;
    rules.panic_threshold = 0.5;
    MembersPtr members = service(ten, rules);
    members->all[0].state->set_checked(EndpointState::Checked::unwell, now);
    View view(members, random, 0);
    EXPECT_EQ(spread(view, 1'000)[0], 0);
}

TEST_F(Balance, each_level_goes_round_by_itself) {
    auto four = some(4);
    for (std::size_t i = 2; i < 4; ++i) four[i].priority = 1;
    MembersPtr members = service(four);
    members->all[0].state->set_checked(EndpointState::Checked::unwell, now);
    View view(members, random, 0);
    auto counts = spread(view, 30'000);
    EXPECT_GT(counts[2], 3'000);
    EXPECT_NEAR(counts[2], counts[3], 1);
}

TEST_F(Balance, one_that_is_not_known_is_tried_but_not_by_everybody) {
    MembersPtr members = service(some(2), by(Strategy::two_choices));
    members->all[0].state->took(5ms, now);
    View view(members, random, 0);
    std::vector<Seat> kept;   // nobody is answered
    int unknown = 0;
    for (int i = 0; i < 20; ++i) {
        kept.push_back(view.take({.now = now}));
        unknown += view.index_of(kept.back().member()) == 1;
    }
    EXPECT_EQ(unknown, 1);
}

TEST_F(Balance, a_slow_start_grows_to_the_whole_share) {
    Rules rules;
    rules.slow_start = 20s;
    MembersPtr members = service(some(2), rules);
    members->all[1].state->rise(now);
    View view(members, random, 0);
    EXPECT_NEAR(spread(view, 1100)[1], 100, 5) << "a tenth of its share";
    now += 10s;
    EXPECT_NEAR(spread(view, 1500)[1], 500, 10);
    now += 10s;
    EXPECT_NEAR(spread(view, 1000)[1], 500, 2);
}

TEST_F(Balance, who_was_tried_is_not_chosen_again) {
    MembersPtr members = service(some(3));
    View view(members, random, 0);
    std::vector<const EndpointState*> tried;
    for (int i = 0; i < 3; ++i) {
        Seat seat = view.take({.now = now, .avoid = tried});
        ASSERT_TRUE(seat);
        tried.push_back(seat.member().state.get());
    }
    EXPECT_FALSE(view.take({.now = now, .avoid = tried}));
}

// ---- outliers

TEST(Outliers, the_one_that_does_clearly_worse_is_found) {
    OutlierRules rules;
    rules.success_rate_deviations = 2;
    std::vector<EndpointState::Interval> samples(10, {1000, 5, 10ms});
    EXPECT_TRUE(outliers(samples, rules).empty());
    samples[3].bad = 300;
    ASSERT_EQ(outliers(samples, rules).size(), 1u);
    EXPECT_EQ(outliers(samples, rules)[0].index, 3u);
    samples[3].all = 50;
    EXPECT_TRUE(outliers(samples, rules).empty()) << "too few requests to judge by";
    rules.success_rate_deviations = 0;
    rules.latency_factor = 3;
    samples[5].mean = 50ms;
    ASSERT_EQ(outliers(samples, rules).size(), 1u);
    EXPECT_EQ(outliers(samples, rules)[0].index, 5u);
}

TEST_F(Balance, never_more_are_ejected_than_the_rules_allow) {
    MembersPtr members = service(some(10));
    int out = 0;
    for (const Member& member : members->all) out += eject(*members, member, Why::failures, now);
    EXPECT_EQ(out, 5);
    for (const Member& member : members->all) eject(*members, member, Why::refused, now);
    View view(members, random, 0);
    EXPECT_EQ(view.fit(now), 1u) << "refusals leave one";
}

TEST_F(Balance, those_that_get_no_traffic_are_not_counted_among_those_who_stay) {
    auto four = some(4);
    four[2].draining = true;
    four[3].weight = 0;
    MembersPtr members = service(four);
    EXPECT_TRUE(eject(*members, members->all[0], Why::failures, now));
    EXPECT_FALSE(eject(*members, members->all[1], Why::failures, now)) << "nobody else could answer";
    EXPECT_FALSE(eject(*members, members->all[1], Why::refused, now));
}

TEST_F(Balance, what_two_services_look_at_is_seen_by_both) {
    Rules rules;
    rules.outlier.latency_factor = 2;
    MembersPtr one = service(some(4), rules), two = service(some(4), rules);
    for (std::size_t i = 0; i < 4; ++i)
        for (int n = 0; n < 200; ++n) one->all[i].state->sample(true, i == 0 ? 50ms : 5ms);
    Intervals taken;
    MembersPtr others = service(some(3));
    eject_outliers(*others, now, taken);   // looks at nothing
    eject_outliers(*one, now, taken);
    EXPECT_TRUE(one->all[0].state->ejected(now));
    one->all[0].state->readmit(now);
    eject_outliers(*two, now, taken);
    EXPECT_TRUE(two->all[0].state->ejected(now));
}

TEST_F(Balance, ejections_grow_and_are_forgotten) {
    MembersPtr members = service(some(4));
    EndpointState& state = *members->all[0].state;
    OutlierRules rules;
    EXPECT_TRUE(state.eject(Why::failures, now, rules));
    EXPECT_EQ(state.ejected_until() - now, 10s);
    EXPECT_FALSE(state.eject(Why::failures, now, rules));
    now += 11s;
    EXPECT_TRUE(state.eject(Why::failures, now, rules));
    EXPECT_EQ(state.ejected_until() - now, 20s);
    now += 500s;
    EXPECT_TRUE(state.eject(Why::failures, now, rules));
    EXPECT_EQ(state.ejected_until() - now, 10s);
}

// ---- breakers

TEST(Breakers, closed_open_half_open_closed) {
    Breaker breaker;
    BreakerRules rules;
    rules.enabled = true;
    rules.probes = 2;
    rules.successes = 2;
    TimePoint now{std::chrono::hours(1)};
    using A = Breaker::Admission;
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(breaker.record(false, breaker.admit(now, rules), now, rules));
    EXPECT_EQ(breaker.record(false, breaker.admit(now, rules), now, rules), Breaker::State::open);
    EXPECT_EQ(breaker.admit(now + 29s, rules), A::no);
    now += 30s;
    A one = breaker.admit(now, rules), two = breaker.admit(now, rules);
    EXPECT_EQ(one, A::probe);
    EXPECT_EQ(two, A::probe);
    EXPECT_EQ(breaker.admit(now, rules), A::no) << "two at once";
    breaker.give_up(two);
    EXPECT_EQ(breaker.admit(now, rules), A::probe) << "who gives up leaves its place";
    EXPECT_FALSE(breaker.record(true, one, now, rules));
    EXPECT_EQ(breaker.record(true, A::probe, now, rules), Breaker::State::closed);
    EXPECT_EQ(breaker.admit(now, rules), A::pass);
}

TEST(Breakers, a_failed_probe_opens_it_again_and_late_results_of_before_say_nothing) {
    Breaker breaker;
    BreakerRules rules;
    rules.consecutive_failures = 1;
    TimePoint now{std::chrono::hours(1)};
    auto early = breaker.admit(now, rules);
    breaker.record(false, breaker.admit(now, rules), now, rules);
    EXPECT_FALSE(breaker.record(true, early, now, rules));
    EXPECT_EQ(breaker.state(), Breaker::State::open);
    now += 30s;
    EXPECT_EQ(breaker.record(false, breaker.admit(now, rules), now, rules), Breaker::State::open);
    EXPECT_EQ(breaker.openings(), 2u);
}

TEST(Breakers, a_rate_opens_it_only_with_enough_requests) {
    Breaker breaker;
    BreakerRules rules;
    rules.consecutive_failures = 0;
    rules.error_rate = 0.5;
    TimePoint now{std::chrono::hours(1)};
    for (int i = 0; i < 18; ++i) breaker.record(i % 2 == 0, breaker.admit(now, rules), now, rules);
    EXPECT_EQ(breaker.state(), Breaker::State::closed);
    for (int i = 0; i < 4; ++i) breaker.record(false, breaker.admit(now, rules), now, rules);
    EXPECT_EQ(breaker.state(), Breaker::State::open);
}

TEST(Windows, the_older_half_fades) {
    Window window;
    TimePoint start{std::chrono::seconds(1000)};
    for (int i = 0; i < 100; ++i) window.add(start, 10s, i < 50);
    EXPECT_DOUBLE_EQ(window.sum(start, 10s).all, 100);
    EXPECT_NEAR(window.sum(start + 7500ms, 10s).all, 50, 1);
    EXPECT_DOUBLE_EQ(window.sum(start + 10s, 10s).all, 0);
    EXPECT_DOUBLE_EQ(window.sum(start + 7500ms, 10s).rate(), 0.5);
}

TEST(Windows, a_longer_span_goes_on_counting) {
    Window window;
    TimePoint now = ManualClock().now() + 1000h;
    for (int i = 0; i < 100; ++i) window.add(now, 10s, true);
    for (int i = 0; i < 100; ++i) window.add(now, 60s, true);
    EXPECT_GE(window.sum(now, 60s).all, 100);
    EXPECT_GE(window.sum(now + 1s, 60s).bad, 100);
}

TEST(Budgets, without_a_share_there_is_none) {
    RetryBudget budget;
    TimePoint now = ManualClock().now();
    budget.request(now);
    EXPECT_FALSE(budget.retry(now, 0));
    EXPECT_TRUE(budget.retry(now, 0.2));
}

TEST(Adaptive, finds_fewer_under_load_and_more_at_ease) {
    Adaptive adaptive;
    LimitRules rules;
    TimePoint now{std::chrono::hours(1)};
    auto run = [&](Duration latency, int windows) {
        for (int i = 0; i < windows; ++i) {
            now += Adaptive::kWindow + 1ms;
            for (int k = 0; k < 20; ++k) adaptive.sample(latency, std::max(1u, adaptive.limit()), now, rules);
        }
    };
    run(10ms, 100);
    std::uint32_t at_ease = adaptive.limit();
    EXPECT_GT(at_ease, 50u);
    run(200ms, 30);
    EXPECT_LT(adaptive.limit(), at_ease / 2);
    run(10ms, 100);
    EXPECT_GT(adaptive.limit(), at_ease / 2);
}

// ---- 200 endpoints of which some fail

TEST_F(Balance, two_hundred_endpoints_with_failures_neither_oscillate_nor_herd) {
    Rules rules = by(Strategy::two_choices);
    MembersPtr members = service(some(200), rules);
    View view(members, random, 0);
    struct Call {
        TimePoint end;
        Seat seat;
        Verdict verdict;
        Duration took;
    };
    std::vector<Call> open;
    std::vector<std::size_t> fit;
    std::int32_t most = 0;
    int failed = 0, calls = 0;
    for (int millisecond = 0; millisecond < 60'000; ++millisecond) {
        now += 1ms;
        for (auto at = open.begin(); at != open.end();) {
            if (at->end > now) {
                ++at;
                continue;
            }
            at->seat.tell(at->verdict, at->took, now);
            at = open.erase(at);
        }
        for (int i = 0; i < 5; ++i) {
            Seat seat = view.take({.now = now});
            ASSERT_TRUE(seat);
            std::uint32_t who = view.index_of(seat.member());
            bool broken = who < 20 && millisecond > 10'000 && millisecond < 40'000;
            Duration took = (who % 10 == 7 ? 30ms : 10ms) + Duration(static_cast<std::int64_t>(random.below(5'000'000)));
            ++calls;
            failed += broken;
            most = std::max(most, seat.member().state->in_flight());
            open.push_back({now + took, std::move(seat), broken ? Verdict::failed : Verdict::ok, took});
        }
        if (millisecond % 100 == 0) fit.push_back(view.fit(now));
    }
    // 20 of 200 fail half a minute long. Each is left out after five failures in a row, and tried again as its
    // ejection ends: what reaches them is little, and nobody else is ever crowded.
    EXPECT_LT(failed, calls / 100);
    EXPECT_LE(most, 8) << "no herd";
    for (std::size_t count : fit) EXPECT_GE(count, 180u);
    EXPECT_GE(fit.back(), 195u) << "all come back";
}

}  // namespace
}  // namespace suoke::balance
