// SPDX-License-Identifier: MIT
#pragma once
// What a source says about one instance of a service: a value. Configuration, registry, DNS, files,
// Consul and Kubernetes all speak in these; only the directory makes endpoints of them.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "upstream/dialer.h"

namespace suoke::balance {

struct Instance {
    std::string id;                    // unique within its service; empty: "host:port" is
    std::string host;                  // an address, a name, or unix:/path
    std::uint16_t port = 80;
    std::uint32_t weight = 1;          // share of the traffic beside the others'; 0: none
    std::uint32_t priority = 0;        // the lowest is used first; the next when too few of it are well
    std::string zone;
    std::string version;
    std::vector<std::string> tags;
    std::map<std::string, std::string> metadata;
    std::optional<upstream::Protocol> protocol;  // instead of the service's
    std::optional<bool> use_tls;                 // instead of the service's
    std::string health_path;           // of active checks; empty: the service's
    bool draining = false;             // no new exchanges; running ones end
    bool up = true;                    // false: the source itself says that it is not well

    std::string key() const { return id.empty() ? host + ":" + std::to_string(port) : id; }
    bool operator==(const Instance&) const = default;
};

using Instances = std::vector<Instance>;

}  // namespace suoke::balance
