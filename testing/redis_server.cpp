// SPDX-License-Identifier: MIT
#include "testing/redis_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "testing/files.h"

namespace suoke::scene {
namespace {

constexpr int kMostStarts = 5;  // somebody else may take the port that was free a moment ago

const std::string& program() {
    static const std::string kFound = [] {
        for (const char* path : {"/usr/bin/redis-server", "/usr/local/bin/redis-server", "/opt/homebrew/bin/redis-server"})
            if (::access(path, X_OK) == 0) return std::string(path);
        return std::string();
    }();
    return kFound;
}

// Below the kernel's range for outgoing connections would be safer, but is not known; so one of that range.
std::uint16_t free_port() {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    ::close(fd);
    return ntohs(address.sin_port);
}

std::string new_directory() {
    static int count = 0;
    std::string path = own_directory() + "redis" + std::to_string(++count);
    std::filesystem::create_directory(path);
    return path;
}

// Until it says that it is ready; false when it ended instead. Its output is closed then, which it bears.
bool wait_until_ready(int out, bool is_sentinel, std::string& said) {
    said.clear();
    char space[4096];
    const char* ready = is_sentinel ? "+monitor master" : "eady to accept connections";
    while (said.find(ready) == std::string::npos) {
        ssize_t got = ::read(out, space, sizeof space);
        if (got <= 0) return false;
        said.append(space, static_cast<std::size_t>(got));
    }
    return true;
}

}  // namespace

bool RedisServer::installed() { return !program().empty(); }

RedisServer::RedisServer(On on, std::vector<std::string> args) : RedisServer(on, std::move(args), "") {}

RedisServer::RedisServer(On on, std::vector<std::string> args, std::string config)
    : on_(on), args_(std::move(args)), config_(std::move(config)) {
    for (int i = 0; i < kMostStarts; ++i) {
        std::string directory = new_directory();
        host_ = on_ == On::unix_socket ? "unix:" + directory + "/s" : "127.0.0.1";
        port_ = on_ == On::unix_socket ? 0 : free_port();
        if (run_once()) return;
    }
    throw StartupError("redis-server does not start: " + said_);
}

std::unique_ptr<RedisServer> RedisServer::sentinel(const std::string& config) {
    return std::unique_ptr<RedisServer>(new RedisServer(On::port, {}, config));
}

bool RedisServer::run_once() {
    std::vector<std::string> line{program()};
    if (!config_.empty()) {
        std::string file = new_directory() + "/sentinel.conf";
        std::ofstream(file) << "port " << port_ << "\nbind 127.0.0.1\n" << config_;
        line.insert(line.end(), {file, "--sentinel"});
    } else {
        bool tls = on_ == On::tls_port;
        line.insert(line.end(), {"--save", "", "--appendonly", "no", "--dir", new_directory(), "--port", tls ? "0" : std::to_string(port_)});
        if (tls) line.insert(line.end(), {"--tls-port", std::to_string(port_)});
        if (on_ == On::unix_socket) line.insert(line.end(), {"--unixsocket", host_.substr(5)});
        else line.insert(line.end(), {"--bind", "127.0.0.1"});
        if (on_ == On::cluster_port)
            line.insert(line.end(), {"--cluster-enabled", "yes", "--cluster-port", std::to_string(free_port())});
    }
    line.insert(line.end(), args_.begin(), args_.end());
    std::vector<char*> argv;
    for (std::string& arg : line) argv.push_back(arg.data());
    argv.push_back(nullptr);

    int out[2];
    CHECK(::pipe2(out, O_CLOEXEC) == 0);
    pid_t parent = ::getpid();
    pid_ = ::fork();
    CHECK(pid_ >= 0);
    if (pid_ == 0) {  // nothing but system calls from here
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        ::dup2(out[1], 1);
        ::dup2(out[1], 2);
        ::execv(argv[0], argv.data());
        ::_exit(1);
    }
    ::close(out[1]);
    bool ready = wait_until_ready(out[0], !config_.empty(), said_);
    ::close(out[0]);
    if (!ready) kill();
    return ready;
}

void RedisServer::kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

void RedisServer::start() {
    for (int i = 0; pid_ <= 0 && i < kMostStarts; ++i)
        if (run_once()) return;
    throw StartupError("redis-server does not start again");
}

void RedisServer::freeze(bool frozen) { ::kill(pid_, frozen ? SIGSTOP : SIGCONT); }

void nap() { ::poll(nullptr, 0, 1); }

}  // namespace suoke::scene
