// SPDX-License-Identifier: MIT
#include "services/registry.h"

#include <gtest/gtest.h>

#include "services/local_ledger.h"
#include "store/memory_kv.h"

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
    void after(Duration time) {
        TimePoint end = clock.now() + time;
        while (loop.timers().next() <= end) {
            if (loop.timers().next() > clock.now()) clock.advance(loop.timers().next() - clock.now());
            loop.settle();
        }
        clock.advance(end - clock.now());
        loop.settle();
    }
    std::size_t members() const {
        auto service = directory.members("users");
        return service ? service->all.size() : 0;
    }
    int told(std::string_view type) const {
        int n = 0;
        for (const Event& event : events.after(0)) n += event.type == type;
        return n;
    }

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
