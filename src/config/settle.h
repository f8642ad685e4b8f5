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
// The rules about routes and services.
void check(const Config& config, Report& report);

}  // namespace suoke::config
