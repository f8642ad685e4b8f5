// SPDX-License-Identifier: MIT
#include "bench/sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace suoke::bench {
namespace {

int checked(int result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
    return result;
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void set_option(int fd, int level, int name) {
    int on = 1;
    checked(::setsockopt(fd, level, name, &on, sizeof on), "setsockopt");
}

timespec time_left(Time until) {
    auto left = std::max(Clock::duration::zero(), until - Clock::now());
    auto nanoseconds = std::chrono::nanoseconds(left).count();
    return {.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000};
}

}  // namespace

Fd::~Fd() {
    if (fd_ >= 0) ::close(fd_);
}

Epoll::Epoll() : fd_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

void Epoll::add(int fd, std::uint32_t events, void* owner) {
    epoll_event event{.events = events, .data = {.ptr = owner}};
    checked(::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void Epoll::change(int fd, std::uint32_t events, void* owner) {
    epoll_event event{.events = events, .data = {.ptr = owner}};
    checked(::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event), "epoll_ctl");
}

std::span<epoll_event> Epoll::wait(Time until) {
    timespec left{};
    if (until != Time::max()) left = time_left(until);
    int count = ::epoll_pwait2(fd_.get(), events_, std::size(events_),
                               until == Time::max() ? nullptr : &left, nullptr);
    if (count < 0 && errno == EINTR) count = 0;
    return {events_, static_cast<std::size_t>(checked(count, "epoll_pwait2"))};
}

Fd listen_on_loopback(std::uint16_t port) {
    Fd fd(checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
    set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR);
    sockaddr_in address = loopback(port);
    checked(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
    checked(::listen(fd.get(), 4096), "listen");
    return fd;
}

std::uint16_t local_port(const Fd& socket) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    checked(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size),
            "getsockname");
    return ntohs(address.sin_port);
}

// Blocks until the connection stands, which over loopback is at once, and never blocks afterwards.
Fd connect_to_loopback(std::uint16_t port) {
    Fd fd(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    sockaddr_in address = loopback(port);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) return {};
    set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY);
    checked(::fcntl(fd.get(), F_SETFL, O_NONBLOCK), "fcntl");
    return fd;
}

Fd accept_from(const Fd& listener) {
    Fd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY);
    return fd;
}

std::map<std::string, std::string> arguments(int argc, char** argv) {
    std::map<std::string, std::string> pairs;
    for (int i = 1; i < argc; i += 2) {
        std::string name = argv[i];
        if (!name.starts_with("--") || i + 1 == argc) {
            std::fprintf(stderr, "%s: every argument is --name value, not %s\n", argv[0], argv[i]);
            std::exit(2);
        }
        pairs[name.substr(2)] = argv[i + 1];
    }
    return pairs;
}

void end_with_parent() {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
}

void raise_file_limit() {
    rlimit limit{};
    checked(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    checked(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

}  // namespace suoke::bench
