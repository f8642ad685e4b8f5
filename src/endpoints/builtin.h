// SPDX-License-Identifier: MIT
#pragma once
// What the gateway answers itself: /, /health*, /metrics*. Each is the innermost filter of a route
// of its own.

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "gateway/access_log.h"
#include "gateway/filter.h"
#include "rt/loop.h"

namespace suoke::endpoints {

// What the process knows of itself; written by control, read by everyone.
struct Status {
    std::string version;
    WallTime started{};
    TimePoint started_at{};
    std::atomic<bool> ready{false};
    std::atomic<bool> last_reload_ok{true};
    std::atomic<std::int64_t> last_reload{0};       // seconds since the epoch
    std::atomic<std::uint64_t> generation{0};
};

// What the endpoints look at; all of it outlives every site.
struct Sources {
    Status& status;
    MetricsRegistry& metrics;
    Log& log;
    gateway::AccessLog* access_log;   // null: there is none
    rt::Loop& control;                // where a scrape is rendered, off the workers
};

struct Builtin {
    std::string name;
    std::string path;
    std::shared_ptr<const gateway::Filter> answer;
};

// `metrics_path`: also served there; empty: no metrics.
std::vector<Builtin> builtins(Sources& sources, const std::string& metrics_path);

}  // namespace suoke::endpoints
