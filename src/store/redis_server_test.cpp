// SPDX-License-Identifier: MIT
// The client against real servers: what they do when they are killed, full, locked, promoted or resharded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "store/redis_kv.h"
#include "store/redis_subscriber.h"
#include "testing/files.h"
#include "testing/redis_server.h"

namespace suoke::store {
namespace {

using scene::RedisServer;
using ::testing::HasSubstr;
using Args = std::vector<std::string>;

class RealRedis : public ::testing::Test {
 protected:
    void SetUp() override {
        if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
        options.command_timeout = options.connect_timeout = options.silence = std::chrono::seconds(20);  // the machine may be busy
        options.max_reconnect_delay = std::chrono::milliseconds(200);
    }
    static RedisNode node_of(const RedisServer& server) { return {server.host(), server.port()}; }
    void start() { redis = std::make_unique<Redis>(loop, dialer, Random::from_system(), options); }

    std::string ask(Args args, Effect effect = Effect::once) {
        std::string key = args.size() > 1 ? args[1] : "";
        return shown(scene::await(loop, redis->command_for(std::move(key), std::move(args), effect)));
    }
    // To one server, past the client.
    std::string tell(const RedisServer& server, Args args) {
        RedisOptions plain;
        plain.client_name = "";
        plain.command_timeout = std::chrono::seconds(10);
        auto opened = scene::await(loop, RedisConnection::open(loop, dialer, node_of(server), plain));
        if (!opened) return opened.error().detail;
        return shown(scene::await(loop, command(**opened, std::move(args))));
    }
    static rt::Task<Result<RedisValue>> command(RedisConnection& connection, Args args) {
        RedisOutcome outcome = co_await connection.command(args, kNever);
        co_return std::move(outcome.reply);
    }
    static std::string shown(const Result<RedisValue>& reply) { return reply ? reply->to_string() : reply.error().detail; }

    void until(const std::function<bool()>& true_at_last, Duration patience = std::chrono::seconds(30)) {
        TimePoint deadline = loop.fresh_now() + patience;
        while (!true_at_last() && loop.fresh_now() < deadline) {
            loop.settle();
            scene::nap();
        }
        EXPECT_TRUE(true_at_last()) << (redis && !redis->up() ? "Redis is down" : "");
    }

