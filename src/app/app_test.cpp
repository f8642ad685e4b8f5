// SPDX-License-Identifier: MIT
#include "app/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <thread>

#include "rt/pause.h"
#include "rt/scope.h"
#include "rt/socket.h"
#include "testing/files.h"

namespace suoke::app {
namespace {

using testing::Each;
using testing::Field;

constexpr std::size_t kMostStreams = 200;  // before two workers have got one each

// An upstream whose every answer is an event stream without an end, and its clients; all in one loop.
class Visitors final : public rt::Acceptor {
 public:
    Visitors() {
        auto address = rt::Address::parse("127.0.0.1", 0);
        listener_ = std::move(*rt::listen(loop_, *address, 128, *this));
    }
    std::uint16_t port() const { return listener_->address().port(); }

    // In a thread of its own, while the gateway runs in the one that made it.
    void visit(App& app) {
        TimePoint deadline = loop_.fresh_now() + std::chrono::seconds(60);
        scope_.spawn(fill(app, deadline));
        loop_.run();
        scope_.cancel();
        clients_.clear();
        upstreams_.clear();
        kill(getpid(), SIGTERM);  // the gateway waits for it, and for nothing else
    }

    std::vector<gateway::StreamFacts> before, after;
    std::size_t opened = 0;
    std::string failure;

 private:
    void accepted(rt::StreamPtr stream, const rt::Address&) override { scope_.spawn(answer(std::move(stream))); }

    rt::Task<void> answer(rt::StreamPtr stream) {
        rt::Stream& upstream = *upstreams_.emplace_back(std::move(stream));
        co_await read_to(upstream, "\r\n\r\n", kNever);
        upstream.write(std::string_view("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: hello\n\n"));
    }

    // Opens streams until each of the two workers has one.
    rt::Task<void> fill(App& app, TimePoint deadline) {
        before = co_await app.open_streams(loop_);
        std::set<std::uint32_t> workers;
        while (workers.size() < 2 && opened < kMostStreams && failure.empty()) {
            co_await open(app, deadline);
            after = co_await app.open_streams(loop_);
            for (const gateway::StreamFacts& stream : after) workers.insert(stream.worker);
        }
        loop_.stop();
    }

    rt::Task<void> open(const App& app, TimePoint deadline) {
        std::string at = app.address();
        auto address = rt::Address::parse("127.0.0.1", static_cast<std::uint16_t>(std::stoi(at.substr(at.rfind(':') + 1))));
        Result<rt::StreamPtr> stream = co_await rt::connect(loop_, *address, deadline);
        if (!stream) {
            failure = stream.error().detail;
            co_return;
        }
        rt::Stream& client = *clients_.emplace_back(std::move(*stream));
        client.write(std::string_view("GET /events HTTP/1.1\r\nHost: gateway\r\n\r\n"));
        co_await read_to(client, "data: hello\n\n", deadline);
        ++opened;
    }

    rt::Task<void> read_to(rt::Stream& stream, std::string_view mark, TimePoint deadline) {
        std::string all;
        while (all.find(mark) == all.npos) {
            char space[4096];
            rt::Io got = stream.read(space);
            all.append(space, got.bytes);
            if (got.failed()) failure = "the connection ended behind " + all;
            if (got.failed()) co_return;
            if (!got.blocked()) continue;
            rt::Wake woken = co_await stream.readable(deadline);
            if (woken == rt::Wake::timeout) failure = "nothing came behind " + all;
            if (woken == rt::Wake::timeout) co_return;
        }
    }

