// SPDX-License-Identifier: MIT
// The upstream of the side-by-side runs: one thread, one epoll, HTTP/1.1 with keep-alive and
// pipelining. It prints "listening on PORT" and serves until it is told to end.
//
//     GET  /json       300 bytes of JSON          GET /slow/MS   the same, MS milliseconds later
//     GET  /bytes/N    N bytes                    POST /sink     the number of bytes that came
//     GET  /fresh/N    N bytes that may be kept for an hour

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/message_reader.h"
#include "bench/sockets.h"

namespace suoke::bench {
namespace {

const std::string filler(256 * 1024, 'x');

struct Answer {
    std::string bytes;              // the head and, when it is small, the body
    std::uint64_t filler_left = 0;  // the rest of the body
    Clock::duration delay{};
};

std::string head(const char* status, std::uint64_t length, const char* more = "") {
    return std::string("HTTP/1.1 ") + status + "\r\nserver: origin\r\ncontent-type: application/json\r\n" + more +
           "content-length: " + std::to_string(length) + "\r\n\r\n";
}

Answer whole(const char* status, const std::string& body) {
    return {.bytes = head(status, body.size()) + body};
}

std::string json_body() {
    std::string body = R"({"id":"7f3c2a","name":"Suoke","tags":["alpha","beta"],"text":")";
    return body + std::string(300 - body.size() - 2, 'j') + "\"}";
}

const Answer json = whole("200 OK", json_body());

std::optional<std::uint64_t> number_after(std::string_view path, std::string_view prefix) {
    std::uint64_t number = 0;
    if (!path.starts_with(prefix)) return {};
    path.remove_prefix(prefix.size());
    auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), number);
    if (error != std::errc{} || end != path.data() + path.size()) return {};
    return number;
}

std::string_view path_of(std::string_view start_line) {
    std::size_t begin = start_line.find(' ');
    std::size_t end = start_line.find(' ', begin + 1);
    if (begin == start_line.npos || end == start_line.npos) return {};
    return start_line.substr(begin + 1, end - begin - 1);
}

Answer answer_to(const MessageReader& request) {
    std::string_view path = path_of(request.start_line());
    if (path == "/json") return json;
    if (path == "/sink") return whole("200 OK", std::to_string(request.body_bytes()));
    if (auto size = number_after(path, "/bytes/")) return {head("200 OK", *size), *size};
    if (auto size = number_after(path, "/fresh/")) return {head("200 OK", *size, "cache-control: public, max-age=3600\r\n"), *size};
    if (auto wait = number_after(path, "/slow/")) {
        return {.bytes = json.bytes, .delay = std::chrono::milliseconds(*wait)};
    }
    return whole("404 Not Found", R"({"error":"no such path"})");
}

struct Connection {
    Fd fd;
    MessageReader reader{MessageReader::Kind::request};
    std::string unread;  // what came behind a request that is still being answered
    Answer answer;
    std::size_t sent = 0;  // of answer.bytes
    std::uint32_t interest = EPOLLIN;
    std::uint64_t serial = 0;
};

class Origin {
 public:
    explicit Origin(std::uint16_t port) : listener_(listen_on_loopback(port)) {
        epoll_.add(listener_.get(), EPOLLIN, nullptr);
    }

    std::uint16_t port() const { return local_port(listener_); }

    [[noreturn]] void run() {
        for (;;) {
            Time next = slow_.empty() ? Time::max() : slow_.begin()->first;
            for (epoll_event& event : epoll_.wait(next)) {
                if (event.data.ptr) {
                    on_event(*static_cast<Connection*>(event.data.ptr), event.events);
                } else {
                    accept_all();
                }
            }
            answer_slow_ones();
        }
    }

 private:
    struct Waiting {  // by number, for the connection may be gone when its time comes
        int fd;
        std::uint64_t serial;
    };

