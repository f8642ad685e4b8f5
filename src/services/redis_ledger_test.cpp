// SPDX-License-Identifier: MIT
// What a gateway makes of a Redis that answers, refuses, is late, or has lost its data. The scripts are not run here:
// the test says what they answer.
#include "services/redis_ledger.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "services/redis_ledger_words.h"
#include "testing/redis_peer.h"
#include "testing/redis_server.h"
#include "testing/passing_time.h"

namespace suoke::services {
namespace {

using scene::resp_list;
using scene::resp_number;
using scene::resp_text;
using Args = std::vector<std::string>;

Record record_at(std::uint16_t port, std::uint64_t revision = 1, std::string lease = "lease") {
    Record record;
    record.service = "users";
    record.instance.id = "a";
    record.instance.host = "10.0.0.1";
    record.instance.port = port;
    record.ttl = 30s;
    record.lease = std::move(lease);
    record.revision = revision;
    return record;
}

std::string value_of(const Record& record) {
    return record.lease + "|10.0.0.1:" + std::to_string(record.instance.port) + "|1735689600000|" + std::to_string(record.revision) + "|" +
           std::to_string(record.ttl / 1ms) + "\n" + to_json(record);
}
std::string says(const char* outcome) { return resp_list({resp_text(outcome)}); }
std::string says(const char* outcome, const Record& record) {
    return resp_list({resp_text(outcome), resp_text(value_of(record)), resp_text(std::to_string(record.ttl / 1ms))});
}
std::string has(const std::vector<Record>& records, const char* born = "born") {
    std::vector<std::string> hash, leases;
    for (const Record& record : records) {
        std::string field = record.service + "/" + record.instance.id;
        hash.insert(hash.end(), {resp_text(field), resp_text(value_of(record))});
        leases.insert(leases.end(), {resp_text(field), resp_text("31000")});
    }
    return resp_list({resp_text("1000"), resp_text(born), resp_list(hash), resp_list(leases)});
}

const char* const kFull = "-OOM command not allowed\r\n";

class RedisLedgerTest : public ::testing::Test, protected Ledger::Listener {
 protected:
    RedisLedgerTest() {
        options.nodes = {{"redis", 6379}};
        server.answer = [this](const Args& args) { return answer_to(args); };
        channel.answer = [](const Args& args) { return resp_list({resp_text("subscribe"), resp_text(args.at(1)), resp_number(1)}); };
        redis = std::make_unique<store::Redis>(loop, servers, Random(7), options);
        loop.settle();
        ledger = std::make_unique<RedisLedger>(loop, channels, Random(7), *redis, nullptr, events);
        ledger->set_listener(this);
        loop.settle();
        after(50ms);
        asked.clear();
    }
    ~RedisLedgerTest() override { scope.cancel(); }

    // ---- what the server does
    std::string answer_to(const Args& args) {
        if (args[0] != "EVALSHA") return resp_number(1);
        std::string reply = "-ERR the test has no answer\r\n";
        for (const auto& [name, text] : scripts)
            if (store::Script(*text).sha() == args.at(1)) {
                asked.push_back(name);
                reply = answers.at(name);
            }
        if (!late) return reply;
        withheld += reply;
        return "";
    }
    void says_what_it_withheld() {
        late = false;
        server.say(std::exchange(withheld, ""));
        loop.settle();
    }
    void tells(const std::string& message) {
        channel.say(resp_list({resp_text("message"), resp_text("suoke:registry:changes"), resp_text(message)}));
        loop.settle();
    }

    // ---- what the ledger does
    template <class T>
    void begin(rt::Task<T> task, std::optional<T>& into) {
        scope.spawn(keep(std::move(task), into));
        loop.settle();
    }
    template <class T>
    T done(rt::Task<T> task) {
        std::optional<T> result;
        begin(std::move(task), result);
        CHECK(result.has_value());
        return std::move(*result);
    }
    template <class T>
    static rt::Task<void> keep(rt::Task<T> task, std::optional<T>& into) {
        into.emplace(co_await std::move(task));
    }
    Result<Record> hold(std::uint16_t port) { return done(ledger->hold(record_at(port), "")); }
    void after(Duration time) { let_pass(clock, loop, time); }
    bool was_asked(const std::string& name) const { return std::find(asked.begin(), asked.end(), name) != asked.end(); }
    int told(std::string_view type) const { return count(events, type); }

    void changed(const Record& record) override { known[record.instance.id] = record; }
    void extended(const Record& record) override { known[record.instance.id] = record; }
    void removed(const std::string&, const std::string& id, std::uint64_t, bool) override { known.erase(id); }
    void replaced(std::vector<Record> all) override {
        known.clear();
        for (const Record& record : all) known[record.instance.id] = record;
    }

    const std::map<std::string, const std::string*> scripts{{"load", &words::kLoad},     {"hold", &words::kHold},       {"extend", &words::kExtend},
                                                            {"change", &words::kChange}, {"release", &words::kRelease}, {"lapse", &words::kLapse}};
    std::map<std::string, std::string> answers{{"load", has({})},         {"hold", kFull},    {"extend", kFull},
                                               {"change", says("none")}, {"release", kFull}, {"lapse", says("none")}};
    std::vector<std::string> asked;
    bool late = false;
    std::string withheld;
    std::map<std::string, Record> known;

