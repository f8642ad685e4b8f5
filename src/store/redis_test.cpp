// SPDX-License-Identifier: MIT
// The client against servers in memory: going and coming back, redirects, Sentinels that lie, scripts.
#include "store/redis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/redis_subscriber.h"
#include "testing/redis_peer.h"

namespace suoke::store {
namespace {

using scene::kRespOk;
using scene::resp_list;
using scene::resp_number;
using scene::resp_text;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Args = std::vector<std::string>;

class Client : public ::testing::Test, protected Redis::Listener {
 protected:
    ~Client() override { scope.cancel(); }
    void redis_up() override { told.push_back("up"); }
    void redis_down(const Error& why) override { told.push_back("down: " + why.detail); }

    void start() {
        redis = std::make_unique<Redis>(loop, peers, Random(7), options);
        redis->listen(*this);
        loop.settle();
    }
    static rt::Task<void> keep(rt::Task<Result<RedisValue>> task, std::string name, std::vector<std::string>& answers) {
        Result<RedisValue> reply = co_await std::move(task);
        answers.push_back(name + ": " + (reply ? reply->to_string() : reply.error().detail));
    }
    void ask(Args args, Effect effect = Effect::once) {
        std::string key = args.size() > 1 ? args[1] : "", name = args[0];
        scope.spawn(keep(redis->command_for(key, std::move(args), effect), name, answers));
        loop.settle();
    }
    void pass(Duration time, int steps = 1) {
        for (int i = 0; i < steps; ++i) {
            clock.advance(time / steps);
            loop.settle();
        }
    }
    std::string last() { return answers.empty() ? "(no answer)" : answers.back(); }

