// SPDX-License-Identifier: MIT
#pragma once
// What a configuration says about clients, compiled for the filters.

#include <vector>

#include "config/load.h"
#include "gateway/authentication.h"

namespace suoke::app {

// Every problem is appended.
gateway::Authentication authentication_of(const config::Config& config, std::vector<config::Problem>& problems);
gateway::Admission admission_of(const config::Config& config, const config::Route& route);
// Of a token's provider; `name` is empty for auth.jwt.
auth::JwtRules jwt_rules(const std::string& name, const config::JwtProvider& from);

}  // namespace suoke::app