    ManualClock clock;
    rt::Loop loop{clock};
    Events events{clock};
    scene::RedisPeers servers{loop}, channels{loop};   // one server, but what it publishes is said apart
    scene::RedisPeer &server = servers.at("redis:6379"), &channel = channels.at("redis:6379");
    store::RedisOptions options;
    std::unique_ptr<store::Redis> redis;
    std::unique_ptr<RedisLedger> ledger;
    rt::TaskScope scope;
};

TEST_F(RedisLedgerTest, who_registers_again_is_not_taken_out_for_having_left_while_redis_did_not_listen) {
    answers["hold"] = says("ours", record_at(1));
    ASSERT_TRUE(hold(1));
    ASSERT_TRUE(done(ledger->release("users", "a"))) << "by what we know";
    EXPECT_TRUE(known.empty());
    answers["hold"] = says("ours", record_at(1, 2));
    ASSERT_TRUE(hold(1));
    answers["load"] = has({record_at(1, 2)});
    answers["release"] = says("gone");
    asked.clear();
    after(1s);
    EXPECT_TRUE(was_asked("load"));
    EXPECT_FALSE(was_asked("release"));
    EXPECT_EQ(known.count("a"), 1u);
}

TEST_F(RedisLedgerTest, who_left_while_redis_did_not_listen_is_not_read_back_from_it) {
    answers["hold"] = says("ours", record_at(1));
    ASSERT_TRUE(hold(1));
    ASSERT_TRUE(done(ledger->release("users", "a")));
    answers["load"] = has({record_at(1)});
    ASSERT_TRUE(done(ledger->load()));
    EXPECT_TRUE(known.empty());
    answers["load"] = has({record_at(2, 9, "another")});
    ASSERT_TRUE(done(ledger->load()));
    EXPECT_EQ(known.count("a"), 1u) << "somebody else has the id now";
}

TEST_F(RedisLedgerTest, what_was_registered_alone_while_redis_is_read_stays) {
    late = true;
    std::optional<Result<Record>> held;
    std::optional<Result<void>> loaded;
    begin(ledger->hold(record_at(1), ""), held);
    after(900ms);
    begin(ledger->load(), loaded);
    after(200ms);
    ASSERT_TRUE(held && *held) << "Redis said nothing in time";
    says_what_it_withheld();
    ASSERT_TRUE(loaded && *loaded);
    EXPECT_EQ(known.count("a"), 1u);
}

TEST_F(RedisLedgerTest, news_that_come_while_redis_is_read_are_younger_than_what_is_read) {
    late = true;
    std::optional<Result<void>> loaded;
    begin(ledger->load(), loaded);
    tells("c" + value_of(record_at(1, 5)));
    says_what_it_withheld();
    ASSERT_TRUE(loaded && *loaded);
    EXPECT_EQ(known.count("a"), 1u);

    late = true;
    answers["load"] = has({record_at(1, 5)});
    begin(ledger->load(), loaded);
    tells("r6|users/a");
    says_what_it_withheld();
    EXPECT_TRUE(known.empty());
}

TEST_F(RedisLedgerTest, a_redis_that_was_not_read_again_is_not_believed_that_nobody_is_there) {
    answers["hold"] = says("ours", record_at(1));
    auto held = hold(1);
    ASSERT_TRUE(held);
    channel.refuses = true;
    channel.hang_up();
    after(50ms);
    answers["extend"] = answers["release"] = says("none");
    EXPECT_TRUE(done(ledger->extend("users", "a", "")));
    EXPECT_EQ(known.count("a"), 1u);
    EXPECT_EQ(done(ledger->extend("users", "a", "another")).error().code, Code::conflict);
    EXPECT_TRUE(done(ledger->release("users", "a")));
    EXPECT_TRUE(known.empty());
    EXPECT_EQ(done(ledger->release("users", "a")).error().code, Code::not_found);
}

TEST_F(RedisLedgerTest, a_redis_that_was_read_is_believed) {
    answers["hold"] = says("ours", record_at(1));
    ASSERT_TRUE(hold(1));
    answers["extend"] = says("none");
    EXPECT_EQ(done(ledger->extend("users", "a", "")).error().code, Code::not_found);
    EXPECT_TRUE(known.empty());
}

TEST_F(RedisLedgerTest, what_redis_was_not_told_yet_it_need_not_know) {
    ASSERT_TRUE(hold(1)) << "alone";
    answers["extend"] = says("none");
    EXPECT_TRUE(done(ledger->extend("users", "a", "")));
    EXPECT_EQ(known.count("a"), 1u);
}

TEST_F(RedisLedgerTest, whatever_redis_refuses_is_told_once_and_so_is_its_end) {
    answers["hold"] = "-NOPERM this user has no permissions to run the 'evalsha' command\r\n";
    ASSERT_TRUE(hold(1));
    ASSERT_TRUE(hold(1));
    EXPECT_EQ(told("registry.alone"), 1);
    EXPECT_NE(events.after(0).back().data.find("NOPERM"), std::string::npos);
    EXPECT_EQ(told("registry.current"), 0);
    answers["hold"] = says("ours", record_at(1));
    answers["load"] = has({record_at(1)});
    after(5s);
    EXPECT_EQ(told("registry.alone"), 1);
    EXPECT_EQ(told("registry.current"), 1);
}

TEST_F(RedisLedgerTest, who_takes_an_id_over_after_its_lease_ran_out_gets_a_lease_of_its_own) {
    answers["hold"] = says("ours", record_at(1));
    auto first = hold(1);
    ASSERT_TRUE(first);
    answers["hold"] = kFull;
    EXPECT_EQ(hold(2).error().code, Code::conflict);
    after(31s);
    auto second = hold(2);
    ASSERT_TRUE(second);
    EXPECT_NE(second->lease, first->lease);
    EXPECT_GT(second->registered, first->registered);
    auto again = hold(2);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->lease, second->lease);
}

TEST_F(RedisLedgerTest, a_change_of_what_is_no_longer_so_is_refused_and_the_present_is_told) {
    answers["hold"] = says("ours", record_at(1));
    auto held = hold(1);
    ASSERT_TRUE(held);
    Record drained = record_at(1, 7);
    drained.instance.draining = true;
    answers["change"] = says("younger", drained);
    Record heavier = *held;
    heavier.instance.weight = 5;
    EXPECT_EQ(done(ledger->change(heavier)).error().code, Code::conflict);
    EXPECT_TRUE(known["a"].instance.draining);
    EXPECT_EQ(known["a"].revision, 7u);
}

// ---- the scripts, in a real Redis

class RegistryScripts : public ::testing::Test {
 protected:
    void SetUp() override {
        if (!scene::RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
        server.emplace();
        options.nodes = {{server->host(), server->port()}};
        options.command_timeout = options.connect_timeout = options.silence = 20s;   // the machine may be busy
        redis = std::make_unique<store::Redis>(loop, dialer, Random::from_system(), options);
    }
    // What became of it, whose lease is there, and what else was said.
    std::string run(const std::string& script, Args args) {
        args.insert(args.begin(), "users/a");
        Args keys{"records", "leases", "revision", "born", "left"};
        auto reply = scene::await(loop, redis->script(store::Script(script), keys, args));
        if (!reply) return reply.error().detail;
        std::string out;
        for (const store::RedisValue& item : reply->items) out += (out.empty() ? "" : " ") + item.text.substr(0, item.text.find('|'));
        return out;
    }
    std::string hold(const char* address, const char* shown, const char* fresh, const char* ttl, const char* again = "") {
        return run(words::kHold, {"{}", address, shown, fresh, ttl, "channel", again});
    }

    SystemClock clock;
    rt::Loop loop{clock};
    upstream::SocketDialer dialer{loop};
    store::RedisOptions options;
    std::optional<scene::RedisServer> server;
    std::unique_ptr<store::Redis> redis;
};

TEST_F(RegistryScripts, a_lease_is_ours_to_give_and_goes_with_the_holder) {
    EXPECT_EQ(hold("h:1", "x|y", "first", "0"), "ours first 0") << "what a client shows is never kept";
    EXPECT_EQ(hold("h:1", "", "second", "0"), "ours first 0");
    EXPECT_EQ(hold("h:2", "", "third", "0"), "held first 0");
    EXPECT_EQ(hold("h:2", "first", "third", "1"), "ours first 1");
    std::string taken;
    while (taken.empty() || taken.starts_with("held")) taken = hold("h:3", "", "fourth", "60000");
    EXPECT_EQ(taken, "ours fourth 60000") << "who comes after the end is somebody else";
    EXPECT_TRUE(run(words::kExtend, {"first"}).starts_with("held fourth"));
    EXPECT_EQ(run(words::kExtend, {""}), "ours fourth 60000");
}

TEST_F(RegistryScripts, what_left_long_ago_takes_nobody_elses_registration_with_it) {
    hold("h:1", "", "first", "0");
    EXPECT_EQ(run(words::kRelease, {"channel", "before"}), "none");
    EXPECT_EQ(run(words::kExtend, {""}), "ours first 0");
    EXPECT_EQ(hold("h:1", "before", "before", "0", "again"), "left");
    EXPECT_EQ(run(words::kRelease, {"channel", "first"}), "gone 2");
    EXPECT_EQ(run(words::kExtend, {""}), "none ") << "of data that nobody has read yet";
}

TEST_F(RegistryScripts, who_changes_what_somebody_else_changed_is_told) {
    hold("h:1", "", "first", "0");
    EXPECT_EQ(run(words::kChange, {"{}", "first", "channel", "1"}), "ours first 0");
    EXPECT_EQ(run(words::kChange, {"{}", "first", "channel", "1"}), "younger first 0");
    EXPECT_EQ(run(words::kChange, {"{}", "first", "channel", "9"}), "ours first 0") << "Redis may have lost some of its memory";
    EXPECT_EQ(run(words::kChange, {"{}", "another", "channel", "9"}), "none");
}

}  // namespace
}  // namespace suoke::services