    ManualClock clock;
    rt::Loop loop{clock};
    scene::RedisPeers peers{loop};
    RedisOptions options;
    std::unique_ptr<Redis> redis;
    std::vector<std::string> told, answers;
    rt::TaskScope scope;
};

class Single : public Client {
 protected:
    Single() {
        options.nodes = {{"redis", 6379}};
        peer.answer = [](const Args& args) { return resp_text(args[0]); };
    }
    scene::RedisPeer& peer = peers.at("redis:6379");
};

TEST_F(Single, is_up_when_it_is_connected_and_says_so) {
    start();
    EXPECT_TRUE(redis->up());
    EXPECT_THAT(told, ElementsAre("up"));
    ask({"GET", "a"});
    EXPECT_EQ(last(), "GET: \"GET\"");
}

TEST_F(Single, the_first_commands_wait_for_the_first_connection) {
    peer.greets = false;
    peer.answer = [](const Args&) { return ""; };
    start();
    EXPECT_FALSE(redis->up());
    EXPECT_THAT(told, IsEmpty());
    ask({"GET", "a"});
    pass(std::chrono::milliseconds(500));
    EXPECT_EQ(last(), "(no answer)");
    peer.answer = [](const Args& args) { return resp_text(args[0]); };
    peer.say("+OK\r\n+PONG\r\n");
    loop.settle();
    EXPECT_EQ(last(), "GET: \"GET\"");
}

TEST_F(Single, an_error_reply_is_an_error) {
    start();
    peer.answer = [](const Args&) { return "-OOM command not allowed when used memory > 'maxmemory'.\r\n"; };
    ask({"SET", "a", "1"});
    EXPECT_EQ(last(), "SET: Redis at redis:6379 refused: OOM command not allowed when used memory > 'maxmemory'.");
    EXPECT_TRUE(redis->up());
}

TEST_F(Single, while_it_is_away_commands_fail_after_a_grace_and_then_at_once) {
    start();
    peer.refuses = true;
    peer.hang_up();
    loop.settle();
    EXPECT_FALSE(redis->up());
    EXPECT_THAT(told, ElementsAre("up", "down: Redis at redis:6379 closed the connection"));
    ask({"GET", "a"});
    EXPECT_EQ(last(), "(no answer)");
    pass(std::chrono::milliseconds(150), 5);
    EXPECT_THAT(last(), HasSubstr("connection refused"));
    ask({"GET", "b"});
    EXPECT_EQ(answers.size(), 2u);
}

TEST_F(Single, a_connection_that_is_back_within_the_grace_is_not_missed) {
    start();
    peer.hang_up();
    loop.settle();
    ask({"GET", "a"});
    pass(std::chrono::milliseconds(100), 20);
    EXPECT_EQ(last(), "GET: \"GET\"");
    EXPECT_THAT(told, ElementsAre("up", "down: Redis at redis:6379 closed the connection", "up"));
}

TEST_F(Single, comes_back_by_itself_after_a_long_time_and_asks_ever_less_often) {
    start();
    peer.hang_up();
    peer.is_a_hole = false;
    peer.refuses = true;
    pass(std::chrono::minutes(5), 3000);
    EXPECT_FALSE(redis->up());
    peer.refuses = false;
    pass(std::chrono::seconds(11), 200);
    EXPECT_TRUE(redis->up());
}

TEST_F(Single, does_not_hammer_a_server_that_hangs_up_at_once) {
    peer.greets = false;
    peer.answer = [](const Args& args) { return args[0] == "PING" ? "-ERR max number of clients reached\r\n" : kRespOk; };
    start();
    pass(std::chrono::minutes(1), 6000);
    EXPECT_GE(peer.connections, 8u);
    EXPECT_LE(peer.connections, 60u);
    EXPECT_THAT(told, ElementsAre(HasSubstr("down: Redis at redis:6379 refused: ERR max number of clients reached")));
}

TEST_F(Single, sends_again_only_what_may_be_sent_twice) {
    start();
    peer.answer = [](const Args&) { return ""; };
    ask({"INCR", "a"});
    ask({"GET", "a"}, Effect::idempotent);
    peer.hang_up();
    peer.answer = [](const Args& args) { return resp_text(args[0]); };
    pass(std::chrono::milliseconds(100), 20);
    EXPECT_THAT(answers, ElementsAre("INCR: Redis at redis:6379 closed the connection", "GET: \"GET\""));
    EXPECT_THAT(peer.heard, ElementsAre(Args{"INCR", "a"}, Args{"GET", "a"}, Args{"GET", "a"}));
}

TEST_F(Single, a_command_has_one_deadline_with_all_its_attempts) {
    start();
    peer.answer = [](const Args&) { return ""; };
    ask({"GET", "a"}, Effect::idempotent);
    pass(std::chrono::milliseconds(1010));
    EXPECT_THAT(last(), HasSubstr("did not answer in time"));
}

TEST_F(Single, the_number_of_those_who_wait_for_a_connection_is_bounded) {
    options.most_in_flight = 4;
    peer.is_a_hole = true;
    start();
    for (int i = 0; i < 6; ++i) ask({"GET", "a"});
    EXPECT_EQ(answers.size(), 2u);
    pass(std::chrono::milliseconds(1010));
    EXPECT_EQ(answers.size(), 6u);
}

TEST_F(Single, notices_a_dead_server_before_somebody_needs_it) {
    start();
    peer.greets = false;
    peer.answer = [](const Args&) { return ""; };
    pass(std::chrono::seconds(25), 100);
    EXPECT_FALSE(redis->up());
    EXPECT_EQ(told.at(1), "down: Redis at redis:6379 is silent with commands in flight");
}

TEST_F(Single, scripts_are_sent_whole_only_to_a_server_that_does_not_know_them) {
    start();
    const Script script("return ARGV[1]");
    bool knows = false;
    peer.answer = [&knows](const Args& args) {
        if (args[0] == "EVAL") knows = true;
        return knows ? resp_text(args[4]) : "-NOSCRIPT No matching script. Please use EVAL.\r\n";
    };
    for (int i = 0; i < 2; ++i) scope.spawn(keep(redis->script(script, {"k"}, {"x"}), "script", answers));
    loop.settle();
    scope.spawn(keep(redis->script(script, {"k"}, {"y"}), "script", answers));
    loop.settle();
    EXPECT_THAT(answers, ElementsAre("script: \"x\"", "script: \"x\"", "script: \"y\""));
    EXPECT_EQ(peer.heard.back(), (Args{"EVALSHA", script.sha(), "1", "k", "y"}));
    EXPECT_EQ(peer.heard.size(), 5u);
}

TEST_F(Single, a_server_that_forgets_every_script_is_an_error_and_no_loop) {
    start();
    peer.answer = [](const Args&) { return "-NOSCRIPT No matching script.\r\n"; };
    scope.spawn(keep(redis->script(Script("return 1"), {"k"}, {}), "script", answers));
    loop.settle();
    EXPECT_EQ(peer.heard.size(), 2u);
    EXPECT_THAT(last(), HasSubstr("NOSCRIPT"));
}

TEST_F(Single, a_read_only_server_is_an_error_where_there_is_no_other) {
    start();
    peer.answer = [](const Args&) { return "-READONLY You can't write against a read only replica.\r\n"; };
    ask({"SET", "a", "1"});
    EXPECT_THAT(last(), HasSubstr("READONLY"));
    EXPECT_EQ(peer.connections, 1u);
}

TEST_F(Single, whoever_is_destroyed_while_it_waits_is_not_missed) {
    start();
    peer.answer = [](const Args&) { return ""; };
    ask({"GET", "a"});
    scope.cancel();
    peer.say(resp_text("of a"));
    peer.hang_up();
    pass(std::chrono::seconds(1), 20);
    EXPECT_THAT(answers, IsEmpty());
    EXPECT_TRUE(redis->up());
}

// ---- Sentinels

class Sentinels : public Client {
 protected:
    Sentinels() {
        options.mode = RedisMode::sentinel;
        options.master_name = "mymaster";
        options.nodes = {{"s1", 26379}, {"s2", 26379}};
        for (auto* s : {&s1, &s2}) s->answer = [this](const Args& args) { return sentinel_says(args, "a"); };
        a.answer = [this](const Args& args) { return server_says(args, "a", a_is_master); };
        b.answer = [this](const Args& args) { return server_says(args, "b", b_is_master); };
    }
    std::string sentinel_says(const Args& args, const char* master) {
        if (args[0] == "SUBSCRIBE") return resp_list({resp_text("subscribe"), resp_text(args[1]), resp_number(1)});
        if (args[0] != "SENTINEL") return "-ERR unknown command\r\n";
        return args[2] == "mymaster" ? resp_list({resp_text(master), resp_text("6379")}) : "*-1\r\n";
    }
    std::string server_says(const Args& args, const char* name, const bool& is_master) {
        if (args[0] == "ROLE") return resp_list({resp_text(is_master ? "master" : "slave"), resp_number(0), "*0\r\n"});
        if (args[0] == "SET" && !is_master) return "-READONLY You can't write against a read only replica.\r\n";
        return resp_text(name);
    }
    void name_master(const char* name) {
        for (auto* s : {&s1, &s2}) s->answer = [this, name](const Args& args) { return sentinel_says(args, name); };
    }
    bool a_is_master = true, b_is_master = false;
    scene::RedisPeer &s1 = peers.at("s1:26379"), &s2 = peers.at("s2:26379"), &a = peers.at("a:6379"), &b = peers.at("b:6379");
};

TEST_F(Sentinels, name_the_master) {
    start();
    EXPECT_TRUE(redis->up());
    ask({"SET", "k", "v"});
    EXPECT_EQ(last(), "SET: \"a\"");
}

TEST_F(Sentinels, the_next_one_is_asked_when_one_is_gone_or_does_not_know) {
    s1.refuses = true;
    start();
    EXPECT_TRUE(redis->up());
    redis.reset();
    s1.refuses = false;
    s1.answer = [](const Args&) { return "*-1\r\n"; };
    start();
    EXPECT_TRUE(redis->up());
}

TEST_F(Sentinels, one_that_lies_is_not_believed) {
    s1.answer = [this](const Args& args) { return sentinel_says(args, "b"); };  // a replica
    start();
    ask({"SET", "k", "v"});
    EXPECT_EQ(last(), "SET: \"a\"");
    EXPECT_EQ(b.heard.size(), 1u);  // ROLE, and nothing else
}

TEST_F(Sentinels, that_all_lie_or_say_nonsense_leave_it_down_with_the_reason) {
    name_master("b");
    start();
    EXPECT_THAT(told, ElementsAre("down: Redis at b:6379 is no master, though a Sentinel says so"));
    redis.reset();
    told.clear();
    for (auto* s : {&s1, &s2}) s->answer = [](const Args&) { return resp_list({resp_text("a"), resp_text("99999")}); };
    start();
    EXPECT_THAT(told, ElementsAre("down: Redis answered SENTINEL get-master-addr-by-name with a list"));
    redis.reset();
    told.clear();
    options.master_name = "other";
    name_master("a");
    start();
    EXPECT_THAT(told, ElementsAre("down: the Sentinel at s2:26379 knows no master \"other\""));
}

TEST_F(Sentinels, their_word_of_a_new_master_is_followed_at_once) {
    start();
    a_is_master = false;
    b_is_master = true;
    name_master("b");
    auto& speaker = s1;
    speaker.say(resp_list({resp_text("message"), resp_text("+switch-master"), resp_text("other a 6379 b 6379")}));
    pass(std::chrono::milliseconds(100), 10);
    EXPECT_THAT(told, ElementsAre("up"));
    speaker.say(resp_list({resp_text("message"), resp_text("+switch-master"), resp_text("mymaster a 6379 b 6379")}));
    pass(std::chrono::milliseconds(100), 10);
    ask({"SET", "k", "v"});
    EXPECT_EQ(last(), "SET: \"b\"");
    EXPECT_THAT(told, ElementsAre("up", "down: the Sentinels switched to another Redis master", "up"));
    speaker.say(resp_list({resp_text("message"), resp_text("+switch-master"), resp_text("mymaster a 6379 b 6379")}));
    pass(std::chrono::milliseconds(100), 10);
    EXPECT_EQ(told.size(), 3u);  // it is there already
}

TEST_F(Sentinels, what_they_said_while_nobody_listened_is_asked_for) {
    start();
    b_is_master = true;  // and a does not know yet that it is none: it is cut off from the others
    name_master("b");
    s1.hang_up();
    pass(std::chrono::milliseconds(500), 50);
    ask({"SET", "k", "v"});
    EXPECT_EQ(last(), "SET: \"b\"");
}

TEST_F(Sentinels, a_master_that_was_demoted_is_left_and_the_command_goes_to_the_new_one) {
    start();
    a_is_master = false;
    b_is_master = true;
    name_master("b");
    ask({"SET", "k", "v"});  // nothing was written: it may be sent again
    pass(std::chrono::milliseconds(300), 30);
    EXPECT_EQ(last(), "SET: \"b\"");
}

TEST_F(Sentinels, have_a_login_of_their_own) {
    options.username = "gateway";
    options.password = Secret("secret");
    options.sentinel_username = "watcher";
    options.sentinel_password = Secret("other");
    options.db = 2;
    start();
    EXPECT_EQ(s1.greetings[0], (Args{"AUTH", "watcher", "other"}));
    EXPECT_EQ(a.greetings[0], (Args{"AUTH", "gateway", "secret"}));
    EXPECT_EQ(a.greetings[1], (Args{"SELECT", "2"}));
    for (const Args& greeting : s1.greetings) EXPECT_NE(greeting[0], "SELECT");
}

// ---- Cluster

class InCluster : public Client {
 protected:
    InCluster() {
        options.mode = RedisMode::cluster;
        options.nodes = {{"a", 7000}, {"b", 7000}};
        set_map("a", "b");
        a.answer = [this](const Args& args) { return node_says(args, "a"); };
        b.answer = [this](const Args& args) { return node_says(args, "b"); };
        c.answer = [this](const Args& args) { return node_says(args, "c"); };
    }
    // Slots below 8192 belong to the first, the others to the second one.
    void set_map(const char* low, const char* high) {
        auto range = [](int first, int last, const char* host) {
            return resp_list({resp_number(first), resp_number(last), resp_list({resp_text(host), resp_number(7000), resp_text("id")})});
        };
        map = resp_list({range(0, 8191, low), range(8192, 16383, high)});
        low_node = low;
        high_node = high;
    }
    std::string node_says(const Args& args, const std::string& name) {
        if (args[0] == "CLUSTER") return map;
        if (args[0] == "ASKING") return kRespOk;
        std::uint16_t slot = redis_slot_of(args.size() > 1 ? args[1] : "");
        std::string owner = slot < 8192 ? low_node : high_node;
        if (owner != name) return "-MOVED " + std::to_string(slot) + " " + owner + ":7000\r\n";
        return resp_text(name);
    }
    std::string map;
    std::string low_node, high_node;
    scene::RedisPeer &a = peers.at("a:7000"), &b = peers.at("b:7000"), &c = peers.at("c:7000");
};

const char* const kLow = "bar";   // slot 5061
const char* const kHigh = "foo";  // slot 12182

TEST_F(InCluster, each_key_goes_to_its_node) {
    ASSERT_LT(redis_slot_of(kLow), 8192);
    ASSERT_GE(redis_slot_of(kHigh), 8192);
    start();
    EXPECT_TRUE(redis->up());
    EXPECT_THAT(told, ElementsAre("up"));
    ask({"GET", kLow});
    ask({"GET", kHigh});
    EXPECT_THAT(answers, ElementsAre("GET: \"a\"", "GET: \"b\""));
    EXPECT_EQ(redis->masters().size(), 2u);
}

TEST_F(InCluster, the_map_is_read_from_whichever_node_answers) {
    a.refuses = true;
    start();
    ask({"GET", kHigh});
    EXPECT_EQ(last(), "GET: \"b\"");
    EXPECT_FALSE(redis->up());
    ask({"GET", kLow});
    pass(std::chrono::milliseconds(200), 20);
    EXPECT_THAT(last(), HasSubstr("Redis at a:7000 cannot be reached"));
}

TEST_F(InCluster, moved_is_followed_and_remembered) {
    start();
    low_node = "c";  // the map is old
    std::size_t reads = std::count(a.heard.begin(), a.heard.end(), Args{"CLUSTER", "SLOTS"});
    set_map("c", "b");
    ask({"GET", kLow});
    EXPECT_EQ(last(), "GET: \"c\"");
    std::size_t asked_a = a.heard.size();
    ask({"GET", kLow});
    EXPECT_EQ(last(), "GET: \"c\"");
    EXPECT_LE(a.heard.size(), asked_a + 1);  // perhaps for the map, not for the key
    pass(std::chrono::seconds(1), 50);
    EXPECT_GT(std::count(a.heard.begin(), a.heard.end(), Args{"CLUSTER", "SLOTS"}) + std::count(b.heard.begin(), b.heard.end(), Args{"CLUSTER", "SLOTS"}),
              static_cast<std::ptrdiff_t>(reads));
    EXPECT_EQ(redis->masters().size(), 2u);  // a has nothing any more, and is let go
    pass(std::chrono::seconds(1), 50);
    EXPECT_EQ(a.connected(), 0u);
}

TEST_F(InCluster, ask_is_followed_this_once) {
    start();
    std::string slot = std::to_string(redis_slot_of(kLow));
    a.answer = [this, slot](const Args& args) { return args[0] == "CLUSTER" ? map : "-ASK " + slot + " c:7000\r\n"; };
    bool asked = false;
    c.answer = [&asked, slot](const Args& args) -> std::string {
        if (args[0] == "ASKING") return asked = true, kRespOk;
        return std::exchange(asked, false) ? resp_text("c") : "-MOVED " + slot + " a:7000\r\n";
    };
    ask({"GET", kLow});
    ask({"GET", kLow});
    EXPECT_THAT(answers, ElementsAre("GET: \"c\"", "GET: \"c\""));
    EXPECT_THAT(c.heard, ElementsAre(Args{"ASKING"}, Args{"GET", kLow}, Args{"ASKING"}, Args{"GET", kLow}));
}

TEST_F(InCluster, redirects_in_a_circle_come_to_an_end) {
    start();
    std::string slot = std::to_string(redis_slot_of(kLow));
    a.answer = [this, slot](const Args& args) { return args[0] == "CLUSTER" ? map : "-MOVED " + slot + " b:7000\r\n"; };
    b.answer = [this, slot](const Args& args) { return args[0] == "CLUSTER" ? map : "-ASK " + slot + " a:7000\r\n"; };
    ask({"GET", kLow});
    EXPECT_THAT(last(), HasSubstr("refused: "));
    EXPECT_LE(a.heard.size() + b.heard.size(), 20u);
}

TEST_F(InCluster, what_passes_is_tried_again_and_what_does_not_is_an_error) {
    start();
    int left = 3;
    a.answer = [this, &left](const Args& args) {
        if (args[0] == "CLUSTER") return map;
        return left-- > 0 ? std::string("-TRYAGAIN Multiple keys request during rehashing of slot\r\n") : resp_text("a");
    };
    ask({"GET", kLow});
    pass(std::chrono::milliseconds(300), 30);
    EXPECT_EQ(last(), "GET: \"a\"");
    a.answer = [this](const Args& args) { return args[0] == "CLUSTER" ? map : "-CLUSTERDOWN The cluster is down\r\n"; };
    ask({"GET", kLow});
    pass(std::chrono::seconds(2), 100);
    EXPECT_THAT(last(), HasSubstr("CLUSTERDOWN The cluster is down"));
    EXPECT_EQ(answers.size(), 2u);
    a.answer = [this](const Args& args) { return args[0] == "CLUSTER" ? map : "-CROSSSLOT Keys in request don't hash to the same slot\r\n"; };
    ask({"GET", kLow});
    EXPECT_THAT(last(), HasSubstr("CROSSSLOT"));
}

TEST_F(InCluster, a_node_that_is_gone_is_replaced_when_the_map_says_so) {
    start();
    a.refuses = true;
    a.hang_up();
    loop.settle();
    EXPECT_FALSE(redis->up());
    set_map("c", "b");
    pass(std::chrono::seconds(5), 200);
    EXPECT_TRUE(redis->up());
    ask({"GET", kLow});
    EXPECT_EQ(last(), "GET: \"c\"");
}

TEST_F(InCluster, a_server_that_is_no_cluster_is_down_with_the_reason) {
    for (auto* node : {&a, &b}) node->answer = [](const Args&) { return "-ERR This instance has cluster support disabled\r\n"; };
    start();
    EXPECT_THAT(told, ElementsAre("down: Redis at b:7000 refused: ERR This instance has cluster support disabled"));
    ask({"GET", kLow});
    EXPECT_THAT(last(), HasSubstr("cluster support disabled"));
}

TEST_F(InCluster, redirects_to_ever_new_nodes_are_not_followed_for_ever) {
    start();
    int port = 10'000;
    a.answer = [this, &port](const Args& args) { return args[0] == "CLUSTER" ? map : "-MOVED 5061 evil:" + std::to_string(++port) + "\r\n"; };
    for (int i = 0; i < 600; ++i) ask({"GET", kLow});
    pass(std::chrono::seconds(2), 100);
    EXPECT_EQ(answers.size(), 600u);
    ask({"GET", kHigh});
    EXPECT_EQ(last(), "GET: \"b\"");
}

// ---- subscribers

class Subscriber : public ::testing::Test, public RedisSubscriber::Listener {
 protected:
    void subscribed(const std::string& channel) override { told.push_back("subscribed " + channel); }
    void message(const std::string& channel, const std::string& text) override { told.push_back(channel + ": " + text); }
    void away(const Error& why) override { told.push_back("away: " + why.detail); }
    void start() {
        subscriber = std::make_unique<RedisSubscriber>(loop, peers, Random(7), options, *this);
        subscriber->subscribe("news");
        loop.settle();
    }
    void pass(Duration time, int steps = 1) {
        for (int i = 0; i < steps; ++i) {
            clock.advance(time / steps);
            loop.settle();
        }
    }
    static std::string message_of(const char* channel, const char* text) {
        return resp_list({resp_text("message"), resp_text(channel), resp_text(text)});
    }
    Subscriber() {
        options.nodes = {{"redis", 6379}};
        peer.answer = [](const Args& args) {
            return resp_list({resp_text("subscribe"), resp_text(args.at(1)), resp_number(1)});
        };
    }
    ManualClock clock;
    rt::Loop loop{clock};
    scene::RedisPeers peers{loop};
    scene::RedisPeer& peer = peers.at("redis:6379");
    RedisOptions options;
    std::vector<std::string> told;
    std::unique_ptr<RedisSubscriber> subscriber;
};

TEST_F(Subscriber, hears_what_is_said_on_its_channels) {
    start();
    peer.say(message_of("news", "one") + message_of("other", "no") + message_of("news", "two"));
    loop.settle();
    EXPECT_THAT(told, ElementsAre("subscribed news", "news: one", "news: two"));
}

TEST_F(Subscriber, is_told_of_every_new_subscription_so_that_it_reads_again_what_it_missed) {
    start();
    peer.hang_up();
    pass(std::chrono::milliseconds(100), 10);
    peer.say(message_of("news", "one"));
    loop.settle();
    EXPECT_THAT(told, ElementsAre("subscribed news", "away: Redis at redis:6379 closed the connection", "subscribed news", "news: one"));
}

TEST_F(Subscriber, has_many_channels_each_subscribed_once) {
    start();
    subscriber->subscribe("more");
    subscriber->subscribe("more");
    loop.settle();
    peer.say(message_of("more", "one"));
    loop.settle();
    EXPECT_THAT(told, ElementsAre("subscribed news", "subscribed more", "more: one"));
    EXPECT_EQ(peer.heard.size(), 2u);
}

TEST_F(Subscriber, pings_when_it_is_quiet_and_leaves_whoever_does_not_answer) {
    peer.greets = true;
    start();
    std::size_t greetings = peer.greetings.size();
    pass(std::chrono::seconds(16), 10);
    EXPECT_EQ(peer.greetings.size(), greetings + 1);  // PING, which was answered
    pass(std::chrono::seconds(40), 40);
    EXPECT_THAT(told, ElementsAre("subscribed news"));
    peer.greets = false;
    peer.answer = [](const Args&) { return ""; };
    pass(std::chrono::seconds(26), 40);
    ASSERT_GE(told.size(), 2u);
    EXPECT_EQ(told[1], "away: Redis at redis:6379 is silent");
}

TEST_F(Subscriber, what_it_does_not_understand_makes_it_begin_anew) {
    start();
    peer.say(":7\r\n");
    loop.settle();
    EXPECT_THAT(told, ElementsAre("subscribed news", "away: Redis answered SUBSCRIBE with a number"));
    peer.answer = [](const Args&) { return "-NOPERM No permissions to access a channel\r\n"; };
    pass(std::chrono::milliseconds(500), 50);
    EXPECT_THAT(told.back(), HasSubstr("NOPERM No permissions to access a channel"));
    EXPECT_LE(peer.connections, 20u);
}

}  // namespace
}  // namespace suoke::store
