// SPDX-License-Identifier: MIT
// Two gateways, and something that holds what they share, without a network.
#include "cache/second_level.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "rt/bell.h"
#include "rt/scope.h"
#include "testing/passing_time.h"

namespace suoke::cache {
namespace {

using namespace std::chrono_literals;

// What they share: values, and a log whose stamps are its length.
struct Shared {
    ManualClock clock;
    rt::Loop loop{clock};
    std::map<std::string, std::string> values;
    std::vector<SecondLevel::News> log;
    Stamp when = 0;
    bool away = false, stuck = false;
    void pass(Duration time) { let_pass(clock, loop, time); }
    void add(std::string record) { log.push_back({std::move(record), ++when}); }
};

class Shelf final : public SecondLevel::Remote {
 public:
    explicit Shelf(Shared& shared) : shared_(shared) {}
    rt::Task<Result<std::vector<std::string>>> read(rt::Loop&, std::vector<std::string> keys) override {
        if (shared_.stuck) {
            rt::Bell bell(shared_.loop);
            co_await bell.rung();
        }
        if (shared_.away) co_return Error(Code::store_unavailable);
        std::vector<std::string> found;
        for (const std::string& key : keys) found.push_back(shared_.values.contains(key) ? shared_.values.at(key) : std::string());
        co_return found;
    }
    void write(std::string key, std::string value, Duration lifetime) override {
        shared_.values[key] = std::move(value);
        lifetime_ = lifetime;
    }
    void erase(std::vector<std::string> keys) override {
        for (const std::string& key : keys) shared_.values.erase(key);
    }
    void purges_wait() override { ++told_; }
    Duration lifetime_{};
    int told_ = 0;

 private:
    Shared& shared_;
};

rt::Task<void> into(rt::Task<bool> task, std::optional<bool>& answer) { answer = co_await std::move(task); }

struct Gateway {
    explicit Gateway(Shared& shared) : shared(shared) {
        store.marks().set_herald(&level);
        follow();
    }
    // Tells what was purged here, and reads what was purged anywhere.
    void follow() {
        for (std::string& record : level.take_purges(100)) shared.add(std::move(record));
        std::vector<SecondLevel::News> news;
        for (const SecondLevel::News& each : shared.log)
            if (each.when > level.position()) news.push_back(each);
        level.read(news, 0);
        level.in_step(shared.loop.now());
    }
    std::shared_ptr<Entry> entry(std::vector<std::string> vary = {}, std::string_view tag = "red") {
        auto made = std::make_shared<Entry>();
        http::Headers fields;
        fields.add("Cache-Tag", tag);
        made->head = Head::copy_of(fields, [](const http::Field&) { return true; });
        made->life.lifetime = 60s;
        made->received = shared.loop.now();
        made->vary = std::move(vary);
        return made;
    }
    void keep(const EntryPtr& entry, const http::Headers& request, SecondLevel::Names names = {"shared", {}}, bool is_own = false) {
        SecondLevel::Kept kept{names, is_own, entry, request, level.position(), 1 << 20};
        level.keep(shared.loop, kept);
    }
    bool fetch(const http::Headers& request, SecondLevel::Names names = {"shared", {}}, bool authorized = false, bool only_fresh = false) {
        SecondLevel::Question question{names, authorized, only_fresh, "api", "/a/b", request, store.marks().now(), shared.loop.now() + 50ms};
        std::optional<bool> answer;
        rt::TaskScope scope;
        scope.spawn(into(level.fetch(shared.loop, question), answer));
        shared.loop.settle();
        if (!answer) shared.pass(60ms);
        CHECK(answer);
        return *answer;
    }
    EntryPtr find(const http::Headers& request, std::string_view key = "shared") { return store.find(store.key_of(key), request).entry; }

    Shared& shared;
    CacheCells cells;
    Store store{cells};
    Shelf shelf{shared};
    SecondLevel level{store, cells, shelf};
};

class SecondLevelTest : public ::testing::Test {
 protected:
    SecondLevelTest() { shared.add(SecondLevel::first_record()); }
    Shared shared;
    Gateway& a() { return a_ ? *a_ : a_.emplace(shared); }
    Gateway& b() { return b_ ? *b_ : b_.emplace(shared); }
    http::Headers nothing;

