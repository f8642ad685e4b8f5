// SPDX-License-Identifier: MIT
#include "services/health_checker.h"

#include <gtest/gtest.h>

#include "testing/far.h"

namespace suoke::services {
namespace {

using scene::Far;

// Writes down what it is told.
class Notes final : public HealthChecker::Listener {
 public:
    void became_healthy(const std::string& id) override {
        said.push_back(id + " is well");
        if (on_change) on_change();
    }
    void became_unhealthy(const std::string& id, const Error& reason) override {
        said.push_back(id + " is not well: " + reason.detail);
        if (on_change) on_change();
    }
    void probed(const std::string& id, const ProbeResult& result) override {
        ++probes[id];
        last = result;
        if (on_probe) on_probe();
    }
    std::vector<std::string> said;
    std::map<std::string, int> probes;
    std::optional<ProbeResult> last;
    std::function<void()> on_change, on_probe;
};

class HealthCheckerTest : public ::testing::Test {
 protected:
    HealthCheckerTest() {
        rules.interval = 10s;
        rules.jitter = 0;
        rules.rise = 2;
        rules.fall = 3;
    }
    void make(std::size_t at_once = 32) {
        HealthChecker::Options options;
        options.at_once = at_once;
        checker = std::make_unique<HealthChecker>(far.loop, far.dialer, far.buffers, Random(7), options, notes);
    }
    void watch(const std::string& id, std::string host = "10.0.0.1") {
        upstream::EndpointAddress address;
        address.host = std::move(host);
        checker->watch(id, address, rules);
    }
    // One round: the probe that is due is answered.
    void answer(int status) {
        far.after(50ms);
        far.answer(far.next_call(), status, "");
    }
    std::vector<std::string> said() { return std::exchange(notes.said, {}); }
    using Said = std::vector<std::string>;

