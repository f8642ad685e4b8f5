// SPDX-License-Identifier: MIT
#include "upstream/pools.h"

#include <gtest/gtest.h>

#include "rt/scope.h"

namespace suoke::upstream {
namespace {

// Answers from memory; keeps the far ends.
class Far final : public Dialer {
 public:
    explicit Far(rt::Loop& loop) : loop_(loop) {}
    rt::Task<Result<rt::StreamPtr>> dial(EndpointAddress endpoint, TimePoint deadline) override {
        ++dials;
        preamble = endpoint.preamble;
        if (refuse) co_return Error(Code::connect_failed, "refused");
        auto ends = rt::memory_pair(loop_);
        far.push_back(std::move(ends.first));
        if (hang) {
            rt::Wake woken = co_await ends.second->readable(deadline);
            if (woken == rt::Wake::timeout) co_return Error(Code::connect_timeout);
        }
        co_return std::move(ends.second);
    }
    std::vector<rt::StreamPtr> far;
    int dials = 0;
    std::string preamble;
    bool refuse = false;
    bool hang = false;

 private:
    rt::Loop& loop_;
};

class PoolTest : public ::testing::Test {
 protected:
    struct Asked {
        std::optional<Result<Lease>> lease;
        bool got() const { return lease && lease->has_value(); }
        Code code() const { return lease->error().code; }
    };
    rt::Task<void> ask(Asked& asked) {
        TimePoint now = loop.now();
        auto lease = co_await pool.open(now + 1s, now + 2s);
        asked.lease.emplace(std::move(lease));
    }
    void open(Asked& asked) {
        scope.spawn(ask(asked));
        loop.settle();
    }
    void limit(std::uint32_t connections, std::uint32_t idle = 10, std::uint32_t waiting = 10) {
        PoolLimits limits;
        limits.connections = connections;
        limits.idle = idle;
        limits.waiting = waiting;
        pool.set_limits(limits);
    }
    void after(Duration d) {
        clock.advance(d);
        loop.settle();
    }

