// SPDX-License-Identifier: MIT
#include "app/compile.h"

#include <algorithm>
#include <numeric>

#include "filters/filters.h"
#include "gateway/forward.h"

namespace suoke::app {
namespace {

using gateway::Route;
using gateway::Service;
using gateway::Site;

// Smooth weighted round robin, unrolled: {a:2, b:1} walks a b a.
std::vector<std::uint16_t> rotation_of(const std::vector<config::Endpoint>& endpoints) {
    std::uint32_t divisor = 0, total = 0;
    for (const auto& e : endpoints) divisor = std::gcd(divisor, e.weight);
    if (divisor == 0) return {};
    std::vector<std::int64_t> weights, current(endpoints.size(), 0);
    for (const auto& e : endpoints) {
        weights.push_back(e.weight / divisor);
        total += e.weight / divisor;
    }
    std::vector<std::uint16_t> rotation;
    for (std::uint32_t step = 0; step < total && step < 10'000; ++step) {
        std::size_t best = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            current[i] += weights[i];
            if (current[i] > current[best]) best = i;
        }
        current[best] -= total;
        rotation.push_back(static_cast<std::uint16_t>(best));
    }
    return rotation;
}

std::unique_ptr<Service> service_of(const std::string& name, const config::Service& from, const config::Config& config) {
    auto service = std::make_unique<Service>();
    service->name = name;
    for (const config::Endpoint& e : from.endpoints) {
        upstream::EndpointAddress address{e.host, e.port};
        if (from.protocol == config::Protocol::h2) address.protocol = upstream::Protocol::h2;
        address.for_one_client = from.proxy_protocol != config::ProxySend::off;
        service->endpoints.push_back({address, address.to_string()});
    }
    service->rotation = rotation_of(from.endpoints);
    service->upstream_prefix = from.upstream_prefix;
    service->host_header = from.host_header;
    service->proxy_version = static_cast<int>(from.proxy_protocol);
    const config::Timeouts& timeouts = config.performance.timeouts;
    service->connect_timeout = from.connect_timeout.value_or(timeouts.connect);
    service->write_timeout = timeouts.write;
    service->pool_timeout = timeouts.pool;
    return service;
}

// What logs and metrics call a route: its pattern, never what a client sent.
std::string template_of(const config::Route& route) {
    if (!route.path.empty()) return route.path;
    if (!route.regex.empty()) return "~" + route.regex;
    if (route.prefix.empty() || route.prefix == "/") return "/*";
    return route.prefix.back() == '/' ? route.prefix + "*" : route.prefix + "/*";
}

void set_forwarding(Route& route, const config::Route& from, const Service& service, const config::Service& service_config,
                    const config::Config& config, std::vector<config::Problem>& problems, std::size_t index) {
    route.service = &service;
    route.strip_prefix = from.strip_prefix && from.regex.empty() && (from.path.empty() || from.path.ends_with("/*"));
    route.upstream_prefix = from.upstream_prefix.value_or(service.upstream_prefix);
    while (route.upstream_prefix.ends_with("/")) route.upstream_prefix.pop_back();
    std::string host = from.host_header.empty() ? service.host_header : from.host_header;
    // A path is no Host; what it leads to is here.
    bool on_a_path = std::any_of(service.endpoints.begin(), service.endpoints.end(),
                                 [](const gateway::Endpoint& e) { return e.address.host.starts_with("unix:"); });
    if (host.empty() && on_a_path) host = "localhost";
    route.preserve_host = host == "preserve";
    if (!route.preserve_host) route.host_header = host;
    const config::Timeouts& timeouts = config.performance.timeouts;
    route.timeout = from.timeout.value_or(Duration::zero());
    route.response_timeout = from.response_timeout.value_or(
        from.timeout && *from.timeout > Duration::zero() ? *from.timeout : service_config.timeout.value_or(timeouts.response));
    route.idle_timeout = from.idle_timeout.value_or(timeouts.idle);
    if (from.rewrite_path.empty()) return;
    auto rewrite = gateway::Rewrite::compile(from.rewrite_path);
    if (rewrite) {
        route.rewrite = std::move(*rewrite);
    } else {
        problems.push_back({config::Problem::error, from.place, "routes[" + std::to_string(index) + "].rewrite_path",
                            rewrite.error().detail});
    }
}

// Browsers ask before they call, with OPTIONS, whatever methods a route is for; the filter answers.
std::vector<config::Route> with_preflight(std::vector<config::Route> routes) {
    for (config::Route& route : routes) {
        auto& methods = route.methods;
        bool web = route.grpc_web && route.grpc_web->enabled && !methods.empty();
        if (web && std::find(methods.begin(), methods.end(), "OPTIONS") == methods.end()) methods.push_back("OPTIONS");
    }
    return routes;
}

gateway::SitePtr nothing_if_faulty(std::shared_ptr<Site> site, const std::vector<config::Problem>& problems) {
    for (const config::Problem& problem : problems)
        if (problem.severity == config::Problem::error) return nullptr;
    return site;
}

std::unique_ptr<Route> last_resort(const config::Config& config, const char* name, std::size_t index) {
    auto route = std::make_unique<Route>();
    route->name = name;
    route->path_template = name;
    route->index = static_cast<std::uint32_t>(index);
    route->chain = filters::chain_of(config, {}, filters::refusal());
    return route;
}

http::ProxyUse proxy_use_of(config::ProxyUse use) {
    switch (use) {
        case config::ProxyUse::optional: return http::ProxyUse::optional;
        case config::ProxyUse::required: return http::ProxyUse::required;
        default: return http::ProxyUse::off;
    }
}

http::SessionLimits session_limits(const config::Config& config) {
    http::SessionLimits limits;
    limits.request_line = config.security.max_request_line_size;
    limits.head = config.security.max_header_size;
    limits.fields = config.security.max_headers;
    limits.keepalive = config.server.keepalive;
    limits.header_timeout = config.server.header_timeout;
    limits.body_timeout = config.server.body_timeout;
    limits.min_body_rate = config.server.min_body_rate;
    limits.write_timeout = config.server.write_timeout;
    limits.max_requests = config.server.max_requests;
    limits.max_concurrent_streams = config.http2.max_concurrent_streams;
    limits.stream_window = static_cast<std::uint32_t>(config.http2.initial_stream_window);
    limits.connection_window = static_cast<std::uint32_t>(config.http2.connection_window);
    return limits;
}

}  // namespace