    Far far;
    Notes notes;
    HealthRules rules;
    std::unique_ptr<HealthChecker> checker;
};

TEST_F(HealthCheckerTest, the_first_answer_settles_what_nobody_knew) {
    make();
    watch("a");
    EXPECT_EQ(far.dials(), 0u) << "not inside watch()";
    EXPECT_EQ(checker->standing("a")->health, Health::unknown);
    answer(200);
    EXPECT_EQ(said(), Said{"a is well"});
    EXPECT_EQ(checker->standing("a")->health, Health::healthy);
    watch("b");
    answer(500);
    EXPECT_EQ(said(), Said{"b is not well: got 500, expected 200-399"});
}

TEST_F(HealthCheckerTest, later_it_takes_as_many_in_a_row_as_the_rules_say) {
    make();
    watch("a");
    answer(200);
    said();
    for (int status : {500, 500, 200, 500, 500}) {
        far.after(9950ms);
        answer(status);
    }
    EXPECT_EQ(said(), Said{}) << "never three in a row";
    far.after(9950ms);
    answer(500);
    EXPECT_EQ(said(), Said{"a is not well: got 500, expected 200-399"});
    far.after(9950ms);
    answer(200);
    EXPECT_EQ(said(), Said{});
    EXPECT_EQ(checker->standing("a")->in_a_row, 1);
    far.after(9950ms);
    answer(200);
    EXPECT_EQ(said(), Said{"a is well"});
    EXPECT_EQ(notes.probes["a"], 9);
}

TEST_F(HealthCheckerTest, the_first_probes_are_spread_over_the_interval_when_the_rules_say_so) {
    make();
    rules.first_at_once = false;
    far.manner = Far::Manner::refuse;
    for (int i = 0; i < 100; ++i) watch("t" + std::to_string(i));
    far.after(1s);
    EXPECT_LT(far.dials(), 30u);
    far.after(4s);
    EXPECT_GT(far.dials(), 25u);
    EXPECT_LT(far.dials(), 75u);
    far.after(5100ms);
    EXPECT_GE(far.dials(), 100u);
}

TEST_F(HealthCheckerTest, the_interval_has_jitter) {
    make();
    rules.jitter = 0.5;
    far.manner = Far::Manner::refuse;
    watch("a");
    far.after(1000s);
    EXPECT_GT(far.dials(), 80u);
    EXPECT_LT(far.dials(), 125u);
    EXPECT_EQ(said().size(), 1u);
}

TEST_F(HealthCheckerTest, no_more_probes_than_allowed_are_under_way) {
    make(2);
    for (const char* id : {"a", "b", "c", "d"}) watch(id);
    far.after(50ms);
    EXPECT_EQ(far.open(), 2u);
    far.answer(far.next_call(), 200, "");
    EXPECT_EQ(far.open(), 2u) << "the next one has its place";
    far.answer(far.next_call(), 200, "");
    far.answer(far.next_call(), 200, "");
    far.answer(far.next_call(), 200, "");
    EXPECT_EQ(said().size(), 4u);
}

TEST_F(HealthCheckerTest, a_place_is_free_again_when_its_target_is_forgotten) {
    make(1);
    watch("a");
    far.after(50ms);
    watch("b");
    watch("c");
    far.after(50ms);
    EXPECT_EQ(far.dials(), 1u);
    far.next_call();
    checker->forget("a");
    checker->forget("b");  // was called, and leaves
    far.settle();
    EXPECT_EQ(far.dials(), 2u);
    answer(200);
    EXPECT_EQ(said(), Said{"c is well"});
}

TEST_F(HealthCheckerTest, nothing_is_told_of_what_was_forgotten) {
    make();
    watch("a");
    far.after(50ms);
    Far::Call call = far.next_call();
    checker->forget("a");
    checker->forget("a");
    EXPECT_EQ(checker->size(), 0u);
    far.answer(call, 200, "");
    EXPECT_EQ(said(), Said{});
    EXPECT_EQ(far.loop.timers().next(), kNever);
}

TEST_F(HealthCheckerTest, the_listener_may_forget_and_watch_from_inside) {
    make();
    notes.on_change = [this] {
        checker->forget("a");
        watch("b");
    };
    watch("a");
    answer(200);
    notes.on_change = nullptr;
    notes.on_probe = [this] { checker->forget("b"); };
    answer(200);
    EXPECT_EQ(said(), (Said{"a is well", "b is well"}));
    EXPECT_EQ(checker->size(), 0u);
    EXPECT_EQ(notes.probes["a"], 0);
    EXPECT_EQ(notes.probes["b"], 1);
    EXPECT_EQ(far.loop.timers().next(), kNever);
}

TEST_F(HealthCheckerTest, watching_again_keeps_what_is_known_of_the_same_address) {
    make();
    watch("a");
    answer(200);
    said();
    watch("a");
    EXPECT_EQ(far.dials(), 1u);
    far.after(1s);
    EXPECT_EQ(far.dials(), 1u) << "nothing differs, nothing happens";
    rules.probe.path = "/other";
    watch("a");
    far.after(50ms);
    Far::Call call = far.next_call();
    EXPECT_EQ(call.target(), "/other");
    far.answer(call, 500, "");
    EXPECT_EQ(said(), Said{}) << "one bad answer is not three";
    EXPECT_EQ(checker->standing("a")->health, Health::healthy);
    watch("a", "10.0.0.2");
    EXPECT_EQ(checker->standing("a")->health, Health::unknown);
    answer(500);
    EXPECT_EQ(said().size(), 1u);
}

TEST_F(HealthCheckerTest, a_reload_that_brings_another_tls_client_resets_nothing_and_that_one_is_used) {
    make();
    upstream::EndpointAddress address;
    address.host = "10.0.0.1";
    checker->watch("a", address, rules);
    answer(200);
    said();
    rt::TlsClientOptions trusting;
    trusting.insecure_skip_verify = true;
    address.tls = *rt::TlsClient::make(trusting);
    checker->watch("a", address, rules);
    EXPECT_EQ(checker->standing("a")->health, Health::healthy);
    far.after(1s);
    EXPECT_EQ(far.dials(), 1u) << "its probes go on undisturbed";
    far.after(9s);
    ASSERT_EQ(far.dials(), 2u);
    EXPECT_EQ(far.dialed.back().tls, address.tls);
}

TEST_F(HealthCheckerTest, of_many_targets_a_sixteenth_may_be_asked_at_once) {
    make(32);
    for (int i = 0; i < 640; ++i) watch("t" + std::to_string(i));
    far.after(50ms);
    EXPECT_EQ(far.open(), 40u);
}

TEST_F(HealthCheckerTest, a_probe_slower_than_its_interval_is_not_followed_at_once) {
    make();
    rules.interval = 1s;
    rules.probe.timeout = 3s;
    watch("a");
    far.after(60s);
    EXPECT_LT(far.dials(), 20u);
    EXPECT_GT(far.dials(), 15u);
}

TEST_F(HealthCheckerTest, a_mad_interval_is_no_busy_loop) {
    make();
    rules.interval = 0s;
    far.manner = Far::Manner::refuse;
    watch("a");
    far.after(1s);
    EXPECT_LT(far.dials(), 120u);
}

rt::Task<void> ask_now(HealthChecker& checker, std::string id, std::optional<Result<ProbeResult>>& into) {
    auto result = co_await checker.probe_now(std::move(id));
    into.emplace(std::move(result));
}

TEST_F(HealthCheckerTest, a_probe_can_be_asked_for_and_counts) {
    make();
    watch("a");
    answer(200);
    said();
    std::optional<Result<ProbeResult>> got;
    for (int i = 0; i < 3; ++i) {
        far.scope.spawn(ask_now(*checker, "a", got));
        far.answer(far.next_call(), 404, "");
        ASSERT_TRUE(got && got->has_value());
        EXPECT_EQ((*got)->status, 404);
    }
    EXPECT_EQ(said(), Said{"a is not well: got 404, expected 200-399"});
}

TEST_F(HealthCheckerTest, a_probe_of_what_nobody_watches_is_refused) {
    make();
    std::optional<Result<ProbeResult>> got;
    far.scope.spawn(ask_now(*checker, "a", got));
    EXPECT_EQ(got->error().code, Code::not_found);
    watch("a");
    far.after(50ms);
    far.next_call();
    got.reset();
    far.scope.spawn(ask_now(*checker, "a", got));
    Far::Call call = far.next_call();
    checker->forget("a");
    far.answer(call, 200, "");
    ASSERT_TRUE(got);
    EXPECT_EQ(got->error().code, Code::not_found);
    EXPECT_EQ(said(), Said{});
}

TEST_F(HealthCheckerTest, ends_in_the_middle_of_everything) {
    make(1);
    for (const char* id : {"a", "b", "c"}) watch(id);
    far.after(50ms);
    checker->forget("c");
    checker.reset();
    far.settle();
    EXPECT_EQ(far.loop.timers().next(), kNever);
    EXPECT_EQ(far.open(), 0u);
}

}  // namespace
}  // namespace suoke::services
