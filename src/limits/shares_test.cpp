// SPDX-License-Identifier: MIT
// Several gateways under one limit, in simulated time. What they let through together is held against the limit
// itself: never more than rate x time + burst in any stretch of time.
#include "limits/shares.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "testing/limit_records.h"

namespace suoke::limits {
namespace {

class Gateways {
 public:
    // Requests a second at a gateway, by the seconds since the beginning.
    using Traffic = std::function<double(std::size_t gateway, double t)>;

    Gateways(std::size_t count, const char* rate) {
        PolicyRules rules;
        rules.name = "default";
        rules.rate = *parse_rate(rate);
        rules.shared = true;
        policy_ = make_policy(std::move(rules), 0);
        for (std::size_t i = 0; i < count; ++i) {
            auto& gateway = *gateways_.emplace_back(std::make_unique<Gateway>());
            gateway.id = "gateway-" + std::to_string(i);
            gateway.limiter.open(1000);
            gateway.limiter.set_seed({1, 2});
            gateway.limiter.share_with(static_cast<std::uint32_t>(count));
        }
    }

    void run(Duration time, const Traffic& traffic) {
        for (TimePoint end = now_ + time; now_ < end; ++ticks_) {
            now_ += 1ms;
            for (std::size_t i = 0; i < gateways_.size(); ++i) {
                Gateway& gateway = *gateways_[i];
                deliver(gateway);
                gateway.requests += traffic(i, seconds(now_ - began_)) / 1000;
                for (; gateway.requests >= 1; gateway.requests -= 1) ask(gateway);
                if (ticks_ % 5 == 0) tell(gateway);
            }
        }
    }

    scene::LimitRecords redis;
    bool redis_up = true;
    void cut_off(std::size_t gateway, bool cut = true) { gateways_[gateway]->cut_off = cut; }

    void away(std::size_t gateway) { gateways_[gateway]->shares.away(now_); }
    void back(std::size_t gateway) { gateways_[gateway]->shares.back(now_); }

    std::uint64_t asked() const { return asked_; }
    std::uint64_t granted() const { return granted_; }
    std::uint64_t commands() const { return commands_; }
    double burst() const { return static_cast<double>(policy_->burst); }
    double allowed() const { return burst() + since_began() / static_cast<double>(policy_->step); }
    // The most requests beyond rate x time + burst in any stretch until now.
    double excess() const { return excess_; }
    std::size_t known_keys() const {
        std::size_t sum = 0;
        for (const auto& gateway : gateways_) sum += gateway->shares.size();
        return sum;
    }

 private:
    struct Letter {
        TimePoint arrives;
        Shares::Call call;
        std::optional<std::vector<Answer>> answers;   // nothing: it was lost
    };
    struct Gateway {
        std::string id;
        Limiter limiter;
        Shares shares{limiter};
        std::deque<Letter> letters;
        double requests = 0;
        bool cut_off = false;   // it alone does not reach Redis
    };

    double since_began() const { return static_cast<double>((now_ - began_).count()); }

    void ask(Gateway& gateway) {
        KeyedHash hash = gateway.limiter.key_for(*policy_);
        hash.add("client");
        Charge charges[] = {{policy_.get(), hash.finish(), 1}};
        ++asked_;
        if (!gateway.limiter.take(charges, now_).granted) return;
        double earned = since_began() / static_cast<double>(policy_->step);
        lowest_ = std::min(lowest_, static_cast<double>(granted_) - earned);
        ++granted_;
        excess_ = std::max(excess_, static_cast<double>(granted_) - earned - lowest_ - burst());
    }

    void tell(Gateway& gateway) {
        for (Shares::Call& call : gateway.shares.due(now_)) {
            ++commands_;
            Letter letter{now_ + 1ms, std::move(call), std::nullopt};
            if (redis_up && !gateway.cut_off) {
                letter.answers.emplace();
                for (std::size_t i = 0; i < letter.call.hashes.size(); ++i)
                    letter.answers->push_back(redis.settle(std::to_string(letter.call.hashes[i].tag), gateway.id, letter.call.reports[i], now_.time_since_epoch().count() / 1000));
            }
            gateway.letters.push_back(std::move(letter));
        }
    }

