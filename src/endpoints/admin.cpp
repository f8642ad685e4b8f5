// SPDX-License-Identifier: MIT
#include "endpoints/admin.h"

#include <algorithm>

#include "gateway/site.h"
#include "http/bearer.h"
#include "rt/digest.h"

namespace suoke::endpoints {
namespace {

std::string_view token_of(const gateway::Exchange& ex) {
    const std::string_view* field = ex.request.head.headers.find(http::HeaderId::authorization);
    return field ? http::bearer_token(*field) : std::string_view();
}

bool has_role(const gateway::Exchange& ex) {
    const std::vector<std::string>& roles = ex.site.config.auth.admin_roles;
    return ex.who && std::any_of(roles.begin(), roles.end(), [&](const std::string& role) { return ex.who->has_role(role); });
}

}  // namespace

bool is_admin(const gateway::Exchange& ex) {
    const std::string& token = ex.site.config.registry.admin_token.reveal();
    return has_role(ex) || (!token.empty() && rt::same_secret(token_of(ex), token));
}

std::optional<Error> refuse_unless_admin(const gateway::Exchange& ex) {
    if (is_admin(ex)) return std::nullopt;
    if (ex.who) return Error(Code::forbidden, "this takes a role that manages the gateway (auth.admin_roles)");
    const config::Config& config = ex.site.config;
    if (config.registry.admin_token.empty() && !config.auth.is_on())
        return Error(Code::forbidden, "nobody may: set registry.admin_token (SUOKE_REGISTRY_ADMIN_TOKEN), or configure auth");
    return Error(token_of(ex).empty() ? Code::missing_token : Code::invalid_token);
}

}  // namespace suoke::endpoints
