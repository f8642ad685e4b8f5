// SPDX-License-Identifier: MIT
#include "services/health_watch.h"

#include <gtest/gtest.h>

#include "testing/far.h"

namespace suoke::services {
namespace {

using balance::EndpointState;
using scene::Far;

class HealthWatchTest : public ::testing::Test {
 protected:
    void define(int endpoints, bool checked) {
        Definition definition;
        definition.name = "users";
        for (int i = 1; i <= endpoints; ++i) {
            balance::Instance instance;
            instance.host = "10.0.0." + std::to_string(i);
            definition.instances.push_back(instance);
        }
        if (checked) definition.health.emplace();
        directory.define({std::make_shared<Definition>(definition)}, std::make_shared<Definition>());
        watch.look();
    }
    EndpointState& first() { return *directory.members("users")->all[0].state; }
    void answer(int status) {
        far.after(50ms);
        far.answer(far.next_call(), status, "");
    }

    Far far;
    Events events{far.clock};
    balance::Epoch epoch{1};
    balance::States states{events, epoch};
    Directory directory{far.loop, states};
    HealthWatch watch{far.loop, far.dialer, far.buffers, Random(7), directory, events};
};

TEST_F(HealthWatchTest, an_endpoint_that_is_not_checked_any_more_is_not_unwell_for_ever) {
    define(1, true);
    answer(500);
    EXPECT_EQ(first().checked(), EndpointState::Checked::unwell);
    define(1, false);
    EXPECT_EQ(first().checked(), EndpointState::Checked::unknown);
    define(1, true);
    answer(500);
    EXPECT_EQ(first().checked(), EndpointState::Checked::unwell) << "the first answer settles it again";
}

TEST_F(HealthWatchTest, nor_is_one_that_is_only_asked_whether_it_takes_connections_again) {
    define(1, true);
    answer(500);
    ASSERT_TRUE(first().eject(balance::Why::refused, far.loop.now(), balance::OutlierRules()));
    define(1, false);
    EXPECT_EQ(first().checked(), EndpointState::Checked::unknown);
    far.after(2100ms);
    EXPECT_FALSE(first().ejected(far.loop.now())) << "it did take one";
    EXPECT_EQ(first().checked(), EndpointState::Checked::unknown);
    define(1, true);
    answer(500);
    EXPECT_EQ(first().checked(), EndpointState::Checked::unwell);
}

rt::Task<void> check(HealthWatch& watch, bool& done) {
    co_await watch.check_now("users");
    done = true;
}

TEST_F(HealthWatchTest, checks_that_somebody_waits_for_run_beside_each_other) {
    define(5, true);
    far.after(50ms);
    for (int i = 0; i < 5; ++i) far.answer(far.next_call(), 200, "");
    bool done = false;
    far.scope.spawn(check(watch, done));
    far.settle();
    EXPECT_EQ(far.open(), 5u);
    for (int i = 0; i < 5; ++i) {
        EXPECT_FALSE(done);
        far.answer(far.next_call(), 200, "");
    }
    EXPECT_TRUE(done);
}

}  // namespace
}  // namespace suoke::services
