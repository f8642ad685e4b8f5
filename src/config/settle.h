// SPDX-License-Identifier: MIT
#pragma once
// What is left to do when every source has spoken: short spellings become long ones, and rules that
// look at more than one value are checked.

#include "config/config.h"
#include "config/report.h"

namespace suoke::config {

// Folds services' host, port, weight and url into endpoints. In a file, giving both is an error; a
// variable changes what the file said.
void fold_services(Config& config, Report& report, bool in_file);
// Services are known by their name from here on.
void name_services(Config& config, Report& report);
// Gives every route a name.
void fold_routes(Config& config, Report& report);
void name_routes(Config& config);
// What services and routes leave out of retry, health_check ... they have from the sections of those names.
void fold_resilience(Config& config);
// The headers in a route's transformations become its request_headers and response_headers.
void fold_transformations(Config& config, Report& report);
// The rules of one subject each; see check().
void check_transform(const Config& config, Report& report);
void check_validation(const Config& config, Report& report);
void check_data_classes(const Config& config, Report& report);
// Whether a route lets in nobody whom it does not know.
bool knows_its_clients(const Config& config, const Route& route);
// Whether a route labelled phi sends requests to it, so that they go over TLS (outside development).
bool serves_health_information(const Config& config, const std::string& service);
// Whether there is anybody who may register instances: with the registry's token, or with a role.
bool takes_registrations(const Config& config);
// The rules about cross-origin sections.
void check_shaping(const Config& config, Report& report);
// cache_enabled and cache_ttl become what routes say in cache.
void fold_cache(Config& config);
void check_cache(const Config& config, Report& report);
// auth_required and roles_required become what routes say in auth.
void fold_auth(Config& config);
void check_auth(const Config& config, Report& report);
// What is refused in production only.
void check_production(const Config& config, Report& report);
// Other ways to say limits become the usual ones; the rules about limits.
void fold_limits(Config& config);
void check_rate_limits(const Config& config, Report& report);
// The rules about routes and services.
void check(const Config& config, Report& report);

}  // namespace suoke::config
