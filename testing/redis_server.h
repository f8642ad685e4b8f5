// SPDX-License-Identifier: MIT
#pragma once
// A real redis-server as a child process, on a Unix socket or a port that was free, with nothing on disk.
// It dies with the test program, whatever becomes of that one.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "rt/loop.h"
#include "rt/scope.h"

namespace suoke::scene {

class RedisServer {
 public:
    enum class On : std::uint8_t { unix_socket, port, tls_port, cluster_port };

    static bool installed();  // skip the test and say so when it is not
    // Runs when it is made: it has said that it takes connections. `args` as for the command line.
    explicit RedisServer(On on = On::unix_socket, std::vector<std::string> args = {});
    // Sentinels have a file that they write: its text.
    static std::unique_ptr<RedisServer> sentinel(const std::string& config);
    ~RedisServer() { kill(); }
    RedisServer(const RedisServer&) = delete;
    RedisServer& operator=(const RedisServer&) = delete;

    const std::string& host() const { return host_; }  // "unix:/path" or "127.0.0.1"
    std::uint16_t port() const { return port_; }
    void kill();   // -9
    void start();  // again, at the same address, and empty
    void freeze(bool frozen);  // SIGSTOP, SIGCONT

 private:
    RedisServer(On on, std::vector<std::string> args, std::string config);
    bool run_once();
    On on_;
    std::vector<std::string> args_;
    std::string config_;  // of a Sentinel; else empty
    std::string host_;
    std::uint16_t port_ = 0;
    pid_t pid_ = -1;
    std::string said_;  // until it was ready, or in place of it
};

// Drives the loop until the task has ended. For loops with the system's clock it takes real time.
template <class T>
T await(rt::Loop& loop, rt::Task<T> task);
void nap();  // a millisecond: leaves the processor to the servers

namespace detail {
template <class T>
rt::Task<void> keep(rt::Task<T> task, std::optional<T>& into) {
    into.emplace(co_await std::move(task));
}
}  // namespace detail

template <class T>
T await(rt::Loop& loop, rt::Task<T> task) {
    std::optional<T> got;
    rt::TaskScope scope;
    scope.spawn(detail::keep(std::move(task), got));
    for (int i = 0; !got; ++i) {
        CHECK(i < 60'000);  // about a minute
        loop.settle();
        if (!got) nap();
    }
    return std::move(*got);
}

}  // namespace suoke::scene
