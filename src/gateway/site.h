// SPDX-License-Identifier: MIT
#pragma once
// The immutable picture compiled from one configuration, shared by all workers. It owns no runtime
// state: pools, counters and the like are found by identity (endpoint address, route name) and live
// in the Worker, so a reload resets nothing.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "config/config.h"
#include "gateway/authentication.h"
#include "gateway/filter.h"
#include "gateway/replies.h"
#include "gateway/retry.h"
#include "gateway/rewrite.h"
#include "gateway/router.h"
#include "http/handler.h"
#include "http/proxy_reader.h"
#include "limits/policy.h"
#include "rt/socket.h"
#include "services/definition.h"
#include "upstream/pool.h"

namespace suoke::gateway {

// How requests to a service are sent; who is in it is the directory's business.
struct Service {
    std::string name;                        // empty: stands for every service that is not configured
    std::uint32_t index = 0;                 // in Site::services
    services::DefinitionPtr definition;
    std::string upstream_prefix;
    std::string host_header;                 // empty: the endpoint's name; "preserve": the client's
    int proxy_version = 0;                   // of the PROXY header new connections begin with; 0: none
    Duration connect_timeout{}, write_timeout{}, pool_timeout{};
    Duration response_timeout{};             // of routes that say none themselves
    RetryRules retry;
    const config::FixedResponse* fallback = nullptr;   // in Site::config
    const config::StickySession* sticky = nullptr;     // in Site::config; null: sessions go anywhere
};

// A compiled route. `index` finds its per-worker counters.
struct Route {
    std::string name;
    std::string path_template;               // for logs and metrics: never what the client sent
    std::uint32_t index = 0;
    Chain chain;
    Admission admission;

    // of routes that forward
    const Service* service = nullptr;        // the first one, when there are several
    struct Share {
        const Service* service;
        std::uint32_t up_to;                 // of the sum of all weights; the last one is the sum
    };
    std::vector<Share> shares;               // of a split
    bool names_service = false;              // the path names one: {service}
    // What it says itself of how a service is asked; nothing: the service's own words count.
    std::optional<RetryRules> retry;
    std::optional<Duration> response_timeout;
    std::optional<std::string> upstream_prefix;
    std::string host_header;                 // as Service::host_header; empty: the service's
    Duration hedge_after{};                  // zero: never
    std::uint32_t hedges = 0;
    const Service* mirror = nullptr;         // gets copies of the requests; null: nobody
    std::uint32_t mirror_percent = 0;
    config::Importance importance = config::Importance::normal;
    const config::FixedResponse* fallback = nullptr;   // in Site::config
    bool strip_prefix = true;
    std::optional<Rewrite> rewrite;
    Duration timeout{}, idle_timeout{};      // zero: none
    std::uint64_t max_request_size = 0;      // zero: none
    limits::Plan plan;                       // how often it may be asked
};

class Site {
 public:
    Site(Router r, Replies p) : router(std::move(r)), replies(std::move(p)) {}

    config::Config config;
    std::uint64_t generation = 0;
    Router router;                                        // indices into `routes`
    Replies replies;
    std::vector<std::unique_ptr<Service>> services;
    std::map<std::string_view, const Service*> by_name;
    std::unique_ptr<Service> unlisted;                    // how services are asked that only others know
    std::vector<std::unique_ptr<Route>> routes;
    std::vector<suoke::limits::PolicyPtr> policies;       // limits of clients, by their index
    bool limits_clients = false;                          // by those, or by penalties
    const Route* any_service = nullptr;                   // the way that POST /proxy goes; null: switched off
    std::unique_ptr<Route> no_route;                      // 404
    std::unique_ptr<Route> wrong_method;                  // 405
    std::unique_ptr<Route> unreadable;                    // requests that are not HTTP
    std::vector<rt::Network> trusted_proxies;
    http::ProxyUse proxy_protocol = http::ProxyUse::off;
    std::vector<rt::Network> proxy_protocol_from;
    http::SessionLimits limits;
    Authentication authentication;
    upstream::PoolLimits pool;
    std::shared_ptr<const rt::TlsServer> tls;             // null: no TLS listener
    // Null: none by configuration.
    const Service* service_named(std::string_view name) const {
        auto found = by_name.find(name);
        return found == by_name.end() ? nullptr : found->second;
    }
    std::size_t route_count() const { return routes.size() + 3; }
};

using SitePtr = std::shared_ptr<const Site>;

}  // namespace suoke::gateway