    SystemClock clock_;
    rt::Loop loop_{clock_};
    std::unique_ptr<rt::Listener> listener_;
    std::vector<rt::StreamPtr> clients_, upstreams_;
    rt::TaskScope scope_;
};

TEST(App, lists_the_open_streams_of_every_worker_to_whoever_asks_from_another_thread) {
    Visitors visitors;
    AppOptions options;
    options.sources.yaml_text =
        "server: {host: 127.0.0.1, workers: 2, drain_timeout: 1s}\n"
        "logging: {level: error, access: false}\n"
        "services: {events: {endpoints: [{host: 127.0.0.1, port: " + std::to_string(visitors.port()) + "}]}}\n"
        "routes: [{name: events, prefix: /events, service: events}]\n";
    config::Loaded loaded = config::load(options.sources);
    for (const config::Problem& problem : loaded.problems) ADD_FAILURE() << to_string(problem);
    loaded.config.server.port = 0;
    App app(std::move(options), std::move(loaded));
    std::thread thread([&] { visitors.visit(app); });
    EXPECT_EQ(app.run(), 0);
    thread.join();

    using Facts = gateway::StreamFacts;
    EXPECT_EQ(visitors.failure, "");
    EXPECT_TRUE(visitors.before.empty());
    EXPECT_EQ(visitors.after.size(), visitors.opened);
    EXPECT_THAT(visitors.after, Each(Field(&Facts::kind, "sse")));
    EXPECT_THAT(visitors.after, Each(Field(&Facts::route, "events")));
    EXPECT_THAT(visitors.after, Each(Field(&Facts::bytes, testing::Ge(std::string_view("data: hello\n\n").size()))));
    std::set<std::uint32_t> workers;
    for (const Facts& stream : visitors.after) workers.insert(stream.worker);
    EXPECT_EQ(workers, (std::set<std::uint32_t>{0, 1}));
}

// ---- reload

// Has a port that it shares with nobody (of a connection: listeners of ours would share it). Reloads a gateway
// whose configuration names it, then frees it and reloads again; in a thread of its own.
class Operator final : public rt::Acceptor {
 public:
    explicit Operator(std::string log) : log_(std::move(log)) {
        listener_ = std::move(*rt::listen(loop_, *rt::Address::parse("127.0.0.1", 0), 8, *this));
        scope_.spawn(take_port());
        for (int i = 0; i < 10'000 && !(client_ && server_); ++i) loop_.settle();
        CHECK(client_ && server_);
    }
    std::uint16_t port() const { return port_.port(); }

    void work() {
        scope_.spawn(work_through());
        loop_.run();
        kill(getpid(), SIGTERM);
    }

    bool was_told = false, is_open = false;

 private:
    void accepted(rt::StreamPtr stream, const rt::Address& peer) override {
        server_ = std::move(stream);
        port_ = peer;
    }
    rt::Task<void> take_port() {
        Result<rt::StreamPtr> stream = co_await rt::connect(loop_, listener_->address(), kNever);
        if (stream) client_ = std::move(*stream);
    }
    void free_port() {
        client_->reset_on_close();  // it would be kept for a while
        client_.reset();
    }
    rt::Task<void> work_through() {
        TimePoint deadline = loop_.fresh_now() + std::chrono::seconds(30);
        kill(getpid(), SIGHUP);
        while (!was_told && loop_.now() < deadline) {
            rt::Pause pause(loop_, loop_.now() + std::chrono::milliseconds(10));
            co_await pause;
            was_told = scene::read_file(log_).find("configuration applied, but not to every listener") != std::string::npos;
        }
        free_port();
        for (int i = 0; !is_open && loop_.now() < deadline; ++i) {
            if (i % 20 == 0) kill(getpid(), SIGHUP);   // somebody else may have had the port for a moment
            rt::Pause pause(loop_, loop_.now() + std::chrono::milliseconds(10));
            co_await pause;
            Result<rt::StreamPtr> stream = co_await rt::connect(loop_, port_, deadline);
            is_open = stream.has_value();
        }
        loop_.stop();
    }

    const std::string log_;
    SystemClock clock_;
    rt::Loop loop_{clock_};
    std::unique_ptr<rt::Listener> listener_;
    rt::StreamPtr client_, server_;
    rt::Address port_;
    rt::TaskScope scope_;
};

TEST(App, a_listener_that_could_not_be_opened_is_tried_again_at_the_next_reload) {
    AppOptions options;
    options.sources.yaml_path = scene::own_file("reloads.yaml");
    const std::string log = scene::own_file("reloads.log");
    Operator person(log);
    std::ofstream(options.sources.yaml_path)
        << "server: {host: 127.0.0.1, port: " << person.port() << ", workers: 2, drain_timeout: 1s}\n"
        << "logging: {level: info, access: false, file: '" << log << "'}\n";
    config::Loaded loaded = config::load(options.sources);
    for (const config::Problem& problem : loaded.problems) ADD_FAILURE() << to_string(problem);
    loaded.config.server.port = 0;  // it begins elsewhere
    App app(std::move(options), std::move(loaded));
    std::thread thread([&] { person.work(); });
    EXPECT_EQ(app.run(), 0);
    thread.join();

    EXPECT_TRUE(person.was_told);
    EXPECT_TRUE(person.is_open);
    EXPECT_EQ(app.address(), "127.0.0.1:" + std::to_string(person.port()));
    EXPECT_NE(scene::read_file(log).find("the old listener stays open"), std::string::npos);
}

}  // namespace
}  // namespace suoke::app
