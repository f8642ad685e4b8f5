// SPDX-License-Identifier: MIT
#include "endpoints/builtin.h"

#include "config/config.h"
#include "endpoints/cache_api.h"
#include "endpoints/envelope.h"
#include "endpoints/health.h"
#include "endpoints/prometheus.h"
#include "endpoints/registry_api.h"
#include "endpoints/revocation_api.h"
#include "gateway/site.h"
#include "gateway/worker.h"
#include "rt/hop.h"

namespace suoke::endpoints {
namespace {

using gateway::Answer;
using gateway::Exchange;
using gateway::Next;

std::string_view name_of(config::Environment e) {
    switch (e) {
        case config::Environment::development: return "development";
        case config::Environment::testing: return "testing";
        case config::Environment::staging: return "staging";
        default: return "production";
    }
}

Identity identity(const Sources& from, const gateway::Site& site) {
    const config::App& app = site.config.app;
    Identity who;
    who.service = app.name;
    who.version = app.version.empty() ? from.status.version : app.version;
    who.environment = name_of(app.environment);
    who.description = app.description;
    return who;
}

// Those of the configuration, and those that have somebody: one that was only registered is gone with its
// last instance.
std::vector<ServiceHealth> services_of(const Exchange& ex) {
    std::vector<ServiceHealth> out;
    TimePoint now = ex.worker.loop().now();
    ex.worker.each_service([&](const gateway::LocalService& service) {
        bool anybody = service.view && !service.view->members().all.empty();
        if (!anybody && !ex.site.service_named(service.name)) return;
        ServiceHealth& health = out.emplace_back();
        health.name = service.name;
        if (!service.view) return;
        for (const balance::Member& member : service.view->members().all) {
            ++health.total_endpoints;
            health.healthy_endpoints += balance::is_up(member, now);
            health.ejected_endpoints += member.state->ejected(now);
            health.ejections += member.state->ejections();
        }
        const balance::ServiceState& state = *service.view->members().state;
        health.active_requests = state.gate.inside();
        health.waiting_requests = state.gate.waiting();
        health.adaptive_limit = state.adaptive.limit();
        health.over_limit = state.over_limit.load(std::memory_order_relaxed);
        health.breaker = state.breaker.state();
        health.breaker_openings = state.breaker.openings();
    });
    return out;
}

// Base of the endpoints: they share what they look at.
class Endpoint : public gateway::Filter {
 public:
    explicit Endpoint(Sources& sources) : from_(sources) {}

 protected:
    Sources& from_;
};

class Root final : public Endpoint {
    using Endpoint::Endpoint;
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        co_return gateway::json_response(200, root_json(identity(from_, ex.site)));
    }
};

class HealthReport final : public Endpoint {
    using Endpoint::Endpoint;
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        HealthFacts facts;
        facts.identity = identity(from_, ex.site);
        const Clock& clock = ex.worker.loop().clock();
        facts.now = clock.wall();
        facts.uptime = clock.now() - from_.status.started_at;
        bool reload_ok = from_.status.last_reload_ok;
        facts.checks.push_back({"configuration", reload_ok ? Health::healthy : Health::degraded,
                                reload_ok ? "Configuration in force" : "The last reload failed; the one before it is in force",
                                {}});
        if (auto redis = from_.status.redis.load(); redis != Status::Redis::none) {
            bool up = redis == Status::Redis::up, alone = from_.status.registry_alone;
            const char* why = !up ? "Away: this gateway decides by what it knows, and tells Redis when it is back"
                              : alone ? "Connected, but what registers does not reach other gateways: the event registry.alone says why" : "Connected";
            facts.checks.push_back({"redis", up && !alone ? Health::healthy : Health::degraded, why, {}});
        }
        if (from_.status.limits_alone)
            facts.checks.push_back({"rate_limit", Health::degraded, "Redis does not answer: this gateway keeps to its share of every limit", {}});
        bool pressed = ex.worker.buffers().under_pressure();
        facts.checks.push_back({"memory", pressed ? Health::degraded : Health::healthy,
                                pressed ? "Buffer budget used up" : "Buffers within budget", {}});
        if (ex.site.tls)
            for (const rt::CertificateFacts& each : ex.site.tls->certificates())
                facts.checks.push_back(certificate_check(each.names.empty() ? each.subject : each.names.front(), each.not_after, facts.now));
        facts.services = services_of(ex);
        co_return gateway::json_response(200, health_json(facts));
    }
};

