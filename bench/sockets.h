// SPDX-License-Identifier: MIT
#pragma once
// The few system calls that the origin and the load generator share. What fails here is the
// bench's own environment, so it throws std::system_error with the name of the call.

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>

namespace suoke::bench {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

class Fd {
 public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd();
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

 private:
    int fd_ = -1;
};

class Epoll {
 public:
    Epoll();
    void add(int fd, std::uint32_t events, void* owner);
    void change(int fd, std::uint32_t events, void* owner);
    // The events that came until then; Time::max() waits for ever. Precise to the microsecond.
    std::span<epoll_event> wait(Time until);

 private:
    Fd fd_;
    epoll_event events_[256];
};

Fd listen_on_loopback(std::uint16_t port);  // 0 picks a free one
std::uint16_t local_port(const Fd& socket);
Fd connect_to_loopback(std::uint16_t port);  // -1 inside when it was refused
Fd accept_from(const Fd& listener);          // -1 inside when nobody waits

// "--name value" pairs, as {"name": "value"}; anything else ends the program with a sentence.
std::map<std::string, std::string> arguments(int argc, char** argv);
// A program left behind by its parent would disturb the next measurement.
void end_with_parent();
void raise_file_limit();

}  // namespace suoke::bench
