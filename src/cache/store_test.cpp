// SPDX-License-Identifier: MIT
#include "cache/store.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "base/random.h"
#include "cache/filling.h"

namespace suoke::cache {
namespace {

using namespace std::chrono_literals;

struct Shelf {
    CacheCells cells;
    Store store{cells};
    http::Headers nothing;

    EntryPtr entry(std::size_t bytes, std::vector<std::string> vary = {}, const http::Headers* request = nullptr) {
        auto made = std::make_shared<Entry>();
        auto content = std::make_shared<Content>();
        content->expect(bytes);
        content->append(std::string(bytes, 'x'));
        made->content = std::move(content);
        made->life.lifetime = 60s;
        made->vary = std::move(vary);
        made->selection = store.selection_of(request ? *request : nothing, made->vary);
        made->stamp = store.marks().now();
        made->slots = store.marks().slots_of("api", "/a", {});
        return made;
    }
    bool put(const std::string& key, std::size_t bytes) { return store.put(store.key_of(key), entry(bytes)); }
    EntryPtr find(const std::string& key) { return store.find(store.key_of(key), nothing).entry; }
};

http::Headers fields(std::initializer_list<std::pair<std::string_view, std::string_view>> list) {
    http::Headers headers;
    for (const auto& [name, value] : list) headers.add(name, value);
    return headers;
}

TEST(Store, gives_back_what_was_put) {
    Shelf s;
    EXPECT_EQ(s.find("a"), nullptr);
    EntryPtr entry = s.entry(100);
    EXPECT_TRUE(s.store.put(s.store.key_of("a"), entry));
    EXPECT_EQ(s.find("a"), entry);
    EXPECT_EQ(s.find("b"), nullptr);
    EXPECT_EQ(s.store.entries(), 1u);
}

TEST(Store, what_comes_slowly_has_a_quarter_of_the_budget) {
    Shelf s;
    s.store.set_limits(100'000, 0);
    EXPECT_TRUE(s.store.reserve_slow(20'000));
    EXPECT_FALSE(s.store.reserve_slow(10'000));
    EXPECT_TRUE(s.store.reserve(10'000)) << "what comes at once has all of it";
    EXPECT_EQ(s.store.used(), 30'000u);
    s.store.release_slow(20'000);
    EXPECT_TRUE(s.store.reserve_slow(25'000));
    s.store.release_slow(25'000);
    s.store.release(10'000);
    EXPECT_EQ(s.store.used(), 0u);
}

TEST(Store, keeps_one_answer_for_each_kind_of_request) {   // RFC 9111 §4.1
    Shelf s;
    Key key = s.store.key_of("a");
    http::Headers german = fields({{"X-Lang", "de"}}), english = fields({{"X-Lang", "en"}}), french = fields({{"X-Lang", "fr"}});
    EntryPtr de = s.entry(10, {"x-lang"}, &german), en = s.entry(10, {"x-lang"}, &english);
    s.store.put(key, de);
    s.store.put(key, en);
    EXPECT_EQ(s.store.find(key, german).entry, de);
    EXPECT_EQ(s.store.find(key, english).entry, en);
    Found none = s.store.find(key, french);
    EXPECT_EQ(none.entry, nullptr);
    EXPECT_TRUE(none.known);
    EXPECT_EQ(none.vary, std::vector<std::string>{"x-lang"});
    EntryPtr newer = s.entry(10, {"x-lang"}, &german);
    s.store.put(key, newer);
    EXPECT_EQ(s.store.find(key, german).entry, newer);
    EXPECT_EQ(s.store.entries(), 2u);
}

TEST(Store, the_kinds_of_one_key_are_bounded) {
    Shelf s;
    Key key = s.store.key_of("a");
    std::vector<std::string> values;
    for (int i = 0; i < 100; ++i) values.push_back(std::to_string(i));
    for (const std::string& value : values) {
        http::Headers request = fields({{"X-Id", value}});
        s.store.put(key, s.entry(10, {"x-id"}, &request));
    }
    EXPECT_EQ(s.store.entries(), 32u);
    EXPECT_NE(s.store.find(key, fields({{"X-Id", "99"}})).entry, nullptr);
    EXPECT_EQ(s.store.find(key, fields({{"X-Id", "0"}})).entry, nullptr);
}

TEST(Store, what_was_purged_is_gone_when_it_is_looked_for) {
    Shelf s;
    s.put("a", 100);
    s.store.marks().purge_url("api", "/a");
    EXPECT_EQ(s.find("a"), nullptr);
    EXPECT_EQ(s.store.entries(), 0u);
}

TEST(Store, takes_out_this_entry_and_not_its_successor) {
    Shelf s;
    EntryPtr first = s.entry(10);
    Key key = s.store.key_of("a");
    s.store.put(key, first);
    s.put("a", 20);
    s.store.remove(key, first);
    EXPECT_NE(s.find("a"), nullptr);
}

TEST(Store, refuses_what_is_larger_than_all_it_may_hold) {
    Shelf s;
    s.store.set_limits(64 * 1024, 0);
    EXPECT_FALSE(s.put("a", 100 * 1024));
    EXPECT_EQ(s.cells.refused.load(), 1u);
    EXPECT_EQ(s.store.used(), 0u);
}

TEST(Store, what_is_asked_for_again_stays_and_what_passes_once_goes) {
    Shelf s;
    s.store.set_limits(1 << 20, 0);
    for (int i = 0; i < 20; ++i) {
        s.put("hot" + std::to_string(i), 8 * 1024);
        s.find("hot" + std::to_string(i));
        s.find("hot" + std::to_string(i));
    }
    for (int i = 0; i < 2000; ++i) {   // a crawler
        s.put("once" + std::to_string(i), 8 * 1024);
        for (int k = 0; i % 100 == 0 && k < 20; ++k) s.find("hot" + std::to_string(k));
    }
    int left = 0;
    for (int i = 0; i < 20; ++i) left += s.find("hot" + std::to_string(i)) != nullptr;
    EXPECT_GE(left, 19);
}

TEST(Store, a_limit_on_entries_holds) {
    Shelf s;
    s.store.set_limits(64 << 20, 10);
    for (int i = 0; i < 50; ++i) s.put(std::to_string(i), 10);
    EXPECT_LE(s.store.entries(), 10u);
}

TEST(Store, a_smaller_budget_takes_effect_at_once) {
    Shelf s;
    for (int i = 0; i < 50; ++i) s.put(std::to_string(i), 10'000);
    s.store.set_limits(100'000, 0);
    EXPECT_LE(s.store.used(), 100'000u);
    EXPECT_GT(s.store.entries(), 0u);
}

// Random puts, looks, removals and purges against a map that forgets nothing by itself: what the store has is
// what the map has, and it never holds more than it may.
TEST(Store, never_exceeds_its_budget_and_never_invents_anything) {
    Shelf s;
    Random random(7);
    constexpr std::uint64_t kBudget = 300'000;
    s.store.set_limits(kBudget, 0);
    std::map<std::string, EntryPtr> model;
    for (int step = 0; step < 20'000; ++step) {
        std::string key = "key" + std::to_string(random.below(200));
        switch (random.below(10)) {
            case 0: case 1: case 2: {
                EntryPtr entry = s.entry(random.below(20'000));
                if (s.store.put(s.store.key_of(key), entry)) model[key] = entry;
                break;
            }
            case 3: {
                auto known = model.find(key);
                if (known == model.end()) break;
                s.store.remove(s.store.key_of(key), known->second);
                model.erase(known);
                break;
            }
            case 4:
                if (random.below(200) > 0) break;
                s.store.marks().purge_all();
                model.clear();
                break;
            default: {
                EntryPtr found = s.find(key);
                auto known = model.find(key);
                if (found) ASSERT_TRUE(known != model.end() && known->second == found) << step;
                else if (known != model.end()) model.erase(known);   // it had to make room
            }
        }
        ASSERT_LE(s.store.used(), kBudget) << step;
        ASSERT_EQ(static_cast<std::uint64_t>(s.cells.bytes.load()), s.store.used()) << step;
        ASSERT_EQ(static_cast<std::uint64_t>(s.cells.entries.load()), s.store.entries()) << step;
    }
    EXPECT_GT(s.cells.evictions.load(), 0u);
    s.store.set_limits(0, 0);
    EXPECT_EQ(s.store.used(), 0u) << "every byte that was counted is given back";
    EXPECT_EQ(s.store.entries(), 0u);
}

TEST(Store, keeps_its_count_while_many_threads_use_it) {
    Shelf s;
    constexpr std::uint64_t kBudget = 500'000;
    s.store.set_limits(kBudget, 0);
    std::atomic<bool> exceeded{false};
    std::vector<std::thread> threads;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        threads.emplace_back([&s, &exceeded, seed] {
            Random random(seed);
            http::Headers request;
            for (int i = 0; i < 3000; ++i) {
                std::string key = std::to_string(random.below(100));
                if (random.below(3) == 0) s.store.put(s.store.key_of(key), s.entry(random.below(20'000)));
                else s.store.find(s.store.key_of(key), request);
                if (random.below(100) == 0) s.store.marks().purge_url("api", "/a");
                if (s.store.used() > kBudget) exceeded = true;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_FALSE(exceeded);
    s.store.set_limits(0, 0);
    EXPECT_EQ(s.store.used(), 0u);
}

TEST(Store, remembers_for_a_while_what_is_not_worth_waiting_for) {
    Shelf s;
    TimePoint now{1000s};
    Key key = s.store.key_of("a"), other = s.store.key_of("b");
    EXPECT_FALSE(s.store.known_uncacheable(key, now));
    s.store.note_uncacheable(key, now);
    EXPECT_TRUE(s.store.known_uncacheable(key, now));
    EXPECT_TRUE(s.store.known_uncacheable(key, now + 10s));
    EXPECT_FALSE(s.store.known_uncacheable(key, now + 11s));
    EXPECT_FALSE(s.store.known_uncacheable(other, now));
    s.store.forget_uncacheable(key);
    EXPECT_FALSE(s.store.known_uncacheable(key, now));
}

TEST(Content, blocks_never_move_and_pieces_are_what_lies_together) {
    Content content;
    std::string text;
    std::vector<std::string_view> seen;
    for (int i = 0; i < 2000; ++i) {
        std::string more(static_cast<std::size_t>(i % 97), static_cast<char>('a' + i % 26));
        content.append(more);
        text += more;
        if (i % 50 == 0 && content.size() > 0) seen.push_back(content.piece(0, 100));
    }
    for (std::string_view piece : seen) EXPECT_EQ(piece, text.substr(0, piece.size()));
    std::string read;
    for (std::uint64_t at = 0; at < content.size();) {
        std::string_view piece = content.piece(at, content.size());
        ASSERT_FALSE(piece.empty());
        read += piece;
        at += piece.size();
    }
    EXPECT_EQ(read, text);
    EXPECT_EQ(content.piece(5, 9), text.substr(5, 4));
    EXPECT_TRUE(content.piece(content.size(), content.size() + 5).empty());
}

TEST(Content, what_is_known_beforehand_lies_in_one_piece_and_takes_no_more) {
    Content content;
    content.expect(100'000);
    EXPECT_EQ(content.needs(10), 100'000u);
    content.append(std::string(60'000, 'a'));
    content.append(std::string(40'000, 'b'));
    EXPECT_EQ(content.held(), 100'000u);
    EXPECT_EQ(content.piece(0, content.size()).size(), 100'000u);
}

TEST(Content, gives_back_what_it_does_not_need) {
    Content content;
    content.append("short");
    EXPECT_GE(content.held(), 4096u);
    content.trim();
    EXPECT_EQ(content.held(), 5u);
    EXPECT_EQ(content.piece(0, 5), "short");
}

TEST(Content, forgets_what_lies_behind) {
    Content content;
    std::string text(1'000'000, 'x');
    content.append(text);
    content.append("end");
    std::uint64_t before = content.held();
    content.forget_before(900'000);
    EXPECT_LT(content.held(), before);
    EXPECT_EQ(content.size(), 1'000'003u);
    EXPECT_EQ(content.piece(1'000'000, 1'000'003), "end");
}

}  // namespace
}  // namespace suoke::cache
