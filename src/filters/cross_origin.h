// SPDX-License-Identifier: MIT
#pragma once
// What pages of other origins may do with a route (CORS; the Fetch standard, §3.2). One place for all who
// ask: the filter cors tells browsers, gRPC-Web's pages are told by it too, and request_checks trusts the
// same origins.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "gateway/filter.h"

namespace suoke::filters {

// Which origins a list of them means (cors.allow_origins). Browsers send origins in lower case, so bytes are compared.
class Origins {
 public:
    Origins() = default;
    explicit Origins(const std::vector<std::string>& listed);
    bool any() const { return any_; }                    // "*"
    // By name, or by "https://*.suoke.life" (one label or more) or "http://localhost:*" (any port, or none).
    bool lists(std::string_view origin) const;
    bool allows(std::string_view origin) const { return any_ || lists(origin); }

 private:
    struct Pattern {
        std::string scheme;      // "https://"
        std::string tail;        // ".suoke.life:8443", or "localhost" without labels in front
        bool labels, any_port;
        bool matches(std::string_view origin) const;
    };
    std::vector<std::string> names_;  // in order
    std::vector<Pattern> patterns_;
    bool any_ = false;
};

// The section that counts for a route, gRPC-Web's own words in it. Nothing: what pages may do is the service's
// business, and its headers pass as they are.
std::optional<config::Cors> cors_of(const config::Config& config, const config::Route& route);

// The same, ready to be told.
class CrossOrigin {
 public:
    CrossOrigin(const config::Cors& cors, const config::Route& route);

    // OPTIONS that asks on behalf of another request.
    static bool is_preflight(const http::RequestHead& head);
    // What that request may be; forbidden when the page's origin may not ask at all.
    gateway::Answer preflight(gateway::Exchange& ex) const;
    // Lets the page read an answer, if it may; what the service says about that is taken out.
    void share(const gateway::Exchange& ex, http::Headers& answer) const;

 private:
    bool allows(const gateway::Exchange& ex) const { return !ex.page_origin.empty() && origins_.allows(ex.page_origin); }
    void allow(std::string_view origin, http::Headers& answer) const;

    Origins origins_;
    std::string methods_, headers_, exposed_, max_age_;
    bool any_method_, any_header_, credentials_;
};

}  // namespace suoke::filters
