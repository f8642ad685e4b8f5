// SPDX-License-Identifier: MIT
#include "config/settle.h"

namespace suoke::config {

// Whoever forgets to configure it must not learn that from strangers.
void check_production(const Config& config, Report& report) {
    if (config.app.environment != Environment::production) return;
    if (is_published_secret(config.registry.admin_token.reveal()) && !config.registry.admin_token.empty())
        report.error(report.place_of("registry.admin_token"), "registry.admin_token",
                     "is a placeholder that everybody knows, and whoever shows it may manage this gateway; make one with: openssl rand -hex 24");
    if (config.auth.enabled == false || config.auth.has_means()) return;
    report.error(report.place_of("auth"), "auth",
                 "this is production, and there is nothing to authenticate anybody with: give auth.jwt.secret_key (JWT_SECRET_KEY), "
                 "auth.jwt.jwks_url, auth.api_keys ..., or say auth.enabled: false");
}

}  // namespace suoke::config
