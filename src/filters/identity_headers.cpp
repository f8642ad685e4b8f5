// SPDX-License-Identifier: MIT
// Tells the service who asks, in fields that strip_identity took from everybody. Their values were made once,
// when the credential was seen first, and live as long as the exchange.
#include "filters/filters.h"

namespace suoke::filters {
namespace {

class IdentityHeaders final : public Check {
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        if (!ex.who) return gateway::go_on();
        const auth::Identity& who = *ex.who;
        http::Headers& headers = ex.request.head.headers;
        auto tell = [&](std::string_view name, std::string_view value) {
            if (!value.empty()) headers.add(http::Field{name, value, http::HeaderId::other});
        };
        tell("X-User-ID", who.told.subject);
        tell("X-User-Name", who.told.name);
        tell("X-User-Roles", who.told.roles);
        tell("X-User-Scopes", who.told.scopes);
        tell("X-User-Type", auth::name_of(who.type));
        tell("X-Auth-Method", auth::name_of(who.method));
        return gateway::go_on();
    }
};

}  // namespace

CheckPtr identity_headers(const config::Config& config, const config::Route& route) {
    bool known = route.forwards() && config.auth.mode_of(route.auth) != config::AuthMode::none;
    return known ? std::make_shared<IdentityHeaders>() : nullptr;
}

}  // namespace suoke::filters
