// SPDX-License-Identifier: MIT
// Compression, versions and transformations: what other spellings are folded into, and the rules that
// look at more than one value.
#include <fmt/format.h>

#include <algorithm>

#include "config/api_version.h"
#include "config/decode.h"
#include "config/settle.h"

namespace suoke::config {
namespace {

using Texts = std::map<std::string, std::string>;

// Where in a route's transformations something is said.
struct Spot {
    Report& report;
    std::string key;
    const Place& route;

    void complain(std::string_view field, std::string sentence) const {
        std::string full = fmt::format("{}.{}", key, field);
        Place place = report.place_of(full);
        report.error(place.source.empty() ? route : place, full, std::move(sentence));
    }
};

void fold_texts(Texts& from, Texts& into, const Spot& spot, std::string_view field) {
    for (const auto& [name, value] : from) {
        auto [said, is_new] = into.try_emplace(name, value);
        if (is_new || said->second == value) continue;
        spot.complain(field, fmt::format("says something else of {} than the route's own edits of headers", clipped(name)));
    }
    from.clear();
}

template <class Transformation>
void fold_headers(Transformation& from, HeaderEdit& into, const Spot& spot) {
    fold_texts(from.set_headers, into.set, spot, "set_headers");
    fold_texts(from.add_headers, into.add, spot, "add_headers");
    into.remove.insert(into.remove.end(), from.remove_headers.begin(), from.remove_headers.end());
    from.remove_headers.clear();
}

// ---- rules

void check_compression(const Compression& compression, const std::string& key, Place place, Report& report) {
    if (!compression.on()) return;
    if (compression.algorithms.empty()) report.error(place, key + ".algorithms", "names none: give one, or enabled: false");
    if (compression.types.empty()) report.error(place, key + ".types", "names none: give one, or enabled: false");
}

bool knows(const Versioning& versioning, const std::string& text) {
    auto wanted = parse_api_version(text);
    return std::any_of(versioning.supported.begin(), versioning.supported.end(),
                       [&](const std::string& each) { return wanted && parse_api_version(each) == wanted; });
}

// A route that has fewer versions than the section may have what that says of all of them.
void check_versioning(const Versioning& versioning, const Versioning& section, const std::string& key, Place place, Report& report) {
    if (!versioning.on()) return;
    if (!knows(versioning, versioning.default_version))
        report.error(place, key + ".default", fmt::format("'{}' is none of those that are supported", clipped(versioning.default_version)));
    for (const auto& [version, deprecation] : versioning.deprecated) {
        if (!knows(versioning, version) && !knows(section, version))
            report.error(deprecation.place, key + ".deprecated", fmt::format("'{}' is none of those that are supported", clipped(version)));
        auto since = parse_day(deprecation.since), sunset = parse_day(deprecation.sunset);
        if (since && sunset && *sunset < *since)  // RFC 9745 §4
            report.error(deprecation.place, key + ".deprecated", fmt::format("the sunset of '{}' lies before its deprecation", clipped(version)));
    }
}

bool is_within(std::string_view path, std::string_view above) {
    return path.starts_with(above) && path.size() > above.size() && path[above.size()] == '.';
}

void check_json(const JsonEdits& json, const Spot& spot) {
    auto contradicts = [&](const std::string& path) {
        for (const std::string& gone : json.remove)
            if (path == gone || is_within(path, gone)) spot.complain("json.remove", fmt::format("takes out '{}', of which more is said", clipped(path)));
    };
    for (const auto& [path, name] : json.rename) contradicts(path);
    for (const auto& [path, value] : json.set) {
        contradicts(path);
        for (const auto& [other, more] : json.set)
            if (is_within(other, path)) spot.complain("json.set", fmt::format("has both '{}' and '{}'", clipped(path), clipped(other)));
    }
}

void check_transformations(const Transformations& made, const Route& route, const std::string& key, Report& report) {
    Spot request{report, key + ".request", route.place}, response{report, key + ".response", route.place};
    check_json(made.request.json, request);
    check_json(made.response.json, response);
    for (const auto& [name, value] : made.request.set_query)
        if (name.empty()) request.complain("set_query", "has a parameter without a name");
    bool only_headers = made.request == RequestTransformation() && made.response == ResponseTransformation();
    if (!route.forwards() && !only_headers)
        report.error(route.place, key, "changes bodies and queries of what is forwarded; this route answers itself");
}

}  // namespace

void fold_transformations(Config& config, Report& report) {
    for (std::size_t i = 0; i < config.routes.size(); ++i) {
        Route& route = config.routes[i];
        if (!route.transformations) continue;
        std::string key = fmt::format("routes[{}].transformations", i);
        fold_headers(route.transformations->request, route.request_headers, {report, key + ".request", route.place});
        fold_headers(route.transformations->response, route.response_headers, {report, key + ".response", route.place});
    }
}

void check_transform(const Config& config, Report& report) {
    check_compression(config.compression, "compression", report.place_of("compression"), report);
    check_versioning(config.versioning, config.versioning, "versioning", report.place_of("versioning"), report);
    for (std::size_t i = 0; i < config.routes.size(); ++i) {
        const Route& route = config.routes[i];
        std::string key = fmt::format("routes[{}].", i);
        if (route.compression) check_compression(*route.compression, key + "compression", route.place, report);
        if (route.versioning) check_versioning(*route.versioning, config.versioning, key + "versioning", route.place, report);
        if (route.transformations) check_transformations(*route.transformations, route, key + "transformations", report);
    }
}

}  // namespace suoke::config
