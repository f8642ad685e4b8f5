// SPDX-License-Identifier: MIT
#pragma once
// What a route asks of headers, query parameters and cookies (config::Condition), compiled.
// A name that is there more than once satisfies a condition when one of its values does.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "http/headers.h"

namespace re2 {
class RE2;
}

namespace suoke::gateway {

class RouteConditions {
 public:
    // Nothing when one is wrong; then `why` is a sentence for the operator.
    static std::optional<RouteConditions> compile(const config::Route& route, std::string& why);

    // `query` is raw; names and values in it are compared decoded (%41, '+').
    bool hold(const http::Headers& headers, std::string_view query) const;

    std::size_t size() const { return headers_.size() + query_.size() + cookies_.size(); }

 private:
    struct Condition {
        std::string name;
        std::optional<std::string> equals;
        std::shared_ptr<const re2::RE2> regex;
        bool accepts(std::string_view value) const;
    };
    using List = std::vector<Condition>;
    static bool compile(const std::vector<config::Condition>& given, List& list, std::string& why);
    static bool header_holds(const Condition& asked, const http::Headers& headers);
    static bool query_holds(const Condition& asked, std::string_view query);
    static bool cookie_holds(const Condition& asked, const http::Headers& headers);

    List headers_, query_, cookies_;
};

// Whether every request that satisfies `narrow`'s conditions satisfies `wide`'s; "no" when unsure.
bool conditions_cover(const config::Route& wide, const config::Route& narrow);

}  // namespace suoke::gateway
