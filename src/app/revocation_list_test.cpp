// SPDX-License-Identifier: MIT
#include "app/revocation_list.h"

#include <gtest/gtest.h>

#include "store/memory_kv.h"
#include "testing/passing_time.h"

namespace suoke::app {
namespace {

using endpoints::Revocation;
using endpoints::Revoked;

// What all gateways share; can be away, and lose what it had.
class SharedKv final : public store::Kv {
 public:
    explicit SharedKv(rt::Loop& loop) : loop_(loop) { lose(); }
    void lose() { kv_ = std::make_unique<store::MemoryKv>(loop_); }
    bool away = false;
    int lists = 0;

    rt::Task<Result<std::optional<std::string>>> get(std::string key) override {
        if (away) co_return gone();
        co_return co_await kv_->get(std::move(key));
    }
    rt::Task<Result<void>> put(std::string key, std::string value, Duration lifetime) override {
        if (away) co_return gone();
        co_return co_await kv_->put(std::move(key), std::move(value), lifetime);
    }
    rt::Task<Result<bool>> put_if_absent(std::string, std::string, Duration) override { co_return gone(); }
    rt::Task<Result<bool>> replace(std::string, std::string, std::string, Duration) override { co_return gone(); }
    rt::Task<Result<bool>> erase(std::string key) override {
        if (away) co_return gone();
        co_return co_await kv_->erase(std::move(key));
    }
    rt::Task<Result<std::int64_t>> add(std::string key, std::int64_t amount, Duration lifetime) override {
        if (away) co_return gone();
        co_return co_await kv_->add(std::move(key), amount, lifetime);
    }
    rt::Task<Result<std::vector<store::Entry>>> list(std::string prefix, std::size_t most) override {
        ++lists;
        if (away) co_return gone();
        co_return co_await kv_->list(std::move(prefix), most);
    }
    const char* engine() const override { return "shared"; }

 private:
    static Error gone() { return Error(Code::store_unavailable, "away"); }
    rt::Loop& loop_;
    std::unique_ptr<store::MemoryKv> kv_;
};

class RevocationListTest : public ::testing::Test {
 protected:
    struct Gateway {
        explicit Gateway(RevocationListTest& test) : list(test.loop, test.events) {
            list.set_listener([this](const auth::RevocationsPtr&) { ++told; });
        }
        RevocationList list;
        int told = 0;
    };
    RevocationListTest() {
        one.list.adopt(&kv);
        two.list.adopt(&kv);
    }
    void after(Duration time) { let_pass(clock, loop, time); }
    Result<Revocation> revoke(Gateway& gateway, Revoked what, const std::string& id, std::optional<Duration> lifetime = {}) {
        endpoints::RevocationWish wish;
        wish.what = what;
        wish.id = id;
        wish.lifetime = lifetime;
        std::optional<Result<Revocation>> done;
        rt::TaskScope scope;
        scope.spawn(take(gateway.list.revoke(wish), done));
        loop.settle();
        return *done;
    }
    Result<Revocation> lift(Gateway& gateway, Revoked what, const std::string& id) {
        std::optional<Result<Revocation>> done;
        rt::TaskScope scope;
        scope.spawn(take(gateway.list.lift(what, id), done));
        loop.settle();
        return *done;
    }
    static rt::Task<void> take(rt::Task<Result<Revocation>> task, std::optional<Result<Revocation>>& done) { done.emplace(co_await std::move(task)); }
    static bool covers(const Gateway& gateway, const auth::Identity& who) { return gateway.list.picture()->covers(who); }
    auth::Identity alice(const std::string& token_id = "t1") {
        auth::Identity who;
        who.subject = "alice";
        who.token_id = token_id;
        who.issued = clock.wall();
        return who;
    }

