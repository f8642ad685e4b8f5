// SPDX-License-Identifier: MIT
#include "config/settle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "config/decode.h"

namespace suoke::config {
namespace {

// ---- services ----

struct Url {
    Endpoint endpoint;
    std::string base;
    bool tls = false;
};

Result<Url> parse_url(std::string_view url) {
    constexpr std::string_view kForm = "must have the form http[s]://host[:port][/base]";
    auto refuse = [&](std::string_view why) {
        return Error{Code::invalid_config, fmt::format("{}, found '{}'", why, clipped(url))};
    };
    bool tls = to_lower(url.substr(0, 8)) == "https://";
    if (!tls && to_lower(url.substr(0, 7)) != "http://") return refuse(kForm);
    std::string_view rest = url.substr(tls ? 8 : 7);
    if (rest.find('@') != rest.npos)  // and do not repeat the password
        return Error{Code::invalid_config, "must not carry a user name or password"};
    if (rest.find_first_of("?# \t\r\n") != rest.npos) return refuse(kForm);
    std::size_t slash = std::min(rest.find('/'), rest.size());
    std::string_view authority = rest.substr(0, slash), base = rest.substr(slash);
    while (base.ends_with('/')) base.remove_suffix(1);
    std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
    if (bracket == authority.npos) return refuse(kForm);
    std::size_t colon = authority.find(':', bracket);
    Url out{{.host = std::string(authority.substr(0, colon))}, std::string(base), tls};
    if (tls) out.endpoint.port = 443;
    if (out.endpoint.host.empty()) return refuse(kForm);
    if (colon == authority.npos) return out;
    auto port = parse_u64(authority.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return refuse("the port must be from 1 to 65535");
    out.endpoint.port = static_cast<std::uint16_t>(*port);
    return out;
}

class ServiceFolder {
 public:
    ServiceFolder(const std::string& key, Service& service, Report& report, bool in_file)
        : key_("services." + key), service_(service), report_(report), in_file_(in_file) {}

    void fold() {
        Shorthand written = std::move(service_.shorthand);
        service_.shorthand = {.name = written.name};
        if (in_file_ && written.url && (written.host || written.port))
            return complain("url", "give either url, or host and port");
        if (in_file_ && (written.url || written.host || written.port) &&
            !service_.endpoints.empty())
            return complain("endpoints", "give either endpoints, or one of url and host");
        if (written.url)
            take_url(*written.url);
        else if (written.host)
            take_host(*written.host, written.port);
        else if (written.port && !change_port(*written.port))
            complain("port", "needs a host beside it");
        if (written.weight) take_weight(*written.weight);
        if (written.use_tls) service_.tls.enabled = *written.use_tls;
        if (written.health_check_path) say(service_.health_check, &HealthCheck::path, *written.health_check_path);
        if (written.retry_count) say(service_.retry, &Retry::max_retries, written.retry_count);
        for (Endpoint& endpoint : service_.endpoints) strip_brackets(endpoint.host);
    }

 private:
    void complain(std::string_view field, std::string sentence) {
        report_.error(place_of(field), fmt::format("{}.{}", key_, field), std::move(sentence));
    }
    Place place_of(std::string_view field) const {
        Place place = report_.place_of(fmt::format("{}.{}", key_, field));
        return place.source.empty() ? service_.place : place;
    }

    void take_url(const std::string& text) {
        auto url = parse_url(text);
        if (!url) return complain("url", url.error().detail);
        if (!url->base.empty()) {
            if (in_file_ && !service_.upstream_prefix.empty())
                return complain("url", "has a base path, and upstream_prefix says another");
            service_.upstream_prefix = url->base;
        }
        if (url->tls) service_.tls.enabled = true;
        url->endpoint.place = place_of("url");
        service_.endpoints = {std::move(url->endpoint)};
    }

    // As if `field` had been written in the section `override`, where nothing else says it.
    template <class T, class V, class M>
    static void say(std::optional<T>& section, M T::*field, const V& value) {
        if (!section) section.emplace();
        const Fields& fields = describe(std::type_identity<T>{});
        for (std::size_t i = 0; i < fields.size(); ++i) {
            std::uint64_t bit = std::uint64_t{1} << i;
            if (fields[i].member(&*section) != &((*section).*field) || (section->said.fields & bit)) continue;
            (*section).*field = value;
            section->said.fields |= bit;
        }
    }

    // A variable that says only the host leaves the one endpoint its port.
    void take_host(const std::string& host, std::optional<std::uint16_t> port) {
        Endpoint endpoint =
            service_.endpoints.size() == 1 ? service_.endpoints.front() : Endpoint{};
        endpoint.host = host;
        endpoint.port = port.value_or(endpoint.port);
        endpoint.place = place_of("host");
        service_.endpoints = {std::move(endpoint)};
    }

    bool change_port(std::uint16_t port) {
        if (service_.endpoints.size() != 1) return false;
        service_.endpoints.front().port = port;
        return true;
    }

    void take_weight(std::uint32_t weight) {
        for (Endpoint& endpoint : service_.endpoints)
            if (service_.endpoints.size() == 1) endpoint.weight = weight;
    }

    static void strip_brackets(std::string& host) {
        if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    }

    std::string key_;
    Service& service_;
    Report& report_;
    bool in_file_;
};

// Services that the configuration does not describe may still register, or be found by their name. That somebody with a
// role may register is not enough: who only has tokens checked wants to hear of a misspelt name.
bool may_come_later(const Config& config) {
    return (config.registry.enabled && !config.registry.admin_token.empty()) || config.service_discovery.type != DiscoveryType::configured;
}

void check_services(const Config& config, Report& report) {
    for (const auto& [name, service] : config.services) {
        bool learnt = service.discovery || may_come_later(config) || takes_registrations(config);
        if (service.endpoints.empty() && !learnt && !report.blames("services." + name))
            report.error(service.place, "services." + name,
                         "has no endpoint: give endpoints, or url, or host and port, or discovery");
        for (const Endpoint& endpoint : service.endpoints)
            if (endpoint.host.empty())
                report.error(endpoint.place, "services." + name, "has an endpoint without a host");
    }
}

// ---- routes ----

class RouteCheck {
 public:
    RouteCheck(const Config& config, std::size_t index, Report& report)
        : config_(config),
          route_(config.routes[index]),
          key_(fmt::format("routes[{}]", index)),
          report_(report) {}

    void run() {
        matches_one_way();
        does_one_thing();
        if (!route_.service.empty()) names_a_service();
        if (route_.redirect) redirects();
        shares_with_services();
        if (route_.grpc_web) allows_origins();
        if (route_.sse.replay && route_.sse.replay->subject == Subject::cookie && route_.sse.replay->subject_name.empty())
            complain("sse.replay.subject_name", "is missing: name the cookie");
        for (auto* conditions : {&route_.headers, &route_.query, &route_.cookies})
            for (const Condition& condition : *conditions)
                if (condition.equals && condition.regex)
                    complain(
                        "", fmt::format("the condition on '{}' has both equals and regex; give one",
                                        clipped(condition.name)));
    }

 private:
    void complain(std::string_view field, std::string sentence) {
        std::string key = field.empty() ? key_ : fmt::format("{}.{}", key_, field);
        Place place = field.empty() ? route_.place : report_.place_of(key);
        report_.error(place.source.empty() ? route_.place : place, key, std::move(sentence));
    }

    void allows_origins() {
        const GrpcWeb& web = *route_.grpc_web;
        bool any = std::find(web.allow_origins.begin(), web.allow_origins.end(), "*") != web.allow_origins.end();
        if (any && web.allow_credentials)
            complain("grpc_web.allow_credentials", "cannot go with the origin *: name the origins");
    }

    void matches_one_way() {
        int ways = !route_.prefix.empty() + !route_.path.empty() + !route_.regex.empty();
        if (ways > 1) complain("", "has more than one of prefix, path and regex; give one");
    }

    void does_one_thing() {
        int things =
            !route_.service.empty() + !route_.split.empty() + route_.redirect.has_value() + route_.respond.has_value();
        if (things == 0) complain("", "does nothing: give one of service, split, redirect and respond");
        if (things > 1)
            complain("", "has more than one of service, split, redirect and respond; give one");
    }

    void names_a_service() {
        if (config_.services.contains(route_.service)) return;
        if (may_come_later(config_)) return;
        if (config_.services.empty()) {  // an old file that leaves its services to discovery
            report_.warning(report_.place_of(key_ + ".service"), key_ + ".service",
                            fmt::format("there are no services, so '{}' cannot be reached",
                                        clipped(route_.service)));
            return;
        }
        std::vector<std::string_view> names;
        for (const auto& [name, service] : config_.services) names.push_back(name);
        complain("service", fmt::format("there is no service '{}'{}", clipped(route_.service),
                                        suggestion(route_.service, names)));
    }

    void shares_with_services() {
        auto known = [&](const std::string& name) { return name.empty() || config_.services.contains(name); };
        std::uint64_t weights = 0;
        for (const Split& split : route_.split) {
            weights += split.weight;
            if (!known(split.service)) complain("split", fmt::format("there is no service '{}'", clipped(split.service)));
        }
        if (!route_.split.empty() && weights == 0) complain("split", "gives nobody any share: give weights");
        if (route_.mirror && !route_.forwards()) complain("mirror", "goes with service or split; this route answers itself");
        if (route_.mirror && !known(route_.mirror->service))
            complain("mirror.service", fmt::format("there is no service '{}'", clipped(route_.mirror->service)));
    }

    void redirects() {
        constexpr std::array kAllowed = {301, 302, 303, 307, 308};
        if (std::find(kAllowed.begin(), kAllowed.end(), route_.redirect->status) == kAllowed.end())
            complain("redirect.status", fmt::format("must be 301, 302, 303, 307 or 308, found {}",
                                                    route_.redirect->status));
        if (route_.redirect->to.empty()) complain("redirect", "needs a 'to'");
    }

    const Config& config_;
    const Route& route_;
    std::string key_;
    Report& report_;
};

void check_names(const Config& config, Report& report) {
    std::map<std::string_view, int> lines;
    for (std::size_t i = 0; i < config.routes.size(); ++i) {
        const Route& route = config.routes[i];
        auto [first, is_new] = lines.try_emplace(route.name, route.place.line);
        if (is_new) continue;
        std::string key = fmt::format("routes[{}].name", i);
        report.error(report.place_of(key), key,
                     fmt::format("'{}' is also the name of the route in line {}",
                                 clipped(route.name), first->second));
    }
}

// "/api/v1/users/" -> "api-v1-users"
// `grpc` is another way to say a path: gRPC's own, /package.Service/Method.
void fold_grpc(Route& route, std::size_t index, Report& report) {
    if (!route.grpc) return;
    GrpcMatch match = std::move(*route.grpc);
    route.grpc.reset();
    std::string key = fmt::format("routes[{}].grpc", index);
    Place place = report.place_of(key);
    if (place.source.empty()) place = route.place;
    if (!route.path.empty() || !route.prefix.empty() || !route.regex.empty())
        return report.error(place, key, "stands beside a path, prefix or regex; give one");
    if (match.service.empty()) return report.error(place, key, "needs a service");
    route.path = fmt::format("/{}/{}", match.service, match.method.empty() ? "*" : match.method);
    route.strip_prefix = false;
}

std::string name_from(const Route& route) {
    const std::string& path = route.prefix.empty() ? route.path : route.prefix;
    std::string out;
    for (char c : path) {
        bool plain = is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || c == '.';
        if (plain)
            out += c;
        else if (!out.empty() && out.back() != '-')
            out += '-';
    }
    while (out.ends_with('-')) out.pop_back();
    return out;
}

}  // namespace

bool takes_registrations(const Config& config) {
    return config.registry.enabled && (!config.registry.admin_token.empty() || config.auth.is_on());
}

void fold_services(Config& config, Report& report, bool in_file) {
    for (auto& [key, service] : config.services)
        ServiceFolder(key, service, report, in_file).fold();
}

void name_services(Config& config, Report& report) {
    std::map<std::string, Service> by_name;
    for (auto& [key, service] : config.services) {
        std::string name = service.shorthand.name.value_or(key);
        service.shorthand.name.reset();
        Place place = service.place;
        if (!by_name.try_emplace(name, std::move(service)).second)
            report.error(place, "services." + key,
                         fmt::format("there is another service '{}'", clipped(name)));
    }
    config.services = std::move(by_name);
}

void fold_routes(Config& config, Report& report) {
    for (std::size_t i = 0; i < config.routes.size(); ++i) fold_grpc(config.routes[i], i, report);
    fold_limits(config);
    fold_auth(config);
    fold_cache(config);
    fold_transformations(config, report);
}

void name_routes(Config& config) {
    std::set<std::string> taken;
    for (const Route& route : config.routes) taken.insert(route.name);
    for (std::size_t i = 0; i < config.routes.size(); ++i) {
        Route& route = config.routes[i];
        if (!route.name.empty()) continue;
        route.name = name_from(route);
        if (route.name.empty() || !taken.insert(route.name).second)
            route.name = fmt::format("route-{}", i + 1);
        taken.insert(route.name);
    }
}

namespace {

// What an object does not say itself it has from `base`.
template <class T>
void inherit(T& object, const T& base) {
    const Fields& fields = describe(std::type_identity<T>{});
    for (std::size_t i = 0; i < fields.size(); ++i)
        if (!(object.said.fields >> i & 1)) fields[i].shape->assign(fields[i].member(&object), fields[i].in(&base));
}

template <class T>
std::uint64_t bit_of(std::string_view name) {
    const Fields& fields = describe(std::type_identity<T>{});
    for (std::size_t i = 0; i < fields.size(); ++i)
        if (fields[i].name == name) return std::uint64_t{1} << i;
    return 0;
}

void fold_max_retries(Retry& retry) {
    if (!retry.max_retries) return;
    retry.max_attempts = *retry.max_retries + 1;
    retry.max_retries.reset();
    retry.said.fields |= bit_of<Retry>("max_attempts");
}

// Who says something about checks, a breaker or Idempotency-Key wants them.
template <class T>
void switch_on(T& section) {
    std::uint64_t bit = bit_of<T>("enabled");
    if (section.said.fields & bit) return;
    section.enabled = true;
    section.said.fields |= bit;
}

}  // namespace

void fold_resilience(Config& config) {
    fold_max_retries(config.retry);
    auto settle = [](auto& section, const auto& base) {
        if (section) inherit(*section, base);
    };
    for (auto& [name, service] : config.services) {
        if (service.retry) fold_max_retries(*service.retry);
        if (service.health_check) switch_on(*service.health_check);
        if (service.circuit_breaker) switch_on(*service.circuit_breaker);
        settle(service.load_balancer, config.load_balancer);
        settle(service.health_check, config.health_check);
        settle(service.outlier_detection, config.outlier_detection);
        settle(service.circuit_breaker, config.circuit_breaker);
        settle(service.retry, config.retry);
        settle(service.concurrency, config.concurrency);
    }
    if (config.compression.said.fields) switch_on(config.compression);
    if (config.versioning.said.fields) switch_on(config.versioning);
    for (Route& route : config.routes) {
        if (route.compression) switch_on(*route.compression);
        if (route.versioning) switch_on(*route.versioning);
        settle(route.compression, config.compression);
        settle(route.versioning, config.versioning);
        if (route.idempotency) switch_on(*route.idempotency);
        settle(route.idempotency, config.idempotency);
        if (!route.retry) continue;
        fold_max_retries(*route.retry);
        auto service = config.services.find(route.service);
        bool own = service != config.services.end() && service->second.retry;
        inherit(*route.retry, own ? *service->second.retry : config.retry);
    }
}

static void check_server(const Config& config, Report& report) {
    const Server& server = config.server;
    bool nobody = server.proxy_protocol_from.empty() && !server.host.starts_with("unix:");
    if (server.proxy_protocol != ProxyUse::off && nobody)
        report.error(report.place_of("server.proxy_protocol"), "server.proxy_protocol",
                     "needs proxy_protocol_from: the networks it is believed from");
}

namespace {

void check_balancing(const LoadBalancer& balancer, const std::string& key, const Place& place, Report& report) {
    bool named = balancer.hash_by == HashBy::header || balancer.hash_by == HashBy::cookie || balancer.hash_by == HashBy::query;
    if (balancer.strategy == Strategy::consistent_hash && named && balancer.hash_name.empty())
        report.error(place, key + ".hash_name", "is missing: consistent_hash goes by a header, cookie or parameter of some name");
}

void check_breaker(const CircuitBreaker& breaker, const std::string& key, const Place& place, Report& report) {
    if (breaker.window < 1s) report.error(place, key + ".window", "is less than 1s: rates need some time to be counted in");
}

void check_limits(const Concurrency& limits, const std::string& key, const Place& place, Report& report) {
    if (limits.adaptive_min > limits.adaptive_max) report.error(place, key, "adaptive_min is above adaptive_max");
}

void check_resilience(const Config& config, Report& report) {
    check_balancing(config.load_balancer, "load_balancer", report.place_of("load_balancer"), report);
    check_breaker(config.circuit_breaker, "circuit_breaker", report.place_of("circuit_breaker"), report);
    check_limits(config.concurrency, "concurrency", report.place_of("concurrency"), report);
    for (const auto& [name, service] : config.services) {
        std::string key = "services." + name;
        if (service.load_balancer) check_balancing(*service.load_balancer, key + ".load_balancer", service.place, report);
        if (service.circuit_breaker) check_breaker(*service.circuit_breaker, key + ".circuit_breaker", service.place, report);
        if (service.concurrency) check_limits(*service.concurrency, key + ".concurrency", service.place, report);
    }
}

void check_tls(const Config& config, Report& report) {
    const ServerTls& tls = config.server.tls;
    auto complain = [&](const std::string& key, std::string sentence) {
        report.error(report.place_of(key), key, std::move(sentence));
    };
    for (const CertificateFiles& files : tls.certificates)
        if (files.cert_file.empty() || files.key_file.empty())
            report.error(files.place, "server.tls.certificates", "needs both cert_file and key_file");
    if (tls.client_auth != ClientAuth::none && tls.client_ca_file.empty())
        complain("server.tls.client_auth", "needs server.tls.client_ca_file beside it");
    if (tls.enabled && !tls.certificates.empty() && config.server.host.starts_with("unix:"))
        complain("server.tls", "needs an IP address in server.host, not a Unix socket");
    for (const auto& [name, service] : config.services)
        if (service.tls.cert_file.empty() != service.tls.key_file.empty())
            report.error(service.place, "services." + name + ".tls", "needs both cert_file and key_file, or neither");
    for (std::size_t i = 0; i < config.routes.size(); ++i)
        if (config.routes[i].client_certificate == ClientAuth::required && tls.client_auth == ClientAuth::none)
            complain(fmt::format("routes[{}].client_certificate", i), "needs server.tls.client_auth: optional or required");
}

}  // namespace

void check(const Config& config, Report& report) {
    check_server(config, report);
    check_tls(config, report);
    check_services(config, report);
    check_resilience(config, report);
    check_shaping(config, report);
    for (std::size_t i = 0; i < config.routes.size(); ++i) RouteCheck(config, i, report).run();
    check_names(config, report);
    check_rate_limits(config, report);
    check_validation(config, report);
    check_transform(config, report);
    check_cache(config, report);
    check_auth(config, report);
    check_production(config, report);
    check_data_classes(config, report);
}

}  // namespace suoke::config
