// SPDX-License-Identifier: MIT
#pragma once
// How a pool gets a new connection. The worker's owner chooses: sockets in the gateway, streams in
// memory in a test.

#include <cstdint>
#include <string>

#include "rt/dns.h"
#include "rt/stream.h"
#include "rt/tls.h"

namespace suoke::upstream {

enum class Protocol : std::uint8_t { h1, h2 };

struct EndpointAddress {
    std::string host;  // a name, an IP address, or unix:/path
    std::uint16_t port = 80;
    Protocol protocol = Protocol::h1;
    // Connections that begin with word about the client (PROXY protocol) carry that client only: a
    // pool never reuses them, and keeps them apart from those to the same address without.
    bool for_one_client = false;
    std::string preamble{};  // of one connection: what is sent before anything else, TLS included
    std::shared_ptr<const rt::TlsClient> tls = nullptr;  // null: in the clear
    std::string tls_identity = {};   // differs when the rules of `tls` do; empty: in the clear
    std::string to_string() const;   // for people: "host:port"; unix:/path
    // What connections to it have in common, and no others: the name of its pool.
    std::string identity() const;
};

class Dialer {
 public:
    // Code::connect_failed, connect_timeout or dns_failed when there is no connection in time.
    virtual rt::Task<Result<rt::StreamPtr>> dial(EndpointAddress endpoint, TimePoint deadline) = 0;

 protected:
    ~Dialer() = default;
};

// A connection on which the endpoint's protocol can begin: dialed, and over TLS when it wants that, where
// the protocol is what is offered by ALPN, and nothing else.
rt::Task<Result<rt::StreamPtr>> reach(Dialer& dialer, EndpointAddress endpoint, TimePoint deadline);

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
