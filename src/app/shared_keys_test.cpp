// SPDX-License-Identifier: MIT
#include "app/shared_keys.h"

#include <gtest/gtest.h>

#include "store/memory_kv.h"
#include "testing/passing_time.h"

namespace suoke::app {
namespace {

using namespace std::chrono_literals;

// A store that can be away, and lose what it had.
class FrailKv final : public store::Kv {
 public:
    explicit FrailKv(rt::Loop& loop) : loop_(loop) { lose(); }
    void lose() { kv_ = std::make_unique<store::MemoryKv>(loop_); }
    bool away = false;

    rt::Task<Result<std::optional<std::string>>> get(std::string key) override {
        if (away) co_return gone();
        co_return co_await kv_->get(std::move(key));
    }
    rt::Task<Result<void>> put(std::string key, std::string value, Duration lifetime) override {
        if (away) co_return gone();
        co_return co_await kv_->put(std::move(key), std::move(value), lifetime);
    }
    rt::Task<Result<bool>> put_if_absent(std::string key, std::string value, Duration lifetime) override {
        if (away) co_return gone();
        co_return co_await kv_->put_if_absent(std::move(key), std::move(value), lifetime);
    }
    rt::Task<Result<bool>> replace(std::string, std::string, std::string, Duration) override { co_return gone(); }
    rt::Task<Result<bool>> erase(std::string) override { co_return gone(); }
    rt::Task<Result<std::int64_t>> add(std::string, std::int64_t, Duration) override { co_return gone(); }
    rt::Task<Result<std::vector<store::Entry>>> list(std::string prefix, std::size_t most) override { co_return co_await kv_->list(std::move(prefix), most); }
    const char* engine() const override { return "frail"; }

 private:
    static Error gone() { return Error(Code::store_unavailable, "away"); }
    rt::Loop& loop_;
    std::unique_ptr<store::MemoryKv> kv_;
};

class SharedKeysTest : public ::testing::Test {
 protected:
    struct Gateway {
        Gateway(SharedKeysTest& test, std::string own) : tickets(test.clock, 1h), keys(test.loop, test.events, std::move(own)) {
            keys.set_listener([this](const gateway::SessionKeys&) { ++told; });
        }
        rt::TicketKeys tickets;
        SharedKeys keys;
        int told = 0;
        bool opens(const rt::TicketKey& key) { return tickets.find(key.name.data()).has_value(); }
    };
    SharedKeysTest() { sessions.store = tickets.store = &kv; }
    void after(Duration time) { let_pass(clock, loop, time); }
    int told(std::string_view type) const { return count(events, type); }

