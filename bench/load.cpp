// SPDX-License-Identifier: MIT
// The client of the side-by-side runs: one thread, one epoll, keep-alive, no pipelining. It checks
// status and body length of every answer and prints one line of JSON. With --tls every request has
// a connection of its own, whose handshake must be of the kind that was asked for.
//
//     bench_load --port P --mode count --requests N     as fast as the answers come
//                         --mode time --duration S      the same, for a time
//                         --mode rate --rate R --duration S
//                         --mode idle [--hold S]        one request on each connection, then hold
//                                                       them until standard input ends
//     and: --connections N --path /json --method GET --body BYTES --expect BYTES --timeout S
//          --tls full|resumed --header "name: value"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/demand.h"
#include "bench/histogram.h"
#include "bench/message_reader.h"
#include "bench/sockets.h"
#include "bench/tls_client.h"

namespace suoke::bench {
namespace {

constexpr std::size_t connections_opened_at_once = 64;

struct Order {
    std::uint16_t port = 0;
    std::size_t connections = 1;
    std::size_t at_once = 1;  // requests in flight
    std::string request;
    std::optional<std::uint64_t> expected_bytes;
    Demand demand;
    std::chrono::duration<double> timeout;
    std::optional<std::chrono::duration<double>> hold;  // of the open connections, afterwards
    std::optional<TlsClient::Wanted> tls;               // a new connection for every request
};

enum Failure : std::uint8_t {
    connect,
    reset,
    broken,
    status,
    length,
    unanswered,
    handshake,
    resumption  // resumed and should not be, or the other way round
};
constexpr std::array failure_names = {"connect", "reset",      "broken",    "status",
                                      "length",  "unanswered", "handshake", "resumption"};

struct Report {
    std::uint64_t answered = 0;
    std::uint64_t bytes = 0;
    std::uint64_t reconnects = 0;
    std::uint64_t resumed = 0;  // handshakes
    std::uint64_t tickets = 0;  // that came
    std::array<std::uint64_t, failure_names.size()> failures{};
    Clock::duration took{};
    Histogram latency;  // nanoseconds from the instant the request was wanted
    Histogram late;     // of that, before it could be sent
};

struct Connection {
    Fd fd;
    std::optional<TlsStream> tls;
    bool shaking = false;
    MessageReader reader{MessageReader::Kind::response};
    std::size_t sent = 0;
    bool waits_to_send = false;
    bool in_flight = false;
    Time wanted;
};

class Load {
 public:
    Load(Order order, TlsClient* tls)
        : order_(std::move(order)), tls_(tls), connections_(order_.connections) {
        for (Connection& connection : connections_) idle_.push_back(&connection);
        // They open one by one, or for each request.
        if (connections_.size() > connections_opened_at_once || order_.tls) return;
        for (Connection& connection : connections_) open(connection);
    }

    const Report& run() {
        Time begin = Clock::now();
        Time give_up = begin + std::chrono::duration_cast<Clock::duration>(order_.timeout);
        order_.demand.begin(begin);
        Time now = begin;
        start_wanted(now);
        while (now < give_up && (in_flight_ > 0 || !order_.demand.ended(now))) {
            for (epoll_event& event : epoll_.wait(std::min(give_up, next_wake(now)))) {
                on_event(*static_cast<Connection*>(event.data.ptr), event.events);
            }
            now = Clock::now();
            start_wanted(now);
        }
        report_.failures[unanswered] += in_flight_;
        if (tls_) report_.tickets = tls_->tickets();
        report_.took = now - begin;
        return report_;
    }

    // Connections that the peer has not closed.
    std::size_t still_open() const {
        std::size_t open = 0;
        for (const Connection& connection : connections_) {
            char byte;
            if (connection.fd && ::recv(connection.fd.get(), &byte, 1, MSG_PEEK) < 0) ++open;
        }
        return open;
    }

 private:
    Time next_wake(Time now) const {
        if (idle_.empty() || in_flight_ >= order_.at_once || order_.demand.ended(now)) {
            return Time::max();
        }
        // A closed load only comes here when it could not connect; it need not try in a frenzy.
        Time next = order_.demand.next(now);
        return next > now ? next : now + std::chrono::milliseconds(1);
    }

    void start_wanted(Time now) {
        for (std::size_t free = idle_.size(); free > 0 && in_flight_ < order_.at_once; --free) {
            std::optional<Time> wanted = order_.demand.take(now);
            if (!wanted) return;
            Connection& connection = *idle_.front();
            idle_.pop_front();
            start(connection, *wanted, now);
        }
    }

    void start(Connection& connection, Time wanted, Time now) {
        connection.wanted = wanted;
        connection.in_flight = true;
        connection.sent = 0;
        ++in_flight_;
        report_.late.record(std::chrono::nanoseconds(now - wanted).count());
        if (!connection.fd && !open(connection)) return failed(connection, connect);
        connection.shaking ? shake(connection) : send(connection);
    }

