// SPDX-License-Identifier: MIT
#include "cache/filling.h"

#include <gtest/gtest.h>

#include <optional>

#include "rt/scope.h"

namespace suoke::cache {
namespace {

using http::Piece;

// A store, a loop with a clock that stands still, and somebody who fills.
struct Room {
    ManualClock clock;
    rt::Loop loop{clock};
    CacheCells cells;
    Store store{cells};
    Slot url = store.marks().slot_of_url("api", "/a");

    Flight join(std::uint64_t largest = 1 << 20) { return store.join(store.key_of("a"), url, largest); }
    static std::shared_ptr<Entry> head() { return std::make_shared<Entry>(); }
};

std::string read_all(Reader& reader, bool& ended) {
    std::string text;
    for (;;) {
        Result<Piece> piece = reader.next();
        if (!piece || piece->state == Piece::wait) return text;
        text += piece->bytes;
        ended = piece->state == Piece::end;
        if (ended) return text;
    }
}

rt::Task<void> wait_for_answer(Reader& reader, std::optional<Stage>& seen) {
    while (reader.stage() == Stage::asking) {
        News news(reader);
        co_await news;
    }
    seen = reader.stage();
}

TEST(Filling, the_first_leads_and_the_others_follow) {
    Room s;
    Flight first = s.join(), second = s.join();
    EXPECT_TRUE(first.leads);
    EXPECT_FALSE(second.leads);
    EXPECT_EQ(first.filling, second.filling);
    s.store.land(*first.filling);
    EXPECT_TRUE(s.join().leads);
}

TEST(Filling, readers_get_what_comes_as_it_comes_each_at_their_own_pace) {
    Room s;
    Flight flight = s.join();
    Reader early(flight.filling, s.loop), late(flight.filling, s.loop);
    Pump pump(flight.filling, s.loop);
    flight.filling->stream(s.head(), std::nullopt);
    flight.filling->append("one ");
    bool ended = false;
    EXPECT_EQ(read_all(early, ended), "one ");
    flight.filling->append("two");
    EXPECT_EQ(read_all(early, ended), "two");
    EXPECT_FALSE(ended);
    EntryPtr entry = flight.filling->finish();
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->size(), 7u);
    EXPECT_EQ(read_all(early, ended), "");
    EXPECT_TRUE(ended);
    ended = false;
    EXPECT_EQ(read_all(late, ended), "one two");
    EXPECT_TRUE(ended);
    EXPECT_EQ(late.whole(), entry);
}

TEST(Filling, whoever_waits_is_woken_in_the_same_thread) {
    Room s;
    Flight flight = s.join();
    Reader reader(flight.filling, s.loop);
    Pump pump(flight.filling, s.loop);
    std::optional<Stage> seen;
    rt::TaskScope scope;
    scope.spawn(wait_for_answer(reader, seen));
    s.loop.settle();
    EXPECT_FALSE(seen);
    flight.filling->refuse();
    EXPECT_FALSE(seen) << "from the loop, not from inside the one who told";
    s.loop.settle();
    EXPECT_EQ(seen, Stage::refused);
}

TEST(Filling, whoever_waits_on_another_loop_is_woken_there) {
    Room s;
    rt::Loop other(s.clock);
    Flight flight = s.join();
    Reader reader(flight.filling, other);
    Pump pump(flight.filling, s.loop);
    std::optional<Stage> seen;
    rt::TaskScope scope;
    scope.spawn(wait_for_answer(reader, seen));
    flight.filling->fail(Error(Code::connect_failed));
    s.loop.settle();
    EXPECT_FALSE(seen);
    other.settle();
    EXPECT_EQ(seen, Stage::failed);
    EXPECT_EQ(reader.failure().code, Code::connect_failed);
}

TEST(Filling, whoever_leaves_while_it_is_being_woken_is_forgotten) {
    Room s;
    rt::Loop other(s.clock);
    Flight flight = s.join();
    Reader stays(flight.filling, s.loop);
    Pump pump(flight.filling, s.loop);
    {
        Reader leaves(flight.filling, other);
        std::optional<Stage> seen;
        rt::TaskScope scope;
        scope.spawn(wait_for_answer(leaves, seen));
        flight.filling->refuse();   // posted to a loop that has not looked yet
    }
    other.settle();
}

TEST(Filling, it_is_given_up_when_nobody_wants_it_any_more) {
    Room s;
    Flight flight = s.join();
    Pump pump(flight.filling, s.loop);
    auto a = std::make_unique<Reader>(flight.filling, s.loop), b = std::make_unique<Reader>(flight.filling, s.loop);
    a.reset();
    EXPECT_FALSE(flight.filling->abandoned());
    b.reset();
    EXPECT_TRUE(flight.filling->abandoned());
    EXPECT_FALSE(flight.filling->takes_followers());
    EXPECT_TRUE(s.join().leads) << "who comes now asks anew";
}

TEST(Filling, it_goes_on_when_it_was_told_to) {
    Room s;
    Flight flight = s.join();
    flight.filling->keep_going();
    Pump pump(flight.filling, s.loop);
    std::make_unique<Reader>(flight.filling, s.loop).reset();
    EXPECT_FALSE(flight.filling->abandoned());
}

rt::Task<void> wait_at_the_bell(Pump& pump, bool& rang) { rang = co_await pump.bell.rung(); }

TEST(Filling, the_pump_hears_that_nobody_is_left) {
    Room s;
    Flight flight = s.join();
    auto reader = std::make_unique<Reader>(flight.filling, s.loop);
    Pump pump(flight.filling, s.loop);
    bool rang = false;
    rt::TaskScope scope;
    scope.spawn(wait_at_the_bell(pump, rang));
    reader.reset();
    s.loop.settle();
    EXPECT_TRUE(rang);
}

TEST(Filling, who_waits_for_a_pump_that_dies_asks_again_and_who_reads_is_told) {
    Room s;
    Flight asked = s.join();
    Reader waiting(asked.filling, s.loop);
    { Pump pump(asked.filling, s.loop); }
    EXPECT_EQ(waiting.stage(), Stage::again);

    Flight begun = s.join();
    ASSERT_TRUE(begun.leads) << "the dead one has landed";
    Reader reading(begun.filling, s.loop);
    {
        Pump pump(begun.filling, s.loop);
        begun.filling->stream(s.head(), 10);
        begun.filling->append("half");
    }
    EXPECT_EQ(reading.next()->bytes, "half");
    EXPECT_EQ(reading.next().error().code, Code::upstream_truncated);
}

TEST(Filling, what_grows_too_large_is_not_stored_and_waits_for_the_slowest_reader) {
    Room s;
    Flight flight = s.join(1000);
    Reader reader(flight.filling, s.loop);
    Pump pump(flight.filling, s.loop);
    flight.filling->stream(s.head(), std::nullopt);
    std::string sent, got;
    int waits = 0;
    bool ended = false;
    for (int i = 0; i < 100; ++i) {
        while (!flight.filling->has_room()) {
            ++waits;
            got += read_all(reader, ended);
        }
        std::string more(100, static_cast<char>('a' + i % 26));
        flight.filling->append(more);
        sent += more;
    }
    EXPECT_EQ(flight.filling->finish(), nullptr);
    got += read_all(reader, ended);
    EXPECT_EQ(got, sent);
    EXPECT_TRUE(ended);
    EXPECT_GT(waits, 0);
    EXPECT_EQ(s.store.used(), 0u) << "nothing of the budget is left behind";
}

TEST(Filling, what_is_too_large_and_wanted_by_nobody_is_given_up) {
    Room s;
    Flight flight = s.join(10);
    flight.filling->keep_going();
    Pump pump(flight.filling, s.loop);
    flight.filling->stream(s.head(), std::nullopt);
    flight.filling->append("more than ten bytes");
    EXPECT_TRUE(flight.filling->abandoned());
}

TEST(Filling, counts_against_the_budget_while_it_fills) {
    Room s;
    s.store.set_limits(100'000, 0);
    Flight flight = s.join();
    Reader reader(flight.filling, s.loop);
    Pump pump(flight.filling, s.loop);
    flight.filling->stream(s.head(), 50'000);
    flight.filling->append("x");
    EXPECT_EQ(s.store.used(), 50'000u);
    flight.filling->append(std::string(49'999, 'x'));
    EntryPtr entry = flight.filling->finish();
    EXPECT_EQ(s.store.used(), 0u);
    EXPECT_TRUE(s.store.put(s.store.key_of("a"), entry));
    EXPECT_GE(s.store.used(), 50'000u);
}

TEST(Filling, nobody_joins_what_was_asked_for_before_a_purge) {
    Room s;
    Flight flight = s.join();
    Reader reader(flight.filling, s.loop);
    s.store.marks().purge_url("api", "/b");
    EXPECT_FALSE(s.join().leads);
    s.store.marks().purge_url("api", "/a");
    EXPECT_TRUE(s.join().leads);
}

TEST(EntryBody, gives_views_of_what_is_stored_and_parts_of_it) {
    auto entry = std::make_shared<Entry>();
    auto content = std::make_shared<Content>();
    content->append("0123456789");
    entry->content = content;
    EntryBody whole(entry), part(entry, 2, 5);
    EXPECT_EQ(whole.remaining(), 10u);
    EXPECT_EQ(whole.next()->bytes, "0123456789");
    EXPECT_EQ(part.remaining(), 3u);
    Result<Piece> piece = part.next();
    EXPECT_EQ(piece->bytes, "234");
    EXPECT_EQ(piece->bytes.data(), content->piece(2, 3).data()) << "no copy";
    EXPECT_EQ(piece->state, Piece::end);
}

}  // namespace
}  // namespace suoke::cache
