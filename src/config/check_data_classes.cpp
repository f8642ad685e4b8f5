// SPDX-License-Identifier: MIT
// What a route that carries protected health information (data_class: phi) may not do, one row a rule. A
// configuration that breaks one does not load. What sections say for all routes (cache, idempotency) is not held
// against it: filters that keep or copy are never made for such a route (filters/all.cpp). Other routes to the same
// service, the other families of URLs first of all, are easily forgotten; they are warned about.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/decode.h"
#include "config/settle.h"
#include "base/this_machine.h"

namespace suoke::config {
namespace {

constexpr bool is_true(bool enabled) { return enabled; }
constexpr bool is_true(const std::optional<bool>& enabled) { return enabled.value_or(true); }

// Whether a route asks for something itself: by saying anything of it, but that it is off.
template <class Section>
bool is_wanted(const std::optional<Section>& section) {
    if (!section) return false;
    if constexpr (requires { section->enabled; }) return is_true(section->enabled);
    return true;
}

bool reached_in_the_clear(const Config& config, const std::string& name) {
    auto found = config.services.find(name);
    if (found == config.services.end()) return true;   // whoever registers as it says how
    const Service& service = found->second;
    auto in_the_clear = [&](const Endpoint& endpoint) {
        return !endpoint.use_tls.value_or(service.tls.enabled) && !is_this_machine(endpoint.host);
    };
    bool learnt = service.endpoints.empty() || service.discovery;
    return (learnt && !service.tls.enabled) || std::any_of(service.endpoints.begin(), service.endpoints.end(), in_the_clear);
}

// Also where the service says nothing of TLS itself: an endpoint may, and one that joins later.
bool believes_anybody(const Config& config, const std::string& name) {
    auto found = config.services.find(name);
    return found != config.services.end() && !found->second.tls.verify;
}

bool is_closed_environment(const Config& config) {
    return !config.server.production &&
           (config.app.environment == Environment::development || config.app.environment == Environment::testing);
}

// Whether `holds` of any service the route sends requests to.
template <class Predicate>
bool any_service(const Config& config, const Route& route, Predicate holds) {
    if (!route.service.empty() && holds(config, route.service)) return true;
    return std::any_of(route.split.begin(), route.split.end(), [&](const Split& split) { return holds(config, split.service); });
}

// Who decides about a request is told its path and query, and what the client shows.
bool is_told_in_the_clear(const Config& config, const Route& route) {
    const std::vector<AuthMethod> methods = config.auth.methods_of(route.auth);
    const bool asked = config.auth.mode_of(route.auth) != AuthMode::none && std::find(methods.begin(), methods.end(), AuthMethod::forward) != methods.end();
    return asked && config.auth.forward && goes_in_the_clear(config.auth.forward->url);
}

// ---- the other way to a service: each is also at /api/v1/gateway/{service} and its like, where the sections count and
// no route's rules

// Whether auth.public_paths may open one of those paths. What is only the beginning of another name opens nothing.
bool is_public_by_its_service(const Config& config, const std::string& name) {
    auto may_open = [&](const std::string& pattern, std::string_view family) {
        const std::string head = std::string(family) + name;
        const std::string_view known = std::string_view(pattern).substr(0, pattern.find_first_of("*?["));
        if (!known.starts_with(head)) return known.size() < pattern.size() && std::string_view(head).starts_with(known);
        return known.size() == head.size() || known[head.size()] == '/';
    };
    return std::any_of(config.auth.public_paths.begin(), config.auth.public_paths.end(), [&](const std::string& pattern) {
        return may_open(pattern, "/api/v1/gateway/") || may_open(pattern, "/api/v1/proxy/") || may_open(pattern, "/proxy/");
    });
}

// Whether a credential gets in there with which the route lets nobody in.
bool takes_more_credentials(const Config& config, const Route& route) {
    const std::vector<AuthMethod> here = config.auth.methods_of(route.auth), there = config.auth.methods_of(RouteAuth());
    return std::any_of(there.begin(), there.end(), [&](AuthMethod method) { return std::find(here.begin(), here.end(), method) == here.end(); });
}

bool lets_others_in(const Config& config, const Route& route) {
    const bool asks_more = route.auth.has_rule() || route.client_certificate == ClientAuth::required || route.access != Access();
    return asks_more || config.auth.mode_of(RouteAuth()) != AuthMode::required || takes_more_credentials(config, route) ||
           any_service(config, route, is_public_by_its_service);
}

bool is_open_by_its_service(const Config& config, const Route& route) {
    if (!route.forwards() || !config.registry.service_paths) return false;
    return config.cache.enabled || config.idempotency.enabled || lets_others_in(config, route);
}

struct Rule {
    std::string_view field;       // of the route
    bool (*broken)(const Config&, const Route&);
    std::string_view sentence;    // the rule, and what to do
};

constexpr auto kRules = std::to_array<Rule>({
    {"cache", [](const Config&, const Route& route) { return is_wanted(route.cache); },
     "health information is never kept in a cache; take `cache` out of this route"},
    {"auth", [](const Config& config, const Route& route) { return !knows_its_clients(config, route); },
     "health information is only for clients that are known; give the route auth.mode: required, and configure how clients are authenticated"},
    {"mirror", [](const Config&, const Route& route) { return route.mirror.has_value(); },
     "health information is never copied to another service; take `mirror` out of this route"},
    {"sse.replay", [](const Config&, const Route& route) { return route.sse.replay.has_value(); },
     "health information is never kept for clients that come back; take `sse.replay` out of this route"},
    {"idempotency", [](const Config&, const Route& route) { return is_wanted(route.idempotency); },
     "answers with health information are never stored; take `idempotency` out of this route and let the service heed Idempotency-Key, which it gets"},
    {"service",
     [](const Config& config, const Route& route) { return !is_closed_environment(config) && any_service(config, route, reached_in_the_clear); },
     "health information is never sent in the clear; list the service with tls.enabled: true (its endpoints, too), or keep it on this machine"},
    {"service", [](const Config& config, const Route& route) { return !is_closed_environment(config) && any_service(config, route, believes_anybody); },
     "health information is never sent to whoever answers; set tls.verify: true (and tls.ca_file for an authority of your own) at the service"},
    {"auth", [](const Config& config, const Route& route) { return !is_closed_environment(config) && is_told_in_the_clear(config, route); },
     "auth.forward is told what is asked for, and that is never sent in the clear; give auth.forward an https:// url, or keep it on this machine"},
    {"service", is_open_by_its_service,
     "its service can also be asked at /api/v1/gateway/{service}, where cache, idempotency and auth are as the sections say and what this route asks of clients "
     "does not count; set registry.service_paths: false"},
});

// ---- other routes to the same service

bool shares_a_service(const Config& config, const Route& route, const Route& other) {
    return any_service(config, route, [&](const Config&, const std::string& name) {
        return any_service(config, other, [&](const Config&, const std::string& theirs) { return theirs == name; });
    });
}

// Whether it would break a rule about keeping, copying or knowing, were it labelled phi.
bool is_laxer(const Config& config, const Route& route) {
    const bool is_cached = config.cache.enabled && (!route.cache || is_wanted(route.cache));
    const bool is_replayed = route.idempotency ? is_wanted(route.idempotency) : config.idempotency.enabled;
    return is_cached || is_replayed || route.mirror || route.sse.replay || !knows_its_clients(config, route);
}

// A route that says `public` was thought of.
void warn_if_forgotten(const Config& config, std::size_t index, Report& report) {
    const Route& route = config.routes[index];
    if (route.data_class != DataClass::internal || !is_laxer(config, route)) return;
    auto phi = std::find_if(config.routes.begin(), config.routes.end(), [&](const Route& other) {
        return other.data_class == DataClass::phi && shares_a_service(config, other, route);
    });
    if (phi == config.routes.end()) return;
    report.warning(route.place, fmt::format("routes[{}].data_class", index),
                   fmt::format("the route '{}' goes to a service of '{}', which is labelled phi, but may keep or copy its answers, or lets strangers in; "
                               "label it phi, too, or public where nothing of that can be had",
                               clipped(route.name), clipped(phi->name)));
}

}  // namespace

bool knows_its_clients(const Config& config, const Route& route) {
    return config.auth.mode_of(route.auth) == AuthMode::required || route.client_certificate == ClientAuth::required;
}

bool serves_health_information(const Config& config, const std::string& service) {
    auto names_it = [&](const Config&, const std::string& name) { return name == service; };
    auto is_one = [&](const Route& route) { return route.data_class == DataClass::phi && any_service(config, route, names_it); };
    return !is_closed_environment(config) && std::any_of(config.routes.begin(), config.routes.end(), is_one);
}

void check_data_classes(const Config& config, Report& report) {
    for (std::size_t i = 0; i < config.routes.size(); ++i) {
        const Route& route = config.routes[i];
        warn_if_forgotten(config, i, report);
        if (route.data_class != DataClass::phi) continue;
        for (const Rule& rule : kRules) {
            if (!rule.broken(config, route)) continue;
            std::string key = fmt::format("routes[{}].{}", i, rule.field);
            Place place = report.place_of(key);
            report.error(place.source.empty() ? route.place : place, key,
                         fmt::format("the route '{}' is labelled phi: {}", clipped(route.name), rule.sentence));
        }
    }
}

}  // namespace suoke::config
