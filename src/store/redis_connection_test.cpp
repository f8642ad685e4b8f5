// SPDX-License-Identifier: MIT
// One connection against a server in memory that says what each test wants.
#include "store/redis_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/redis_peer.h"

namespace suoke::store {
namespace {

using scene::resp_text;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Args = std::vector<std::string>;

class OneConnection : public ::testing::Test {
 protected:
    ~OneConnection() override { scope.cancel(); }

    static rt::Task<void> keep_opened(rt::Task<Result<std::unique_ptr<RedisConnection>>> task, OneConnection& test) {
        auto opened = co_await std::move(task);
        if (opened) test.connection = std::move(*opened);
        else test.refused = opened.error().detail;
    }
    void open() {
        scope.spawn(keep_opened(RedisConnection::open(loop, peers, node, options), *this));
        loop.settle();
    }
    // What came, in the order it came: "name: reply".
    static rt::Task<void> ask(RedisConnection& connection, Args args, TimePoint deadline, std::string name, std::vector<std::string>& answers) {
        RedisOutcome outcome = co_await connection.command(args, deadline);
        std::string text = outcome.reply ? outcome.reply->to_string() : outcome.reply.error().detail;
        answers.push_back(name + ": " + text + (outcome.sent ? "" : " (never sent)"));
    }
    rt::Task<void> get(const std::string& key, Duration patience = std::chrono::seconds(1)) {
        return ask(*connection, {"GET", key}, loop.now() + patience, key, answers);
    }
    void pass(Duration time) {
        clock.advance(time);
        loop.settle();
    }

    ManualClock clock;
    rt::Loop loop{clock};
    scene::RedisPeers peers{loop};
    scene::RedisPeer& peer = peers.at("redis:6379");
    RedisNode node{"redis", 6379};
    RedisOptions options;
    std::unique_ptr<RedisConnection> connection;
    std::string refused;
    std::vector<std::string> answers;
    rt::TaskScope scope;
};

// A server that does the handshake of TLS and then says nothing.
class BehindTls final : public upstream::Dialer {
 public:
    BehindTls(rt::Loop& loop, std::shared_ptr<const rt::TlsServer> server) : loop_(loop), server_(std::move(server)) {}
    rt::Task<Result<rt::StreamPtr>> dial(upstream::EndpointAddress, TimePoint) override {
        auto [near, far] = rt::memory_pair(loop_, 64 * 1024);
        scope_.spawn(accept(std::move(far)));
        co_return std::move(near);
    }
    Result<rt::StreamPtr> accepted = Error(Code::internal, "not yet");