class Live final : public Endpoint {
    using Endpoint::Endpoint;
    rt::Task<Answer> run(Exchange&, Next) const override { co_return gateway::json_response(200, live_json()); }
};

class Ready final : public Endpoint {
    using Endpoint::Endpoint;
    rt::Task<Answer> run(Exchange&, Next) const override {
        bool ready = from_.status.ready;
        co_return gateway::json_response(ready ? 200 : 503, ready_json(ready));
    }
};

class MetricsText final : public Endpoint {
    using Endpoint::Endpoint;
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        ProcessFacts facts;
        Identity who = identity(from_, ex.site);
        facts.version = who.version;
        facts.environment = who.environment;
        facts.services = services_of(ex);
        if (ex.site.tls) facts.certificates = ex.site.tls->certificates();
        if (ex.site.limits_clients) facts.limit_evictions = ex.worker.limiter().evictions();
        // Rendering thousands of series takes milliseconds: not on a worker.
        std::function<std::string()> question = [from = &from_, facts = std::move(facts)]() mutable {
            return text_of(*from, facts);
        };
        rt::Ask<std::string> asked(ex.worker.loop(), from_.control, std::move(question));
        std::string text = co_await asked;
        co_return gateway::text_response(200, kPrometheusContentType, std::move(text));
    }

    static std::string text_of(const Sources& from, ProcessFacts& facts) {
        facts.started = from.status.started;
        facts.use = read_process_use();
        facts.config_generation = from.status.generation;
        facts.config_last_reload_ok = from.status.last_reload_ok;
        facts.config_last_reload = WallTime(std::chrono::seconds(from.status.last_reload));
        for (std::size_t i = 0; i < facts.log_lines.size(); ++i)
            facts.log_lines[i] = from.log.written(static_cast<Level>(i));
        if (from.access_log) {
            facts.access_lines_written = from.access_log->written();
            facts.access_lines_dropped = from.access_log->dropped();
        }
        return render(from.metrics, facts);
    }
};

}  // namespace

std::vector<Builtin> builtins(Sources& sources, const config::Config& config) {
    std::string metrics_path = config.metrics.enabled ? config.metrics.path : "";
    std::vector<Builtin> all;
    auto add = [&](const char* name, std::string path, std::shared_ptr<const gateway::Filter> answer) {
        for (const Builtin& other : all)
            if (other.path == path) return;
        all.push_back({name, std::move(path), std::move(answer)});
    };
    add("gateway:root", "/", std::make_shared<Root>(sources));
    auto health = std::make_shared<HealthReport>(sources);
    add("gateway:health", "/health", health);
    add("gateway:health/", "/health/", health);
    add("gateway:live", "/health/live", std::make_shared<Live>(sources));
    add("gateway:ready", "/health/ready", std::make_shared<Ready>(sources));
    if (config.registry.enabled) add_registry(all, sources);
    if (config.auth.is_on() && sources.revocations) add_revocations(all, sources);
    if (config.cache.enabled) add_cache(all, sources);
    if (config.registry.service_paths) {
        for (std::string base : {"/api/v1/gateway/{service}", "/api/v1/proxy/{service}"}) {
            all.push_back({"gateway:any" + base, base, nullptr, {}});
            all.push_back({"gateway:any" + base + "/*", base + "/*", nullptr, {}});
        }
        all.push_back({"gateway:envelope", "/proxy/{service}", envelope(), {"POST"}});
    }
    if (metrics_path.empty()) return all;
    auto metrics = std::make_shared<MetricsText>(sources);
    add("gateway:metrics", metrics_path, metrics);
    add("gateway:metrics:default", "/metrics", metrics);
    add("gateway:metrics/", "/metrics/", metrics);
    add("gateway:prometheus", "/metrics/prometheus", metrics);
    return all;
}

}  // namespace suoke::endpoints
