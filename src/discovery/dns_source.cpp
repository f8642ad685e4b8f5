// SPDX-License-Identifier: MIT
#include "discovery/dns_source.h"

#include <algorithm>

#include "rt/pause.h"

namespace suoke::discovery {
namespace {

constexpr std::size_t kMostTargets = 256;  // different names in SRV records

balance::Instance at(const rt::Address& address) {
    balance::Instance instance;
    instance.host = address.host();
    instance.port = address.port();
    return instance;
}

// RFC 2782: weight 0 among others is a very small share, not none; all of them 0: the same for each.
std::uint32_t weight_of(const rt::SrvTarget& target) { return std::max<std::uint32_t>(target.weight, 1); }

}  // namespace

DnsSource::DnsSource(rt::Loop& loop, rt::Names& names, Random random, DnsOptions options, Listener& listener)
    : loop_(loop), names_(names), random_(random), options_(std::move(options)), news_(listener) {
    asking_.spawn(keep_asking());
}

rt::Task<void> DnsSource::keep_asking() {
    rt::Backoff backoff(Random(random_.next()), options_.retry);
    rt::Pause start(loop_, loop_.now() + Duration(1));  // the listener is told nothing in the constructor
    co_await start;
    for (;;) {
        Result<Answer> answer = co_await ask();
        Duration wait{};
        if (answer) {
            backoff.reset();
            Duration ttl = std::clamp(answer->ttl, options_.min_refresh, std::max(options_.min_refresh, options_.max_refresh));
            wait = rt::with_jitter(random_, ttl, options_.jitter);
            news_.found(std::move(answer->all));
        } else {
            wait = backoff.next();
            news_.failed(answer.error());
        }
        rt::Pause pause(loop_, loop_.now() + std::max(wait, options_.retry.least));
        co_await pause;
    }
}

rt::Task<Result<DnsSource::Answer>> DnsSource::ask() {
    TimePoint deadline = loop_.now() + options_.timeout;
    if (options_.srv) co_return co_await ask_for_services(deadline);
    co_return co_await ask_for_addresses(deadline);
}

rt::Task<Result<DnsSource::Answer>> DnsSource::ask_for_addresses(TimePoint deadline) {
    auto resolved = co_await names_.resolve_fresh(options_.name, options_.port, deadline);
    if (!resolved) co_return resolved.error();
    Answer answer;
    answer.ttl = resolved->ttl;
    for (const rt::Address& address : resolved->addresses) answer.all.push_back(at(address));
    co_return answer;
}

rt::Task<Result<DnsSource::Answer>> DnsSource::ask_for_services(TimePoint deadline) {
    // 1. The targets.
    auto services = co_await names_.resolve_srv(options_.name, deadline);
    if (!services) co_return services.error();
    std::map<std::string, Lookup> lookups;
    for (const rt::SrvTarget& target : services->targets) lookups.try_emplace(target.host);
    if (lookups.size() > kMostTargets)
        co_return Error(Code::dns_failed, options_.name + " has more than " + std::to_string(kMostTargets) + " targets");
    // 2. Their addresses, all at once.
    {
        rt::TaskScope asking;
        for (auto& [host, lookup] : lookups) asking.spawn(look_up(host, lookup, deadline));
        co_await asking.all_done();
    }
    // 3. Both together.
    co_return put_together(*services, lookups);
}

rt::Task<void> DnsSource::look_up(std::string host, Lookup& into, TimePoint deadline) {
    auto resolved = co_await names_.resolve_fresh(std::move(host), 0, deadline);
    if (resolved) {
        into.addresses = std::move(resolved->addresses);
        into.ttl = resolved->ttl;
    } else {
        into.error = resolved.error();
    }
}

Result<DnsSource::Answer> DnsSource::put_together(const rt::SrvAnswer& services, const std::map<std::string, Lookup>& lookups) {
    Answer answer;
    answer.ttl = services.ttl;
    std::map<std::string, std::vector<rt::Address>> known;
    std::optional<Error> error;
    for (const auto& [host, lookup] : lookups) {
        answer.ttl = std::min(answer.ttl, lookup.ttl);  // one that failed is asked for again soon
        auto before = remembered_.find(host);
        if (!lookup.error) {
            known[host] = lookup.addresses;
        } else if (before != remembered_.end()) {
            known[host] = before->second;
        } else {
            error = lookup.error;
        }
    }
    if (known.empty() && error) return std::move(*error);
    for (const rt::SrvTarget& target : services.targets) {
        auto addresses = known.find(target.host);
        if (addresses == known.end()) continue;
        for (rt::Address address : addresses->second) {
            address.set_port(target.port);
            balance::Instance instance = at(address);
            instance.priority = target.priority;
            instance.weight = weight_of(target);
            instance.metadata["dns.target"] = target.host;
            answer.all.push_back(std::move(instance));
        }
    }
    remembered_ = std::move(known);
    return answer;
}

}  // namespace suoke::discovery
