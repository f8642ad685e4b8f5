// SPDX-License-Identifier: MIT
// Settles which version of the API a request is for, tells the service in X-API-Version, and the client
// which it got, which there are, and which will go (RFC 9745, RFC 8594). Where a request goes was decided
// before: a route that is for one version says so by its prefix or its conditions.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "config/api_version.h"
#include "filters/filters.h"
#include "http/uri.h"

namespace suoke::filters {
namespace {

using config::ApiVersion;
using config::VersionFrom;
using gateway::Exchange;

constexpr std::string_view kGiven = "X-API-Version";
constexpr std::string_view kAsked = "X-API-Version-Requested";   // when it was another one
constexpr std::string_view kSupported = "X-API-Versions-Supported";
constexpr std::size_t kLongest = 40;                             // what is echoed of what a client said

// ---- where clients say it

bool looks_like_version(std::string_view segment) {
    return segment.size() > 1 && lower(segment.front()) == 'v' && is_digit(segment[1]) && config::parse_api_version(segment);
}

// "/v1/users" or "/api/v1/users".
std::string_view version_in_path(std::string_view path) {
    for (int segments = 0; segments < 2 && path.starts_with('/'); ++segments) {
        path.remove_prefix(1);
        std::string_view segment = path.substr(0, path.find('/'));
        if (looks_like_version(segment)) return segment;
        path.remove_prefix(segment.size());
    }
    return {};
}

std::string_view version_in_query(std::string_view query, std::string_view parameter) {
    std::string_view found;
    http::for_each_param(query, [&](std::string_view name, std::string_view value) {
        if (found.empty() && name == parameter) found = value;
    });
    return found;
}

// The parameter `version` of the first media type that has one.
std::string_view version_in_media_types(std::string_view accept) {
    std::string_view found;
    for (std::string_view element : split_list(accept)) {
        std::size_t parameters = element.find(';');
        if (parameters == element.npos) continue;
        bool has_one = any_pair(element.substr(parameters + 1), ';', [&](std::string_view name, std::string_view value) {
            bool is_it = iequals(trim(name), "version");
            if (is_it) found = trim(value, " \t\"");
            return is_it;
        });
        if (has_one) break;
    }
    return found;
}

// Several fields are one list (RFC 9110 §5.3): what a client's library adds by itself may stand before what the client says.
std::string_view version_in_accept(const http::Headers& headers) {
    for (const http::Field& field : headers) {
        if (field.id != http::HeaderId::accept) continue;
        std::string_view found = version_in_media_types(field.value);
        if (!found.empty()) return found;
    }
    return {};
}

// ---- what there is

struct Known {
    ApiVersion version;
    std::string name;                                  // "v1.0.0"
    std::string deprecation, sunset, link, warning;    // fields of its answers; empty: none
};

std::int64_t seconds_of(WallTime time) { return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count(); }

void deprecate(Known& known, const config::Deprecation& from) {
    WallTime since = config::parse_day(from.since).value_or(WallTime());
    known.deprecation = fmt::format("@{}", seconds_of(since));
    known.warning = fmt::format("299 - \"API version {} is deprecated", known.name);
    if (auto sunset = config::parse_day(from.sunset)) {
        known.sunset = http_date(*sunset);
        known.warning += fmt::format(" and may be gone from {} on", iso8601(*sunset).substr(0, 10));
    }
    known.warning += '"';
    if (!from.link.empty()) known.link = fmt::format("<{}>; rel=\"deprecation\"", from.link);
}

std::string list_of(const std::vector<Known>& all) {
    std::string list;
    JsonWriter json(list);
    json.open('[');
    for (const Known& each : all) json.value(each.name);
    json.close(']');
    return list;
}

class Versioning final : public Check {
 public:
    explicit Versioning(const config::Versioning& from)
        : strategy_(from.strategy), strict_(from.strict), header_(from.header), parameter_(from.parameter) {
        for (const std::string& each : from.supported)
            if (auto version = config::parse_api_version(each)) known_.push_back({*version, config::to_string(*version)});
        std::sort(known_.begin(), known_.end(), [](const Known& a, const Known& b) { return a.version > b.version; });
        auto same = [](const Known& a, const Known& b) { return a.version == b.version; };  // "1" and "v1.0"
        known_.erase(std::unique(known_.begin(), known_.end(), same), known_.end());
        for (const auto& [name, deprecation] : from.deprecated)
            if (Known* known = exactly(config::parse_api_version(name))) deprecate(*known, deprecation);
        for (const Known& each : known_) supported_ += (supported_.empty() ? "" : ", ") + each.name;
        supported_list_ = list_of(known_);
        usual_ = exactly(config::parse_api_version(from.default_version));
        CHECK(usual_);
    }

