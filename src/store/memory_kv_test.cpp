// SPDX-License-Identifier: MIT
// What the engine in memory promises beyond the contract (kv_contract_test.cpp): it does not grow.
#include "store/memory_kv.h"

#include <gtest/gtest.h>

namespace suoke::store {
namespace {

class InMemory : public ::testing::Test {
 protected:
    bool put(const std::string& key, const std::string& value, Duration lifetime = {}) {
        rt::Task<Result<void>> task = kv.put(key, value, lifetime);
        CHECK(task.start());
        return task.take().has_value();
    }
    void pass(Duration time) {
        clock.advance(time);
        loop.settle();
    }
    ManualClock clock;
    rt::Loop loop{clock};
    MemoryKvOptions options{.most_entries = 100, .most_bytes = 10'000};
    MemoryKv kv{loop, options};
};

TEST_F(InMemory, refuses_what_is_new_when_it_is_full_and_says_so) {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(put(std::to_string(i), "v"));
    EXPECT_FALSE(put("one more", "v"));
    EXPECT_TRUE(put("7", "another value of an old key"));
    rt::Task<Result<bool>> task = kv.put_if_absent("one more", "v", Duration::zero());
    ASSERT_TRUE(task.start());
    Result<bool> refused = task.take();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::store_unavailable);
    EXPECT_EQ(refused.error().detail, "the memory store is full: it holds 100 entries");
}

TEST_F(InMemory, is_full_by_bytes_too_and_counts_what_goes) {
    EXPECT_TRUE(put("a", std::string(6'000, 'x')));
    EXPECT_FALSE(put("b", std::string(6'000, 'x')));
    EXPECT_TRUE(put("a", std::string(9'000, 'x')));
    EXPECT_TRUE(put("a", "x"));
    EXPECT_TRUE(put("b", std::string(6'000, 'x')));
}

TEST_F(InMemory, makes_room_of_what_has_expired) {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(put(std::to_string(i), "v", std::chrono::seconds(1)));
    pass(std::chrono::seconds(2));
    EXPECT_TRUE(put("one more", "v"));
    EXPECT_EQ(kv.size(), 100u - 16 + 1);  // a write sweeps a few
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(put("one more", "v"));
    EXPECT_EQ(kv.size(), 1u);
}

}  // namespace
}  // namespace suoke::store