    SystemClock clock;
    rt::Loop loop{clock};
    upstream::SocketDialer dialer{loop};
    RedisOptions options;
    std::unique_ptr<Redis> redis;
};

TEST_F(RealRedis, is_there_again_after_it_was_killed_and_has_forgotten_the_scripts) {
    RedisServer server;
    options.nodes = {node_of(server)};
    start();
    const Script script("return redis.call('INCR', KEYS[1])");
    EXPECT_EQ(shown(scene::await(loop, redis->script(script, {"n"}, {}))), "1");
    EXPECT_EQ(shown(scene::await(loop, redis->script(script, {"n"}, {}))), "2");
    server.kill();
    until([this] { return !redis->up(); });
    server.start();
    until([this] { return redis->up(); });
    EXPECT_EQ(shown(scene::await(loop, redis->script(script, {"n"}, {}))), "1");
}

TEST_F(RealRedis, many_at_once_are_answered_each_with_its_own) {
    RedisServer server;
    options.nodes = {node_of(server)};
    start();
    struct Echo {
        static rt::Task<void> run(Redis& redis, int number, int& right) {
            std::string text(static_cast<std::size_t>(number) * 7 % 5000, static_cast<char>('a' + number % 26));
            std::vector<std::string> args{"ECHO", text};
            Result<RedisValue> reply = co_await redis.command(std::move(args));
            right += reply && reply->text == text;
        }
    };
    int right = 0;
    rt::TaskScope scope;
    for (int i = 0; i < 2000; ++i) scope.spawn(Echo::run(*redis, i, right));
    until([&scope] { return scope.idle(); });
    EXPECT_EQ(right, 2000);
}

TEST_F(RealRedis, a_full_memory_is_an_error_and_what_is_there_can_be_read) {
    RedisServer server(RedisServer::On::unix_socket, {"--maxmemory", "4mb", "--maxmemory-policy", "noeviction"});
    options.nodes = {node_of(server)};
    start();
    RedisKv kv(loop, *redis);
    ASSERT_TRUE(scene::await(loop, kv.put("first", "value", Duration::zero())));
    Result<void> put;
    for (int i = 0; i < 100 && put; ++i) put = scene::await(loop, kv.put(std::to_string(i), std::string(500'000, 'x'), Duration::zero()));
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, Code::store_unavailable);
    EXPECT_THAT(put.error().detail, HasSubstr("OOM command not allowed"));
    tell(server, {"CONFIG", "SET", "maxmemory", "1"});  // full for anything, whatever buffers are given back
    Result<std::int64_t> sum = scene::await(loop, kv.add("n", 1, Duration::zero()));
    ASSERT_FALSE(sum);
    EXPECT_THAT(sum.error().detail, HasSubstr("OOM"));
    EXPECT_EQ(**scene::await(loop, kv.get("first")), "value");
    EXPECT_TRUE(*scene::await(loop, kv.erase("0")));
    tell(server, {"CONFIG", "SET", "maxmemory", "0"});
    EXPECT_EQ(*scene::await(loop, kv.add("n", 1, Duration::zero())), 1);
    EXPECT_TRUE(redis->up());
}

TEST_F(RealRedis, logs_in_with_a_password_or_as_a_user_and_says_why_it_may_not) {
    RedisServer server(RedisServer::On::unix_socket, {"--requirepass", "secret", "--user", "gateway", "on", ">word", "~suoke:*", "+@all",
                                                      "--user", "reader", "on", ">word", "~*", "+get"});
    options.nodes = {node_of(server)};
    auto outcome = [this](const char* user, const char* password, Args args) {
        options.username = user;
        options.password = Secret(password);
        start();
        return ask(std::move(args));
    };
    EXPECT_EQ(outcome("", "secret", {"SET", "other", "1"}), "\"OK\"");
    EXPECT_EQ(outcome("gateway", "word", {"SET", "suoke:a", "1"}), "\"OK\"");
    EXPECT_THAT(outcome("gateway", "word", {"SET", "other", "1"}), HasSubstr("NOPERM"));
    EXPECT_EQ(outcome("reader", "word", {"GET", "suoke:a"}), "\"1\"");  // may neither PING nor be named
    EXPECT_THAT(outcome("gateway", "wrong", {"GET", "suoke:a"}), HasSubstr("WRONGPASS"));
    EXPECT_THAT(outcome("", "wrong", {"GET", "suoke:a"}), HasSubstr("WRONGPASS"));
    EXPECT_THAT(outcome("", "", {"GET", "suoke:a"}), HasSubstr("NOAUTH"));
    EXPECT_FALSE(redis->up());
}

TEST_F(RealRedis, is_spoken_to_over_tls_when_it_is_whom_we_trust) {
    rt::NewCertificate wanted;
    wanted.names = {"127.0.0.1"};
    rt::CertificatePem certificate = rt::make_certificate(wanted);
    const std::string pem = scene::own_file("redis.pem"), key = scene::own_file("redis.key");
    std::ofstream(pem) << certificate.chain;
    std::ofstream(key) << certificate.key;
    std::unique_ptr<RedisServer> server;
    try {
        server = std::make_unique<RedisServer>(RedisServer::On::tls_port, Args{"--tls-cert-file", pem, "--tls-key-file", key, "--tls-ca-cert-file", pem, "--tls-auth-clients", "no"});
    } catch (const StartupError&) {
        GTEST_SKIP() << "redis-server was built without TLS";
    }
    options.nodes = {node_of(*server)};
    rt::TlsClientOptions rules;
    rules.ca = certificate.chain;
    options.tls = *rt::TlsClient::make(rules);
    start();
    EXPECT_EQ(ask({"SET", "a", std::string(300'000, 'x')}), "\"OK\"");
    EXPECT_EQ(ask({"STRLEN", "a"}), "300000");
    EXPECT_EQ(ask({"GET", "a"}).size(), 205u);  // cut for people, but it all came
    rules.ca.clear();
    options.tls = *rt::TlsClient::make(rules);
    start();
    EXPECT_THAT(ask({"GET", "a"}), HasSubstr("tls_failed"));
    options.tls = nullptr;
    start();
    EXPECT_THAT(ask({"GET", "a"}), HasSubstr("Redis at 127.0.0.1:"));
}

TEST_F(RealRedis, one_that_stands_still_is_left_and_found_again) {
    RedisServer server;
    options.nodes = {node_of(server)};
    options.command_timeout = std::chrono::milliseconds(200);
    options.connect_timeout = std::chrono::milliseconds(300);
    options.silence = std::chrono::milliseconds(400);
    start();
    until([this] { return ask({"SET", "a", "1"}, Effect::idempotent) == "\"OK\""; });
    server.freeze(true);
    EXPECT_THAT(ask({"GET", "a"}), HasSubstr("did not answer in time"));
    until([this] { return !redis->up(); });
    server.freeze(false);
    until([this] { return redis->up(); });
    until([this] { return ask({"GET", "a"}, Effect::idempotent) == "\"1\""; });
}

TEST_F(RealRedis, a_subscriber_hears_what_is_published_also_after_a_restart) {
    struct Heard final : RedisSubscriber::Listener {
        void subscribed(const std::string&) override { ++subscriptions; }
        void message(const std::string&, const std::string& text) override { texts.push_back(text); }
        int subscriptions = 0;
        std::vector<std::string> texts;
    };
    RedisServer server;
    options.nodes = {node_of(server)};
    options.db = 3;  // channels know no databases
    start();
    Heard heard;
    RedisSubscriber subscriber(loop, dialer, Random(1), options, heard);
    subscriber.subscribe("news");
    until([&heard] { return heard.subscriptions == 1; });
    EXPECT_EQ(ask({"PUBLISH", "news", "one"}), "1");
    server.kill();
    until([&subscriber] { return !subscriber.up(); });
    server.start();
    until([&heard] { return heard.subscriptions == 2; });
    until([this] { return redis->up(); });
    EXPECT_EQ(ask({"PUBLISH", "news", "two"}), "1");
    until([&heard] { return heard.texts.size() == 2; });
    EXPECT_THAT(heard.texts, ::testing::ElementsAre("one", "two"));
}

TEST_F(RealRedis, the_sentinels_failover_is_followed) {
    RedisServer master(RedisServer::On::port);
    RedisServer replica(RedisServer::On::port, {"--replicaof", "127.0.0.1 " + std::to_string(master.port()), "--repl-diskless-sync-delay", "0"});
    tell(master, {"CONFIG", "SET", "repl-diskless-sync-delay", "0"});
    until([&] { return tell(replica, {"ROLE"}).find("connected") != std::string::npos; });
    std::string config = "sentinel monitor mymaster 127.0.0.1 " + std::to_string(master.port()) +
                         " 2\nsentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 3000\n";
    std::vector<std::unique_ptr<RedisServer>> sentinels;
    for (int i = 0; i < 3; ++i) sentinels.push_back(RedisServer::sentinel(config));
    options.mode = RedisMode::sentinel;
    options.master_name = "mymaster";
    for (auto& sentinel : sentinels) options.nodes.push_back(node_of(*sentinel));
    for (auto& sentinel : sentinels)  // they find each other by way of the master, within two seconds
        until([&] { return tell(*sentinel, {"SENTINEL", "ckquorum", "mymaster"}).find("OK 3 usable") != std::string::npos; });
    until([&] { return tell(*sentinels[0], {"SENTINEL", "replicas", "mymaster"}).size() > 2; });

    start();
    EXPECT_EQ(ask({"SET", "a", "1"}), "\"OK\"");
    EXPECT_THAT(ask({"ROLE"}), HasSubstr("master"));
    until([&] { return tell(replica, {"DBSIZE"}) == "1"; });
    master.kill();
    until([&] { return ask({"SET", "b", "2"}, Effect::idempotent) == "\"OK\""; }, std::chrono::seconds(30));
    EXPECT_EQ(ask({"GET", "a"}, Effect::idempotent), "\"1\"");
    EXPECT_EQ(tell(replica, {"GET", "b"}), "\"2\"");
}

class RealCluster : public RealRedis {
 protected:
    void SetUp() override {
        RealRedis::SetUp();
        if (IsSkipped()) return;
        for (int i = 0; i < 3; ++i)
            nodes.push_back(std::make_unique<RedisServer>(RedisServer::On::cluster_port, Args{"--cluster-node-timeout", "2000"}));
        const char* slots[3][2] = {{"0", "5460"}, {"5461", "10922"}, {"10923", "16383"}};
        for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(tell(*nodes[i], {"CLUSTER", "ADDSLOTSRANGE", slots[i][0], slots[i][1]}), "\"OK\"");
        for (std::size_t i = 0; i < 3; ++i) tell(*nodes[i], {"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
        for (std::size_t i = 1; i < 3; ++i) {
            std::string bus = tell(*nodes[i], {"CONFIG", "GET", "cluster-port"});  // ["cluster-port", "4711"]
            bus = bus.substr(bus.find(", \"") + 3);
            bus.resize(bus.find('"'));
            EXPECT_EQ(tell(*nodes[0], {"CLUSTER", "MEET", "127.0.0.1", std::to_string(nodes[i]->port()), bus}), "\"OK\"");
        }
        for (auto& node : nodes)
            until([&] {
                std::string info = tell(*node, {"CLUSTER", "INFO"});
                return info.find("cluster_state:ok") != std::string::npos && info.find("cluster_known_nodes:3") != std::string::npos;
            });
        options.mode = RedisMode::cluster;
        options.nodes = {node_of(*nodes[0])};
        start();
        until([this] { return redis->up(); });
    }
    RedisServer& owner_of(const std::string& key) {
        std::uint16_t slot = redis_slot_of(key);
        return *nodes[slot <= 5460 ? 0 : slot <= 10922 ? 1 : 2];
    }
    std::string id_of(const RedisServer& node) {
        std::string quoted = tell(node, {"CLUSTER", "MYID"});
        return quoted.substr(1, quoted.size() - 2);
    }
    std::vector<std::unique_ptr<RedisServer>> nodes;
};

TEST_F(RealCluster, keeps_what_it_is_given_wherever_it_belongs) {
    RedisKv kv(loop, *redis);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(scene::await(loop, kv.put("k" + std::to_string(100 + i), std::to_string(i), Duration::zero())));
    Result<std::vector<Entry>> all = scene::await(loop, kv.list("k", 1000));
    ASSERT_TRUE(all) << all.error().detail;
    ASSERT_EQ(all->size(), 100u);
    EXPECT_EQ(all->front(), (Entry{"k100", "0"}));
    for (auto& node : nodes) EXPECT_NE(tell(*node, {"DBSIZE"}), "0");
    EXPECT_EQ(*scene::await(loop, kv.add("n", 5, Duration::zero())), 5);
    EXPECT_TRUE(*scene::await(loop, kv.replace("n", "5", "6", Duration::zero())));
}

TEST_F(RealCluster, a_slot_that_moves_is_followed_all_the_way) {
    const std::string key = "suoke:kv:moving";
    RedisServer& from = owner_of(key);
    RedisServer& to = *nodes[&from == nodes[0].get() ? 1 : 0];
    const std::string slot = std::to_string(redis_slot_of(key));
    RedisKv kv(loop, *redis);
    ASSERT_TRUE(scene::await(loop, kv.put("moving", "1", Duration::zero())));

    EXPECT_EQ(tell(to, {"CLUSTER", "SETSLOT", slot, "IMPORTING", id_of(from)}), "\"OK\"");
    EXPECT_EQ(tell(from, {"CLUSTER", "SETSLOT", slot, "MIGRATING", id_of(to)}), "\"OK\"");
    EXPECT_EQ(**scene::await(loop, kv.get("moving")), "1");  // not moved yet
    EXPECT_EQ(tell(from, {"MIGRATE", "127.0.0.1", std::to_string(to.port()), key, "0", "5000"}), "\"OK\"");
    EXPECT_EQ(**scene::await(loop, kv.get("moving")), "1");  // ASK
    EXPECT_TRUE(*scene::await(loop, kv.replace("moving", "1", "2", Duration::zero())));  // ASK, NOSCRIPT, ASK

    for (auto* node : {&to, &from}) EXPECT_EQ(tell(*node, {"CLUSTER", "SETSLOT", slot, "NODE", id_of(to)}), "\"OK\"");
    EXPECT_EQ(**scene::await(loop, kv.get("moving")), "2");  // MOVED
    EXPECT_EQ(tell(to, {"GET", key}), "\"2\"");
}

}  // namespace
}  // namespace suoke::store