 private:
    gateway::Verdict on_request(Exchange& ex) const override {
        http::Headers& headers = ex.request.head.headers;
        std::string_view asked = asked_by(ex);
        auto wanted = config::parse_api_version(asked);
        const Known* given = wanted ? best_for(*wanted) : nullptr;
        headers.remove(kGiven);
        headers.remove(kAsked);
        if (!given && strict_ && !asked.empty()) return refuse(asked);
        if (!given) given = usual_;
        headers.add(kGiven, given->name);
        bool another = !asked.empty() && wanted != given->version;
        if (another) headers.add(kAsked, ex.arena.copy(asked.substr(0, kLongest)));
        return gateway::go_on();
    }

    // What was settled stands in the request's own fields, where the service was told.
    void on_response(Exchange& ex, http::Response& response) const override {
        const http::Headers& request = ex.request.head.headers;
        http::Headers& headers = response.headers;
        headers.set(kSupported, supported_);
        if (ex.failure == Code::api_version && response.body) list_supported(response);
        if (strategy_ == VersionFrom::header) headers.add("Vary", "Accept");
        if (strategy_ == VersionFrom::custom_header) headers.add("Vary", header_);
        headers.remove(kGiven);
        headers.remove(kAsked);
        const std::string_view* name = request.find(kGiven);
        if (!name) return;
        headers.add(kGiven, *name);
        if (const std::string_view* asked = request.find(kAsked)) headers.add(kAsked, *asked);
        for (const Known& each : known_)
            if (each.name == *name) warn(each, headers);
    }

    static void warn(const Known& given, http::Headers& headers) {
        if (given.deprecation.empty()) return;
        headers.set("Deprecation", given.deprecation);
        if (!given.sunset.empty()) headers.set("Sunset", given.sunset);
        if (!given.link.empty()) headers.add("Link", given.link);
        headers.add("Warning", given.warning);
    }

    Error refuse(std::string_view asked) const {
        return Error(Code::api_version, fmt::format("there is no version '{}' here, but {}", asked.substr(0, kLongest), supported_));
    }

    // The refusal is an object of JSON, in either of its forms; clients of the predecessor read the list in it.
    void list_supported(http::Response& response) const {
        Result<http::Piece> piece = response.body->next();
        if (!piece || !piece->bytes.ends_with('}')) return;
        std::string text(piece->bytes.substr(0, piece->bytes.size() - 1));
        response.body = std::make_unique<http::TextBody>(text + R"(,"supported_versions":)" + supported_list_ + '}');
    }

    std::string_view asked_by(const Exchange& ex) const {
        const http::Headers& headers = ex.request.head.headers;
        switch (strategy_) {
            case VersionFrom::url_path: return version_in_path(ex.path);
            case VersionFrom::query_param: return version_in_query(ex.request.head.query, parameter_);
            case VersionFrom::header: return version_in_accept(headers);
            case VersionFrom::custom_header: break;
            case VersionFrom::subdomain: {
                std::string_view label = ex.host.substr(0, ex.host.find('.'));
                return looks_like_version(label) ? label : std::string_view();
            }
        }
        const std::string_view* said = headers.find(header_);
        return said ? trim(*said) : std::string_view();
    }

    Known* exactly(std::optional<ApiVersion> version) {
        auto found = std::find_if(known_.begin(), known_.end(), [&](const Known& each) { return each.version == version; });
        return found == known_.end() ? nullptr : &*found;
    }

    // That one, or the newest of the same major version that is not older.
    const Known* best_for(const ApiVersion& wanted) const {
        const Known* best = nullptr;
        for (const Known& each : known_) {  // the newest first
            if (each.version == wanted) return &each;
            bool fits = each.version.major == wanted.major && each.version > wanted;
            if (fits && !best) best = &each;
        }
        return best;
    }

    VersionFrom strategy_;
    bool strict_;
    std::string header_, parameter_;
    std::vector<Known> known_;
    std::string supported_, supported_list_;   // in a field, in JSON
    const Known* usual_ = nullptr;
};

}  // namespace

CheckPtr versioning(const config::Config& config, const config::Route& route) {
    const config::Versioning& rules = route.versioning ? *route.versioning : config.versioning;
    return rules.on() && route.forwards() ? std::make_shared<Versioning>(rules) : nullptr;
}

}  // namespace suoke::filters
