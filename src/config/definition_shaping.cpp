// SPDX-License-Identifier: MIT
// What browsers are told, who is let in at all, and when nobody is.
#include "config/definition.h"
#include "config/rules.h"

namespace suoke::config {

const Fields& describe(std::type_identity<Cors>) {
    static const Fields kFields = {
        field<&Cors::enabled>(
            "enabled", "Say what pages of other origins may do, instead of the services. Unset: when allow_origins names one.")
            .env({"CORS_ENABLED"})
            .also({"middleware.cors.enabled"}),
        field<&Cors::allow_origins>(
            "allow_origins",
            "Whose pages may call: https://app.suoke.life; https://*.suoke.life for every host below; http://localhost:* for any port; "
            "null; or *: anybody's.")
            .env({"CORS_ALLOW_ORIGINS", "CORS_ORIGINS"})
            .also({"cors.origins", "middleware.cors.allow_origins"})
            .check(rules::origin),
        field<&Cors::allow_methods>(
            "allow_methods", "The methods they may use; none: those of the route; *: any.")
            .env({"CORS_ALLOW_METHODS", "CORS_METHODS"})
            .also({"middleware.cors.allow_methods"})
            .check(rules::method),
        field<&Cors::allow_headers>(
            "allow_headers", "Headers they may send besides the platform's own (Authorization, Content-Type, X-Request-ID ...); *: any.")
            .env({"CORS_ALLOW_HEADERS", "CORS_HEADERS"})
            .also({"middleware.cors.allow_headers"})
            .check(rules::token),
        field<&Cors::expose_headers>(
            "expose_headers", "Headers they may read besides the gateway's own (X-Request-ID, X-RateLimit-*, Retry-After ...).")
            .env({"CORS_EXPOSE_HEADERS"})
            .also({"middleware.cors.expose_headers"})
            .check(rules::token),
        field<&Cors::allow_credentials>(
            "allow_credentials", "They may have the browser send its cookies; not with the origin *.")
            .env({"CORS_ALLOW_CREDENTIALS"})
            .also({"middleware.cors.allow_credentials"}),
        field<&Cors::max_age>("max_age", "How long a browser need not ask again.")
            .env({"CORS_MAX_AGE"})
            .also({"middleware.cors.max_age"}),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Access>) {
    static const Fields kFields = {
        field<&Access::allow>("allow", "Networks whose clients may ask, besides what security.ip_whitelist wants; none: everybody's.")
            .check(rules::network),
        field<&Access::deny>("deny", "Networks whose clients may not, whatever else is said.").check(rules::network),
    };
    return kFields;
}

const Fields& describe(std::type_identity<Maintenance>) {
    static const Fields kFields = {
        field<&Maintenance::enabled>(
            "enabled", "Answer 503 instead of what the routes would. What the gateway answers itself (/health*, /metrics, the registry) goes on."),
        field<&Maintenance::message>("message", "What the answer says.").not_empty(),
        field<&Maintenance::retry_after>("retry_after", "When clients are told to come back."),
        field<&Maintenance::allow>("allow", "Networks whose clients are served all the same.").check(rules::network),
    };
    return kFields;
}

}  // namespace suoke::config
