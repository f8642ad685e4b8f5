// SPDX-License-Identifier: MIT
#pragma once
// What the gateway answers itself: /, /health*, /metrics*. Each is the innermost filter of a route
// of its own.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "config/config.h"
#include "gateway/access_log.h"
#include "gateway/filter.h"
#include "rt/loop.h"
#include "rt/scope.h"
#include "services/registry.h"

namespace suoke::endpoints {

class RevocationDesk;

// What the process knows of itself; written by control, read by everyone.
struct Status {
    std::string version;
    WallTime started{};
    TimePoint started_at{};
    std::atomic<bool> ready{false};
    std::atomic<bool> last_reload_ok{true};
    std::atomic<std::int64_t> last_reload{0};       // seconds since the epoch
    std::atomic<std::uint64_t> generation{0};
    enum class Redis : std::uint8_t { none, away, up };
    std::atomic<Redis> redis{Redis::none};          // none by configuration; a gateway lives without it
    std::atomic<bool> registry_alone{false};        // what registers here does not reach other gateways
    std::atomic<bool> limits_alone{false};          // nor does what clients use of their limits; each gateway keeps to its share
};

// What the endpoints look at; all of it outlives every site.
struct Sources {
    Status& status;
    MetricsRegistry& metrics;
    Log& log;
    gateway::AccessLog* access_log;   // null: there is none
    rt::Loop& control;                // where a scrape is rendered, off the workers
    // What belongs to control and is asked there:
    rt::TaskScope& control_tasks;
    services::Directory& directory;
    services::Registry* registry = nullptr;                          // null: switched off
    std::function<rt::Task<void>(std::string service)> check_now{};  // checks a service's endpoints
    RevocationDesk* revocations = nullptr;                           // null: nothing can be revoked
    std::function<rt::Task<void>()> settled{};   // until every worker knows what control knew when it was asked
};

struct Builtin {
    std::string name;
    std::string path;
    std::shared_ptr<const gateway::Filter> answer;   // null: forwards to the service that {service} names
    std::vector<std::string> methods = {"GET"};      // empty: any
    bool open = false;                               // who shows no credential is let in, too
};

std::vector<Builtin> builtins(Sources& sources, const config::Config& config);

}  // namespace suoke::endpoints
