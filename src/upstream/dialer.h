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

struct EndpointAddress {
    std::string host;  // a name, an IP address, or unix:/path
    std::uint16_t port = 80;
    std::shared_ptr<const rt::TlsClient> tls = nullptr;  // null: in the clear
    std::string tls_identity = {};   // differs when the rules of `tls` do; empty: in the clear
    std::string to_string() const;   // for people
    // What connections to it have in common: those of other TLS rules are not to be mixed with them.
    std::string key() const { return tls_identity.empty() ? to_string() : to_string() + " " + tls_identity; }
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
