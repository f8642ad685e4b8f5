// SPDX-License-Identifier: MIT
// Rules about cross-origin sections that look at more than one value.
#include <fmt/format.h>

#include <algorithm>

#include "config/settle.h"

namespace suoke::config {
namespace {

bool lists_any(const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), "*") != list.end();
}

// `key` is where the section stands, `place` where it was begun.
void check_cors(const Cors& cors, const std::string& key, const Place& place, Report& report) {
    auto complain = [&](const char* field, const char* sentence) {
        std::string full = fmt::format("{}.{}", key, field);
        Place said = report.place_of(full);
        report.error(said.source.empty() ? place : said, full, sentence);
    };
    if (cors.allow_credentials && lists_any(cors.allow_origins))
        complain("allow_credentials", "cannot go with the origin *: name the origins");
    if (cors.allow_credentials && lists_any(cors.expose_headers))
        complain("expose_headers", "cannot be * where credentials are allowed: browsers take it for a name");
}

bool names_nobody(const Cors& cors) { return cors.allow_origins.empty() && cors.enabled.value_or(true); }

}  // namespace

void check_shaping(const Config& config, Report& report) {
    Place section = report.place_of("cors.enabled");
    check_cors(config.cors, "cors", section, report);
    if (names_nobody(config.cors) && config.cors != Cors{})  // an old file may say only `enabled: true`
        report.warning(section, "cors", "lets no page in: cors.allow_origins names none");
    for (std::size_t i = 0; i < config.routes.size(); ++i) {
        const Route& route = config.routes[i];
        if (!route.cors) continue;
        std::string key = fmt::format("routes[{}].cors", i);
        check_cors(*route.cors, key, route.place, report);
        if (names_nobody(*route.cors))
            report.error(route.place, key, "stands instead of the section cors, but names no origins: give allow_origins, or enabled: false");
    }
}

}  // namespace suoke::config
