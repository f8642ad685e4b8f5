// SPDX-License-Identifier: MIT
#pragma once
// What browsers are told, who is let in at all, and when nobody is; names, docs and checks are in definition_shaping.cpp.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/place.h"

namespace suoke::config {

struct Cors {                              // what pages of other origins may do
    std::optional<bool> enabled;           // nothing: when an origin is named
    std::vector<std::string> allow_origins;   // "https://app.suoke.life", "https://*.suoke.life", "http://localhost:*", "null", "*"
    std::vector<std::string> allow_methods;   // none: those of the route; "*": any
    std::vector<std::string> allow_headers;   // besides those the clients of the platform send; "*": any
    std::vector<std::string> expose_headers;  // besides those the gateway itself adds
    bool allow_credentials = false;        // never with the origin "*"
    Duration max_age = 10min;              // how long a browser need not ask again
    bool on() const { return enabled.value_or(!allow_origins.empty()); }
    bool operator==(const Cors&) const = default;
};

// What answers tell browsers to refuse. Unset switches: on in staging and production only.
struct SecurityHeaders {
    std::optional<bool> enabled;
    std::optional<bool> hsts;              // over TLS only
    Duration hsts_max_age = 8760h;         // a year
    bool hsts_include_subdomains = true;
    bool hsts_preload = true;
    std::optional<bool> csp;
    std::string csp_policy =
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: https:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'";
    std::map<std::string, std::string> headers;   // have the last word; an empty value takes the header out
    bool operator==(const SecurityHeaders&) const = default;
};

struct Access {                            // by the client's address; deny wins
    std::vector<std::string> allow, deny;  // networks; no allow: everyone
    bool operator==(const Access&) const = default;
};

struct RequestChecks {
    bool content_type = false;             // POST, PUT and PATCH with a body say what it is
    bool user_agent = false;               // somebody says what he is
    bool csrf = false;                     // other origins' pages may not change anything with a browser's credentials
    bool operator==(const RequestChecks&) const = default;
};

struct Maintenance {
    bool enabled = false;
    std::string message = "The service is under maintenance, please try again later";
    Duration retry_after = 5min;
    std::vector<std::string> allow;        // networks whose clients are served all the same
    bool operator==(const Maintenance&) const = default;
};

}  // namespace suoke::config