 private:
    std::optional<Gateway> a_, b_;
};

TEST_F(SecondLevelTest, another_gateway_finds_what_one_keeps) {
    EXPECT_FALSE(b().fetch(nothing));
    EXPECT_EQ(b().cells.second_misses, 1u);
    a().keep(a().entry(), nothing);
    EXPECT_EQ(a().shelf.lifetime_, 60s);
    shared.pass(20s);
    b().follow();
    EXPECT_TRUE(b().fetch(nothing));
    EXPECT_EQ(b().cells.second_hits, 1u);
    EntryPtr found = b().find(nothing);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->age(shared.loop.now()), 20s);
}

TEST_F(SecondLevelTest, what_is_old_or_useless_is_not_kept_and_not_taken) {
    auto entry = a().entry();
    entry->life.lifetime = 500ms;
    a().keep(entry, nothing);
    entry = a().entry();
    entry->life.always_validate = true;
    a().keep(entry, nothing);
    EXPECT_TRUE(shared.values.empty());
    entry = a().entry();
    entry->life.if_error = 30s;
    a().keep(entry, nothing);
    EXPECT_EQ(a().shelf.lifetime_, 90s);
    shared.pass(70s);
    b().follow();
    EXPECT_FALSE(b().fetch(nothing, {"shared", {}}, false, true));
    EXPECT_TRUE(b().fetch(nothing));
    shared.pass(20s);
    b().follow();
    EXPECT_FALSE(b().fetch(nothing));
}

TEST_F(SecondLevelTest, each_kind_of_request_finds_its_own) {   // RFC 9111 §4.1
    http::Headers german, english;
    german.add("X-Lang", "de");
    english.add("X-Lang", "en");
    a().keep(a().entry({"x-lang"}, "de"), german);
    EXPECT_FALSE(b().fetch(english));
    EXPECT_TRUE(b().fetch(german));
    EXPECT_TRUE(b().find(german));
    EXPECT_FALSE(b().find(english));
    a().keep(a().entry({"x-lang"}, "en"), english);
    EXPECT_TRUE(b().fetch(english));
    EXPECT_EQ(tags_of(b().find(english)->head.fields()).at(0), "en");
}

TEST_F(SecondLevelTest, what_is_for_one_is_not_for_another) {
    a().keep(a().entry(), nothing, {"shared", "alice"}, true);
    EXPECT_FALSE(b().fetch(nothing, {"shared", "bob"}, true));
    EXPECT_FALSE(b().fetch(nothing));
    EXPECT_TRUE(b().fetch(nothing, {"shared", "alice"}, true));
    EXPECT_TRUE(b().find(nothing, "alice"));
    // Nobody but this process would know who it is.
    shared.values.clear();
    a().keep(a().entry(), nothing, {"shared", {}}, true);
    EXPECT_TRUE(shared.values.empty());
}

TEST_F(SecondLevelTest, what_is_for_nobody_in_particular_is_not_for_one_unless_it_says_so) {   // RFC 9111 §3.5
    a().keep(a().entry(), nothing);
    EXPECT_FALSE(b().fetch(nothing, {"shared", "alice"}, true));
    auto entry = a().entry();
    entry->life.for_everyone = true;
    a().keep(entry, nothing);
    EXPECT_TRUE(b().fetch(nothing, {"shared", "alice"}, true));
}

TEST_F(SecondLevelTest, another_keys_answer_and_garbage_are_misses_and_counted) {
    a().keep(a().entry(), nothing);
    std::string value = shared.values.begin()->second, name = shared.values.begin()->first;
    a().keep(a().entry(), nothing, {"other", {}});
    for (auto& [key, each] : shared.values) each = key == name ? each : value;   // a digest that begins alike
    EXPECT_FALSE(b().fetch(nothing, {"other", {}}));
    EXPECT_EQ(b().cells.second_errors, 1u);
    shared.values[name] = "garbage";
    EXPECT_FALSE(b().fetch(nothing));
    EXPECT_EQ(b().cells.second_errors, 2u);
}

TEST_F(SecondLevelTest, neither_keys_nor_who_asks_can_be_read_there) {
    http::Headers request;
    request.add("Cookie", "session=secret");
    a().keep(a().entry({"cookie"}), request, {"shared-secret", "alice-secret"}, true);
    ASSERT_EQ(shared.values.size(), 2u);
    for (const auto& [key, value] : shared.values) EXPECT_EQ((key + value).find("secret"), std::string::npos);
}

// ---- what is void

TEST_F(SecondLevelTest, a_purge_reaches_the_other_and_what_lies_there) {
    using Purging = std::function<void(Marks&)>;
    for (const Purging& purge : {Purging([](Marks& m) { m.purge_url("api", "/a/b"); }), Purging([](Marks& m) { m.purge_prefix("", "/a"); }),
                                 Purging([](Marks& m) { m.purge_tag("red"); }), Purging([](Marks& m) { m.purge_all(); })}) {
        a().keep(a().entry(), nothing);
        ASSERT_TRUE(b().fetch(nothing));
        purge(a().store.marks());
        EXPECT_FALSE(a().fetch(nothing));   // at once, here
        EXPECT_TRUE(b().find(nothing));     // there not yet
        a().follow();
        EXPECT_FALSE(a().fetch(nothing));
        b().follow();
        EXPECT_FALSE(b().find(nothing));
        EXPECT_FALSE(b().fetch(nothing));
        a().keep(a().entry(), nothing);     // asked for after it
        EXPECT_TRUE(b().fetch(nothing));
    }
}

TEST_F(SecondLevelTest, a_purge_of_something_else_voids_nothing) {
    a().keep(a().entry(), nothing);
    a().store.marks().purge_url("api", "/a/c");
    a().store.marks().purge_prefix("api", "/b");
    a().store.marks().purge_tag("blue");
    EXPECT_TRUE(a().fetch(nothing));
    a().follow();
    b().follow();
    EXPECT_TRUE(b().fetch(nothing));
}

TEST_F(SecondLevelTest, what_was_asked_for_before_a_purge_and_comes_after_it_is_void) {
    Stamp before = a().level.position();
    b().store.marks().purge_tag("red");
    b().follow();
    SecondLevel::Kept late{{"shared", {}}, false, a().entry(), nothing, before, 1 << 20};
    a().level.keep(shared.loop, late);
    EXPECT_FALSE(b().fetch(nothing));
    // Nor for one that was started after all that: it reads the log from its beginning.
    Gateway c(shared);
    EXPECT_FALSE(c.fetch(nothing));
}

TEST_F(SecondLevelTest, who_purged_it_does_not_purge_it_again_when_the_log_says_so) {
    a().store.marks().purge_tag("red");
    auto entry = a().entry();
    entry->stamp = a().store.marks().now();
    entry->slots = a().store.marks().slots_of("api", "/a/b", std::vector<std::string_view>{"red"});
    a().store.put(a().store.key_of("shared"), entry);
    a().follow();
    EXPECT_TRUE(a().find(nothing));
}

TEST_F(SecondLevelTest, a_log_that_has_forgotten_what_we_did_not_read_makes_all_void) {
    a().keep(a().entry(), nothing);
    ASSERT_TRUE(b().fetch(nothing));
    b().level.read({}, b().level.position() + 5);
    EXPECT_FALSE(b().find(nothing));
    EXPECT_FALSE(b().fetch(nothing));
}

TEST_F(SecondLevelTest, a_log_that_begins_anew_voids_what_lies_there_and_not_what_we_hold) {
    a().keep(a().entry(), nothing);
    ASSERT_TRUE(b().fetch(nothing));
    shared.add(SecondLevel::first_record());
    b().follow();
    EXPECT_TRUE(b().find(nothing));
    EXPECT_FALSE(b().fetch(nothing));
}

TEST_F(SecondLevelTest, purges_that_nobody_can_be_told_of_wait_and_when_there_are_too_many_become_one) {
    a().keep(a().entry(), nothing);
    a().store.marks().purge_tag("blue");
    EXPECT_EQ(a().level.take_purges(10).size(), 1u);
    EXPECT_TRUE(a().level.take_purges(10).empty());
    a().level.give_back_purges();
    EXPECT_EQ(a().level.take_purges(10).size(), 1u);
    a().level.give_back_purges();
    for (int i = 0; i < 3000; ++i) a().store.marks().purge_url("api", "/" + std::to_string(i % 1500));
    EXPECT_LE(a().level.take_purges(10'000).size(), 1000u);
    a().level.give_back_purges();
    a().follow();
    EXPECT_FALSE(a().fetch(nothing));
}

// ---- when it is away

TEST_F(SecondLevelTest, a_fault_is_a_miss_and_nobody_asks_for_a_while) {
    shared.away = true;
    EXPECT_TRUE(a().level.usable(shared.loop.now()));
    EXPECT_FALSE(a().fetch(nothing));
    EXPECT_EQ(a().cells.second_errors, 1u);
    EXPECT_FALSE(a().level.usable(shared.loop.now()));
    EXPECT_TRUE(a().level.usable(shared.loop.now() + 1s));
    EXPECT_FALSE(a().level.usable(shared.loop.now() + 2s));   // the log was not read since
}

TEST_F(SecondLevelTest, who_waits_waits_no_longer_than_asked) {
    shared.stuck = true;
    EXPECT_FALSE(a().fetch(nothing));
    EXPECT_EQ(a().cells.second_errors, 1u);
}

TEST_F(SecondLevelTest, nothing_is_kept_before_the_log_was_read) {
    Gateway c(shared);
    c.level.out_of_step();
    c.keep(c.entry(), nothing);
    EXPECT_TRUE(shared.values.empty());
}

}  // namespace
}  // namespace suoke::cache
