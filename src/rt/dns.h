// SPDX-License-Identifier: MIT
#pragma once
// Names to addresses, on c-ares; answers are kept for their TTL (RFC 1035 §3.2.1).

#include <memory>
#include <string>
#include <vector>

#include "rt/dns_answer.h"
#include "rt/socket.h"

namespace suoke::rt {

struct Resolved {
    std::vector<Address> addresses;  // IPv4 and IPv6; never empty
    Duration ttl{};                  // for so long it may be used; at least a second
};

// Asks anew each time, for those who watch a name and want to know when to ask again. Failures are
// Code::dns_failed with the reason.
class Names {
 public:
    virtual Task<Result<Resolved>> resolve_fresh(std::string host, std::uint16_t port, TimePoint deadline) = 0;
    // Where a service is (RFC 2782): "_http._tcp.users.internal", a full name, no search domains.
    virtual Task<Result<SrvAnswer>> resolve_srv(std::string name, TimePoint deadline) = 0;

 protected:
    ~Names() = default;
};

struct ResolverOptions {
    std::string servers = {};  // "192.0.2.53,[2001:db8::53]:5353" instead of resolv.conf's
    Duration timeout = std::chrono::seconds(2);  // of the first attempt at a server
    int tries = 3;
};

class Resolver final : public Names {
 public:
    explicit Resolver(Loop& loop, const ResolverOptions& options = {});
    ~Resolver();

    // IPv4 and IPv6 addresses with `port` set; never empty on success. Code::dns_failed otherwise.
    // Literal addresses and unix: paths need no resolver: see Address::parse.
    Task<Result<std::vector<Address>>> resolve(std::string host, std::uint16_t port, TimePoint deadline);
    Task<Result<Resolved>> resolve_fresh(std::string host, std::uint16_t port, TimePoint deadline) override;
    Task<Result<SrvAnswer>> resolve_srv(std::string name, TimePoint deadline) override;

 private:
    struct Library;  // c-ares and its sockets
    std::unique_ptr<Library> library_;
};

}  // namespace suoke::rt
