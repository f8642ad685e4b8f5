// SPDX-License-Identifier: MIT
#pragma once
// The cells of base/metrics.h as Prometheus text (exposition format 0.0.4). Every name is a row in
// a table of prometheus.cpp. `suoke_gateway_*` are the names to use; the others are kept because
// dashboards and alert rules of the predecessor ask for them.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "endpoints/health.h"
#include "rt/certificate.h"

namespace suoke::endpoints {

// What the operating system says about this process.
struct ProcessUse {
    std::uint64_t resident_bytes = 0;
    std::uint64_t virtual_bytes = 0;
    double cpu_seconds = 0;  // user and system
    std::uint64_t open_fds = 0;
    std::uint64_t max_fds = 0;
    std::uint64_t threads = 0;
};
ProcessUse read_process_use();  // /proc/self and getrusage; what cannot be read stays 0

// What a scrape shows besides the cells.
struct ProcessFacts {
    std::string version;
    std::string environment;
    WallTime started{};
    ProcessUse use;
    std::uint64_t config_generation = 0;
    bool config_last_reload_ok = true;
    WallTime config_last_reload{};
    std::vector<ServiceHealth> services;
    std::vector<rt::CertificateFacts> certificates;  // that the TLS listener shows
    std::array<std::uint64_t, 5> log_lines{};  // written, by Level
    std::uint64_t access_lines_written = 0;
    std::uint64_t access_lines_dropped = 0;
    std::uint64_t limit_evictions = 0;
};

inline constexpr std::string_view kPrometheusContentType =
    "text/plain; version=0.0.4; charset=utf-8";

std::string render(const MetricsRegistry& metrics, const ProcessFacts& facts);

}  // namespace suoke::endpoints