    bool open(Connection& connection) {
        connection.fd = connect_to_loopback(order_.port);
        connection.reader = MessageReader(MessageReader::Kind::response);
        connection.waits_to_send = false;
        if (!connection.fd) return false;
        epoll_.add(connection.fd.get(), EPOLLIN, &connection);
        if (order_.tls) connection.tls = tls_->connect(connection.fd.get(), *order_.tls);
        connection.shaking = order_.tls.has_value();
        return true;
    }

    void shake(Connection& connection) {
        TlsStream::Progress progress = connection.tls->shake();
        if (progress == TlsStream::Progress::more) return;
        if (progress == TlsStream::Progress::broken) return failed(connection, handshake);
        connection.shaking = false;
        bool resumed = connection.tls->resumed();
        report_.resumed += resumed;
        bool wanted = *order_.tls == TlsClient::Wanted::resumed;
        if (resumed != wanted) return failed(connection, resumption);
        send(connection);
    }

    void send(Connection& connection) {
        std::string_view rest = std::string_view(order_.request).substr(connection.sent);
        ssize_t size = connection.tls
                           ? connection.tls->send(rest)
                           : ::send(connection.fd.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (size < 0 && errno != EAGAIN) return failed(connection, reset);
        if (size > 0) connection.sent += static_cast<std::size_t>(size);
        bool waits = connection.sent < order_.request.size();
        if (waits == connection.waits_to_send) return;
        connection.waits_to_send = waits;
        epoll_.change(connection.fd.get(), waits ? EPOLLIN | EPOLLOUT : EPOLLIN, &connection);
    }

    void on_event(Connection& connection, std::uint32_t events) {
        if (connection.shaking) return shake(connection);
        if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) return receive(connection);
        if (events & EPOLLOUT) send(connection);
    }

    void receive(Connection& connection) {
        ssize_t size = connection.tls
                           ? connection.tls->receive(buffer_)
                           : ::recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
        if (size < 0 && errno == EAGAIN) return;
        if (!connection.in_flight) return drop(connection);  // closed while idle: allowed
        if (size <= 0) return failed(connection, reset);
        std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
        MessageReader::Progress progress = connection.reader.read(bytes);
        if (progress == MessageReader::Progress::more) return;
        if (progress == MessageReader::Progress::broken || !bytes.empty()) {
            return failed(connection, broken);
        }
        answered(connection);
    }

    void answered(Connection& connection) {
        MessageReader& reader = connection.reader;
        if (reader.status() != 200) return failed(connection, status);
        if (order_.expected_bytes.value_or(reader.body_bytes()) != reader.body_bytes()) {
            return failed(connection, length);
        }
        Time now = Clock::now();
        ++report_.answered;
        report_.bytes += reader.body_bytes();
        report_.latency.record(std::chrono::nanoseconds(now - connection.wanted).count());
        bool whole = connection.sent == order_.request.size();
        if (connection.tls) connection.tls->say_goodbye();
        if (connection.tls || !whole || !reader.keeps_alive()) drop(connection);
        finished(connection);
        start_wanted(now);
    }

    void failed(Connection& connection, Failure failure) {
        ++report_.failures[failure];
        if (connection.fd) drop(connection);
        finished(connection);
    }

    void finished(Connection& connection) {
        connection.reader.next();
        connection.in_flight = false;
        --in_flight_;
        idle_.push_back(&connection);
    }

    void drop(Connection& connection) {
        connection.tls.reset();
        connection.shaking = false;
        connection.fd = Fd();
        ++report_.reconnects;
    }

