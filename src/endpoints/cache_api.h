// SPDX-License-Identifier: MIT
#pragma once
// The response cache over HTTP, for who may manage the gateway (admin.h):
//   GET  /api/v1/management/cache          what is stored, and how often it did
//   POST /api/v1/management/cache/purge    {"urls": ["https://api/a?b", "/a"], "prefixes": ["/api/users"], "tags": ["user-7"]}
//   POST /api/v1/management/cache/clear    everything
// A URL or prefix without a host is that of every host. Each gateway has a cache of its own.

#include <string>
#include <variant>
#include <vector>

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

void add_cache(std::vector<Builtin>& all, Sources& sources);

}  // namespace suoke::endpoints