    void deliver(Gateway& gateway) {
        while (!gateway.letters.empty() && gateway.letters.front().arrives <= now_) {
            Letter letter = std::move(gateway.letters.front());
            gateway.letters.pop_front();
            if (letter.answers) gateway.shares.answered(letter.call, *letter.answers, now_);
            else gateway.shares.lost(letter.call, now_);
        }
    }

    PolicyPtr policy_;
    std::vector<std::unique_ptr<Gateway>> gateways_;
    const TimePoint began_{std::chrono::hours(1)};
    TimePoint now_ = began_;
    std::uint64_t ticks_ = 0, asked_ = 0, granted_ = 0, commands_ = 0;
    double lowest_ = 0, excess_ = -1e18;
};

Gateways::Traffic everywhere(double rate) {
    return [rate](std::size_t, double) { return rate; };
}

TEST(Shares, are_exact_where_all_gateways_have_the_same_traffic) {
    for (const char* rate : {"1000/second", "10000/second", "1000/minute"}) {
        Gateways s(4, rate);
        s.run(5s, everywhere(5000));
        EXPECT_LE(s.excess(), 1) << rate;   // 20,000 requests a second
        EXPECT_GE(static_cast<double>(s.granted()), 0.98 * s.allowed()) << rate;
        EXPECT_LE(static_cast<double>(s.commands()), 0.05 * static_cast<double>(s.asked())) << rate;
    }
}

TEST(Shares, give_a_single_gateway_the_whole_limit) {
    Gateways s(4, "1000/second");
    s.run(10s, [](std::size_t gateway, double) { return gateway == 0 ? 5000 : 0; });
    EXPECT_LE(s.excess(), 1);
    EXPECT_GE(static_cast<double>(s.granted()), 0.97 * s.allowed());
}

TEST(Shares, follow_the_traffic_where_it_is_uneven) {
    Gateways s(4, "1000/second");
    constexpr double kRates[] = {3000, 300, 100, 10};
    s.run(20s, [&](std::size_t gateway, double) { return kRates[gateway]; });
    EXPECT_LE(s.excess(), s.burst() / 8);   // what was let through before Redis had heard of it
    EXPECT_GE(static_cast<double>(s.granted()), 0.85 * s.allowed());
}

TEST(Shares, what_a_gateway_that_comes_late_lets_through_is_paid_back) {
    Gateways s(4, "600/minute");
    s.run(60s, [](std::size_t gateway, double t) { return gateway == 0 || t > 20 + 5.0 * static_cast<double>(gateway) ? 500 : 0; });
    EXPECT_LE(s.excess(), s.burst() / 8);
    EXPECT_LE(static_cast<double>(s.granted()), s.allowed() + 1);
}

TEST(Shares, move_with_traffic_that_moves) {
    Gateways s(4, "1000/second");
    s.run(24s, [](std::size_t gateway, double t) { return static_cast<std::size_t>(t / 3) % 4 == gateway ? 5000 : 0; });
    EXPECT_LE(s.excess(), s.burst() / 8);
    EXPECT_GE(static_cast<double>(s.granted()), 0.6 * s.allowed());
}

TEST(Shares, a_burst_through_one_gateway_gets_the_others_part) {
    Gateways s(4, "100/minute");
    s.run(1s, [](std::size_t gateway, double t) { return gateway == 0 && t < 0.1 ? 1000 : 0; });
    EXPECT_GE(s.granted(), 90u);
}

TEST(Shares, keys_that_use_little_are_told_to_nobody) {
    Gateways s(4, "1000/minute");
    s.run(20s, everywhere(1));
    EXPECT_EQ(s.granted(), s.asked());
    EXPECT_EQ(s.commands(), 0u);
}

TEST(Shares, a_quiet_key_is_forgotten_everywhere) {
    Gateways s(4, "100/second");
    s.run(5s, everywhere(200));
    EXPECT_EQ(s.known_keys(), 4u);
    EXPECT_EQ(s.redis.size(), 1u);
    s.run(30s, everywhere(0));
    EXPECT_EQ(s.known_keys(), 0u);
    EXPECT_EQ(s.redis.size(), 0u);
    std::uint64_t before = s.commands();
    s.run(10s, everywhere(0));
    EXPECT_EQ(s.commands(), before);
}

TEST(Shares, a_limit_too_small_to_be_cut_lets_one_through_at_each) {
    Gateways s(4, "2/minute");
    s.run(120s, everywhere(2));
    EXPECT_LE(s.excess(), 4);
    EXPECT_GE(s.granted(), 4u);
    EXPECT_LE(static_cast<double>(s.granted()), s.allowed() + 4);
}

TEST(Shares, without_redis_everybody_keeps_to_his_part_and_nobody_bursts_when_it_is_back) {
    for (bool data_lost : {false, true}) {
        Gateways s(4, "1000/second");
        s.run(5s, everywhere(5000));
        s.redis_up = false;
        s.run(20s, everywhere(5000));
        if (data_lost) s.redis.lose_everything();
        s.redis_up = true;
        s.run(5s, everywhere(5000));
        EXPECT_LE(s.excess(), 1) << data_lost;
        EXPECT_GE(static_cast<double>(s.granted()), 0.93 * s.allowed()) << data_lost;
    }
}

TEST(Shares, what_is_not_back_yet_is_lent_to_nobody) {
    for (bool data_lost : {false, true}) {
        for (Duration away : {Duration(9s), Duration(20s)}) {
            Gateways s(4, "1000/second");
            s.run(5s, everywhere(5000));
            s.redis_up = false;
            s.run(away, everywhere(5000));
            if (data_lost) s.redis.lose_everything();
            s.redis_up = true;
            for (std::size_t i = 1; i < 4; ++i) s.cut_off(i);
            for (std::size_t i = 1; i < 4; ++i) {   // one after the other, in 9 s
                s.run(3s, everywhere(5000));
                s.cut_off(i, false);
            }
            s.run(5s, everywhere(5000));
            EXPECT_LE(s.excess(), s.burst() / 50) << data_lost << ", away for " << seconds(away);
            EXPECT_GE(static_cast<double>(s.granted()), 0.93 * s.allowed()) << data_lost << ", away for " << seconds(away);
        }
    }
}

TEST(Shares, a_client_that_is_new_after_an_outage_gets_no_more_than_one_that_is_known) {
    Gateways s(4, "1000/second");
    s.redis_up = false;
    auto all_but_one = [](std::size_t gateway, double) { return gateway == 0 ? 0 : 5000; };
    s.run(5s, all_but_one);
    s.away(0);   // it has noticed, though no key of its own was to be told
    s.redis_up = true;
    for (std::size_t i = 1; i < 4; ++i) s.cut_off(i);
    s.back(0);
    s.run(5s, everywhere(5000));
    EXPECT_LE(s.excess(), 1);
}

TEST(Shares, a_gateway_that_alone_is_cut_off_keeps_to_its_part) {
    Gateways s(4, "1000/second");
    s.run(5s, everywhere(5000));
    double before = static_cast<double>(s.granted());
    s.cut_off(0);
    s.run(30s, everywhere(5000));
    EXPECT_LE(static_cast<double>(s.granted()) - before, 30'000 + 0.25 * 21'000);   // the others have the whole after 10 s
    s.cut_off(0, false);
    s.run(3s, everywhere(5000));
    before = static_cast<double>(s.granted());
    s.run(10s, everywhere(5000));
    EXPECT_LE(static_cast<double>(s.granted()) - before, 10'000 + 50);
}

TEST(Shares, without_redis_uneven_parts_become_equal_without_a_burst) {
    Gateways s(4, "1000/second");
    constexpr double kRates[] = {3000, 300, 100, 10};
    auto uneven = [&](std::size_t gateway, double) { return kRates[gateway]; };
    s.run(5s, uneven);
    s.redis_up = false;
    s.run(20s, uneven);
    s.redis.lose_everything();
    s.redis_up = true;
    s.run(10s, uneven);
    EXPECT_LE(s.excess(), s.burst() / 8);
    EXPECT_GE(static_cast<double>(s.granted()), 0.6 * s.allowed());
}

}  // namespace
}  // namespace suoke::limits