    ManualClock clock;
    rt::Loop loop{clock};
    Far far{loop};
    Pool pool{loop, far, {"10.0.0.1", 80}};
    rt::TaskScope scope;
};

TEST_F(PoolTest, a_connection_given_back_is_the_next_one_taken) {
    Asked a;
    open(a);
    ASSERT_TRUE(a.got());
    EXPECT_FALSE(a.lease->value().reused());
    rt::Stream* stream = &a.lease->value().stream();
    a.lease->value().give_back();
    EXPECT_EQ(pool.counts().idle, 1u);
    Lease again = pool.take_idle();
    ASSERT_TRUE(again);
    EXPECT_TRUE(again.reused());
    EXPECT_EQ(&again.stream(), stream);
    EXPECT_EQ(pool.counts().open, 1u);
}

TEST_F(PoolTest, dropping_a_lease_closes_it) {
    Asked a;
    open(a);
    a.lease.reset();
    loop.settle();
    EXPECT_TRUE(far.far[0]->hung_up());
    EXPECT_TRUE(pool.unused());
}

TEST_F(PoolTest, the_last_one_in_is_the_first_one_out) {
    Asked a, b;
    open(a);
    open(b);
    rt::Stream* last = &b.lease->value().stream();
    a.lease->value().give_back();
    b.lease->value().give_back();
    Lease taken = pool.take_idle();
    EXPECT_EQ(&taken.stream(), last);
}

TEST_F(PoolTest, an_idle_connection_whose_peer_leaves_is_forgotten) {
    Asked a;
    open(a);
    a.lease->value().give_back();
    far.far[0].reset();
    loop.settle();
    EXPECT_EQ(pool.counts().idle, 0u);
    EXPECT_EQ(pool.counts().open, 0u);
    EXPECT_FALSE(pool.take_idle());
}

TEST_F(PoolTest, bytes_nobody_asked_for_spoil_an_idle_connection) {
    Asked a;
    open(a);
    a.lease->value().give_back();
    far.far[0]->write("HTTP/1.1 408 Request Timeout\r\n\r\n");
    loop.settle();
    EXPECT_FALSE(pool.take_idle());
    EXPECT_TRUE(pool.unused());
}

TEST_F(PoolTest, idle_connections_expire_the_oldest_first) {
    Asked a, b;
    open(a);
    open(b);
    a.lease->value().give_back();
    after(30s);
    b.lease->value().give_back();
    after(31s);
    EXPECT_EQ(pool.counts().idle, 1u);
    EXPECT_EQ(pool.counts().expired, 1u);
    after(31s);
    EXPECT_EQ(pool.counts().idle, 0u);
    EXPECT_TRUE(pool.unused());
    EXPECT_EQ(loop.timers().next(), kNever);
}

TEST_F(PoolTest, keeps_no_more_idle_ones_than_it_may) {
    limit(10, 1);
    Asked a, b;
    open(a);
    open(b);
    a.lease->value().give_back();
    b.lease->value().give_back();
    EXPECT_EQ(pool.counts().idle, 1u);
    EXPECT_EQ(pool.counts().open, 1u);
}

TEST_F(PoolTest, beyond_the_limit_they_wait_in_their_order) {
    limit(1);
    Asked a, b, c;
    open(a);
    open(b);
    open(c);
    EXPECT_EQ(far.dials, 1);
    a.lease->value().give_back();
    loop.settle();
    ASSERT_TRUE(b.got());
    EXPECT_TRUE(b.lease->value().reused());
    EXPECT_FALSE(c.lease.has_value());
    b.lease.reset();  // closed: the next one opens its own
    loop.settle();
    ASSERT_TRUE(c.got());
    EXPECT_FALSE(c.lease->value().reused());
    EXPECT_EQ(far.dials, 2);
}

TEST_F(PoolTest, a_wait_ends_with_its_deadline) {
    limit(1);
    Asked a, b;
    open(a);
    open(b);
    after(2100ms);
    ASSERT_TRUE(b.lease.has_value());
    EXPECT_EQ(b.code(), Code::pool_exhausted);
    a.lease->value().give_back();
    loop.settle();
    EXPECT_EQ(pool.counts().idle, 1u);
}

TEST_F(PoolTest, the_queue_has_a_limit_too) {
    limit(1, 10, 1);
    Asked a, b, c;
    open(a);
    open(b);
    open(c);
    ASSERT_TRUE(c.lease.has_value());
    EXPECT_EQ(c.code(), Code::pool_exhausted);
    EXPECT_FALSE(b.lease.has_value());
}

TEST_F(PoolTest, one_who_was_called_and_leaves_before_its_turn_passes_it_on) {
    limit(1);
    Asked a, b, c;
    open(a);
    rt::TaskScope leaver;
    leaver.spawn(ask(b));
    loop.settle();
    open(c);
    a.lease->value().give_back();  // b is called
    leaver.cancel();               // and has gone before it could run
    loop.settle();
    EXPECT_TRUE(c.got()) << "the free connection found nobody";
}

TEST_F(PoolTest, the_place_of_a_failed_connect_is_free_again) {
    limit(1);
    far.refuse = true;
    Asked a, b;
    open(a);
    EXPECT_EQ(a.code(), Code::connect_failed);
    far.refuse = false;
    open(b);
    EXPECT_TRUE(b.got());
    EXPECT_EQ(pool.counts().failed, 1u);
}

TEST_F(PoolTest, the_place_of_a_connect_that_was_given_up_is_free_again) {
    limit(1);
    far.hang = true;
    Asked a, b;
    {
        rt::TaskScope leaver;
        leaver.spawn(ask(a));
        loop.settle();
        EXPECT_EQ(pool.counts().open, 1u);
    }
    EXPECT_TRUE(pool.unused());
    far.hang = false;
    open(b);
    EXPECT_TRUE(b.got());
}

TEST_F(PoolTest, one_address_is_one_pool_and_unused_ones_are_forgotten) {
    rt::BufferBudget budget(1 << 20);
    rt::BufferPool buffers(budget);
    Pools pools(loop, far, buffers);
    EndpointAddress here{"10.0.0.1", 80}, h2 = here;
    h2.protocol = Protocol::h2;
    Berth first = pools.of(here);
    EXPECT_EQ(pools.of(here).h1, first.h1);
    EXPECT_NE(pools.of({"10.0.0.1", 81}).h1, first.h1);
    EXPECT_TRUE(pools.of(h2).h2);
    EXPECT_FALSE(pools.of(h2).h1);
    pools.forget_unused();
    EXPECT_EQ(first.h1->users, 2u) << "those that somebody uses stay";
}

TEST_F(PoolTest, the_last_user_closes_what_is_idle) {
    rt::BufferBudget budget(1 << 20);
    rt::BufferPool buffers(budget);
    Pools pools(loop, far, buffers);
    Berth one = pools.of({"10.0.0.1", 80}), other = pools.of({"10.0.0.1", 80});
    struct Opener {
        static rt::Task<void> open(Pool& pool) {
            auto opened = co_await pool.open(kNever, kNever);
            opened->give_back();
        }
    };
    rt::TaskScope scope;
    scope.spawn(Opener::open(*one.h1));
    loop.settle();
    ASSERT_EQ(pools.counts().idle, 1u);
    pools.release(one);
    EXPECT_EQ(pools.counts().idle, 1u);
    pools.release(other);
    EXPECT_EQ(pools.counts().open, 0u);
    pools.forget_unused();
    EXPECT_EQ(pools.counts().opened, 0u) << "the pool is gone, and its counts with it";
}

TEST(EndpointAddress, is_written_as_an_authority) {
    EXPECT_EQ((EndpointAddress{"users", 8080}.to_string()), "users:8080");
    EXPECT_EQ((EndpointAddress{"2001:db8::1", 80}.to_string()), "[2001:db8::1]:80");
    EXPECT_EQ((EndpointAddress{"unix:/run/u.sock", 80}.to_string()), "unix:/run/u.sock");
}

TEST_F(PoolTest, a_connection_for_one_client_is_never_reused) {
    rt::BufferBudget budget(1 << 20);
    rt::BufferPool buffers(budget);
    Pools pools(loop, far, buffers);
    EndpointAddress told{"10.0.0.1", 80};
    told.for_one_client = true;
    Pool& apart = *pools.of(told).h1;
    EXPECT_NE(&apart, pools.of({"10.0.0.1", 80}).h1);
    struct Opener {
        static rt::Task<void> open(Pool& pool, std::optional<Lease>& lease) {
            std::string preamble = "PROXY UNKNOWN\r\n";
            auto opened = co_await pool.open(kNever, kNever, std::move(preamble));
            if (opened) lease.emplace(std::move(*opened));
        }
    };
    std::optional<Lease> lease;
    scope.spawn(Opener::open(apart, lease));
    loop.settle();
    ASSERT_TRUE(lease);
    EXPECT_EQ(far.preamble, "PROXY UNKNOWN\r\n");
    lease->give_back();
    loop.settle();
    EXPECT_TRUE(far.far[0]->hung_up());
    EXPECT_FALSE(apart.take_idle());
    EXPECT_TRUE(apart.unused());
}

rt::Task<void> answer(rt::StreamPtr far, std::shared_ptr<const rt::TlsServer> server, Result<rt::StreamPtr>& into) {
    into = co_await rt::tls_accept(std::move(far), std::move(server), kNever);
}

rt::Task<void> ask_over_tls(Pool& pool, std::optional<Result<Lease>>& into) {
    auto lease = co_await pool.open(kNever, kNever);
    into.emplace(std::move(lease));
}

// The endpoint is "api.test"; its certificate is for `name`.
std::optional<Code> code_over_tls(const std::string& name, std::optional<std::string> told_of = {}) {
    ManualClock clock;
    rt::Loop loop(clock);
    Far far(loop);
    rt::CertificatePem pem = rt::make_local_certificate({name});
    rt::TlsServerOptions serving;
    serving.certificates = {pem};
    rt::TlsClientOptions options;
    options.ca = told_of.value_or(pem.chain);
    EndpointAddress endpoint{"api.test", 443};
    endpoint.tls = *rt::TlsClient::make(options);
    endpoint.tls_identity = "tls:1";
    Pool pool(loop, far, endpoint);
    std::optional<Result<Lease>> lease;
    Result<rt::StreamPtr> answered = Error(Code::internal);
    rt::TaskScope scope;
    scope.spawn(ask_over_tls(pool, lease));
    scope.spawn(answer(std::move(far.far.at(0)), *rt::TlsServer::make(serving), answered));
    loop.settle();
    if (!lease->has_value()) {
        EXPECT_EQ(pool.counts().open, 0u);
        return lease->error().code;
    }
    // A kept connection survives the session ticket that comes behind the handshake.
    (*lease)->give_back();
    loop.settle();
    EXPECT_EQ(pool.counts().idle, 1u);
    EXPECT_TRUE(pool.take_idle());
    return std::nullopt;
}

TEST(PoolOverTls, speaks_to_an_endpoint_that_is_who_it_should_be) {
    EXPECT_EQ(code_over_tls("api.test"), std::nullopt);
    EXPECT_EQ(code_over_tls("bank.test"), Code::tls_failed);
    EXPECT_EQ(code_over_tls("api.test", rt::make_local_certificate({"api.test"}).chain), Code::tls_failed);
}

TEST(EndpointAddress, differs_by_its_tls_rules) {
    EndpointAddress plain{"a", 443}, secure = plain, other = plain;
    secure.tls_identity = "tls:1";
    other.tls_identity = "tls:2";
    EXPECT_EQ(plain.to_string(), secure.to_string());
    EXPECT_NE(plain.identity(), secure.identity());
    EXPECT_NE(secure.identity(), other.identity());
}

}  // namespace
}  // namespace suoke::upstream
