// SPDX-License-Identifier: MIT
#pragma once
// Names to addresses, on c-ares; answers are kept for their TTL (RFC 1035 §3.2.1).

#include <memory>
#include <string>
#include <vector>

#include "rt/socket.h"

namespace suoke::rt {

class Resolver {
 public:
    explicit Resolver(Loop& loop);
    ~Resolver();

    // IPv4 and IPv6 addresses with `port` set; never empty on success. Code::dns_failed otherwise.
    // Literal addresses and unix: paths need no resolver: see Address::parse.
    Task<Result<std::vector<Address>>> resolve(std::string host, std::uint16_t port, TimePoint deadline);

 private:
    struct Library;  // c-ares and its sockets
    std::unique_ptr<Library> library_;
};

}  // namespace suoke::rt
