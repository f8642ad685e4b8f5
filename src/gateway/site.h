// SPDX-License-Identifier: MIT
#pragma once
// The immutable picture compiled from one configuration, shared by all workers. It owns no runtime
// state: pools, counters and the like are found by identity (endpoint address, route name) and live
// in the Worker, so a reload resets nothing.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "config/config.h"
#include "gateway/filter.h"
#include "gateway/replies.h"
#include "gateway/rewrite.h"
#include "gateway/router.h"
#include "http/handler.h"
#include "http/proxy_reader.h"
#include "rt/socket.h"
#include "upstream/pool.h"

namespace suoke::gateway {

struct Endpoint {
    upstream::EndpointAddress address;
    std::string name;           // "10.0.0.7:8080", for headers and logs
};

struct Service {
    std::string name;
    std::uint32_t index = 0;                 // in Site::services
    std::vector<Endpoint> endpoints;
    std::vector<std::uint16_t> rotation;     // round robin walks this; weights are repetitions
    std::string upstream_prefix;
    std::string host_header;                 // empty: the endpoint's name
    int proxy_version = 0;                   // of the PROXY header new connections begin with; 0: none
    Duration connect_timeout{}, write_timeout{}, pool_timeout{};
};

// A compiled route. `index` finds its per-worker counters.
struct Route {
    std::string name;
    std::string path_template;               // for logs and metrics: never what the client sent
    std::uint32_t index = 0;
    Chain chain;

    // of routes that forward
    const Service* service = nullptr;
    bool strip_prefix = true;
    bool preserve_host = false;
    std::string host_header;
    std::string upstream_prefix;
    std::optional<Rewrite> rewrite;
    Duration timeout{}, response_timeout{}, idle_timeout{};  // zero: none
    std::uint64_t max_request_size = 0;      // zero: none
};

class Site {
 public:
    Site(Router r, Replies p) : router(std::move(r)), replies(std::move(p)) {}

    config::Config config;
    std::uint64_t generation = 0;
    Router router;                                        // indices into `routes`
    Replies replies;
    std::vector<std::unique_ptr<Service>> services;
    std::vector<std::unique_ptr<Route>> routes;
    std::unique_ptr<Route> no_route;                      // 404
    std::unique_ptr<Route> wrong_method;                  // 405
    std::unique_ptr<Route> unreadable;                    // requests that are not HTTP
    std::vector<rt::Network> trusted_proxies;
    http::ProxyUse proxy_protocol = http::ProxyUse::off;
    std::vector<rt::Network> proxy_protocol_from;
    http::SessionLimits limits;
    upstream::PoolLimits pool;
    std::shared_ptr<const rt::TlsServer> tls;             // null: no TLS listener
    std::size_t route_count() const { return routes.size() + 3; }
};

using SitePtr = std::shared_ptr<const Site>;

}  // namespace suoke::gateway
