// SPDX-License-Identifier: MIT
#include "app/compile.h"

#include <algorithm>
#include <map>

#include "app/auth_rules.h"
#include "app/compile_cache.h"
#include "app/compile_limits.h"
#include "app/key_sources.h"
#include "app/limit_shares.h"
#include "app/redis_options.h"
#include "config/settle.h"
#include "filters/cross_origin.h"
#include "filters/filters.h"
#include "gateway/forward.h"

namespace suoke::app {
namespace {

using gateway::Route;
using gateway::Service;
using gateway::Site;

void complain(std::vector<config::Problem>& problems, const std::string& key, const Error& error) {
    problems.push_back({config::Problem::error, {}, key, error.detail});
}

// What the session of HTTP/2 adds "h2" to, in front.
std::vector<std::string> offered_protocols() { return {"h2", "http/1.1"}; }

std::shared_ptr<const rt::TlsServer> tls_server(const config::ServerTls& from, const TlsInputs& inputs, std::vector<config::Problem>& problems) {
    if (!from.enabled || (from.certificates.empty() && inputs.local_certificates.empty())) return nullptr;
    rt::TlsServerOptions options;
    for (std::size_t i = 0; i < from.certificates.size(); ++i) {
        auto pem = rt::read_certificate(from.certificates[i].cert_file, from.certificates[i].key_file);
        if (!pem) return complain(problems, "server.tls.certificates[" + std::to_string(i) + "]", pem.error()), nullptr;
        options.certificates.push_back(std::move(*pem));
    }
    for (const rt::CertificatePem& pem : inputs.local_certificates) options.certificates.push_back(pem);
    options.min_version = static_cast<rt::TlsVersion>(from.min_version);
    options.alpn = offered_protocols();
    options.client_auth = static_cast<rt::ClientAuth>(from.client_auth);
    if (from.client_auth != config::ClientAuth::none) {
        auto ca = rt::read_pem_file(from.client_ca_file);
        if (!ca) return complain(problems, "server.tls.client_ca_file", ca.error()), nullptr;
        options.client_ca = std::move(*ca);
    }
    options.tickets = inputs.tickets;
    options.ticket_lifetime = from.ticket_rotation;
    auto made = rt::TlsServer::make(std::move(options));
    if (!made) return complain(problems, "server.tls", made.error()), nullptr;
    return *made;
}

Result<rt::TlsClientOptions> client_options(const config::ServiceTls& from) {
    rt::TlsClientOptions options;
    options.insecure_skip_verify = !from.verify;
    options.server_name = from.server_name;
    if (!from.ca_file.empty()) {
        auto ca = rt::read_pem_file(from.ca_file);
        if (!ca) return ca.error();
        options.ca = std::move(*ca);
    }
    if (!from.cert_file.empty()) {
        auto pem = rt::read_certificate(from.cert_file, from.key_file);
        if (!pem) return pem.error();
        options.certificates.push_back(std::move(*pem));
    }
    return options;
}

// Tells one set of rules from another; the secrets in them cannot be got back from it.
std::string identity_of(const rt::TlsClientOptions& options) {
    std::string all = options.ca + '\0' + options.server_name + '\0' + (options.insecure_skip_verify ? "any" : "verified");
    for (const rt::CertificatePem& pem : options.certificates) all += '\0' + pem.chain;
    return "tls:" + std::to_string(std::hash<std::string>()(all));
}

struct UpstreamTls {
    std::shared_ptr<const rt::TlsClient> client;
    std::string identity;
};

Result<UpstreamTls> upstream_tls(const config::ServiceTls& from) {
    auto options = client_options(from);
    if (!options) return options.error();
    UpstreamTls tls;
    tls.identity = identity_of(*options);
    auto client = rt::TlsClient::make(std::move(*options));
    if (!client) return client.error();
    tls.client = std::move(*client);
    return tls;
}

// How its endpoints are reached by TLS: those that want it, and those that may yet join and say so
// themselves. Where the configuration has no rules for it, they are `usual`.
void set_upstream_tls(services::Definition& definition, const config::ServiceTls& from, const UpstreamTls& usual,
                      std::vector<config::Problem>& problems) {
    definition.use_tls = from.enabled;
    config::ServiceTls rules = from;
    rules.enabled = false;
    auto tls = rules == config::ServiceTls() ? Result<UpstreamTls>(usual) : upstream_tls(from);
    if (!tls) return complain(problems, "services." + definition.name + ".tls", tls.error());
    definition.tls = std::move(tls->client);
    definition.tls_identity = std::move(tls->identity);
}

balance::HashBy hash_of(const config::LoadBalancer& from) {
    if (from.strategy == config::Strategy::ip_hash) return {};
    return {static_cast<balance::HashBy::Of>(from.hash_by), from.hash_name};
}

balance::Strategy strategy_of(config::Strategy from) {
    return from == config::Strategy::ip_hash ? balance::Strategy::consistent_hash : static_cast<balance::Strategy>(from);
}

balance::OutlierRules outlier_rules(const config::OutlierDetection& from) {
    balance::OutlierRules rules;
    rules.enabled = from.enabled;
    rules.consecutive_failures = from.consecutive_failures;
    rules.consecutive_errors = from.consecutive_errors;
    rules.base_ejection = from.base_ejection_time;
    rules.max_ejection = from.max_ejection_time;
    rules.max_ejected = from.max_ejected_percent / 100.0;
    rules.interval = from.interval;
    rules.minimum_requests = from.minimum_requests;
    rules.minimum_endpoints = from.minimum_endpoints;
    rules.success_rate_deviations = from.success_rate_deviations;
    rules.latency_factor = from.latency_factor;
    return rules;
}

balance::BreakerRules breaker_rules(const config::CircuitBreaker& from) {
    balance::BreakerRules rules;
    rules.enabled = from.enabled;
    rules.consecutive_failures = from.failure_threshold;
    rules.error_rate = from.error_percent / 100.0;
    rules.minimum_requests = from.minimum_requests;
    rules.window = from.window;
    rules.open_for = from.recovery_timeout;
    rules.probes = from.half_open_requests;
    rules.successes = from.success_threshold;
    rules.slow_call = from.slow_call;
    return rules;
}

balance::LimitRules limit_rules(const config::Concurrency& from) {
    balance::LimitRules rules;
    rules.max_requests = from.max_requests;
    rules.max_waiting = from.max_waiting;
    rules.max_wait = from.max_wait;
    rules.adaptive = static_cast<balance::LimitRules::Adaptive>(from.adaptive);
    rules.least = from.adaptive_min;
    rules.most = from.adaptive_max;
    return rules;
}

// What the service says, and where it says nothing, what the sections of the configuration say.
balance::Rules rules_of(const config::Service& from, const config::Config& config) {
    balance::Rules rules;
    const config::LoadBalancer& balancer = from.load_balancer ? *from.load_balancer : config.load_balancer;
    rules.strategy = strategy_of(balancer.strategy);
    rules.hash = hash_of(balancer);
    rules.bounded_load = balancer.bounded_load_percent / 100.0;
    rules.slow_start = balancer.slow_start;
    rules.panic_threshold = balancer.panic_percent / 100.0;
    rules.limits = limit_rules(from.concurrency ? *from.concurrency : config.concurrency);
    rules.outlier = outlier_rules(from.outlier_detection ? *from.outlier_detection : config.outlier_detection);
    const config::CircuitBreaker& breaker = from.circuit_breaker ? *from.circuit_breaker : config.circuit_breaker;
    if (breaker.scope != config::BreakerScope::service) rules.endpoint_breaker = breaker_rules(breaker);
    if (breaker.scope != config::BreakerScope::endpoint) rules.service_breaker = breaker_rules(breaker);
    return rules;
}

services::HealthRules health_rules(const config::HealthCheck& from) {
    services::HealthRules rules;
    rules.probe.kind = static_cast<services::ProbeKind>(from.type);
    rules.probe.path = from.path;
    rules.probe.host = from.host;
    rules.probe.grpc_service = from.service;
    rules.probe.statuses.clear();
    for (const std::string& text : from.statuses)
        if (auto ranges = services::parse_statuses(text)) rules.probe.statuses.insert(rules.probe.statuses.end(), ranges->begin(), ranges->end());
    rules.probe.body_contains = from.body;
    rules.probe.timeout = from.timeout;
    rules.interval = from.interval;
    rules.rise = static_cast<int>(from.healthy_threshold);
    rules.fall = static_cast<int>(from.unhealthy_threshold);
    return rules;
}

balance::Instance instance_of(const config::Endpoint& from) {
    balance::Instance instance;
    instance.host = from.host;
    instance.port = from.port;
    instance.weight = from.weight;
    instance.priority = from.priority;
    instance.zone = from.zone;
    instance.use_tls = from.use_tls;
    return instance;
}

std::unique_ptr<Service> service_of(const std::string& name, const config::Service& from, const config::Config& config,
                                    const UpstreamTls& usual_tls, std::vector<config::Problem>& problems) {
    auto service = std::make_unique<Service>();
    service->name = name;
    auto made = std::make_shared<services::Definition>();
    services::Definition& definition = *made;
    definition.name = name;
    definition.rules = rules_of(from, config);
    for (const config::Endpoint& endpoint : from.endpoints) definition.instances.push_back(instance_of(endpoint));
    definition.protocol = from.protocol == config::Protocol::h2 ? upstream::Protocol::h2 : upstream::Protocol::h1;
    definition.for_one_client = from.proxy_protocol != config::ProxySend::off;
    const config::HealthCheck& check = from.health_check ? *from.health_check : config.health_check;
    definition.starts_healthy = !check.enabled || check.starts_healthy;
    if (check.enabled) definition.health = health_rules(check);
    definition.zone = config.app.zone;
    set_upstream_tls(definition, from.tls, usual_tls, problems);
    definition.never_in_the_clear = config::serves_health_information(config, name);
    service->definition = std::move(made);
    service->upstream_prefix = from.upstream_prefix;
    service->host_header = from.host_header;
    service->proxy_version = static_cast<int>(from.proxy_protocol);
    const config::Timeouts& timeouts = config.performance.timeouts;
    while (service->upstream_prefix.ends_with("/")) service->upstream_prefix.pop_back();
    service->connect_timeout = from.connect_timeout.value_or(timeouts.connect);
    service->write_timeout = timeouts.write;
    service->pool_timeout = timeouts.pool;
    service->response_timeout = from.timeout.value_or(timeouts.response);
    service->retry = gateway::retry_rules(from.retry ? *from.retry : config.retry);
    return service;
}

// What logs and metrics call a route: its pattern, never what a client sent.
std::string template_of(const config::Route& route) {
    if (!route.path.empty()) return route.path;
    if (!route.regex.empty()) return "~" + route.regex;
    if (route.prefix.empty() || route.prefix == "/") return "/*";
    return route.prefix.back() == '/' ? route.prefix + "*" : route.prefix + "/*";
}

void set_forwarding(Route& route, const config::Route& from, const Service& service, const config::Config& config, std::vector<config::Problem>& problems, std::size_t index) {
    route.service = &service;
    route.strip_prefix = from.strip_prefix && from.regex.empty() && (from.path.empty() || from.path.ends_with("/*"));
    route.upstream_prefix = from.upstream_prefix;
    while (route.upstream_prefix && route.upstream_prefix->ends_with("/")) route.upstream_prefix->pop_back();
    route.host_header = from.host_header;
    route.timeout = from.timeout.value_or(Duration::zero());
    route.response_timeout = from.response_timeout;
    if (!route.response_timeout && route.timeout > Duration::zero()) route.response_timeout = route.timeout;
    route.idle_timeout = from.idle_timeout.value_or(config.performance.timeouts.idle);
    if (from.retry) route.retry = gateway::retry_rules(*from.retry);
    if (from.hedge) {
        route.hedge_after = from.hedge->after;
        route.hedges = from.hedge->max;
    }
    if (from.rewrite_path.empty()) return;
    auto rewrite = gateway::Rewrite::compile(from.rewrite_path);
    if (rewrite) {
        route.rewrite = std::move(*rewrite);
    } else {
        problems.push_back({config::Problem::error, from.place, "routes[" + std::to_string(index) + "].rewrite_path",
                            rewrite.error().detail});
    }
}

// Whichever service the path names: how it is asked is its own business.
constexpr const char* kAnyService = "{service}";
void forward_to_any(Route& route, const config::Config& config) {
    route.strip_prefix = true;
    route.idle_timeout = config.performance.timeouts.idle;
}

// Those of our endpoints that are for managers only refuse everybody else themselves, and so have to know who asks:
// also where auth.mode is none. What is forwarded goes by the section.
bool lets_anybody_ask(const endpoints::Builtin& builtin, const config::Auth& auth) {
    const bool is_our_own = builtin.answer && builtin.name != "gateway:envelope";
    return auth.is_on() && (builtin.open || (is_our_own && auth.mode == config::AuthMode::none));
}

// Browsers ask before they call, with OPTIONS, whatever methods a route is for; the filter cors answers.
std::vector<config::Route> with_preflight(std::vector<config::Route> routes, const config::Config& config) {
    for (config::Route& route : routes) {
        auto& methods = route.methods;
        bool lists = !methods.empty() && std::find(methods.begin(), methods.end(), "OPTIONS") == methods.end();
        if (lists && filters::cors_of(config, route)) methods.push_back("OPTIONS");
    }
    return routes;
}

// Several services with a share each.
void share_out(Route& route, const config::Route& from, const std::map<std::string_view, const Service*>& by_name) {
    std::uint32_t sum = 0;
    for (const config::Split& split : from.split)
        if (split.weight > 0) route.shares.push_back({by_name.at(split.service), sum += split.weight});
}

// What is said word for word stays in the configuration, which the site owns by now.
void point_to_words(Site& site) {
    for (auto& service : site.services) {
        const config::Service& from = site.config.services.at(service->name);
        if (from.fallback) service->fallback = &*from.fallback;
        const config::LoadBalancer& balancer = from.load_balancer ? *from.load_balancer : site.config.load_balancer;
        if (balancer.sticky.enabled) service->sticky = &balancer.sticky;
    }
    if (site.config.load_balancer.sticky.enabled) site.unlisted->sticky = &site.config.load_balancer.sticky;
    for (std::size_t i = 0; i < site.config.routes.size(); ++i) {
        const config::Route& from = site.config.routes[i];
        if (from.fallback) site.routes[i]->fallback = &*from.fallback;
        site.routes[i]->importance = from.importance;
    }
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
    config::Route of_nobody;
    of_nobody.auth.mode = config::AuthMode::none;   // who is refused anyway need not say who it is
    route->chain = filters::chain_of(config, of_nobody, filters::refusal());
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

// The operator's routes, and ours behind them in order of declaration.
std::vector<config::Route> with_ours(const config::Config& config, const std::vector<endpoints::Builtin>& builtins) {
    std::vector<config::Route> all = config.routes;
    for (const endpoints::Builtin& builtin : builtins) {
        config::Route route;
        route.name = builtin.name;
        route.path = builtin.path;
        route.methods = builtin.methods;
        if (!builtin.answer) route.service = kAnyService;
        if (lets_anybody_ask(builtin, config.auth)) route.auth.mode = config::AuthMode::optional;
        all.push_back(std::move(route));
    }
    return all;
}

void add_service(Site& site, std::unique_ptr<Service> service) {
    service->index = static_cast<std::uint32_t>(site.services.size());
    site.by_name[service->name] = service.get();
    site.services.push_back(std::move(service));
}

bool compile_services(Site& site, config::Config& config, std::vector<config::Problem>& problems) {
    auto usual_tls = upstream_tls(config::ServiceTls());
    if (!usual_tls) return complain(problems, "services", usual_tls.error()), false;
    for (const auto& [name, from] : config.services) {
        if (from.protocol == config::Protocol::h2 && from.proxy_protocol != config::ProxySend::off)
            problems.push_back({config::Problem::error, from.place, "services." + name + ".proxy_protocol",
                                "an h2 connection carries many clients, so it cannot begin with word about one"});
        add_service(site, service_of(name, from, config, *usual_tls, problems));
    }
    // A route may name a service nobody has described yet: it answers no_endpoint until then.
    for (const config::Route& route : config.routes) {
        if (route.service.empty() || config.services.contains(route.service)) continue;
        config.services[route.service];
        add_service(site, service_of(route.service, {}, config, *usual_tls, problems));
    }
    site.unlisted = service_of("", {}, config, *usual_tls, problems);
    return true;
}

// What a route of the operator's ends in.
filters::FilterPtr end_of(const config::Route& from, const filters::FilterPtr& forward) {
    if (from.redirect) return filters::redirect(from);
    if (from.respond) return filters::fixed_response(from);
    return forward;
}

void set_targets(Site& site, Route& route, const config::Route& from, const config::Config& config, std::vector<config::Problem>& problems) {
    const std::string& name = from.split.empty() ? from.service : from.split.front().service;
    set_forwarding(route, from, *site.by_name.at(name), config, problems, route.index);
    share_out(route, from, site.by_name);
    if (!from.mirror) return;
    route.mirror = site.by_name.at(from.mirror->service);
    route.mirror_percent = from.mirror->percent;
}

// `ours`: null for routes of the operator's.
std::unique_ptr<Route> route_of(Site& site, const config::Route& from, std::size_t index, const endpoints::Builtin* ours,
                                const filters::FilterPtr& forward, const config::Config& config, std::vector<config::Problem>& problems) {
    auto route = std::make_unique<Route>();
    route->name = from.name;
    route->path_template = template_of(from);
    route->index = static_cast<std::uint32_t>(index);
    const bool to_any = ours && !ours->answer;
    filters::FilterPtr last = to_any ? forward : ours ? ours->answer : end_of(from, forward);
    if (to_any) forward_to_any(*route, config);
    else if (last == forward) set_targets(site, *route, from, config, problems);
    if (to_any && from.path.ends_with("/*") && !site.any_service) site.any_service = route.get();
    route->names_service = ours && from.path.find("{service}") != std::string::npos;
    route->admission = admission_of(config, from);
    route->chain = filters::chain_of(config, from, last);
    if (auto error = filters::fault_of_validation(from))
        problems.push_back({config::Problem::error, from.validation->place, "routes[" + std::to_string(index) + "].validation", error->detail});
    return route;
}

// Beyond those of the operator's, whose number is that of config.routes, stand `builtins`.
void compile_routes(Site& site, const std::vector<config::Route>& all, const config::Config& config, const std::vector<endpoints::Builtin>& builtins,
                    std::vector<config::Problem>& problems) {
    const filters::FilterPtr forward = std::make_shared<gateway::Forward>();
    const std::size_t theirs = config.routes.size();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const endpoints::Builtin* ours = i < theirs ? nullptr : &builtins[i - theirs];
        site.routes.push_back(route_of(site, all[i], i, ours, forward, config, problems));
    }
    site.no_route = last_resort(config, "gateway:no_route", all.size());
    site.wrong_method = last_resort(config, "gateway:wrong_method", all.size() + 1);
    site.unreadable = last_resort(config, "gateway:unreadable", all.size() + 2);
}

std::vector<rt::Network> networks_of(const std::vector<std::string>& texts) {
    std::vector<rt::Network> networks;
    for (const std::string& text : texts)
        if (auto network = rt::Network::parse(text)) networks.push_back(*network);
    return networks;
}

void set_connections(Site& site, const config::Config& config) {
    site.trusted_proxies = networks_of(config.server.trusted_proxies);
    site.proxy_protocol_from = networks_of(config.server.proxy_protocol_from);
    site.proxy_protocol = proxy_use_of(config.server.proxy_protocol);
    site.limits = session_limits(config);
    const config::ConnectionPool& pool = config.performance.connection_pool;
    site.pool.connections = pool.max_connections;
    site.pool.idle = pool.max_keepalive_connections;
    site.pool.idle_expiry = pool.keepalive_expiry;
}

// Said here, before anybody depends on it.
void check_redis(const config::Config& config, std::vector<config::Problem>& problems) {
    if (config.redis.wanted()) redis_options(config.redis, problems);
    if (LimitShares::wanted(config) && !config.rate_limit.storage_url.empty()) LimitShares::other_redis(config, problems);
}

}  // namespace

gateway::SitePtr compile(config::Config config, const std::vector<endpoints::Builtin>& builtins,
                         std::uint64_t generation, std::vector<config::Problem>& problems, const TlsInputs& tls) {
    const std::vector<config::Route> all = with_ours(config, builtins);
    auto router = gateway::Router::compile(with_preflight(all, config), problems);
    if (!router) return nullptr;
    auto site = std::make_shared<Site>(std::move(*router), gateway::Replies());
    site->generation = generation;
    if (!compile_services(*site, config, problems)) return nullptr;
    compile_routes(*site, all, config, builtins, problems);
    compile_limits(*site, config, all);
    check_cache_rules(config, problems);
    site->authentication = authentication_of(config, problems);
    check_keys(config.auth, problems);
    check_redis(config, problems);
    site->tls = tls_server(config.server.tls, tls, problems);
    set_connections(*site, config);
    site->config = std::move(config);
    point_to_words(*site);
    return nothing_if_faulty(std::move(site), problems);
}

void define_services(services::Directory& directory, const gateway::Site& site) {
    std::vector<services::DefinitionPtr> definitions;
    for (const auto& service : site.services) definitions.push_back(service->definition);
    directory.define(std::move(definitions), site.unlisted->definition);
}

std::vector<std::string> tls_files(const config::Config& config) {
    std::vector<std::string> files;
    auto add = [&](const std::string& file) {
        if (!file.empty()) files.push_back(file);
    };
    for (const config::CertificateFiles& each : config.server.tls.certificates) {
        add(each.cert_file);
        add(each.key_file);
    }
    add(config.server.tls.client_ca_file);
    if (config.auth.forward) add(config.auth.forward->ca_file);
    if (config.auth.introspection) add(config.auth.introspection->ca_file);
    for (const auto& [name, service] : config.services)
        for (const std::string* file : {&service.tls.ca_file, &service.tls.cert_file, &service.tls.key_file}) add(*file);
    return files;
}

}  // namespace suoke::app