 private:
    rt::Task<void> accept(rt::StreamPtr stream) { accepted = co_await rt::tls_accept(std::move(stream), server_, kNever); }
    rt::Loop& loop_;
    std::shared_ptr<const rt::TlsServer> server_;
    rt::TaskScope scope_;
};

TEST_F(OneConnection, over_tls_offers_no_protocol_because_redis_has_no_name_there) {
    rt::CertificatePem pem = rt::make_local_certificate({"redis"});
    rt::TlsServerOptions serving;
    serving.certificates = {pem};
    serving.alpn = {"redis"};  // whoever offers something else is refused
    rt::TlsClientOptions trusting;
    trusting.ca = pem.chain;
    options.tls = *rt::TlsClient::make(trusting);
    BehindTls dialer(loop, *rt::TlsServer::make(serving));
    scope.spawn(keep_opened(RedisConnection::open(loop, dialer, node, options), *this));
    loop.settle();
    ASSERT_TRUE(dialer.accepted) << dialer.accepted.error().detail;
    EXPECT_EQ((*dialer.accepted)->tls()->alpn, "");
    scope.cancel();
}

TEST_F(OneConnection, says_hello_in_one_breath) {
    options.username = "gateway";
    options.password = Secret("secret");
    options.db = 3;
    open();
    ASSERT_TRUE(connection) << refused;
    EXPECT_THAT(peer.greetings, ElementsAre(Args{"AUTH", "gateway", "secret"}, Args{"SELECT", "3"}, Args{"CLIENT", "SETNAME", "suoke-gateway"}, Args{"PING"}));
}

TEST_F(OneConnection, a_password_alone_is_the_old_way_to_log_in) {
    options.password = Secret("secret");
    options.client_name = "";
    open();
    EXPECT_THAT(peer.greetings, ElementsAre(Args{"AUTH", "secret"}, Args{"PING"}));
}

TEST_F(OneConnection, a_login_that_is_refused_is_told_with_the_servers_words) {
    peer.greets = false;
    peer.answer = [](const Args& args) { return args[0] == "AUTH" ? "-WRONGPASS invalid username-password pair\r\n" : "-NOAUTH Authentication required.\r\n"; };
    options.password = Secret("hunter2");
    open();
    EXPECT_FALSE(connection);
    EXPECT_EQ(refused, "Redis at redis:6379 refused: WRONGPASS invalid username-password pair");
}

TEST_F(OneConnection, a_user_that_may_not_be_named_or_pinged_is_good_enough) {
    peer.greets = false;
    peer.answer = [](const Args& args) { return args[0] == "AUTH" ? "+OK\r\n" : "-NOPERM this user has no permissions\r\n"; };
    options.password = Secret("secret");
    open();
    EXPECT_TRUE(connection) << refused;
}

TEST_F(OneConnection, a_server_that_loads_its_data_is_not_there_yet) {
    peer.greets = false;
    peer.answer = [](const Args& args) { return args[0] == "PING" ? "-LOADING Redis is loading the dataset in memory\r\n" : "+OK\r\n"; };
    open();
    EXPECT_THAT(refused, HasSubstr("LOADING"));
}

TEST_F(OneConnection, whoever_does_not_greet_in_time_is_left) {
    peer.greets = false;
    peer.answer = [](const Args&) { return ""; };
    open();
    pass(std::chrono::milliseconds(2010));
    EXPECT_EQ(refused, "Redis at redis:6379 did not answer in time");
    peer.refuses = true;
    open();
    EXPECT_THAT(refused, HasSubstr("cannot be reached: connect_failed: connect to redis:6379: connection refused"));
}

TEST_F(OneConnection, answers_come_in_the_order_of_the_questions) {
    peer.answer = [](const Args& args) { return resp_text("of " + args[1]); };
    open();
    for (const char* key : {"a", "b", "c"}) scope.spawn(get(key));
    EXPECT_EQ(connection->in_flight(), 3u);
    loop.settle();
    EXPECT_THAT(answers, ElementsAre("a: \"of a\"", "b: \"of b\"", "c: \"of c\""));
    EXPECT_EQ(connection->in_flight(), 0u);
}

TEST_F(OneConnection, works_byte_by_byte_in_both_directions) {
    peer.capacity = 1;
    peer.answer = [](const Args& args) { return "*2\r\n" + resp_text(args[1]) + ":7\r\n"; };
    open();
    ASSERT_TRUE(connection) << refused;
    for (const char* key : {"a", "b"}) scope.spawn(get(key));
    loop.settle();
    EXPECT_THAT(answers, ElementsAre("a: [\"a\", 7]", "b: [\"b\", 7]"));
}

TEST_F(OneConnection, an_error_reply_is_an_answer) {
    peer.answer = [](const Args&) { return "-WRONGTYPE Operation against a key\r\n"; };
    open();
    scope.spawn(get("a"));
    loop.settle();
    EXPECT_THAT(answers, ElementsAre("a: error: WRONGTYPE Operation against a key"));
    EXPECT_FALSE(connection->broken());
}

TEST_F(OneConnection, whoever_gives_up_does_not_get_the_next_ones_answer) {
    open();
    peer.answer = [](const Args&) { return ""; };
    rt::TaskScope impatient;
    impatient.spawn(get("a"));
    scope.spawn(get("b"));
    loop.settle();
    impatient.cancel();
    peer.say(resp_text("of a") + resp_text("of b"));
    loop.settle();
    EXPECT_THAT(answers, ElementsAre("b: \"of b\""));
}

TEST_F(OneConnection, a_deadline_ends_one_wait_and_not_the_connection) {
    open();
    peer.answer = [](const Args&) { return ""; };
    scope.spawn(get("a", std::chrono::milliseconds(100)));
    scope.spawn(get("b"));
    pass(std::chrono::milliseconds(110));
    EXPECT_THAT(answers, ElementsAre("a: Redis at redis:6379 did not answer in time"));
    peer.say(resp_text("of a") + resp_text("of b"));
    loop.settle();
    EXPECT_EQ(answers.back(), "b: \"of b\"");
    EXPECT_FALSE(connection->broken());
}

TEST_F(OneConnection, when_it_breaks_everyone_who_waits_is_told) {
    open();
    peer.answer = [](const Args&) { return ""; };
    for (const char* key : {"a", "b"}) scope.spawn(get(key));
    loop.settle();
    peer.hang_up();
    loop.settle();
    EXPECT_THAT(answers, ElementsAre("a: Redis at redis:6379 closed the connection", "b: Redis at redis:6379 closed the connection"));
    scope.spawn(get("c"));
    EXPECT_EQ(answers.back(), "c: Redis at redis:6379 closed the connection (never sent)");
}

TEST_F(OneConnection, what_was_still_queued_was_never_sent) {
    open();
    scope.spawn(get("a"));
    connection->give_up(Error(Code::store_unavailable, "gone"));
    loop.settle();
    EXPECT_THAT(answers, ElementsAre("a: gone (never sent)"));
    EXPECT_THAT(peer.heard, ElementsAre());
}

TEST_F(OneConnection, may_be_destroyed_while_others_wait_even_by_one_of_them) {
    open();
    peer.answer = [](const Args&) { return ""; };
    struct Destroyer {
        static rt::Task<void> run(std::unique_ptr<RedisConnection>& connection, Args args) {
            co_await connection->command(args, kNever);
            connection.reset();
        }
    };
    scope.spawn(Destroyer::run(connection, {"GET", "a"}));
    scope.spawn(get("b"));
    loop.settle();
    peer.say(resp_text("of a"));
    loop.settle();
    EXPECT_THAT(answers, ElementsAre("b: Redis at redis:6379 is not used any more"));
}

TEST_F(OneConnection, silence_with_commands_in_flight_breaks_it_however_many_more_are_sent) {
    open();
    peer.answer = [](const Args&) { return ""; };
    for (int i = 0; i < 6; ++i) {
        if (!connection->broken()) scope.spawn(get(std::to_string(i), std::chrono::minutes(1)));
        pass(std::chrono::seconds(1));
    }
    ASSERT_TRUE(connection->broken());
    EXPECT_EQ(connection->why().detail, "Redis at redis:6379 is silent with commands in flight");
    EXPECT_EQ(answers.size(), 5u);
}

TEST_F(OneConnection, may_be_silent_when_there_is_nothing_to_say) {
    open();
    peer.answer = [](const Args&) { return resp_text("x"); };
    scope.spawn(get("a"));
    loop.settle();
    pass(std::chrono::hours(1));
    EXPECT_FALSE(connection->broken());
}

TEST_F(OneConnection, takes_a_number_of_commands_and_of_bytes_and_no_more) {
    options.most_in_flight = 4;
    options.most_queued_bytes = 1000;
    open();
    ASSERT_TRUE(connection) << refused;
    peer.answer = [](const Args&) { return ""; };
    for (const char* key : {"a", "b", "c", "d"}) scope.spawn(get(key));
    EXPECT_THAT(answers, ElementsAre("d: Redis at redis:6379 has 3 commands to answer already (never sent)"));
    loop.settle();
    peer.say(resp_text("1") + resp_text("2") + resp_text("3"));
    loop.settle();
    answers.clear();
    scope.spawn(get(std::string(2000, 'x')));
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_THAT(answers[0], HasSubstr("does not take what is queued for it (never sent)"));
}

TEST_F(OneConnection, what_nobody_asked_for_breaks_it) {
    open();
    peer.say(resp_text("hello?"));
    loop.settle();
    ASSERT_TRUE(connection->broken());
    EXPECT_EQ(connection->why().detail, "Redis at redis:6379 said something that nobody asked for");
    open();
    peer.say("-ERR max number of clients reached\r\n");
    loop.settle();
    EXPECT_THAT(connection->why().detail, HasSubstr("max number of clients reached"));
}

TEST_F(OneConnection, nonsense_and_lies_break_it) {
    options.limits.bytes = 1000;
    for (const std::string& said : {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), "$4000000000\r\n" + std::string(2000, 'x'), std::string("*2000000000\r\n"),
                                    std::string(">2\r\n+message\r\n+x\r\n")}) {
        open();
        peer.answer = [&said](const Args&) { return said; };
        answers.clear();
        scope.spawn(get("a"));
        loop.settle();
        ASSERT_EQ(answers.size(), 1u) << said.substr(0, 20);
        EXPECT_THAT(answers[0], HasSubstr("is not understood")) << said.substr(0, 20);
    }
}

TEST_F(OneConnection, asking_goes_right_before_its_command) {
    open();
    peer.answer = [](const Args& args) { return args[0] == "ASKING" ? scene::kRespOk : resp_text("x"); };
    struct Asker {
        static rt::Task<void> run(RedisConnection& connection, Args args, std::vector<std::string>& answers) {
            RedisOutcome outcome = co_await connection.command(args, kNever, true);
            answers.push_back(outcome.reply->to_string());
        }
    };
    scope.spawn(get("a"));
    scope.spawn(Asker::run(*connection, {"GET", "b"}, answers));
    loop.settle();
    EXPECT_THAT(peer.heard, ElementsAre(Args{"GET", "a"}, Args{"ASKING"}, Args{"GET", "b"}));
    EXPECT_THAT(answers, ElementsAre("a: \"x\"", "\"x\""));
}

}  // namespace
}  // namespace suoke::store
