// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <barrier>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "limits/address_key.h"
#include "limits/limiter.h"

namespace suoke::limits {
namespace {

PolicyPtr policy(const char* rate, std::uint64_t burst = 0, std::string name = "default") {
    PolicyRules rules;
    rules.name = std::move(name);
    rules.rate = *parse_rate(rate);
    rules.burst = burst;
    return make_policy(std::move(rules), 0);
}

class LimiterTest : public ::testing::Test {
 protected:
    LimiterTest() { limiter.open(10'000); }

    Charge charge(const PolicyPtr& policy, std::string_view key, std::uint64_t cost = 1) {
        KeyedHash hash = limiter.key_for(*policy);
        hash.add(key);
        return {policy.get(), hash.finish(), cost};
    }
    Outcome ask(const PolicyPtr& policy, std::string_view key = "a", std::uint64_t cost = 1) {
        Charge charges[] = {charge(policy, key, cost)};
        return limiter.take(charges, now);
    }
    int granted(const PolicyPtr& policy, int requests, std::string_view key = "a") {
        int count = 0;
        for (int i = 0; i < requests; ++i) count += ask(policy, key).granted;
        return count;
    }

    Limiter limiter;
    TimePoint now{std::chrono::hours(1)};
};

// ---- keys

TEST(KeyedHash, is_SipHash_with_128_bits) {
    Seed seed{0x0706050403020100, 0x0f0e0d0c0b0a0908};
    auto hash_of = [&](std::size_t size) {
        std::string text;
        for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(i);
        SipHash128<2, 4> hash(seed);
        hash.add(text);
        return hash.finish();
    };
    EXPECT_EQ(hash_of(0), (Hash{0xe6a825ba047f81a3, 0x930255c71472f66d}));
    EXPECT_EQ(hash_of(1), (Hash{0x44af996bd8c187da, 0x45fc229b11597634}));
    EXPECT_EQ(hash_of(15), (Hash{0x11a8b03399e99354, 0xd9c3cf970fec087e}));
    EXPECT_EQ(hash_of(16), (Hash{0xbb54b067caa4e26e, 0x77052385bf1533fd}));
}

TEST(KeyedHash, is_seeded_anew_by_each_gateway_so_nobody_knows_which_keys_meet_in_a_bucket) {
    Limiter one, other;
    auto limit = policy("1/s");
    auto hash_at = [&](const Limiter& limiter) {
        KeyedHash hash = limiter.key_for(*limit);
        hash.add("192.0.2.1");
        return hash.finish();
    };
    EXPECT_NE(hash_at(one), hash_at(other));
    other.set_seed(one.seed());   // as those do that share a limit
    EXPECT_EQ(hash_at(one), hash_at(other));
}

TEST(KeyedHash, tells_long_texts_apart_whatever_their_lengths) {
    auto hash_of = [](const std::string& text) {
        KeyedHash hash(Seed{1, 2});
        hash.add(text);
        return hash.finish();
    };
    for (std::size_t size : {0, 1, 8, 255, 256, 257, 8192}) {
        std::string text(size, '\0');
        EXPECT_NE(hash_of(text), hash_of(text + std::string(256, '\0'))) << size;   // the last word has the length's last byte only
        EXPECT_NE(hash_of(text), hash_of(text + '\0')) << size;
        EXPECT_NE(hash_of(text + "a"), hash_of(text + "b")) << size;
    }
}

TEST(AddressKey, reads_every_spelling_of_an_ipv6_address) {
    auto bytes = [](std::string_view text) { return parse_ipv6(text).value_or(std::array<std::uint8_t, 16>{0xee}); };
    EXPECT_EQ(bytes("::"), (std::array<std::uint8_t, 16>{}));
    EXPECT_EQ(bytes("::1")[15], 1);
    EXPECT_EQ(bytes("2001:db8::1"), bytes("2001:0DB8:0:0::0:1"));
    EXPECT_EQ(bytes("1:2:3:4:5:6:7:8")[15], 8);
    EXPECT_EQ(bytes("::ffff:192.0.2.1"), bytes("::ffff:c000:201"));
    for (const char* text : {"", ":", "1", "1:", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "1::2::3", "g::", "::1.2.3", "::1.2.3.256",
                             "1:2:3:4:5:6:7::8:9"})
        EXPECT_FALSE(parse_ipv6(text)) << text;
}

TEST(AddressKey, takes_a_network_of_ipv6_for_one_client) {
    auto key = [](std::string_view text, int prefix) {
        KeyedHash hash(Seed{1, 2});
        add_address(hash, text, prefix);
        return hash.finish();
    };
    EXPECT_EQ(key("2001:db8:1:2::7", 64), key("2001:db8:1:2:ffff::8", 64));
    EXPECT_NE(key("2001:db8:1:2::7", 64), key("2001:db8:1:3::7", 64));
    EXPECT_EQ(key("2001:db8:1:2::7", 48), key("2001:db8:1:3::7", 48));
    EXPECT_EQ(key("2001:db8:10::", 44), key("2001:db8:1f::", 44));
    EXPECT_NE(key("2001:db8:10::", 44), key("2001:db8:20::", 44));
    EXPECT_NE(key("2001:db8::1", 128), key("2001:db8::2", 128));
    EXPECT_EQ(key("::ffff:192.0.2.1", 64), key("192.0.2.1", 64));
    EXPECT_NE(key("192.0.2.1", 64), key("192.0.2.2", 64));
    EXPECT_EQ(key("fe80::1%eth0", 128), key("fe80::1", 128));
}

// ---- policies

TEST(Policy, says_what_a_client_has) {
    auto plain = policy("100/minute");
    EXPECT_EQ(plain->announcement, "\"default\";q=100;w=60");
    EXPECT_EQ(plain->step, 600'000'000u);
    EXPECT_EQ(plain->depth, 60'000'000'000u);
    EXPECT_EQ(policy("100/minute", 10)->announcement, "\"default\";q=100;w=60");
    EXPECT_EQ(policy("100/minute", 200)->announcement, "\"default\";q=200;w=120");
    EXPECT_EQ(policy("7/s", 0, "a \"b\"\n")->item, "\"a _b__\"");
}

TEST(Policy, is_never_faster_than_its_rate) {
    auto odd = policy("7/second");
    EXPECT_EQ(odd->step, 142'857'143u);   // rounded up
}

TEST(Rule, is_for_a_path_and_all_below) {
    Rule rule{policy("1/s"), "/api/auth", {"POST"}, 1};
    EXPECT_TRUE(rule.is_for("POST", "/api/auth"));
    EXPECT_TRUE(rule.is_for("POST", "/api/auth/login"));
    EXPECT_FALSE(rule.is_for("POST", "/api/authors"));
    EXPECT_FALSE(rule.is_for("GET", "/api/auth"));
    rule.path = "/";
    EXPECT_TRUE(rule.is_for("POST", "/anything"));
}

// ---- rates

TEST_F(LimiterTest, lets_a_burst_through_and_then_one_each_step) {
    auto limit = policy("60/minute", 10);
    EXPECT_EQ(granted(limit, 20), 10);
    now += 999ms;
    EXPECT_EQ(granted(limit, 5), 0);
    now += 1ms;
    EXPECT_EQ(granted(limit, 5), 1);
    now += 3s;
    EXPECT_EQ(granted(limit, 5), 3);
    now += 1h;
    EXPECT_EQ(granted(limit, 20), 10);
}

TEST_F(LimiterTest, says_how_a_client_stands) {
    auto limit = policy("60/minute", 3);
    Outcome first = ask(limit);
    EXPECT_TRUE(first.granted);
    EXPECT_EQ(first.standing.policy, limit.get());
    EXPECT_EQ(first.standing.remaining, 2u);
    EXPECT_EQ(first.standing.reset, 1s);
    ask(limit), ask(limit);
    now += 250ms;
    Outcome refused = ask(limit);
    EXPECT_FALSE(refused.granted);
    EXPECT_EQ(refused.standing.remaining, 0u);
    EXPECT_EQ(refused.standing.reset, 750ms);   // then, and not before, it may come again
    now += 750ms;
    EXPECT_TRUE(ask(limit).granted);
}

TEST_F(LimiterTest, tells_keys_and_policies_apart) {
    auto one = policy("1/minute", 0, "one"), other = policy("1/minute", 0, "other");
    EXPECT_EQ(granted(one, 3, "a"), 1);
    EXPECT_EQ(granted(one, 3, "b"), 1);
    EXPECT_EQ(granted(other, 3, "a"), 1);
    auto one_again = policy("1/minute", 0, "one");   // of the next configuration
    EXPECT_EQ(granted(one_again, 3, "a"), 0);
}

TEST_F(LimiterTest, takes_what_a_request_costs) {
    auto limit = policy("10/minute");
    EXPECT_TRUE(ask(limit, "a", 7).granted);
    EXPECT_FALSE(ask(limit, "a", 7).granted);
    EXPECT_TRUE(ask(limit, "a", 3).granted);
    EXPECT_FALSE(ask(limit, "a", 1).granted);
    EXPECT_FALSE(ask(limit, "b", 11).granted);
}

TEST_F(LimiterTest, what_costs_more_than_there_ever_is_is_refused_however_much_it_is) {
    auto limit = policy("1/day");
    for (std::uint64_t cost : {std::uint64_t{2}, std::uint64_t{213'504}, std::uint64_t{1'000'000}, UINT64_MAX}) EXPECT_FALSE(ask(limit, "a", cost).granted) << cost;
    EXPECT_TRUE(ask(limit).granted);   // and took nothing
    PolicyRules rules;
    rules.name = "shared";
    rules.rate = *parse_rate("1/31d");
    rules.shared = true;
    auto shared = make_policy(std::move(rules), 0);
    limiter.share_with(2);
    EXPECT_TRUE(ask(shared).granted);
    limiter.cells().with(charge(shared, "a").hash, [&](Cell& cell) { limiter.cells().side_of(cell).share = 1; });
    now += 31 * 24h;
    EXPECT_FALSE(ask(shared, "a", 1'000'000).granted);
}

TEST_F(LimiterTest, a_wait_that_was_told_is_true_though_the_share_came_down_meanwhile) {
    PolicyRules rules;
    rules.name = "shared";
    rules.rate = *parse_rate("100/minute");
    rules.shared = true;
    auto limit = make_policy(std::move(rules), 0);
    limiter.share_with(4);
    auto hold = [&](std::uint32_t share) {
        limiter.cells().with(charge(limit, "a").hash, [&](Cell& cell) { limiter.cells().side_of(cell).share = share; });
    };
    EXPECT_TRUE(ask(limit).granted);
    hold(65536);   // as the only gateway that is asked
    EXPECT_GT(granted(limit, 200), 90);
    Outcome refused = ask(limit);
    ASSERT_FALSE(refused.granted);
    hold(16384);   // it was quiet, and the others have their part again
    now += refused.standing.reset - Duration(1);
    EXPECT_FALSE(ask(limit).granted);
    now += Duration(1);
    EXPECT_TRUE(ask(limit).granted);
}

TEST_F(LimiterTest, charges_all_policies_or_none) {
    auto wide = policy("100/minute", 0, "wide"), narrow = policy("2/minute", 0, "narrow");
    Charge both[] = {charge(wide, "a"), charge(narrow, "a")};
    EXPECT_TRUE(limiter.take(both, now).granted);
    Outcome second = limiter.take(both, now);
    EXPECT_TRUE(second.granted);
    EXPECT_EQ(second.standing.policy, narrow.get());   // the tightest speaks
    for (int i = 0; i < 10; ++i) {
        Outcome refused = limiter.take(both, now);
        EXPECT_FALSE(refused.granted);
        EXPECT_EQ(refused.standing.policy, narrow.get());
    }
    EXPECT_EQ(granted(wide, 200, "a"), 98);
}

TEST_F(LimiterTest, the_longest_wait_counts_when_several_refuse) {
    auto soon = policy("1/second", 0, "soon"), late = policy("1/hour", 0, "late");
    Charge both[] = {charge(soon, "a"), charge(late, "a")};
    EXPECT_TRUE(limiter.take(both, now).granted);
    Outcome refused = limiter.take(both, now);
    EXPECT_EQ(refused.standing.policy, late.get());
    EXPECT_EQ(refused.standing.reset, 1h);
}

TEST_F(LimiterTest, a_changed_rate_keeps_the_share_that_was_used) {
    auto before = policy("100/minute");
    EXPECT_EQ(granted(before, 50), 50);
    auto after = policy("200/minute");   // the same name
    EXPECT_EQ(granted(after, 300), 100);
}

TEST_F(LimiterTest, a_shorter_limit_is_not_blocked_by_what_a_longer_one_left) {
    auto hours = policy("100/hour");
    EXPECT_EQ(granted(hours, 100), 100);
    auto minutes = policy("100/minute");
    EXPECT_EQ(granted(minutes, 1), 0);
    now += 1min;
    EXPECT_GT(granted(minutes, 200), 90);
}

// A model that keeps a list: a bucket of `burst` tokens, one more each step, by exact arithmetic.
class Bucket {
 public:
    Bucket(std::uint64_t step, std::uint64_t burst) : step_(step), burst_(burst), level_(step * burst) {}
    bool take(std::uint64_t at, std::uint64_t cost) {
        level_ = std::min(level_ + (at - last_), step_ * burst_);
        last_ = at;
        if (level_ < step_ * cost) return false;
        level_ -= step_ * cost;
        return true;
    }

 private:
    std::uint64_t step_, burst_, level_, last_ = 0;
};

TEST_F(LimiterTest, decides_as_a_bucket_of_tokens_under_random_schedules) {
    Random random(7);
    for (int schedule = 0; schedule < 200; ++schedule) {
        std::uint64_t count = 1 + random.below(500), burst = 1 + random.below(100);
        auto limit = policy((std::to_string(count) + "/minute").c_str(), burst, "p" + std::to_string(schedule));
        Bucket model(limit->step, burst);
        std::uint64_t busy = 1 + random.below(4 * limit->step);
        for (int i = 0; i < 500; ++i) {
            now += Duration(static_cast<Duration::rep>(random.below(20) == 0 ? random.below(limit->depth) : random.below(busy)));
            std::uint64_t cost = 1 + (random.below(4) == 0 ? random.below(burst) : 0);
            Outcome outcome = ask(limit, "a", cost);
            ASSERT_EQ(outcome.granted, model.take(Limiter::nanoseconds(now), cost)) << count << "/minute, burst " << burst << ", request " << i;
            if (outcome.granted || cost > burst) continue;
            // The wait that is told is true to the nanosecond.
            Bucket later = model, sooner = model;
            std::uint64_t then = Limiter::nanoseconds(now + outcome.standing.reset);
            ASSERT_TRUE(later.take(then, cost));
            ASSERT_FALSE(sooner.take(then - 1, cost));
        }
    }
}

// Workers read their clocks at different times, so a limit sees time go back. In any stretch it lets through no more than
// the rate times the time and one burst, by the clocks of those who asked.
TEST_F(LimiterTest, never_lets_more_through_when_clocks_go_back) {
    Random random(8);
    struct Grant {
        std::uint64_t at, cost;
    };
    for (int schedule = 0; schedule < 50; ++schedule) {
        std::uint64_t count = 1 + random.below(5000), burst = 1 + random.below(100);
        auto limit = policy((std::to_string(count) + "/minute").c_str(), burst, "p" + std::to_string(schedule));
        std::vector<Grant> grants;
        for (int i = 0; i < 400; ++i) {
            now += Duration(static_cast<Duration::rep>(random.below(2 * limit->step)));
            TimePoint straight = now;
            now -= Duration(static_cast<Duration::rep>(random.below(3) == 0 ? random.below(2'000'000'000) : random.below(5'000'000)));
            std::uint64_t cost = 1 + (random.below(4) == 0 ? random.below(burst) : 0);
            if (ask(limit, "a", cost).granted) grants.push_back({Limiter::nanoseconds(now), cost});
            now = straight;
        }
        for (std::size_t first = 0; first < grants.size(); ++first) {
            std::uint64_t sum = 0;
            for (std::size_t last = first; last < grants.size(); ++last) {
                sum += grants[last].cost;
                ASSERT_LE(sum * limit->step + grants[first].at, limit->depth + grants[last].at) << count << "/minute, burst " << burst << ", " << first << " to " << last;
            }
        }
        // And whoever has waited long enough finds all of it again.
        now += Duration(static_cast<Duration::rep>(limit->depth));
        EXPECT_EQ(granted(limit, static_cast<int>(burst) + 1), static_cast<int>(burst));
    }
}

TEST_F(LimiterTest, is_exact_however_many_threads_ask_at_once) {
    constexpr int kThreads = 4, kEach = 20'000;
    auto limit = policy("1000/hour");
    std::atomic<int> sum{0};
    std::barrier ready(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&] {
            limiter.open(10'000);
            ready.arrive_and_wait();
            int mine = 0;
            for (int i = 0; i < kEach; ++i) mine += ask(limit, "hot").granted;
            sum += mine;
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(sum.load(), 1000);
}

TEST_F(LimiterTest, is_exact_with_costs_and_clocks_that_differ) {
    constexpr int kThreads = 4, kEach = 5'000;
    auto limit = policy("1000/hour");   // one in 3.6 s
    std::atomic<std::uint64_t> sum{0};
    std::barrier ready(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&, t] {
            Random random(static_cast<std::uint64_t>(t));
            ready.arrive_and_wait();
            for (int i = 0; i < kEach; ++i) {
                Charge charges[] = {charge(limit, "hot", 7 + random.below(5))};
                if (limiter.take(charges, now - Duration(static_cast<Duration::rep>(random.below(5'000'000)))).granted) sum += charges[0].cost;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_LE(sum.load(), 1000u);
    EXPECT_GT(sum.load(), 1000u - 7);   // less is left than the cheapest takes
    EXPECT_EQ(granted(limit, 100, "hot"), 1000 - static_cast<int>(sum.load()));
}

// Two policies, of which the second one refuses what the first one has been charged for already.
TEST_F(LimiterTest, is_exact_while_keys_come_and_go) {
    constexpr int kThreads = 4, kKeys = 200;
    auto one = policy("5/hour", 0, "one"), two = policy("3/hour", 0, "two");
    std::array<std::atomic<int>, kKeys> counts{};
    std::barrier ready(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&, t] {
            ready.arrive_and_wait();
            for (int i = 0; i < 20 * kKeys; ++i) {
                int key = (i + t * 50) % kKeys;
                Charge both[] = {charge(one, std::to_string(key)), charge(two, std::to_string(key))};
                counts[static_cast<std::size_t>(key)] += limiter.take(both, now).granted;
            }
        });
    for (auto& thread : threads) thread.join();
    for (auto& count : counts) EXPECT_EQ(count.load(), 3);
    for (int key = 0; key < kKeys; ++key) EXPECT_EQ(granted(one, 5, std::to_string(key)), 2) << key;   // what was lost was given back
}

// ---- memory

TEST(Table, takes_over_what_says_nothing_any_more) {
    Table table(Table::kBucket);   // one bucket
    for (std::uint64_t i = 1; i <= Table::kBucket; ++i) table.claim({0, i}, 100, Table::evict)->word = 100 + i;
    EXPECT_EQ(table.claim({0, 3}, 100, Table::evict)->word.load(), 103u);   // known already
    Cell* cell = table.claim({0, 99}, 105, Table::evict);
    EXPECT_EQ(cell->word.load(), 101u);                                  // over, which is as good as new
    EXPECT_EQ(table.evictions(), 0u);
    EXPECT_EQ(table.find({0, 1}), nullptr);
    EXPECT_EQ(table.find({0, 99}), cell);
}

TEST(Table, when_it_is_full_the_lowest_word_goes) {
    Table table(Table::kBucket);
    for (std::uint64_t i = 1; i <= Table::kBucket; ++i) table.claim({0, i}, 0, Table::evict)->word = 200 - i;
    EXPECT_EQ(table.claim({0, 99}, 100, Table::keep), nullptr);
    EXPECT_EQ(table.claim({0, 99}, 100, Table::evict)->word.load(), 0u);
    EXPECT_EQ(table.evictions(), 1u);
    EXPECT_EQ(table.find({0, Table::kBucket}), nullptr);
    EXPECT_NE(table.find({0, 1}), nullptr);
}

TEST(Table, what_a_limiter_had_to_forget_is_counted) {
    Limiter limiter;
    EXPECT_EQ(limiter.evictions(), 0u);   // not open yet
    limiter.open(2);                      // one bucket
    auto limit = policy("1/hour");
    TimePoint now{std::chrono::hours(1)};
    auto ask = [&](std::uint64_t key) {
        KeyedHash hash = limiter.key_for(*limit);
        hash.add(key);
        Charge charges[] = {{limit.get(), hash.finish(), 1}};
        return limiter.take(charges, now).granted;
    };
    for (std::uint64_t key = 0; key < Table::kBucket; ++key) EXPECT_TRUE(ask(key));
    EXPECT_EQ(limiter.evictions(), 0u);
    EXPECT_TRUE(ask(Table::kBucket));
    EXPECT_EQ(limiter.evictions(), 1u);
    now += 2h;                            // nobody is limited any more
    EXPECT_TRUE(ask(Table::kBucket + 1));
    EXPECT_EQ(limiter.evictions(), 1u);
}

TEST(Table, holds_as_many_keys_as_it_was_made_for) {
    Limiter limiter;
    limiter.open(100'000);
    auto limit = policy("1/hour");
    TimePoint now{std::chrono::hours(1)};
    auto ask_all = [&] {
        int granted = 0;
        for (std::uint64_t i = 0; i < 100'000; ++i) {
            KeyedHash hash = limiter.key_for(*limit);
            hash.add(i);
            Charge charges[] = {{limit.get(), hash.finish(), 1}};
            granted += limiter.take(charges, now).granted;
        }
        return granted;
    };
    EXPECT_EQ(ask_all(), 100'000);
    EXPECT_LT(ask_all(), 100);   // of few the cell was given away
}

// ---- what is under way

TEST_F(LimiterTest, counts_what_is_under_way) {
    PolicyRules rules;
    rules.name = "uploads";
    rules.most_at_once = 2;
    auto limit = make_policy(std::move(rules), 0);
    Hash key = charge(limit, "a").hash;
    auto first = limiter.enter(*limit, key), second = limiter.enter(*limit, key);
    ASSERT_TRUE(first && second);
    EXPECT_FALSE(limiter.enter(*limit, key));
    EXPECT_FALSE(limiter.enter(*limit, key));   // who is refused takes no place
    EXPECT_TRUE(limiter.enter(*limit, charge(limit, "b").hash));
    first.reset();
    auto third = limiter.enter(*limit, key);
    EXPECT_TRUE(third);
    Place moved = std::move(*second);
    second.reset();
    EXPECT_FALSE(limiter.enter(*limit, key));
}

TEST_F(LimiterTest, counts_exactly_in_several_threads) {
    PolicyRules rules;
    rules.name = "uploads";
    rules.most_at_once = 3;
    auto limit = make_policy(std::move(rules), 0);
    Hash key = charge(limit, "a").hash;
    std::atomic<int> inside{0}, most{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 20'000; ++i) {
                auto place = limiter.enter(*limit, key);
                if (!place) continue;
                int count = ++inside;
                int seen = most;
                while (seen < count && !most.compare_exchange_weak(seen, count)) {}
                --inside;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_LE(most.load(), 3);
    auto one = limiter.enter(*limit, key), two = limiter.enter(*limit, key), three = limiter.enter(*limit, key);
    EXPECT_TRUE(one && two && three);   // nothing is left behind
}

// ---- penalties

class Penalties : public LimiterTest {
 protected:
    Hash address(std::string_view text) {
        KeyedHash hash = limiter.key_for(Limiter::kPenalties);
        add_address(hash, text, 64);
        return hash.finish();
    }
    Duration strikes(int times, std::string_view who = "192.0.2.1") {
        Duration length{};
        for (int i = 0; i < times; ++i) length = std::max(length, limiter.strike(address(who), rules, now));
        return length;
    }
    Duration left(std::string_view who = "192.0.2.1") { return limiter.shut_out(address(who), now); }
    PenaltyRules rules{.strikes = 30, .window = 1min, .first = 1min, .most = 5min};
};

TEST_F(Penalties, shut_out_who_is_refused_again_and_again) {
    EXPECT_EQ(strikes(29), 0s);
    EXPECT_FALSE(limiter.anybody_shut_out(now));
    EXPECT_EQ(left(), 0s);
    EXPECT_EQ(strikes(1), 1min);
    EXPECT_NEAR(seconds(left()), 60, 0.001);
    EXPECT_EQ(left("192.0.2.2"), 0s);
    now += 1min;
    EXPECT_EQ(left(), 0s);
    EXPECT_FALSE(limiter.anybody_shut_out(now));
}

TEST_F(Penalties, forget_what_is_slow) {
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(strikes(1), 0s);
        now += 2s;
    }
}

TEST_F(Penalties, grow_until_an_hour_in_peace) {
    for (Duration expected : {Duration(1min), Duration(2min), Duration(4min), Duration(5min), Duration(5min)}) {
        EXPECT_EQ(strikes(30), expected);
        now += expected;
    }
    now += 61min;
    EXPECT_EQ(strikes(30), 1min);
}

}  // namespace
}  // namespace suoke::limits
