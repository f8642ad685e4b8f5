// SPDX-License-Identifier: MIT
#include "testing/far.h"

#include "base/text.h"
#include "http/message.h"

namespace suoke::scene {

Far::Far() = default;
Far::~Far() = default;

rt::Task<Result<rt::StreamPtr>> Far::dial(upstream::EndpointAddress endpoint, TimePoint deadline) {
    dialed.push_back(endpoint);
    if (manner == Manner::refuse) co_return Error(Code::connect_failed, "cannot connect to " + endpoint.to_string() + ": refused");
    auto ends = rt::memory_pair(loop);
    rt::StreamPtr near = std::move(ends.first);
    if (manner == Manner::hang) {
        Connection& hanging = connections_.emplace_back();
        hanging.stream = std::move(ends.second);
        co_await near->readable(deadline);
        co_return Error(Code::connect_timeout, "no connection to " + endpoint.to_string() + " in time");
    }
    if (server) {
        server(std::move(ends.second));
    } else {
        connections_.emplace_back().stream = std::move(ends.second);
    }
    co_return near;
}

bool Far::pump(Connection& connection) {
    if (!connection.stream) return false;
    bool moved = false;
    char space[16 * 1024];
    for (;;) {
        rt::Io got = connection.stream->read(space);
        if (got.blocked() || got.failed()) break;
        connection.inbox.append(space, got.bytes);
        moved = true;
    }
    while (!connection.outbox.empty()) {
        rt::Io put = connection.stream->write(connection.outbox);
        if (put.failed()) connection.outbox.clear();
        if (put.blocked() || put.failed() || put.bytes == 0) break;
        connection.outbox.erase(0, put.bytes);
        moved = true;
    }
    if (connection.closing && connection.outbox.empty()) {
        connection.stream.reset();
        moved = true;
    }
    return moved;
}

void Far::settle() {
    for (bool moved = true; moved;) {
        loop.settle();
        moved = false;
        for (Connection& connection : connections_) moved |= pump(connection);
    }
}

void Far::after(Duration time) {
    settle();
    TimePoint end = clock.now() + time;
    for (int steps = 0; steps < 100'000; ++steps) {
        TimePoint next = loop.timers().next();
        if (next > end) break;
        if (next > clock.now()) clock.advance(next - clock.now());
        settle();
    }
    clock.advance(end - clock.now());
    settle();
}

std::string Far::Call::target() const {
    std::size_t begin = line.find(' ') + 1;
    return line.substr(begin, line.rfind(' ') - begin);
}

std::optional<std::string> Far::Call::field(std::string_view name) const {
    std::string start = "\r\n" + std::string(name) + ": ";
    std::string all = "\r\n" + fields;
    std::size_t at = all.find(start);
    if (at == std::string::npos) return std::nullopt;
    at += start.size();
    return all.substr(at, all.find("\r\n", at) - at);
}

namespace {

std::optional<Far::Call> take_call(std::string& inbox) {
    std::size_t head = inbox.find("\r\n\r\n");
    if (head == std::string::npos) return std::nullopt;
    Far::Call call;
    std::size_t line = inbox.find("\r\n");
    call.line = inbox.substr(0, line);
    call.fields = inbox.substr(line + 2, head - line);
    std::size_t length = parse_u64(call.field("Content-Length").value_or("0")).value_or(0);
    if (inbox.size() < head + 4 + length) return std::nullopt;
    call.body = inbox.substr(head + 4, length);
    inbox.erase(0, head + 4 + length);
    return call;
}

}  // namespace

Far::Call Far::next_call(std::source_location place) {
    settle();
    for (std::size_t i = 0; i < connections_.size(); ++i) {
        auto call = take_call(connections_[i].inbox);
        if (!call) continue;
        call->connection = i;
        return *call;
    }
    ADD_FAILURE_AT(place.file_name(), static_cast<int>(place.line())) << "no request has come";
    return {};
}

bool Far::is_silent() {
    settle();
    for (const Connection& connection : connections_)
        if (!connection.inbox.empty()) return false;
    return true;
}

void Far::answer(const Call& call, int status, std::string_view body, std::string_view fields) {
    if (call.line.empty()) return;
    std::string head = "HTTP/1.1 " + std::to_string(status) + " " + std::string(http::reason_phrase(status)) + "\r\n";
    head += std::string(fields) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    connections_.at(call.connection).closing = true;
    send(call.connection, head + std::string(body));
}

std::string& Far::received(std::size_t connection) {
    settle();
    return connections_.at(connection).inbox;
}

void Far::send(std::size_t connection, std::string_view bytes) {
    connections_.at(connection).outbox += bytes;
    settle();
}

void Far::close(std::size_t connection) {
    connections_.at(connection).closing = true;
    settle();
}

void Far::reset(std::size_t connection) {
    rt::StreamPtr& stream = connections_.at(connection).stream;
    stream->reset_on_close();
    stream.reset();
    settle();
}

bool Far::was_left(std::size_t connection) {
    settle();
    const rt::StreamPtr& stream = connections_.at(connection).stream;
    return stream && stream->hung_up();
}

std::size_t Far::open() {
    settle();
    std::size_t count = 0;
    for (const Connection& connection : connections_) count += connection.stream && !connection.stream->hung_up() ? 1 : 0;
    return count;
}

}  // namespace suoke::scene
