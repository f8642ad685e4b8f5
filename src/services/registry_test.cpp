// SPDX-License-Identifier: MIT
#include "services/registry.h"

#include <gtest/gtest.h>

#include "rt/pause.h"
#include "services/local_ledger.h"
#include "store/memory_kv.h"
#include "testing/passing_time.h"

namespace suoke::services {
namespace {

// A registry over a store in memory, under a clock that stands still.
class RegistryTest : public ::testing::Test {
 protected:
    RegistryTest() { begin(); }
    void begin() {
        registry.reset();
        ledger.emplace(loop, kv);
        registry = std::make_unique<Registry>(loop, directory, events, *ledger, RegistryRules{.most_instances = 3});
        done(registry->begin());
    }
    template <class T>
    T done(rt::Task<T> task) {
        std::optional<T> result;
        rt::TaskScope scope;
        scope.spawn(keep(std::move(task), result));
        loop.settle();
        CHECK(result.has_value());
        return std::move(*result);
    }
    template <class T>
    static rt::Task<void> keep(rt::Task<T> task, std::optional<T>& into) {
        into.emplace(co_await std::move(task));
    }
    static Record wanted(std::string id, std::uint16_t port, Duration ttl = 30s) {
        Record record;
        record.service = "users";
        record.instance.id = std::move(id);
        record.instance.host = "10.0.0.1";
        record.instance.port = port;
        record.ttl = ttl;
        return record;
    }
    void after(Duration time) { let_pass(clock, loop, time); }
    std::size_t members() {
        auto service = directory.members("users");
        return service ? service->all.size() : 0;
    }
    int told(std::string_view type) const { return count(events, type); }

