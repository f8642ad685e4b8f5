// SPDX-License-Identifier: MIT
#include "gateway/event_rings.h"

#include <gtest/gtest.h>

namespace suoke::gateway {
namespace {

struct EventRingsTest : testing::Test {
    void say(const std::string& key, const std::string& id, const std::string& bytes, const void* who = nullptr) {
        rings.record(key, who ? who : this, {id, bytes}, limits, now);
    }
    std::string after(const std::string& key, const std::string& id) {
        auto missed = rings.after(key, id, limits, now);
        return missed ? missed->bytes + "/" + missed->last_id : "nothing";
    }
    EventRings rings;
    EventRings::Limits limits;
    TimePoint now{};
};

TEST_F(EventRingsTest, tell_what_came_after_an_id) {
    say("a", "1", "one ");
    say("a", "2", "two ");
    say("a", "3", "three ");
    EXPECT_EQ(after("a", "1"), "two three /3");
    EXPECT_EQ(after("a", "3"), "/3");
    EXPECT_EQ(after("a", "4"), "nothing");
    EXPECT_EQ(after("b", "1"), "nothing") << "another's";
}

TEST_F(EventRingsTest, an_event_without_an_id_of_its_own_comes_again) {
    say("a", "1", "one ");
    say("a", "1", "and more ");
    say("a", "2", "two ");
    EXPECT_EQ(after("a", "1"), "and more two /2");
}

TEST_F(EventRingsTest, keep_the_latest_ones) {
    limits.events = 2;
    for (const char* id : {"1", "2", "3"}) say("a", id, id);
    EXPECT_EQ(after("a", "1"), "nothing");
    EXPECT_EQ(after("a", "2"), "3/3");
    limits.bytes = 250;
    say("a", "4", std::string(100, 'x'));
    EXPECT_EQ(after("a", "3"), "nothing");
    EXPECT_EQ(after("a", "4"), "/4");
}

TEST_F(EventRingsTest, an_event_too_large_to_keep_leaves_no_hidden_gap) {
    limits.bytes = 500;
    say("a", "1", "one ");
    say("a", "2", std::string(1000, 'x'));
    say("a", "3", "three ");
    EXPECT_EQ(after("a", "1"), "nothing");
    EXPECT_EQ(after("a", "2"), "nothing");
    EXPECT_EQ(after("a", "3"), "/3");
    rings.gap("a", this);
    EXPECT_EQ(after("a", "3"), "nothing");
}

TEST_F(EventRingsTest, one_of_several_streams_records) {
    int first = 0, second = 0;
    say("a", "1", "one ", &first);
    say("a", "1", "one ", &second);
    say("a", "2", "two ", &first);
    rings.leave("a", &second);  // it was not it
    say("a", "2", "two ", &second);
    rings.leave("a", &first);
    say("a", "3", "three ", &second);
    EXPECT_EQ(after("a", "1"), "two three /3");
}

TEST_F(EventRingsTest, are_forgotten_after_a_while) {
    say("a", "1", "one ");
    say("a", "2", "two ");
    now += limits.keep - 1s;
    EXPECT_EQ(after("a", "1"), "two /2");
    now += 1s;
    EXPECT_EQ(after("a", "1"), "nothing");
    EXPECT_EQ(rings.bytes(), 0u);
}

TEST_F(EventRingsTest, share_one_budget_and_the_least_used_goes_first) {
    limits.memory = 20'000;
    for (int i = 0; i < 100; ++i) {
        say("kept", "1", "");
        say("ring " + std::to_string(i), "1", std::string(1000, 'x'));
        ASSERT_LE(rings.bytes(), limits.memory);
    }
    EXPECT_EQ(after("ring 0", "1"), "nothing");
    EXPECT_EQ(after("ring 99", "1"), "/1");
    EXPECT_NE(after("kept", "1"), "nothing");
}

}  // namespace
}  // namespace suoke::gateway