    ManualClock clock;
    rt::Loop loop{clock};
    Events events{clock};
    FrailKv kv{loop};
    SharedKeys::Wanted sessions{nullptr, true, nullptr, {}}, tickets{nullptr, false, nullptr, 1h};
    Gateway one{*this, std::string(32, '1')}, two{*this, std::string(32, '2')};
    SharedKeys::Wanted tickets_of(Gateway& gateway) {
        SharedKeys::Wanted wanted = tickets;
        wanted.tickets = &gateway.tickets;
        return wanted;
    }
};

TEST_F(SharedKeysTest, the_first_key_is_everyones) {
    one.keys.adopt(sessions);
    two.keys.adopt(sessions);
    EXPECT_EQ(one.keys.sessions().key, std::string(32, '1'));
    EXPECT_EQ(two.keys.sessions().key, std::string(32, '1'));
    EXPECT_EQ(two.keys.sessions().before, std::string(32, '2')) << "cookies it has signed already stay good";
    EXPECT_EQ(one.told, 0);
    EXPECT_EQ(two.told, 1);
}

TEST_F(SharedKeysTest, it_survives_a_restart) {
    one.keys.adopt(sessions);
    Gateway after_restart(*this, std::string(32, '3'));
    after_restart.keys.adopt(sessions);
    EXPECT_EQ(after_restart.keys.sessions().key, std::string(32, '1'));
}

TEST_F(SharedKeysTest, a_store_that_is_away_is_asked_until_it_answers) {
    kv.away = true;
    one.keys.adopt(sessions);
    two.keys.adopt(sessions);
    after(10s);
    EXPECT_NE(one.keys.sessions().key, two.keys.sessions().key);
    EXPECT_EQ(told("keys.alone"), 2);
    kv.away = false;
    after(SharedKeys::kSoon);
    EXPECT_EQ(one.keys.sessions().key, two.keys.sessions().key);
    EXPECT_EQ(told("keys.shared"), 2);
}

TEST_F(SharedKeysTest, a_store_that_lost_its_data_is_told_again) {
    one.keys.adopt(sessions);
    two.keys.adopt(sessions);
    kv.lose();
    after(SharedKeys::kAgain);
    Gateway three(*this, std::string(32, '3'));
    three.keys.adopt(sessions);
    EXPECT_EQ(three.keys.sessions().key, std::string(32, '1'));
}

TEST_F(SharedKeysTest, what_is_no_key_is_not_taken) {
    rt::TaskScope scope;
    scope.spawn([](FrailKv& kv) -> rt::Task<void> { co_await kv.put("keys/sessions", "short", 0s); }(kv));
    one.keys.adopt(sessions);
    EXPECT_EQ(one.keys.sessions().key, std::string(32, '1'));
    EXPECT_EQ(told("keys.alone"), 1);
}

TEST_F(SharedKeysTest, tickets_of_one_gateway_are_good_at_another) {
    one.keys.adopt(tickets_of(one));
    two.keys.adopt(tickets_of(two));
    EXPECT_EQ(one.tickets.current().cipher, two.tickets.current().cipher);
    EXPECT_EQ(one.tickets.current().mac, two.tickets.current().mac);
}

TEST_F(SharedKeysTest, their_keys_change_in_time_and_old_ones_are_forgotten) {
    one.keys.adopt(tickets_of(one));
    rt::TicketKey first = one.tickets.current();
    after(1h + SharedKeys::kAgain);
    EXPECT_NE(one.tickets.current().name, first.name);
    EXPECT_TRUE(one.opens(first));
    after(1h);
    EXPECT_FALSE(one.opens(first));
}

TEST_F(SharedKeysTest, a_gateway_whose_clock_is_behind_opens_what_another_sealed) {
    ManualClock ahead;
    ahead.advance(1h);
    rt::Loop there{ahead};
    rt::TicketKeys its_tickets(ahead, 1h);
    SharedKeys its(there, events, std::string(32, '3'));
    SharedKeys::Wanted wanted = tickets;
    wanted.tickets = &its_tickets;

    one.keys.adopt(tickets_of(one));
    its.adopt(wanted);
    rt::TicketKey sealed_there = its_tickets.current(), sealed_here = one.tickets.current();
    EXPECT_NE(sealed_there.name, sealed_here.name);
    EXPECT_TRUE(one.opens(sealed_there));
    EXPECT_TRUE(its_tickets.find(sealed_here.name.data()));
}

TEST_F(SharedKeysTest, keys_change_without_the_store_too) {
    one.keys.adopt(tickets_of(one));
    rt::TicketKey first = one.tickets.current();
    kv.away = true;
    after(5h);
    EXPECT_FALSE(one.opens(first));
    two.keys.adopt(tickets_of(two));
    kv.away = false;
    after(SharedKeys::kAgain);
    EXPECT_EQ(one.tickets.current().cipher, two.tickets.current().cipher);
}

TEST_F(SharedKeysTest, who_no_longer_shares_changes_his_alone) {
    one.keys.adopt(tickets_of(one));
    rt::TicketKey shared = one.tickets.current();
    one.keys.adopt(sessions);
    after(2h);
    EXPECT_NE(one.tickets.current().name, shared.name);
}

}  // namespace
}  // namespace suoke::app
