// SPDX-License-Identifier: MIT
#pragma once
// The addresses of a name, or the targets of its SRV records (RFC 2782), asked for again when their TTL
// is over. Of a target with several addresses each one is an instance.

#include <map>

#include "discovery/news.h"
#include "rt/backoff.h"
#include "rt/dns.h"
#include "rt/scope.h"

namespace suoke::discovery {

struct DnsOptions {
    std::string name;         // "users.internal", or with `srv` "_http._tcp.users.internal"
    bool srv = false;
    std::uint16_t port = 80;  // of addresses; SRV records name their own
    Duration min_refresh = std::chrono::seconds(5);  // whatever the TTL says
    Duration max_refresh = std::chrono::minutes(5);
    double jitter = 0.1;      // by so much later
    Duration timeout = std::chrono::seconds(5);      // of one question, with all that follows from it
    rt::BackoffRules retry = {};
};

class DnsSource final : public Source {
 public:
    DnsSource(rt::Loop& loop, rt::Names& names, Random random, DnsOptions options, Listener& listener);

 private:
    struct Answer {
        balance::Instances all;
        Duration ttl{};
    };
    struct Lookup {
        std::vector<rt::Address> addresses;
        Duration ttl{};
        std::optional<Error> error;
    };
    rt::Task<void> keep_asking();
    rt::Task<Result<Answer>> ask();
    rt::Task<Result<Answer>> ask_for_addresses(TimePoint deadline);
    rt::Task<Result<Answer>> ask_for_services(TimePoint deadline);
    rt::Task<void> look_up(std::string host, Lookup& into, TimePoint deadline);
    Result<Answer> put_together(const rt::SrvAnswer& services, const std::map<std::string, Lookup>& lookups);

    rt::Loop& loop_;
    rt::Names& names_;
    Random random_;
    const DnsOptions options_;
    News news_;
    // What the targets' names meant last: a name that cannot be asked now has not lost its addresses.
    std::map<std::string, std::vector<rt::Address>> remembered_;
    rt::TaskScope asking_;  // ends before everything above
};

}  // namespace suoke::discovery
