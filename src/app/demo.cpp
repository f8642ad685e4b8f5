// SPDX-License-Identifier: MIT
#include "app/demo.h"

#include <thread>
#include <vector>

#include "app/demo_answers.h"
#include "base/text.h"
#include "http/session_h1.h"
#include "rt/process.h"
#include "rt/scope.h"
#include "rt/socket.h"

namespace suoke::app {
namespace {

constexpr const char* kServices[] = {"AUTH",   "USER", "HEALTH_DATA",
                                     "XIAOAI", "LOOK", "CALCULATION"};
constexpr int kBacklog = 128;

}  // namespace

// One loop answers for all services: the table of answers has no path twice.
class DemoServices::Server final : public http::Handler, public rt::Acceptor {
 public:
    ~Server() {
        if (!thread_.joinable()) return;
        loop_.post([this] { loop_.stop(); });
        thread_.join();
    }

    std::uint16_t open_port() {
        auto opened = rt::listen(loop_, *rt::Address::parse("127.0.0.1", 0), kBacklog, *this);
        if (!opened) throw StartupError("demo services: " + opened.error().detail);
        listeners_.push_back(std::move(*opened));
        return listeners_.back()->address().port();
    }

    void start(std::string secret) {
        secret_ = std::move(secret);
        thread_ = std::thread([this] {
            rt::name_this_thread("demo");
            loop_.run();
        });
    }

    // rt::Acceptor
    void accepted(rt::StreamPtr stream, const rt::Address& peer) override {
        connections_.spawn(connection(std::move(stream), peer));
    }

    // http::Handler
    rt::Task<void> handle(http::Request& request, http::Responder& responder) override {
        http::Response response = co_await demo_answer(loop_, request, secret_);
        co_await responder.send(std::move(response));
    }
    rt::Task<void> refuse(http::Request&, Error error, http::Responder& responder) override {
        http::Response response;
        response.status = error.status();
        response.close = true;
        co_await responder.send(std::move(response));
    }
    const http::SessionLimits& limits() const override { return limits_; }
    std::string_view date() override { return date_ = http_date(loop_.clock().wall()); }

 private:
    rt::Task<void> connection(rt::StreamPtr stream, rt::Address peer) {
        http::H1Session session(*stream, peer, buffers_, *this);
        co_await session.run();
    }

    SystemClock clock_;
    rt::Loop loop_{clock_};
    rt::BufferBudget budget_{64ull << 20};
    rt::BufferPool buffers_{budget_};
    http::SessionLimits limits_;
    std::string date_, secret_;
    std::vector<std::unique_ptr<rt::Listener>> listeners_;
    rt::TaskScope connections_;  // ends before everything above
    std::thread thread_;
};

DemoServices::DemoServices() : server_(std::make_unique<Server>()) {
    for (const char* service : kServices)
        variables_["DEMO_" + std::string(service) + "_PORT"] = std::to_string(server_->open_port());
}

DemoServices::~DemoServices() = default;

void DemoServices::start(const Secret& key) {
    server_->start(key.reveal());
}

}  // namespace suoke::app