    Order order_;
    TlsClient* tls_;  // where the order says so
    Epoll epoll_;
    std::vector<Connection> connections_;
    std::deque<Connection*> idle_;
    std::size_t in_flight_ = 0;
    Report report_;
    std::string buffer_ = std::string(256 * 1024, '\0');
};

// ---- what was asked for, and what came out -------------------------------------------------

using Arguments = std::map<std::string, std::string>;

std::string text(const Arguments& given, const char* name, const char* otherwise) {
    auto found = given.find(name);
    return found == given.end() ? otherwise : found->second;
}

double number(const Arguments& given, const char* name, const char* otherwise) {
    return std::stod(text(given, name, otherwise));
}

Clock::duration seconds(double count) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
}

Demand demand_from(const Arguments& given, std::size_t connections) {
    std::string mode = text(given, "mode", "count");
    Clock::duration duration = seconds(number(given, "duration", "5"));
    if (mode == "count") {
        return Demand::of_requests(static_cast<std::uint64_t>(number(given, "requests", "1000")));
    }
    if (mode == "time") return Demand::for_time(duration);
    if (mode == "rate") return Demand::at_rate(number(given, "rate", "1000"), duration);
    if (mode == "idle") return Demand::of_requests(connections);
    throw std::runtime_error("--mode is count, time, rate or idle, not " + mode);
}

std::optional<TlsClient::Wanted> tls_from(const Arguments& given) {
    std::string kind = text(given, "tls", "");
    if (kind.empty()) return {};
    if (kind == "full") return TlsClient::Wanted::full;
    if (kind == "resumed") return TlsClient::Wanted::resumed;
    throw std::runtime_error("--tls is full or resumed, not " + kind);
}

std::string request_from(const Arguments& given) {
    auto body = static_cast<std::size_t>(number(given, "body", "0"));
    std::string request = text(given, "method", body ? "POST" : "GET") + " " +
                          text(given, "path", "/json") +
                          " HTTP/1.1\r\nhost: api.example\r\nuser-agent: bench\r\naccept: */*\r\n";
    if (given.contains("header")) request += text(given, "header", "") + "\r\n";
    if (body) {
        request +=
            "content-type: application/octet-stream\r\ncontent-length: " + std::to_string(body) +
            "\r\n";
    }
    return request + "\r\n" + std::string(body, 'u');
}

Order order_from(const Arguments& given) {
    bool idle = text(given, "mode", "") == "idle";
    auto connections = static_cast<std::size_t>(number(given, "connections", "1"));
    Order order{.port = static_cast<std::uint16_t>(number(given, "port", "8000")),
                .connections = connections,
                .at_once = idle ? connections_opened_at_once : connections,
                .request = request_from(given),
                .demand = demand_from(given, connections),
                .timeout = seconds(number(given, "timeout", "60")),
                .tls = tls_from(given)};
    if (idle) order.hold = seconds(number(given, "hold", "60"));
    if (given.contains("expect")) {
        order.expected_bytes = static_cast<std::uint64_t>(number(given, "expect", "0"));
    }
    return order;
}

double own_cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void print_percentiles(const char* name, const Histogram& histogram) {
    std::printf(",\"%s\":{\"mean\":%.1f", name, histogram.mean() / 1e3);
    for (auto [label, share] :
         {std::pair("p50", 0.5), {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}}) {
        std::printf(",\"%s\":%.1f", label, double(histogram.percentile(share)) / 1e3);
    }
    std::printf(",\"max\":%.1f}", double(histogram.max()) / 1e3);
}

void print(const Report& report) {
    double took = std::chrono::duration<double>(report.took).count();
    std::uint64_t errors = 0;
    for (std::uint64_t count : report.failures) errors += count;
    std::printf("{\"requests\":%lu,\"errors\":%lu,\"failures\":{", report.answered, errors);
    for (std::size_t i = 0; i < failure_names.size(); ++i) {
        std::printf("%s\"%s\":%lu", i ? "," : "", failure_names[i], report.failures[i]);
    }
    std::printf("},\"reconnects\":%lu,\"resumed\":%lu,\"tickets\":%lu,\"bytes\":%lu",
                report.reconnects, report.resumed, report.tickets, report.bytes);
    std::printf(",\"seconds\":%.6f,\"per_second\":%.1f", took, double(report.answered) / took);
    print_percentiles("latency_us", report.latency);
    print_percentiles("late_us", report.late);
    std::printf(",\"cpu_seconds\":%.6f}\n", own_cpu_seconds());
    std::fflush(stdout);
}

// One full handshake, for the ticket that the next one is resumed by; not in any report.
void fetch_ticket(Order order, TlsClient& tls) {
    order.tls = TlsClient::Wanted::full;
    order.connections = order.at_once = 1;
    order.demand = Demand::of_requests(1);
    Load(std::move(order), &tls).run();
    if (tls.tickets() == 0) throw std::runtime_error("no ticket to resume by came");
}

// Whatever comes first: the end of standard input or the time.
void hold_connections(std::chrono::duration<double> hold) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    ::poll(&input, 1, static_cast<int>(hold.count() * 1000));
}

}  // namespace
}  // namespace suoke::bench

int main(int argc, char** argv) try {
    using namespace suoke::bench;
    end_with_parent();
    raise_file_limit();
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    ::prctl(PR_SET_TIMERSLACK, 1);  // the default lets every instant of --mode rate slip by 50 us
    Order order = order_from(arguments(argc, argv));
    auto hold = order.hold;
    std::optional<TlsClient> tls;
    if (order.tls) tls.emplace();
    if (order.tls == TlsClient::Wanted::resumed) fetch_ticket(order, *tls);
    auto load = std::make_unique<Load>(std::move(order), tls ? &*tls : nullptr);
    print(load->run());
    if (hold) {
        hold_connections(*hold);
        std::printf("{\"still_open\":%zu}\n", load->still_open());
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "bench_load: %s\n", error.what());
    return 1;
}
