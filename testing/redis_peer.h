// SPDX-License-Identifier: MIT
#pragma once
// Redis servers in memory that say what a test wants them to, and a dialer that reaches them by address.
//
//   scene::RedisPeers peers(loop);
//   peers.at("redis:6379").answer = [](const auto& args) { return scene::resp_text("seven"); };

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rt/scope.h"
#include "upstream/dialer.h"

namespace suoke::scene {

// RESP2, as a server writes it.
std::string resp_text(std::string_view text);             // $5\r\nseven\r\n
std::string resp_number(std::int64_t number);             // :7\r\n
std::string resp_list(const std::vector<std::string>& already_resp);
inline const char* const kRespOk = "+OK\r\n";
inline const char* const kRespNil = "$-1\r\n";

class RedisPeer {
 public:
    using Args = std::vector<std::string>;

    explicit RedisPeer(rt::Loop& loop) : loop_(loop) {}

    std::function<std::string(const Args&)> answer;  // to each command; "" is no answer
    bool greets = true;       // AUTH, SELECT, CLIENT and PING are answered well, and not in `heard`
    bool refuses = false;     // connections
    bool is_a_hole = false;   // connections neither succeed nor fail
    std::size_t capacity = 64 * 1024;  // of new connections; 1: byte by byte
    std::vector<Args> heard;
    std::vector<Args> greetings;
    std::size_t connections = 0;  // ever

    void say(const std::string& bytes);  // to everyone who is connected, unasked
    void hang_up();
    std::size_t connected() const { return streams_.size(); }

 private:
    friend class RedisPeers;
    rt::StreamPtr connect();
    rt::Task<void> serve(std::shared_ptr<rt::Stream> stream);
    std::string answer_to(const Args& args);

    rt::Loop& loop_;
    std::vector<std::shared_ptr<rt::Stream>> streams_;
    rt::TaskScope scope_;
};

class RedisPeers final : public upstream::Dialer {
 public:
    explicit RedisPeers(rt::Loop& loop) : loop_(loop) {}
    RedisPeer& at(const std::string& address);
    rt::Task<Result<rt::StreamPtr>> dial(upstream::EndpointAddress endpoint, TimePoint deadline) override;

 private:
    rt::Loop& loop_;
    std::map<std::string, std::unique_ptr<RedisPeer>> peers_;
};

}  // namespace suoke::scene
