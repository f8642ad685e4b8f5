// SPDX-License-Identifier: MIT
#pragma once
// How a pool gets a new connection. The worker's owner chooses: sockets in the gateway, streams in
// memory in a test.

#include <cstdint>
#include <string>

#include "rt/dns.h"
#include "rt/stream.h"

namespace suoke::upstream {

enum class Protocol : std::uint8_t { h1, h2 };

struct EndpointAddress {
    std::string host;  // a name, an IP address, or unix:/path
    std::uint16_t port = 80;
    Protocol protocol = Protocol::h1;
    std::string authority() const;  // "host:port"; the path of a Unix socket
    std::string to_string() const;  // ... and what is spoken there, unless it is HTTP/1.1
};

class Dialer {
 public:
    // Code::connect_failed, connect_timeout or dns_failed when there is no connection in time.
    virtual rt::Task<Result<rt::StreamPtr>> dial(EndpointAddress endpoint, TimePoint deadline) = 0;

 protected:
    ~Dialer() = default;
};

// Resolves names and connects, trying a name's addresses in turn.
class SocketDialer final : public Dialer {
 public:
    explicit SocketDialer(rt::Loop& loop) : loop_(loop), resolver_(loop) {}
    rt::Task<Result<rt::StreamPtr>> dial(EndpointAddress endpoint, TimePoint deadline) override;

 private:
    rt::Loop& loop_;
    rt::Resolver resolver_;
};

}  // namespace suoke::upstream
