// SPDX-License-Identifier: MIT
// Who waits for a connection over HTTP/2, and who is called when there is one.
#include "upstream/pool_h2.h"

#include <gtest/gtest.h>

#include "rt/scope.h"

namespace suoke::upstream {
namespace {

// Its servers allow one exchange a connection, and answer nothing.
class Far final : public Dialer {
 public:
    explicit Far(rt::Loop& loop) : loop_(loop) {}
    rt::Task<Result<rt::StreamPtr>> dial(EndpointAddress, TimePoint) override {
        ++dials;
        if (refuse) co_return Error(Code::connect_failed, "refused");
        constexpr std::string_view kOneStream("\0\0\6\4\0\0\0\0\0\0\3\0\0\0\1", 15);  // SETTINGS_MAX_CONCURRENT_STREAMS
        auto ends = rt::memory_pair(loop_);
        std::string_view piece = kOneStream;
        rt::write_some(*ends.first, std::span(&piece, 1));
        far.push_back(std::move(ends.first));
        co_return std::move(ends.second);
    }
    std::vector<rt::StreamPtr> far;
    int dials = 0;
    bool refuse = false;

 private:
    rt::Loop& loop_;
};

class H2PoolTest : public ::testing::Test {
 protected:
    H2PoolTest() {
        PoolLimits limits;
        limits.connections = 1;
        pool.set_limits(limits);
    }

    struct Asked {
        std::optional<Result<H2Pool::Client>> client;
        std::optional<http::H2Exchange> exchange;
        bool got() const { return client && client->has_value(); }
    };
    // Once it has a connection it begins an exchange there.
    rt::Task<void> ask(Asked& asked, Company company) {
        TimePoint now = loop.now();
        auto client = co_await pool.open(now + 1s, now + 2s, company);
        asked.client.emplace(std::move(client));
        if (!asked.got()) co_return;
        http::H2Exchange::Rules rules{1s, kNever};
        asked.exchange.emplace(asked.client->value(), http::Method::GET, rules);
        http::h2::Pairs head;
        head.add(":method", "GET");
        head.add(":scheme", "http");
        head.add(":authority", "api");
        head.add(":path", "/");
        auto begun = asked.exchange->begin(head, http::Piece{{}, http::Piece::end}, nullptr);
        EXPECT_TRUE(begun);
    }
    void ask_in(rt::TaskScope& its, Asked& asked, Company company = Company::shared) {
        its.spawn(ask(asked, company));
        loop.settle();
    }

    ManualClock clock;
    rt::Loop loop{clock};
    rt::BufferBudget budget{1 << 20};
    rt::BufferPool buffers{budget};
    Far far{loop};
    H2Pool pool{loop, far, buffers, {"10.0.0.1", 80}};
    Asked first, alone, shared;
    rt::TaskScope scope;
};

TEST_F(H2PoolTest, room_on_an_open_connection_is_not_for_who_wants_one_alone) {
    ask_in(scope, first);
    ASSERT_TRUE(first.got());
    ask_in(scope, alone, Company::alone);
    ask_in(scope, shared);
    first.exchange.reset();
    loop.settle();
    ASSERT_TRUE(shared.got()) << "who waits before it could not have used the room";
    EXPECT_EQ(shared.client->value(), first.client->value());
    EXPECT_FALSE(alone.client);
    EXPECT_EQ(far.dials, 1);
    shared.exchange.reset();
    far.far[0].reset();
    loop.settle();
    EXPECT_TRUE(alone.got());
    EXPECT_EQ(far.dials, 2);
}

TEST_F(H2PoolTest, the_place_of_a_connection_that_closed_is_for_who_wants_one_alone_and_then_for_the_others) {
    ask_in(scope, first);
    ask_in(scope, shared);
    ask_in(scope, alone, Company::alone);
    far.far[0].reset();
    loop.settle();
    ASSERT_TRUE(alone.got());
    EXPECT_EQ(far.dials, 2);
    EXPECT_FALSE(shared.client) << "the new connection is full";
    alone.exchange.reset();
    loop.settle();
    ASSERT_TRUE(shared.got());
    EXPECT_EQ(shared.client->value(), alone.client->value());
}

TEST_F(H2PoolTest, where_nobody_can_connect_nobody_waits_for_the_others) {
    Asked alone_too, shared_too;
    ask_in(scope, first);
    for (Asked* each : {&alone, &alone_too}) ask_in(scope, *each, Company::alone);
    for (Asked* each : {&shared, &shared_too}) ask_in(scope, *each);
    far.refuse = true;
    far.far[0].reset();
    loop.settle();
    for (Asked* each : {&alone, &alone_too, &shared, &shared_too}) {
        ASSERT_TRUE(each->client);
        EXPECT_EQ(each->client->error().code, Code::connect_failed);
    }
    EXPECT_EQ(far.dials, 5);
}

// Drops somebody's wait as soon as a place is free: called, and gone before its turn.
class LeavesWhenCalled final : public rt::Deferred {
 public:
    LeavesWhenCalled(rt::Loop& loop, const H2Pool& pool, std::optional<rt::TaskScope>& who) : loop_(loop), pool_(pool), who_(who) {
        loop_.defer(*this);
    }
    void run() override {
        if (pool_.counts().open == 0) who_.reset();
        else if (++turns_ < 100) loop_.defer(*this);
    }

 private:
    rt::Loop& loop_;
    const H2Pool& pool_;
    std::optional<rt::TaskScope>& who_;
    int turns_ = 0;
};

TEST_F(H2PoolTest, a_place_offered_to_somebody_who_has_left_is_not_lost) {
    std::optional<rt::TaskScope> its(std::in_place);
    ask_in(scope, first);
    ask_in(*its, alone, Company::alone);
    ask_in(scope, shared);
    LeavesWhenCalled leaves(loop, pool, its);
    far.far[0].reset();
    loop.settle();
    EXPECT_FALSE(its);
    EXPECT_TRUE(shared.got());
}

TEST_F(H2PoolTest, those_who_wait_for_either_count_together) {
    PoolLimits limits;
    limits.connections = 1;
    limits.waiting = 2;
    pool.set_limits(limits);
    Asked late;
    ask_in(scope, first);
    ask_in(scope, alone, Company::alone);
    ask_in(scope, shared);
    ask_in(scope, late);
    ASSERT_TRUE(late.client);
    EXPECT_EQ(late.client->error().code, Code::pool_exhausted);
    clock.advance(3s);
    loop.settle();
    ASSERT_TRUE(alone.client && shared.client);
    EXPECT_EQ(alone.client->error().code, Code::pool_exhausted);
    EXPECT_EQ(shared.client->error().code, Code::pool_exhausted);
    EXPECT_FALSE(pool.unused()) << "its connection is open";
}

}  // namespace
}  // namespace suoke::upstream
