// SPDX-License-Identifier: MIT
// The rules of validation and Idempotency-Key that look at more than one value.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/decode.h"
#include "config/settle.h"

namespace suoke::config {
namespace {

class RequestRules {
 public:
    RequestRules(const Config& config, std::size_t index, Report& report)
        : config_(config), route_(config.routes[index]), key_(fmt::format("routes[{}]", index)), report_(report) {}

    void run() {
        if (route_.validation) check_validation(*route_.validation);
        if (route_.idempotency && route_.idempotency->enabled) check_idempotency(*route_.idempotency);
    }

 private:
    void complain(std::string_view field, std::string sentence) {
        std::string key = fmt::format("{}.{}", key_, field);
        Place place = report_.place_of(key);
        report_.error(place.source.empty() ? route_.place : place, key, std::move(sentence));
    }

    void check_validation(const Validation& rules) {
        if (!route_.forwards()) return complain("validation", "goes with service or split; this route answers itself");
        check_source("validation.query", rules.query);
        check_source("validation.headers", rules.headers);
        check_source("validation.body", rules.body);
        if (rules.openapi_base && rules.openapi_file.empty()) complain("validation.openapi_base", "needs openapi_file beside it");
        auto is_json = [](const std::string& type) { return to_lower(type).find("json") != std::string::npos || type.ends_with("/*"); };
        bool takes_json = std::any_of(rules.content_types.begin(), rules.content_types.end(), is_json);
        if (rules.body && !rules.content_types.empty() && !takes_json)
            complain("validation.content_types", "has no type that is JSON, and `body` is a schema for JSON");
    }

    void check_source(std::string_view field, const std::optional<SchemaSource>& source) {
        if (source && source->schema.empty() == source->schema_file.empty()) complain(field, "needs one of schema and schema_file");
    }

    void check_idempotency(const Idempotency& rules) {
        if (!route_.forwards()) return complain("idempotency", "goes with service or split; this route answers itself");
        check_times(rules, "idempotency");
        if (!rules.anonymous && config_.auth.mode_of(route_.auth) == AuthMode::none)
            complain("idempotency", "keys belong to whoever is authenticated, and this route lets anybody in: configure auth, or set idempotency.anonymous");
    }

    void check_times(const Idempotency& rules, std::string_view field) {
        if (rules.lifetime < 1s) complain(fmt::format("{}.lifetime", field), "is less than 1s: nobody could ask again in time");
        if (rules.in_flight < 1s) complain(fmt::format("{}.in_flight", field), "is less than 1s: a request would not count as under way while it is");
    }

    const Config& config_;
    const Route& route_;
    std::string key_;
    Report& report_;
};

}  // namespace

void check_validation(const Config& config, Report& report) {
    const Idempotency& base = config.idempotency;
    if (base.enabled && (base.lifetime < 1s || base.in_flight < 1s))
        report.error(report.place_of("idempotency"), "idempotency", "lifetime and in_flight are at least 1s");
    for (std::size_t i = 0; i < config.routes.size(); ++i) RequestRules(config, i, report).run();
}

}  // namespace suoke::config
