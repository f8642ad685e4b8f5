// SPDX-License-Identifier: MIT
#include "app/discoveries.h"

#include "discovery/consul_source.h"
#include "discovery/dns_source.h"
#include "discovery/file_source.h"
#include "discovery/kubernetes_source.h"

namespace suoke::app {
namespace {

// What a service says, and where it says nothing, what service_discovery.type says of all.
config::Discovery wanted_by(const std::string& name, const config::Service& service, const config::ServiceDiscovery& common) {
    if (service.discovery) return *service.discovery;
    config::Discovery wanted;
    if (!service.endpoints.empty()) return wanted;
    if (common.type == config::DiscoveryType::consul) wanted.consul = name;
    if (common.type == config::DiscoveryType::kubernetes) wanted.kubernetes.emplace();
    return wanted;
}

std::vector<std::string> kinds_of(const config::Discovery& wanted) {
    std::vector<std::string> kinds;
    if (wanted.dns) kinds.emplace_back("dns");
    if (!wanted.file.empty()) kinds.emplace_back("file");
    if (!wanted.consul.empty()) kinds.emplace_back("consul");
    if (wanted.kubernetes) kinds.emplace_back("kubernetes");
    return kinds;
}

}  // namespace

// One source of one service, and what is made of its words.
class Discoveries::Watch final : public discovery::Listener {
 public:
    Watch(Discoveries& all, std::string service, std::string kind, const config::Discovery& wanted, const config::ServiceDiscovery& common)
        : all_(all), service_(std::move(service)), kind_(std::move(kind)), wanted_(wanted), common_(common) {
        source_ = all_.source_of(kind_, service_, wanted_, common_, *this);
    }
    bool is_for(const config::Discovery& wanted, const config::ServiceDiscovery& common) const { return wanted_ == wanted && common_ == common; }

 private:
    void found(balance::Instances instances) override {
        if (std::exchange(failing_, false)) all_.events_.tell(Level::info, "discovery.back", {{"service", service_}, {"source", kind_}});
        all_.directory_.found(service_, kind_, std::move(instances));
    }
    void failed(const Error& why) override {
        all_.directory_.doubt(service_, kind_);
        if (std::exchange(failing_, true)) return;
        all_.events_.tell(Level::warning, "discovery.failed", {{"service", service_}, {"source", kind_}, {"because", why.detail}});
    }

    Discoveries& all_;
    const std::string service_, kind_;
    const config::Discovery wanted_;
    const config::ServiceDiscovery common_;
    bool failing_ = false;
    std::unique_ptr<discovery::Source> source_;  // ends before everything above
};

Discoveries::Discoveries(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, services::Directory& directory, Events& events)
    : loop_(loop), dialer_(dialer), buffers_(buffers), directory_(directory), events_(events), random_(Random::from_system()) {}
Discoveries::~Discoveries() = default;

void Discoveries::adopt(const config::Config& config) {
    std::map<std::pair<std::string, std::string>, const config::Service*> wanted;
    if (config.service_discovery.enabled)
        for (const auto& [name, service] : config.services)
            for (std::string& kind : kinds_of(wanted_by(name, service, config.service_discovery))) wanted[{name, std::move(kind)}] = &service;
    for (auto at = watches_.begin(); at != watches_.end();) {
        auto [service, kind] = at->first;
        if (wanted.contains(at->first)) {
            ++at;
            continue;
        }
        at = watches_.erase(at);
        directory_.set(service, kind, {});
    }
    for (const auto& [key, service] : wanted) {
        config::Discovery now = wanted_by(key.first, *service, config.service_discovery);
        std::unique_ptr<Watch>& watch = watches_[key];
        if (watch && watch->is_for(now, config.service_discovery)) continue;
        watch.reset();
        watch = std::make_unique<Watch>(*this, key.first, key.second, now, config.service_discovery);
    }
}

std::unique_ptr<discovery::Source> Discoveries::source_of(const std::string& kind, const std::string& service, const config::Discovery& wanted,
                                                          const config::ServiceDiscovery& common, discovery::Listener& listener) {
    Random random(random_.next());
    if (kind == "dns") {
        if (!resolver_) {
            rt::ResolverOptions servers;
            for (const std::string& server : common.dns_servers) servers.servers += (servers.servers.empty() ? "" : ",") + server;
            resolver_ = std::make_unique<rt::Resolver>(loop_, servers);
        }
        discovery::DnsOptions options;
        options.name = wanted.dns->name;
        options.srv = wanted.dns->srv;
        options.port = wanted.dns->port;
        return std::make_unique<discovery::DnsSource>(loop_, *resolver_, random, std::move(options), listener);
    }
    if (kind == "file") {
        discovery::FileOptions options;
        options.path = wanted.file;
        options.service = service;
        return std::make_unique<discovery::FileSource>(loop_, std::move(options), listener);
    }
    if (kind == "consul") {
        discovery::ConsulOptions options;
        options.endpoint.host = common.consul.host;
        options.endpoint.port = common.consul.port;
        options.tls = common.consul.tls;
        options.ca_file = common.consul.ca_file;
        options.service = wanted.consul;
        options.tags = wanted.consul_tags;
        options.datacenter = common.consul.datacenter;
        options.token = common.consul.token;
        return std::make_unique<discovery::ConsulSource>(loop_, dialer_, buffers_, random, std::move(options), listener);
    }
    discovery::KubernetesOptions options;
    const config::Kubernetes& cluster = common.kubernetes;
    if (!cluster.host.empty()) options.host = cluster.host;
    options.port = cluster.port;
    if (!cluster.token_file.empty()) options.token_file = cluster.token_file;
    if (!cluster.ca_file.empty()) options.ca_file = cluster.ca_file;
    options.name_space = wanted.kubernetes->name_space.empty() ? cluster.name_space : wanted.kubernetes->name_space;
    options.service = wanted.kubernetes->service.empty() ? service : wanted.kubernetes->service;
    options.service_port = wanted.kubernetes->port;
    return std::make_unique<discovery::KubernetesSource>(loop_, dialer_, buffers_, random, std::move(options), listener);
}

}  // namespace suoke::app
