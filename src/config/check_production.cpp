// SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/text.h"
#include "config/settle.h"

namespace suoke::config {
namespace {

// Of the key that docs/examples/authentication shows.
constexpr std::string_view kPublishedHash = "sha256:7f61f44cc311dbe9c8fe327a8458a0b4bf02fdfb02e2466e40381f138d918574";

void check_published_keys(const Config& config, Report& report) {
    for (const auto& [id, key] : config.auth.api_keys) {
        bool published = std::any_of(key.hashes.begin(), key.hashes.end(), [](const std::string& hash) { return iequals(hash, kPublishedHash); });
        if (published)
            report.error(key.place, "auth.api_keys." + id, "is the key of an example that everybody can read; make one with: suoke-gateway token hash --new");
    }
}

}  // namespace

// Whoever forgets to configure it must not learn that from strangers.
void check_production(const Config& config, Report& report) {
    if (config.app.environment != Environment::production) return;
    if (is_published_secret(config.registry.admin_token.reveal()) && !config.registry.admin_token.empty())
        report.error(report.place_of("registry.admin_token"), "registry.admin_token",
                     "is a placeholder that everybody knows, and whoever shows it may manage this gateway; make one with: openssl rand -hex 24");
    check_published_keys(config, report);
    if (config.auth.enabled == false || config.auth.has_means()) return;
    report.error(report.place_of("auth"), "auth",
                 "this is production, and there is nothing to authenticate anybody with: give auth.jwt.secret_key (JWT_SECRET_KEY), "
                 "auth.jwt.jwks_url, auth.api_keys ..., or say auth.enabled: false");
}

}  // namespace suoke::config
