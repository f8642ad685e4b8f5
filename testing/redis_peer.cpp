// SPDX-License-Identifier: MIT
#include "testing/redis_peer.h"

#include <algorithm>
#include <array>

#include "rt/bell.h"
#include "rt/race.h"

namespace suoke::scene {
namespace {

// "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n" off the front of `bytes`; empty when it is not whole. What clients send
// is trusted here: it is ours.
RedisPeer::Args take_command(std::string& bytes) {
    std::size_t at = 0;
    auto number_line = [&](char kind) -> long {
        std::size_t end = bytes.find("\r\n", at);
        if (end == std::string::npos) return -1;
        CHECK(bytes[at] == kind);
        long number = std::stol(bytes.substr(at + 1, end - at - 1));
        at = end + 2;
        return number;
    };
    RedisPeer::Args args;
    long count = number_line('*');
    for (long i = 0; i < count; ++i) {
        long size = number_line('$');
        if (size < 0 || bytes.size() < at + static_cast<std::size_t>(size) + 2) return {};
        args.push_back(bytes.substr(at, static_cast<std::size_t>(size)));
        at += static_cast<std::size_t>(size) + 2;
    }
    if (count > 0) bytes.erase(0, at);
    return args;
}

rt::Task<void> wait_for_ever(rt::Loop& loop) {
    rt::Bell nobody(loop);
    co_await nobody.rung();
}

}  // namespace

std::string resp_text(std::string_view text) { return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n"; }
std::string resp_number(std::int64_t number) { return ":" + std::to_string(number) + "\r\n"; }
std::string resp_list(const std::vector<std::string>& already_resp) {
    std::string out = "*" + std::to_string(already_resp.size()) + "\r\n";
    for (const std::string& item : already_resp) out += item;
    return out;
}

rt::StreamPtr RedisPeer::connect() {
    auto [client, server] = rt::memory_pair(loop_, capacity);
    ++connections;
    streams_.push_back(std::shared_ptr<rt::Stream>(std::move(server)));
    scope_.spawn(serve(streams_.back()));
    return std::move(client);
}

std::string RedisPeer::answer_to(const Args& args) {
    bool greeting = args[0] == "AUTH" || args[0] == "SELECT" || args[0] == "CLIENT" || args[0] == "PING";
    if (greeting && greets) {
        greetings.push_back(args);
        return args[0] == "PING" ? "+PONG\r\n" : kRespOk;
    }
    heard.push_back(args);
    return answer ? answer(args) : "-ERR the test has no answer\r\n";
}

rt::Task<void> RedisPeer::serve(std::shared_ptr<rt::Stream> stream) {
    std::string in, out;
    std::array<char, 4096> space{};
    for (;;) {
        for (Args args = take_command(in); !args.empty(); args = take_command(in)) out += answer_to(args);
        while (!out.empty()) {
            rt::Io put = stream->write(out);
            if (put.failed()) break;
            out.erase(0, put.bytes);
            if (!out.empty()) co_await stream->writable(kNever);
        }
        rt::Io got = stream->read(space);
        if (got.failed()) break;
        if (got.blocked()) co_await stream->readable(kNever);
        else in.append(space.data(), got.bytes);
    }
    std::erase(streams_, stream);
}

void RedisPeer::say(const std::string& bytes) {
    for (auto& stream : streams_) CHECK(stream->write(bytes).bytes == bytes.size());
}

void RedisPeer::hang_up() {
    scope_.cancel();
    streams_.clear();
}

RedisPeer& RedisPeers::at(const std::string& address) {
    std::unique_ptr<RedisPeer>& peer = peers_[address];
    if (!peer) peer = std::make_unique<RedisPeer>(loop_);
    return *peer;
}

rt::Task<Result<rt::StreamPtr>> RedisPeers::dial(upstream::EndpointAddress endpoint, TimePoint deadline) {
    auto known = peers_.find(endpoint.to_string());
    if (known == peers_.end() || known->second->refuses)
        co_return Error(Code::connect_failed, "connect to " + endpoint.to_string() + ": connection refused");
    if (known->second->is_a_hole) {
        rt::Within<void> wait(loop_, wait_for_ever(loop_), deadline);
        co_await wait;
        co_return Error(Code::connect_timeout, "connect to " + endpoint.to_string() + ": no answer in time");
    }
    co_return known->second->connect();
}

}  // namespace suoke::scene
