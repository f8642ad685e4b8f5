// SPDX-License-Identifier: MIT
#pragma once
// Services and their health as JSON, in the shapes of contract §1.4 and §1.5 at once.

#include <string>

#include "services/directory.h"
#include "services/registry.h"

namespace suoke::endpoints {

struct ListOptions {
    bool whole = false;            // each instance: for whoever may know. Otherwise names, counts and health
    TimePoint now{};
    WallTime wall{};
    const services::Registry* registry = nullptr;   // for leases
};

// {"data":[...],"services":{...},"total_services":n,"timestamp":t}
std::string services_json(const std::map<std::string, balance::MembersPtr>& services, const ListOptions& options);
// {"name":...,"status":...,"health":{...},"instances":n,"instance_list":[...] ...} of one.
std::string service_json(const balance::Members& service, const ListOptions& options);

}  // namespace suoke::endpoints
