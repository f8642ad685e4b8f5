// SPDX-License-Identifier: MIT
#pragma once
// The response cache over HTTP, for who may manage the gateway (admin.h):
//   GET  /api/v1/management/cache          what is stored in memory, how often it did, and how Redis behind it does
//   POST /api/v1/management/cache/purge    {"urls": ["https://api/a?b", "/a"], "prefixes": ["/api/users"], "tags": ["user-7"]}
//   POST /api/v1/management/cache/clear    everything
// A URL or prefix without a host is that of every host. Purges are for this gateway, and for all that share its Redis.

#include <string>
#include <variant>
#include <vector>

#include "base/metrics.h"
#include "cache/store.h"
#include "endpoints/builtin.h"
#include "endpoints/registration.h"

namespace suoke::endpoints {

struct PurgeWish {
    struct Place {
        std::string host, path;   // no host: of any
        bool operator==(const Place&) const = default;
    };
    std::vector<Place> urls, prefixes;
    std::vector<std::string> tags;
    bool all = false;
};
std::variant<PurgeWish, Faults> read_purge(std::string_view body);

std::string state_of_cache(const cache::Store& store, const MetricsRegistry& metrics, TimePoint now, double timestamp);

void add_cache(std::vector<Builtin>& all, Sources& sources);

}  // namespace suoke::endpoints
