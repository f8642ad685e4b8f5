// SPDX-License-Identifier: MIT
#include "endpoints/service_list.h"

#include "base/json.h"
#include "base/text.h"

namespace suoke::endpoints {
namespace {

struct Standing {
    std::uint64_t total = 0, healthy = 0;
    const char* status() const { return healthy == 0 ? "unhealthy" : healthy < total ? "degraded" : "healthy"; }
    double ratio() const { return total ? static_cast<double>(healthy) / static_cast<double>(total) : 0; }
};

Standing standing_of(const balance::Members& service, TimePoint now) {
    Standing standing;
    for (const balance::Member& member : service.all) {
        ++standing.total;
        standing.healthy += balance::is_up(member, now);
    }
    return standing;
}

double epoch(WallTime t) { return seconds(t.time_since_epoch()); }

void write_lease(JsonWriter& j, const services::Record& record) {
    j.field("registered", iso8601(record.registered));
    if (record.ttl > Duration::zero()) j.field("ttl", seconds(record.ttl)).field("expires", iso8601(record.expires));
}

void write_instance(JsonWriter& j, const std::string& service, const balance::Member& member, const ListOptions& options) {
    const balance::Instance& instance = *member.instance;
    const balance::EndpointState& state = *member.state;
    j.open('{').field("id", instance.key()).field("host", instance.host).field("port", std::uint64_t{instance.port});
    j.field("protocol", member.address.protocol == upstream::Protocol::h2 ? "h2" : "http1").field("tls", member.address.tls != nullptr);
    j.field("healthy", balance::is_up(member, options.now)).field("weight", std::uint64_t{instance.weight});
    j.field("draining", instance.draining).field("failure_count", std::uint64_t{state.failures_in_a_row()});
    j.field("active_requests", std::int64_t{state.in_flight()}).field("latency", state.latency() / 1e9);
    if (state.ejected(options.now)) {
        j.field("ejected_for", balance::name_of(state.ejected_for()));
        j.field("ejected_seconds", seconds(state.ejected_until() - options.now));
    }
    j.field("circuit_breaker", balance::name_of(state.breaker.state()));
    j.key("last_health_check");
    state.checked_at() == WallTime{} ? j.null() : j.value(epoch(state.checked_at()));
    if (!instance.zone.empty()) j.field("zone", instance.zone);
    if (!instance.version.empty()) j.field("version", instance.version);
    j.key("tags").open('[');
    for (const std::string& tag : instance.tags) j.value(tag);
    j.close(']').key("metadata").open('{');
    for (const auto& [key, value] : instance.metadata) j.field(key, value);
    j.close('}');
    if (const services::Record* record = options.registry ? options.registry->find(service, instance.id) : nullptr) write_lease(j, *record);
    j.close('}');
}

// Clients count them and their health: those who may know no more get no more, in no order of ours.
void write_instances(JsonWriter& j, const balance::Members& service, const Standing& standing, const ListOptions& options) {
    j.open('[');
    if (options.whole)
        for (const balance::Member& member : service.all) write_instance(j, service.service, member, options);
    else
        for (std::uint64_t i = 0; i < standing.total; ++i) j.open('{').field("healthy", i < standing.healthy).close('}');
    j.close(']');
}

void write_standing(JsonWriter& j, const balance::Members& service, const Standing& standing, const ListOptions& options) {
    j.field("total_instances", standing.total).field("healthy_instances", standing.healthy);
    j.field("status", standing.status()).field("health_ratio", standing.ratio());
    if (options.whole) j.field("circuit_breaker", balance::name_of(service.state->breaker.state()));
    j.key("instances");
    write_instances(j, service, standing, options);
}

// What the mobile client's status screen reads.
void write_status_line(JsonWriter& j, const balance::Members& service, const Standing& standing) {
    double latency = 0;
    WallTime checked{};
    for (const balance::Member& member : service.all) {
        latency = std::max(latency, member.state->latency());
        checked = std::max(checked, member.state->checked_at());
    }
    j.field("name", service.service).field("status", standing.status()).field("instances", standing.total);
    j.field("healthy_instances", standing.healthy).field("responseTime", latency / 1e6);
    if (checked != WallTime{}) j.field("lastCheck", iso8601(checked));
}

}  // namespace

std::string services_json(const std::map<std::string, balance::MembersPtr>& services, const ListOptions& options) {
    std::string out;
    JsonWriter j(out);
    j.open('{').key("data").open('[');
    for (const auto& [name, service] : services) {
        j.open('{');
        write_status_line(j, *service, standing_of(*service, options.now));
        j.close('}');
    }
    j.close(']').key("services").open('{');
    for (const auto& [name, service] : services) {
        j.key(name).open('{');
        write_standing(j, *service, standing_of(*service, options.now), options);
        j.close('}');
    }
    j.close('}').field("total_services", std::uint64_t{services.size()}).field("timestamp", epoch(options.wall)).close('}');
    return out;
}

std::string service_json(const balance::Members& service, const ListOptions& options) {
    std::string out;
    JsonWriter j(out);
    Standing standing = standing_of(service, options.now);
    j.open('{').field("service_name", service.service);
    write_status_line(j, service, standing);
    j.field("total_instances", standing.total).field("health_ratio", standing.ratio());
    j.key("health").open('{');
    write_standing(j, service, standing, options);
    j.close('}').field("timestamp", epoch(options.wall)).close('}');
    return out;
}

}  // namespace suoke::endpoints
