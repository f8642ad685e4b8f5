// SPDX-License-Identifier: MIT
#pragma once
// Servers as the gateway's own questions meet them, played by the test in memory: what dials gets a
// stream, and the test holds its far end.
//
//   Far far;
//   far.scope.spawn(ask(far));                      // something that dials far.dialer
//   Far::Call call = far.next_call();               // the oldest request nobody has answered
//   EXPECT_EQ(call.line, "GET /v1/leader HTTP/1.1");
//   far.answer(call, 200, "[]");
//
// The clock stands still until after() moves it, from timer to timer.

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "rt/buffer.h"
#include "rt/loop.h"
#include "rt/scope.h"
#include "upstream/dialer.h"

namespace suoke::scene {

class Far final : upstream::Dialer {
 public:
    enum class Manner { accept, refuse, hang };
    struct Call {
        std::size_t connection = 0;
        std::string line;    // "GET / HTTP/1.1"; empty: nothing has come
        std::string fields;  // as sent, each with its line break
        std::string body;
        std::string target() const;
        // The value of a field, by its name as it is sent; nothing when there is none.
        std::optional<std::string> field(std::string_view name) const;
    };

    Far();
    ~Far();

    void settle();
    void after(Duration time);
    // The test fails when there is none.
    Call next_call(std::source_location place = std::source_location::current());
    bool is_silent();  // no request is waiting for an answer
    // With Content-Length and an end of the connection. `fields`: "name: value\r\n" each.
    void answer(const Call& call, int status, std::string_view body, std::string_view fields = {});

    // One connection, in the order they were made.
    std::string& received(std::size_t connection);  // and not taken yet
    void send(std::size_t connection, std::string_view bytes);
    void close(std::size_t connection);
    void reset(std::size_t connection);
    bool was_left(std::size_t connection);  // by the side that dialed
    rt::StreamPtr take(std::size_t connection) { return std::move(connections_.at(connection).stream); }
    std::size_t dials() const { return dialed.size(); }
    std::size_t open();  // connections that neither side has left

    ManualClock clock;
    rt::Loop loop{clock};
    rt::BufferBudget budget{64 << 20};
    rt::BufferPool buffers{budget};
    upstream::Dialer& dialer = *this;
    Manner manner = Manner::accept;
    std::vector<upstream::EndpointAddress> dialed;
    // What a new connection's far end is given to, instead of being kept here.
    std::function<void(rt::StreamPtr)> server;

 private:
    struct Connection {
        rt::StreamPtr stream;
        std::string inbox, outbox;
        bool closing = false;
    };
    rt::Task<Result<rt::StreamPtr>> dial(upstream::EndpointAddress endpoint, TimePoint deadline) override;
    bool pump(Connection& connection);

    std::deque<Connection> connections_;

 public:
    rt::TaskScope scope;  // ends first
};

}  // namespace suoke::scene