    void accept_all() {
        while (Fd fd = accept_from(listener_)) {
            auto number = static_cast<std::size_t>(fd.get());
            if (connections_.size() <= number) connections_.resize(number + 1);
            connections_[number] = std::make_unique<Connection>();
            Connection& connection = *connections_[number];
            connection.fd = std::move(fd);
            connection.serial = ++serial_;
            epoll_.add(connection.fd.get(), EPOLLIN, &connection);
        }
    }

    void close(Connection& connection) { connections_[connection.fd.get()].reset(); }

    void want(Connection& connection, std::uint32_t interest) {
        if (connection.interest == interest) return;
        connection.interest = interest;
        epoll_.change(connection.fd.get(), interest, &connection);
    }

    void on_event(Connection& connection, std::uint32_t events) {
        if (events & EPOLLOUT) return send(connection);
        if (!(connection.interest & EPOLLIN)) return close(connection);  // gone while waiting
        ssize_t size = ::recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
        if (size < 0 && errno == EAGAIN) return;
        if (size <= 0) return close(connection);
        read(connection, {buffer_.data(), static_cast<std::size_t>(size)});
    }

    void read(Connection& connection, std::string_view bytes) {
        switch (connection.reader.read(bytes)) {
            case MessageReader::Progress::more:
                return want(connection, EPOLLIN);
            case MessageReader::Progress::broken:
                return close(connection);
            case MessageReader::Progress::done:
                break;
        }
        connection.unread = bytes;
        connection.answer = answer_to(connection.reader);
        connection.sent = 0;
        if (connection.answer.delay == Clock::duration::zero()) return send(connection);
        want(connection, 0);
        slow_.emplace(Clock::now() + connection.answer.delay,
                      Waiting{connection.fd.get(), connection.serial});
    }

    void answer_slow_ones() {
        while (!slow_.empty() && slow_.begin()->first <= Clock::now()) {
            Waiting waiting = slow_.begin()->second;
            slow_.erase(slow_.begin());
            Connection* connection = connections_[waiting.fd].get();
            if (connection && connection->serial == waiting.serial) send(*connection);
        }
    }

    void send(Connection& connection) {
        Answer& answer = connection.answer;
        while (connection.sent < answer.bytes.size() || answer.filler_left > 0) {
            ssize_t size = send_some(connection);
            if (size < 0 && errno == EAGAIN) return want(connection, EPOLLOUT);
            if (size < 0) return close(connection);
            std::size_t of_bytes =
                std::min<std::size_t>(size, answer.bytes.size() - connection.sent);
            connection.sent += of_bytes;
            answer.filler_left -= size - of_bytes;
        }
        answered(connection);
    }

    static ssize_t send_some(Connection& connection) {
        Answer& answer = connection.answer;
        iovec parts[2] = {
            {answer.bytes.data() + connection.sent, answer.bytes.size() - connection.sent},
            {const_cast<char*>(filler.data()),
             std::min<std::size_t>(answer.filler_left, filler.size())}};
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = 2;
        return ::sendmsg(connection.fd.get(), &message, MSG_NOSIGNAL);
    }

    void answered(Connection& connection) {
        if (!connection.reader.keeps_alive()) return close(connection);
        connection.reader.next();
        if (connection.unread.empty()) return want(connection, EPOLLIN);
        std::string unread = std::move(connection.unread);
        connection.unread.clear();
        read(connection, unread);
    }

    Fd listener_;
    Epoll epoll_;
    std::vector<std::unique_ptr<Connection>> connections_;  // by file descriptor
    std::multimap<Time, Waiting> slow_;
    std::uint64_t serial_ = 0;
    std::string buffer_ = std::string(256 * 1024, '\0');
};

}  // namespace
}  // namespace suoke::bench

int main(int argc, char** argv) try {
    using namespace suoke::bench;
    end_with_parent();
    raise_file_limit();
    auto given = arguments(argc, argv);
    Origin origin(
        static_cast<std::uint16_t>(given.contains("port") ? std::stoi(given["port"]) : 0));
    std::printf("listening on %u\n", origin.port());
    std::fflush(stdout);
    origin.run();
} catch (const std::exception& error) {
    std::fprintf(stderr, "bench_origin: %s\n", error.what());
    return 1;
}
