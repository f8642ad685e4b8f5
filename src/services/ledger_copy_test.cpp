// SPDX-License-Identifier: MIT
#include "services/ledger_copy.h"

#include <gtest/gtest.h>

#include "store/memory_kv.h"
#include "testing/passing_time.h"

namespace suoke::services {
namespace {

using namespace std::chrono_literals;

class LedgerCopyTest : public ::testing::Test {
 protected:
    static Record record(std::string id, std::uint16_t port) {
        Record out;
        out.service = "users";
        out.instance.id = std::move(id);
        out.instance.host = "10.0.0.1";
        out.instance.port = port;
        out.ttl = 30s;
        out.lease = "secret";
        out.revision = 7;
        return out;
    }
    void knows(const Record& each) {
        records[{each.service, each.instance.id}] = each;
        copy->changed({each.service, each.instance.id});
    }
    void forgets(const std::string& id) {
        records.erase({"users", id});
        copy->changed({"users", id});
    }
    void after(Duration time) { let_pass(clock, loop, time); }
    // What a gateway finds that starts now.
    std::vector<Record> found() {
        LedgerCopy::Records none;
        LedgerCopy there(loop, kv, none);
        std::vector<Record> out;
        rt::TaskScope scope;
        scope.spawn(recall(there, out));
        return out;
    }
    static rt::Task<void> recall(LedgerCopy& copy, std::vector<Record>& into) {
        auto all = co_await copy.recall();
        CHECK(all);
        into = std::move(*all);
    }

    ManualClock clock;
    rt::Loop loop{clock};
    store::MemoryKv kv{loop};
    LedgerCopy::Records records;
    std::optional<LedgerCopy> copy{std::in_place, loop, kv, records};
};

TEST_F(LedgerCopyTest, a_gateway_that_starts_knows_whom_it_knew) {
    knows(record("a", 1));
    knows(record("b", 2));
    forgets("a");
    after(10ms);
    auto all = found();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].instance.id, "b");
    EXPECT_EQ(all[0].instance.port, 2);
    EXPECT_EQ(all[0].lease, "secret") << "it answers heartbeats of its own";
    EXPECT_EQ(all[0].expires, clock.wall() + 30s) << "its lease begins anew";
}

TEST_F(LedgerCopyTest, what_a_former_life_wrote_is_taken_out) {
    knows(record("a", 1));
    after(10ms);
    LedgerCopy::Records now;
    LedgerCopy next(loop, kv, now);
    std::vector<Record> out;
    rt::TaskScope scope;
    scope.spawn(recall(next, out));
    next.all_changed();
    after(10ms);
    EXPECT_TRUE(found().empty());
}

TEST_F(LedgerCopyTest, it_stays_young_while_the_gateway_lives) {
    knows(record("a", 1));
    after(3 * LedgerCopy::kOldest);
    EXPECT_EQ(found().size(), 1u);
}

TEST_F(LedgerCopyTest, a_gateway_that_was_away_for_long_believes_nothing) {
    knows(record("a", 1));
    after(10ms);
    copy.reset();
    clock.advance(LedgerCopy::kOldest + 1s);
    loop.fresh_now();
    EXPECT_TRUE(found().empty());
}

TEST_F(LedgerCopyTest, what_the_store_did_not_take_is_offered_again) {
    store::MemoryKv full(loop, {.most_entries = 2});
    LedgerCopy small(loop, full, records);
    records[{"users", "a"}] = record("a", 1);
    records[{"users", "b"}] = record("b", 2);
    records[{"users", "c"}] = record("c", 3);
    small.all_changed();
    after(10ms);
    EXPECT_EQ(full.size(), 2u);
    records.erase({"users", "a"});
    small.changed({"users", "a"});
    after(3s);
    LedgerCopy::Records none;
    LedgerCopy there(loop, full, none);
    std::vector<Record> out;
    rt::TaskScope scope;
    scope.spawn(recall(there, out));
    ASSERT_EQ(out.size(), 2u);
    EXPECT_EQ(out[0].instance.id, "b");
    EXPECT_EQ(out[1].instance.id, "c");
}

TEST_F(LedgerCopyTest, many_are_written_in_short_turns) {
    for (std::uint16_t i = 1; i <= 1000; ++i) knows(record("i" + std::to_string(i), i));
    after(2ms);
    EXPECT_LT(found().size(), 200u);
    after(100ms);
    EXPECT_EQ(found().size(), 1000u);
}

}  // namespace
}  // namespace suoke::services
