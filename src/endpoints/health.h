// SPDX-License-Identifier: MIT
#pragma once
// What `/`, `/health`, `/health/live` and `/health/ready` answer, as JSON texts from plain values.
// /health is a superset of what every client of the predecessor reads; it is 200 while alive.

#include <cstdint>
#include <string>
#include <vector>

#include "balance/breaker.h"
#include "base/time.h"

namespace suoke::endpoints {

enum class Health : std::uint8_t { healthy, degraded, unhealthy };
std::string_view health_name(Health health);

struct Identity {
    std::string service;  // "suoke-gateway"
    std::string version;
    std::string environment;  // "production"
    std::string description;
    bool docs = false;  // whether /docs is served
};

// One thing the gateway itself needs: redis, the registry ...
struct HealthCheck {
    std::string name;
    Health status = Health::healthy;
    std::string message;
    Duration duration{};
};

// Degraded two weeks before it expires, unhealthy afterwards.
HealthCheck certificate_check(const std::string& name, WallTime not_after, WallTime now);

// A service behind the gateway.
struct ServiceHealth {
    std::string name;
    std::uint32_t healthy_endpoints = 0;
    std::uint32_t total_endpoints = 0;
    // for metrics only
    std::uint32_t ejected_endpoints = 0;
    std::uint64_t ejections = 0;
    std::uint64_t active_requests = 0, waiting_requests = 0;
    std::uint64_t adaptive_limit = 0, over_limit = 0;   // 0: not found yet
    balance::Breaker::State breaker = balance::Breaker::State::closed;
    std::uint64_t breaker_openings = 0;
};

struct HealthFacts {
    Identity identity;
    WallTime now{};
    Duration uptime{};
    std::vector<HealthCheck> checks;
    std::vector<ServiceHealth> services;
};

// All endpoints healthy; some; none of at least one. A service without endpoints is unhealthy too.
Health service_status(const ServiceHealth& service);

// A failed check makes the gateway unhealthy. A service, even a dead one, only degrades it: taking
// every gateway out of the balancer because one backend is down would take all the others along.
Health overall(const HealthFacts& facts);

std::string root_json(const Identity& identity);
std::string health_json(const HealthFacts& facts);
std::string live_json();
std::string ready_json(bool ready);  // false: answer 503

}  // namespace suoke::endpoints
