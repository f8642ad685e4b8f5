// SPDX-License-Identifier: MIT
#include "endpoints/health.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace suoke::endpoints {
namespace {

void write_check(JsonWriter& json, const HealthCheck& check) {
    json.open('{')
        .field("name", check.name)
        .field("status", health_name(check.status))
        .field("message", check.message)
        .field("duration", seconds(check.duration))
        .close('}');
}

void write_service(JsonWriter& json, const ServiceHealth& service) {
    json.key(service.name)
        .open('{')
        .field("status", health_name(service_status(service)))
        .field("healthy_endpoints", std::uint64_t{service.healthy_endpoints})
        .field("total_endpoints", std::uint64_t{service.total_endpoints})
        .close('}');
}

}  // namespace

HealthCheck certificate_check(const std::string& name, WallTime not_after, WallTime now) {
    constexpr auto kDay = std::chrono::hours(24);
    HealthCheck check;
    check.name = "certificate " + name;
    if (not_after <= now) {
        check.status = Health::unhealthy;
        check.message = "Expired";
        return check;
    }
    auto days = (not_after - now) / kDay;
    check.status = days < 14 ? Health::degraded : Health::healthy;
    check.message = "Expires in " + std::to_string(days) + " days";
    return check;
}

std::string_view health_name(Health health) {
    switch (health) {
        case Health::healthy:
            return "healthy";
        case Health::degraded:
            return "degraded";
        case Health::unhealthy:
            break;
    }
    return "unhealthy";
}

Health service_status(const ServiceHealth& service) {
    if (service.healthy_endpoints == 0) return Health::unhealthy;
    return service.healthy_endpoints < service.total_endpoints ? Health::degraded : Health::healthy;
}

Health overall(const HealthFacts& facts) {
    Health worst = Health::healthy;
    for (const HealthCheck& check : facts.checks) worst = std::max(worst, check.status);
    for (const ServiceHealth& service : facts.services)
        if (service_status(service) != Health::healthy) worst = std::max(worst, Health::degraded);
    return worst;
}

std::string root_json(const Identity& identity) {
    std::string out;
    JsonWriter json(out);
    json.open('{')
        .field("service", identity.service)
        .field("name", identity.service)
        .field("version", identity.version)
        .field("status", "running")
        .field("description", identity.description)
        .key("docs");
    identity.docs ? json.value("/docs") : json.null();
    json.close('}');
    return out;
}

std::string health_json(const HealthFacts& facts) {
    std::string out;
    JsonWriter json(out);
    json.open('{')
        .field("status", health_name(overall(facts)))
        .field("service", facts.identity.service)
        .field("version", facts.identity.version)
        .field("environment", facts.identity.environment)
        .field("timestamp", iso8601(facts.now))
        .field("uptime", seconds(facts.uptime));
    json.key("checks").open('[');
    for (const HealthCheck& check : facts.checks) write_check(json, check);
    json.close(']');
    json.key("services").open('{');
    for (const ServiceHealth& service : facts.services) write_service(json, service);
    json.close('}').close('}');
    return out;
}

std::string live_json() {
    return R"({"status":"alive"})";
}

std::string ready_json(bool ready) {
    return ready ? R"({"status":"ready"})" : R"({"status":"not ready"})";
}

}  // namespace suoke::endpoints