    ManualClock clock;
    rt::Loop loop{clock};
    Events events{clock};
    balance::Epoch epoch{1};
    balance::States states{events, epoch};
    Directory directory{loop, states};
    store::MemoryKv kv{loop};
    std::optional<LocalLedger> ledger;
    std::unique_ptr<Registry> registry;
};

TEST_F(RegistryTest, an_instance_is_there_for_as_long_as_its_lease) {
    auto record = done(registry->add(wanted("a", 1)));
    ASSERT_TRUE(record);
    EXPECT_FALSE(record->lease.empty());
    EXPECT_EQ(members(), 1u);
    after(29s);
    EXPECT_EQ(members(), 1u);
    ASSERT_TRUE(done(registry->heartbeat("users", "a")));
    after(29s);
    EXPECT_EQ(members(), 1u) << "a heartbeat is worth a whole lease";
    after(2s);
    EXPECT_EQ(members(), 0u);
    EXPECT_EQ(told("instance.expired"), 1);
    EXPECT_EQ(done(registry->heartbeat("users", "a")).error().code, Code::not_found);
}

TEST_F(RegistryTest, without_a_lease_it_stays_until_it_is_taken_out) {
    done(registry->add(wanted("a", 1, Duration::zero())));
    after(std::chrono::hours(100));
    EXPECT_EQ(members(), 1u);
    ASSERT_TRUE(done(registry->remove("users", "a")));
    EXPECT_EQ(members(), 0u);
    EXPECT_EQ(done(registry->remove("users", "a")).error().code, Code::not_found);
}

TEST_F(RegistryTest, an_id_is_moved_only_by_who_shows_its_lease_or_after_its_end) {
    auto first = done(registry->add(wanted("a", 1)));
    auto refused = done(registry->add(wanted("a", 2)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
    EXPECT_NE(refused.error().detail.find("10.0.0.1:1"), std::string::npos);
    EXPECT_TRUE(done(registry->add(wanted("a", 1)))) << "the same address again";
    EXPECT_TRUE(done(registry->add(wanted("a", 2), first->lease)));
    EXPECT_EQ(directory.members("users")->all[0].address.port, 2);
}

TEST_F(RegistryTest, one_address_has_one_name) {
    done(registry->add(wanted("old", 1)));
    done(registry->add(wanted("new", 1)));
    EXPECT_EQ(members(), 1u);
    EXPECT_EQ(registry->find("users", "old"), nullptr);
}

TEST_F(RegistryTest, a_restart_forgets_nobody_and_gives_every_lease_anew) {
    done(registry->add(wanted("a", 1)));
    after(20s);
    begin();
    EXPECT_EQ(members(), 1u);
    after(29s);
    EXPECT_EQ(members(), 1u);
    after(2s);
    EXPECT_EQ(members(), 0u);
}

TEST_F(RegistryTest, draining_and_weights_reach_the_members) {
    done(registry->add(wanted("a", 1)));
    Change change;
    change.weight = 7;
    change.draining = true;
    auto changed = done(registry->change("users", "a", change));
    ASSERT_TRUE(changed);
    EXPECT_EQ(directory.members("users")->all[0].instance->weight, 7u);
    EXPECT_TRUE(directory.members("users")->all[0].instance->draining);
    EXPECT_EQ(told("instance.draining"), 1);
    EXPECT_EQ(done(registry->change("users", "b", change)).error().code, Code::not_found);
}

TEST_F(RegistryTest, it_is_bounded) {
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(done(registry->add(wanted("i" + std::to_string(i), static_cast<std::uint16_t>(i + 1)))));
    EXPECT_EQ(done(registry->add(wanted("one too many", 9))).error().code, Code::overloaded);
    EXPECT_TRUE(done(registry->add(wanted("i1", 2)))) << "those that are there may come again";
}

TEST_F(RegistryTest, who_comes_after_a_lease_ran_out_gets_a_lease_of_its_own) {
    auto first = done(registry->add(wanted("a", 1)));
    clock.advance(31s);
    loop.fresh_now();   // and nobody has looked for leases that are over
    auto second = done(ledger->hold(wanted("a", 2), ""));
    ASSERT_TRUE(second);
    EXPECT_NE(second->lease, first->lease);
    EXPECT_GT(second->registered, first->registered);
    auto moved = done(ledger->hold(wanted("a", 3), second->lease));
    ASSERT_TRUE(moved);
    EXPECT_EQ(moved->lease, second->lease) << "who shows it keeps it";
    EXPECT_EQ(moved->registered, second->registered);
    EXPECT_EQ(done(ledger->hold(wanted("a", 4), first->lease)).error().code, Code::conflict);
}

TEST_F(RegistryTest, a_heartbeat_may_show_its_lease_and_then_extends_no_other) {
    auto record = done(registry->add(wanted("a", 1)));
    after(20s);
    EXPECT_EQ(done(registry->heartbeat("users", "a", "another")).error().code, Code::conflict);
    after(5s);
    EXPECT_TRUE(done(registry->heartbeat("users", "a", record->lease)));
    after(29s);
    EXPECT_EQ(members(), 1u);
}

TEST_F(RegistryTest, those_that_come_in_one_turn_are_told_of_once) {
    int published = 0;
    directory.set_listener([&](const balance::MembersPtr&) { ++published; });
    rt::TaskScope scope;
    std::optional<Result<Record>> added[3];
    for (std::uint16_t i = 0; i < 3; ++i) scope.spawn(keep(registry->add(wanted("i" + std::to_string(i), static_cast<std::uint16_t>(i + 1))), added[i]));
    EXPECT_EQ(members(), 3u) << "who asks knows them at once";
    EXPECT_EQ(published, 0);
    loop.settle();
    EXPECT_EQ(published, 1);
}

// Passes everything on.
class Passing : public Ledger {
 public:
    explicit Passing(Ledger& ledger) : ledger_(ledger) {}
    void set_listener(Listener* listener) override { ledger_.set_listener(listener); }
    rt::Task<Result<void>> load() override { return ledger_.load(); }
    rt::Task<Result<Record>> hold(Record wanted, std::string lease) override { return ledger_.hold(std::move(wanted), std::move(lease)); }
    rt::Task<Result<Record>> extend(std::string service, std::string id, std::string lease) override {
        return ledger_.extend(std::move(service), std::move(id), std::move(lease));
    }
    rt::Task<Result<Record>> change(Record record) override { return ledger_.change(std::move(record)); }
    rt::Task<Result<void>> release(std::string service, std::string id) override { return ledger_.release(std::move(service), std::move(id)); }
    rt::Task<Result<void>> lapse(std::string service, std::string id) override { return ledger_.lapse(std::move(service), std::move(id)); }
    bool is_current() const override { return ledger_.is_current(); }

 protected:
    Ledger& ledger_;
};

// Just before the first change, another gateway drains the instance.
class DrainedElsewhere final : public Passing {
    using Passing::Passing;
    rt::Task<Result<Record>> change(Record record) override {
        Record drained = record;
        drained.instance.draining = true;
        if (!std::exchange(drained_, true)) co_await ledger_.change(std::move(drained));
        co_return co_await ledger_.change(std::move(record));
    }
    bool drained_ = false;
};

TEST_F(RegistryTest, a_change_does_not_undo_what_another_gateway_changed_meanwhile) {
    done(registry->add(wanted("a", 1)));
    registry.reset();
    DrainedElsewhere shared(*ledger);
    Registry here(loop, directory, events, shared, RegistryRules());
    done(here.begin());
    Change heavier;
    heavier.weight = 7;
    auto changed = done(here.change("users", "a", heavier));
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->instance.weight, 7u);
    EXPECT_TRUE(changed->instance.draining);
}

// Takes its time to take anybody out.
class Slow final : public Passing {
 public:
    Slow(rt::Loop& loop, Ledger& ledger) : Passing(ledger), loop_(loop) {}
    rt::Task<Result<void>> lapse(std::string service, std::string id) override {
        ++asked;
        rt::Pause pause(loop_, loop_.now() + 5s);
        co_await pause;
        co_return co_await ledger_.lapse(std::move(service), std::move(id));
    }
    int asked = 0;

 private:
    rt::Loop& loop_;
};

TEST_F(RegistryTest, a_slow_ledger_is_reminded_of_an_end_once) {
    registry.reset();
    Slow slow(loop, *ledger);
    Registry here(loop, directory, events, slow, RegistryRules());
    done(here.add(wanted("a", 1, 1s)));
    after(4s);
    EXPECT_EQ(slow.asked, 1);
    EXPECT_EQ(members(), 1u);
    after(4s);
    EXPECT_EQ(members(), 0u);
}

// A wall clock that somebody sets, beside a monotonic one that nobody can.
class SetClock final : public Clock {
 public:
    TimePoint now() const override { return steady.now(); }
    WallTime wall() const override { return steady.wall() + step; }
    ManualClock steady;
    Duration step{};
};

static rt::Task<void> keep_alive(Registry& registry, bool& well) {
    auto record = co_await registry.heartbeat("users", "a");
    well = record.has_value();
}

static rt::Task<void> enter(Registry& registry) {
    Record record;
    record.service = "users";
    record.instance.id = "a";
    record.instance.host = "10.0.0.1";
    record.ttl = 30s;
    co_await registry.add(std::move(record));
}

TEST(Leases, a_wall_clock_that_is_set_ends_none) {
    SetClock clock;
    rt::Loop loop(clock);
    Events events(clock);
    balance::Epoch epoch{1};
    balance::States states(events, epoch);
    Directory directory(loop, states);
    store::MemoryKv kv(loop);
    LocalLedger ledger(loop, kv);
    Registry registry(loop, directory, events, ledger, RegistryRules());
    rt::TaskScope scope;
    auto after = [&](Duration time) {
        clock.steady.advance(time);
        loop.settle();
    };
    scope.spawn(enter(registry));
    after(29s);
    bool well = false;
    scope.spawn(keep_alive(registry, well));
    EXPECT_TRUE(well);
    clock.step = 30s;
    after(2s);
    EXPECT_EQ(registry.size(), 1u) << "its heartbeat is two seconds old";
    clock.step = -std::chrono::hours(1);
    after(30s);
    EXPECT_EQ(registry.size(), 0u) << "nor does it make one longer";
}

TEST(Record, survives_json_and_refuses_what_is_none) {
    Record record;
    record.service = "users";
    record.instance.id = "a";
    record.instance.host = "fd00::1";
    record.instance.port = 443;
    record.instance.use_tls = true;
    record.instance.protocol = upstream::Protocol::h2;
    record.instance.tags = {"x", "y"};
    record.instance.metadata = {{"k", "v"}};
    record.ttl = 30s;
    record.lease = "l";
    record.expires = WallTime(std::chrono::seconds(5));
    record.revision = 9;
    auto back = record_of(to_json(record));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, record);
    for (const char* bad : {"", "[]", "{}", R"({"service":"users"})", "{\"service\":1}"}) EXPECT_FALSE(record_of(bad)) << bad;
    EXPECT_FALSE(record_of(std::string(100'000, '[')));
}

// ---- the directory

class DirectoryTest : public RegistryTest {
 protected:
    static balance::Instance at(std::string host) {
        balance::Instance instance;
        instance.host = std::move(host);
        return instance;
    }
};

TEST_F(DirectoryTest, what_several_sources_say_is_put_together_and_nobody_is_there_twice) {
    Definition definition;
    definition.name = "users";
    definition.instances = {at("10.0.0.1")};
    directory.define({std::make_shared<Definition>(definition)}, std::make_shared<Definition>());
    directory.found("users", "dns", {at("10.0.0.2"), at("10.0.0.1")});
    directory.found("users", "file", {at("10.0.0.3")});
    EXPECT_EQ(members(), 3u);
    directory.found("users", "dns", {at("10.0.0.4")});
    EXPECT_EQ(members(), 3u);
}

TEST_F(DirectoryTest, an_instance_in_the_clear_is_left_out_where_nothing_may_go_in_the_clear) {
    Definition definition;
    definition.name = "users";
    definition.never_in_the_clear = true;
    directory.define({std::make_shared<Definition>(definition)}, std::make_shared<Definition>());
    directory.found("users", "dns", {at("10.0.0.1"), at("127.0.0.1")});
    EXPECT_EQ(members(), 1u) << "what stays on this machine is on no wire";
}

TEST_F(DirectoryTest, an_empty_answer_is_believed_when_it_lasts) {
    directory.found("users", "dns", {at("10.0.0.1"), at("10.0.0.2")});
    directory.found("users", "dns", {});
    after(29s);
    EXPECT_EQ(members(), 2u);
    EXPECT_EQ(told("discovery.emptied"), 1);
    after(2s);
    EXPECT_EQ(members(), 0u);
}

TEST_F(DirectoryTest, an_answer_in_between_takes_the_empty_one_back) {
    directory.found("users", "dns", {at("10.0.0.1")});
    directory.found("users", "dns", {});
    after(10s);
    directory.found("users", "dns", {at("10.0.0.1"), at("10.0.0.2")});
    after(60s);
    EXPECT_EQ(members(), 2u);
}

TEST_F(DirectoryTest, an_empty_answer_about_the_dead_is_believed_at_once) {
    directory.found("users", "dns", {at("10.0.0.1")});
    directory.members("users")->all[0].state->set_checked(balance::EndpointState::Checked::unwell, clock.now());
    directory.found("users", "dns", {});
    EXPECT_EQ(members(), 0u);
}

TEST_F(DirectoryTest, an_empty_answer_of_a_source_that_then_failed_is_not_believed) {
    directory.found("users", "dns", {at("10.0.0.1")});
    directory.found("users", "dns", {});
    after(20s);
    directory.doubt("users", "dns");
    directory.doubt("nobody", "dns");
    after(60s);
    EXPECT_EQ(members(), 1u);
    directory.found("users", "dns", {});
    after(29s);
    EXPECT_EQ(members(), 1u) << "half a minute anew";
    after(2s);
    EXPECT_EQ(members(), 0u);
}

TEST_F(DirectoryTest, an_answer_in_which_nobody_is_up_any_more_is_as_good_as_an_empty_one) {
    balance::Instance first = at("10.0.0.1"), second = at("10.0.0.2");
    directory.found("users", "consul", {first, second});
    first.up = false;
    directory.found("users", "consul", {first, second});
    EXPECT_EQ(members(), 1u) << "one is up: that is an answer";
    second.up = false;
    directory.found("users", "consul", {first, second});
    after(29s);
    EXPECT_EQ(members(), 1u);
    EXPECT_EQ(told("discovery.emptied"), 1);
    after(2s);
    EXPECT_EQ(members(), 0u);
}

TEST_F(DirectoryTest, an_empty_answer_about_what_another_source_has_too_is_believed_at_once) {
    directory.found("users", "consul", {at("10.0.0.1")});
    directory.found("users", "dns", {at("10.0.0.1")});
    directory.found("users", "dns", {});
    EXPECT_EQ(told("discovery.emptied"), 0);
    EXPECT_EQ(members(), 1u);
}

// Counts what is published.
class PublishingTest : public DirectoryTest {
 protected:
    PublishingTest() {
        directory.set_listener([this](const balance::MembersPtr& members) {
            ++published;
            last = members;
        });
    }
    static balance::Instances many(int count) {
        balance::Instances all;
        for (int i = 0; i < count; ++i) all.push_back(at("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)));
        return all;
    }
    int published = 0;
    balance::MembersPtr last;
};

TEST_F(PublishingTest, all_changes_of_a_turn_are_published_at_its_end_as_one) {
    for (int i = 1; i <= 100; ++i) directory.set("users", "source " + std::to_string(i), {at("10.0.0." + std::to_string(i))});
    EXPECT_EQ(published, 0);
    EXPECT_EQ(members(), 100u) << "who asks knows all of them";
    EXPECT_EQ(directory.all().at("users")->all.size(), 100u);
    loop.settle();
    EXPECT_EQ(published, 1);
    EXPECT_EQ(last->all.size(), 100u);
    EXPECT_EQ(last, directory.members("users")) << "nothing is made twice";
}

TEST_F(PublishingTest, definitions_are_published_at_once) {
    Definition definition;
    definition.name = "users";
    definition.instances = {at("10.0.0.1")};
    directory.define({std::make_shared<Definition>(definition)}, std::make_shared<Definition>());
    EXPECT_EQ(published, 1);
    loop.settle();
    EXPECT_EQ(published, 1);
}

TEST_F(PublishingTest, who_cannot_wait_flushes) {
    directory.set("users", "dns", {at("10.0.0.1")});
    directory.set("rag", "dns", {at("10.0.0.2")});
    directory.flush();
    EXPECT_EQ(published, 2);
    loop.settle();
    EXPECT_EQ(published, 2);
    directory.set("rag", "dns", {});
    directory.flush();
    EXPECT_EQ(published, 3);
    EXPECT_TRUE(last->all.empty());
    EXPECT_EQ(directory.members("rag"), nullptr);
}

TEST_F(PublishingTest, a_large_service_is_published_now_and_then) {
    directory.set("users", "dns", many(1'200));
    loop.settle();
    EXPECT_EQ(published, 1);
    directory.set("users", "dns", many(1'199));
    loop.settle();
    directory.set("users", "dns", many(1'198));
    loop.settle();
    EXPECT_EQ(published, 1);
    EXPECT_EQ(members(), 1'198u);
    after(30ms);
    EXPECT_EQ(published, 2);
    EXPECT_EQ(last->all.size(), 1'198u);
    directory.set("users", "dns", many(1'197));
    directory.flush();
    EXPECT_EQ(published, 3);
}

TEST_F(DirectoryTest, states_outlive_redefinitions) {
    Definition definition;
    definition.name = "users";
    definition.instances = {at("10.0.0.1")};
    directory.define({std::make_shared<Definition>(definition)}, std::make_shared<Definition>());
    auto state = directory.members("users")->all[0].state;
    definition.rules.slow_start = 5s;
    directory.define({std::make_shared<Definition>(definition)}, std::make_shared<Definition>());
    EXPECT_EQ(directory.members("users")->all[0].state, state);
    EXPECT_EQ(directory.members("users")->rules.slow_start, 5s);
}

TEST_F(DirectoryTest, instances_of_the_gateways_own_zone_come_first) {
    Definition definition;
    definition.name = "users";
    definition.zone = "a";
    definition.instances = {at("10.0.0.1"), at("10.0.0.2")};
    definition.instances[1].zone = "a";
    directory.define({std::make_shared<Definition>(definition)}, std::make_shared<Definition>());
    EXPECT_EQ(directory.members("users")->all[0].level, 1u);
    EXPECT_EQ(directory.members("users")->all[1].level, 0u);
}

}  // namespace
}  // namespace suoke::services