gateway::SitePtr compile(config::Config config, const std::vector<endpoints::Builtin>& builtins,
                         std::uint64_t generation, std::vector<config::Problem>& problems) {
    // 1. The operator's routes, and ours behind them in order of declaration.
    std::vector<config::Route> all = config.routes;
    for (const endpoints::Builtin& builtin : builtins) {
        config::Route route;
        route.name = builtin.name;
        route.path = builtin.path;
        route.methods = {"GET"};
        all.push_back(std::move(route));
    }
    auto router = gateway::Router::compile(with_preflight(all), problems);
    if (!router) return nullptr;
    auto site = std::make_shared<Site>(std::move(*router), gateway::Replies());
    site->generation = generation;

    // 2. Services.
    std::map<std::string_view, const Service*> by_name;
    for (const auto& [name, from] : config.services) {
        if (from.protocol == config::Protocol::h2 && from.proxy_protocol != config::ProxySend::off)
            problems.push_back({config::Problem::error, from.place, "services." + name + ".proxy_protocol",
                                "an h2 connection carries many clients, so it cannot begin with word about one"});
        site->services.push_back(service_of(name, from, config));
        site->services.back()->index = static_cast<std::uint32_t>(site->services.size() - 1);
        by_name[name] = site->services.back().get();
    }
    // A route may name a service nobody has described yet: it answers no_endpoint until then.
    for (const config::Route& route : config.routes) {
        if (route.service.empty() || config.services.contains(route.service)) continue;
        config.services[route.service];
        site->services.push_back(service_of(route.service, {}, config));
        site->services.back()->index = static_cast<std::uint32_t>(site->services.size() - 1);
        by_name[site->services.back()->name] = site->services.back().get();
    }

    // 3. Routes with their chains.
    auto forward = std::make_shared<gateway::Forward>();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const config::Route& from = all[i];
        auto route = std::make_unique<Route>();
        route->name = from.name;
        route->path_template = template_of(from);
        route->index = static_cast<std::uint32_t>(i);
        filters::FilterPtr last;
        if (i >= config.routes.size()) last = builtins[i - config.routes.size()].answer;
        else if (from.redirect) last = filters::redirect(from);
        else if (from.respond) last = filters::fixed_response(from);
        else last = forward;
        if (last == forward) set_forwarding(*route, from, *by_name.at(from.service), config.services.at(from.service), config, problems, i);
        route->chain = filters::chain_of(config, from, last);
        site->routes.push_back(std::move(route));
    }
    site->no_route = last_resort(config, "gateway:no_route", all.size());
    site->wrong_method = last_resort(config, "gateway:wrong_method", all.size() + 1);
    site->unreadable = last_resort(config, "gateway:unreadable", all.size() + 2);

    // 4. Limits.
    for (const std::string& text : config.server.trusted_proxies)
        if (auto network = rt::Network::parse(text)) site->trusted_proxies.push_back(*network);
    for (const std::string& text : config.server.proxy_protocol_from)
        if (auto network = rt::Network::parse(text)) site->proxy_protocol_from.push_back(*network);
    site->proxy_protocol = proxy_use_of(config.server.proxy_protocol);
    site->limits = session_limits(config);
    const config::ConnectionPool& pool = config.performance.connection_pool;
    site->pool.connections = pool.max_connections;
    site->pool.idle = pool.max_keepalive_connections;
    site->pool.idle_expiry = pool.keepalive_expiry;
    site->config = std::move(config);
    return nothing_if_faulty(std::move(site), problems);
}

}  // namespace suoke::app