    ManualClock clock;
    rt::Loop loop{clock};
    Events events{clock};
    SharedKv kv{loop};
    Gateway one{*this}, two{*this};
};

TEST_F(RevocationListTest, a_revoked_token_is_known_at_once_here_and_soon_elsewhere) {
    auto made = revoke(one, Revoked::token, "t1", 30min);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->expires, made->at + 30min);
    EXPECT_TRUE(covers(one, alice()));
    EXPECT_FALSE(covers(one, alice("t2")));
    EXPECT_EQ(one.told, 1);
    EXPECT_FALSE(covers(two, alice()));
    after(2s);
    EXPECT_TRUE(covers(two, alice()));
    ASSERT_EQ(two.list.all().size(), 1u);
    EXPECT_EQ(two.list.all()[0].expires, made->expires);
    EXPECT_EQ(two.told, 1);
    EXPECT_EQ(one.told, 1) << "what it read back is what it had";
}

TEST_F(RevocationListTest, of_a_subject_what_was_issued_before_is_void_and_what_comes_later_is_not) {
    auth::Identity before = alice();
    after(1s);
    ASSERT_TRUE(revoke(one, Revoked::subject, "alice"));
    auth::Identity unknown = alice();
    unknown.issued = {};
    after(1s);
    EXPECT_TRUE(covers(one, before));
    EXPECT_TRUE(covers(one, unknown));
    EXPECT_FALSE(covers(one, alice("t2")));
    after(2s);
    EXPECT_TRUE(covers(two, before));
    EXPECT_FALSE(covers(two, alice("t2")));
}

TEST_F(RevocationListTest, it_survives_a_restart) {
    ASSERT_TRUE(revoke(one, Revoked::token, "a/b c"));
    Gateway three(*this);
    three.list.adopt(&kv);
    loop.settle();
    EXPECT_TRUE(covers(three, alice("a/b c")));
}

TEST_F(RevocationListTest, it_is_forgotten_in_its_time) {
    ASSERT_TRUE(revoke(one, Revoked::token, "t1", 5s));
    after(2s);
    EXPECT_TRUE(covers(two, alice()));
    after(5s);
    EXPECT_FALSE(covers(one, alice()));
    EXPECT_FALSE(covers(two, alice()));
    EXPECT_TRUE(one.list.all().empty());
}

TEST_F(RevocationListTest, what_is_lifted_is_good_again_everywhere) {
    ASSERT_TRUE(revoke(one, Revoked::subject, "alice"));
    after(2s);
    auto lifted = lift(two, Revoked::subject, "alice");
    ASSERT_TRUE(lifted);
    EXPECT_EQ(lifted->id, "alice");
    auth::Identity who = alice();
    who.issued = {};
    EXPECT_FALSE(covers(two, who));
    after(2s);
    EXPECT_FALSE(covers(one, who));
    EXPECT_EQ(lift(two, Revoked::subject, "alice").error().code, Code::not_found);
}

TEST_F(RevocationListTest, reads_everything_only_when_something_has_changed) {
    after(10s);
    int before = kv.lists;
    after(45s);
    EXPECT_EQ(kv.lists, before);
    ASSERT_TRUE(revoke(one, Revoked::token, "t1"));
    after(2s);
    EXPECT_EQ(kv.lists, before + 2) << "once by each";
}

TEST_F(RevocationListTest, while_the_store_is_away_nothing_is_revoked_and_what_was_known_stays) {
    ASSERT_TRUE(revoke(one, Revoked::token, "t1"));
    kv.away = true;
    after(10s);
    EXPECT_TRUE(covers(one, alice()));
    EXPECT_EQ(count(events, "revocations.away"), 2);
    EXPECT_EQ(revoke(one, Revoked::token, "t2").error().code, Code::store_unavailable);
    EXPECT_FALSE(covers(one, alice("t2")));
    kv.away = false;
    after(2s);
    EXPECT_TRUE(covers(two, alice()));
    EXPECT_EQ(count(events, "revocations.back"), 2);
}

TEST_F(RevocationListTest, a_store_that_lost_its_data_learns_it_again) {
    ASSERT_TRUE(revoke(one, Revoked::token, "t1"));
    ASSERT_TRUE(revoke(one, Revoked::subject, "bob"));
    after(2s);
    kv.lose();
    after(5s);
    EXPECT_TRUE(covers(one, alice()));
    Gateway three(*this);
    three.list.adopt(&kv);
    loop.settle();
    EXPECT_TRUE(covers(three, alice()));
    EXPECT_EQ(three.list.all().size(), 2u);
}

TEST_F(RevocationListTest, what_is_no_revocation_is_passed_over) {
    rt::TaskScope scope;
    scope.spawn([](SharedKv& kv) -> rt::Task<void> {
        co_await kv.put("revoked/jti/bad", "soon", 0s);
        co_await kv.put("revoked/else/bad", "1 9000000000000", 0s);
        co_await kv.put("revoked/jti/late", "1 99999999999999999999", 0s);
        co_await kv.put("revoked/jti/good", "1 9000000000000", 0s);
        co_await kv.add("revocations/changes", 1, 0s);
    }(kv));
    after(2s);
    ASSERT_EQ(one.list.all().size(), 1u);
    EXPECT_EQ(one.list.all()[0].id, "good");
}

TEST_F(RevocationListTest, without_a_store_there_is_nothing_to_revoke) {
    ASSERT_TRUE(revoke(one, Revoked::token, "t1"));
    one.list.adopt(nullptr);
    EXPECT_FALSE(covers(one, alice()));
    EXPECT_EQ(revoke(one, Revoked::token, "t1").error().code, Code::forbidden);
    one.list.adopt(&kv);
    loop.settle();
    EXPECT_TRUE(covers(one, alice()));
}

TEST(RevocationLifetimes, are_those_of_refresh_tokens_where_everything_ends) {
    config::Auth auth;
    auth.jwt.secret_key = Secret("5d1f0c9a8b7e6d5c4b3a29181706f5e4d3c2b1a0");
    auth.jwt.refresh_token_expire_days = 3;
    EXPECT_EQ(revocation_lifetimes(auth).token, 72h);
    EXPECT_EQ(revocation_lifetimes(auth).subject, 72h);
}

// A key that was revoked does not open again after a week.
TEST(RevocationLifetimes, of_subjects_are_long_where_keys_and_certificates_let_in) {
    config::Auth with_keys, with_certificates;
    with_keys.api_keys["batch"];
    with_certificates.methods = {config::AuthMethod::certificate};
    for (const config::Auth& auth : {with_keys, with_certificates}) {
        EXPECT_EQ(revocation_lifetimes(auth).token, 7 * 24h);
        EXPECT_GE(revocation_lifetimes(auth).subject, 365 * 24h);
    }
}

TEST(RevocationLifetimes, are_long_where_tokens_need_not_end) {
    config::Auth auth;
    auth.providers["partner"].jwks_url = "https://partner.test/jwks";
    auth.providers["partner"].required_claims = {"sub"};
    EXPECT_GE(revocation_lifetimes(auth).token, 365 * 24h);
    EXPECT_GE(revocation_lifetimes(auth).subject, 365 * 24h);
}

}  // namespace
}  // namespace suoke::app
