// SPDX-License-Identifier: MIT
#pragma once
// Where a request goes: the routes of one configuration, compiled into an immutable value which any
// number of threads may ask at once.
//
//   std::vector<config::Problem> problems;
//   Result<Router> router = Router::compile(config.routes, problems);
//   Match match = router->match({.host = host, .path = path, .method = "GET", .headers = headers});
//
// THE ORDER. Of all routes that match a request the first in this order gets it:
//   1. the higher priority;
//   2. the host: a whole name, then the wildcard with more labels, then any host;
//   3. the path, compared segment by segment from the left: at the first difference the end of an
//      exact path comes before a literal, then a {param}, a regex, a trailing "/*", and last the
//      end of a prefix. (So an exact path always wins, then the longer literal head. A regex counts
//      as its literal head and an open end: "/api/v[12]/.*" comes before the prefix "/api" and
//      after
//      "/api/{version}/users". A route without path, prefix and regex is the prefix "/".)
//   4. more conditions (headers + query + cookies);
//   5. the one that names methods before the one for every method;
//   6. the one that was declared first.
//
// WHAT MATCHES. Hosts: any case, ports and a final dot ignored; "*.a.b" takes one or more labels in
// front. Paths: case-sensitive, in one spelling of escapes (path_pattern.h), so "/%61pi" is "/api";
// "/a" and "/a/" are two exact paths; the prefix "/a" (or "/a/") takes "/a", "/a/" and "/a/b" but
// not
// "/ab"; "/a/*" takes "/a/" and "/a/b" but not "/a"; {param} takes one segment that is not empty.
// A regex must match the whole path in its one spelling. A path without '/' in front ("*") goes to
// prefixes "/" and regexes only. Methods: exact; GET includes HEAD.
//
// THE COST. One step down a trie per segment of the path, for the host's own table, each wildcard
// that fits it, and the table of any host: never a search over routes. Where a literal and a
// {param} are both configured for a segment both are walked, each trie node at most once, so the
// work is bounded by the path's length times the number of configured patterns that overlap on it;
// a request cannot make it more. Regexes run (linear time, RE2) only below their literal head.
// Nothing is allocated, except: an escaped path of more than 512 bytes, the list of a 405, and what
// RE2 itself takes for captures or where more than 8 regexes share a literal head.

#include <boost/container/static_vector.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "config/load.h"
#include "gateway/path_pattern.h"
#include "http/headers.h"

namespace suoke::gateway {

struct RouteQuery {
    std::string_view host;   // of the authority; empty when the request has none
    std::string_view path;   // as sent, but without "//" and dot segments in any spelling
    std::string_view query;  // raw, without '?'
    std::string_view method;
    const http::Headers& headers;
};

// `name` lives as long as the router, `value` is a piece of the path: raw, as sent. A regex gives
// its groups, in order; those without a name have an empty one.
struct Param {
    std::string_view name, value;
};

struct Match {
    enum Kind : std::uint8_t { found, no_route, method_not_allowed };
    Kind kind = no_route;
    std::uint32_t route = 0;  // index in the routes compiled
    boost::container::static_vector<Param, kMaxParams> params;
    std::string_view rest;  // what a prefix or "/*" left of the path: empty, or '/' and more
    std::string allow;      // of method_not_allowed: the Allow field, "GET, HEAD, POST"
};

struct RouteTables;

class Router {
 public:
    // Every problem is appended with the route's place and the key routes[i] (or routes[i].field).
    // Errors: what cannot be compiled. Warnings: routes that nothing can ever reach because another
    // matches all they match and comes before. The result is an error when any problem is one.
    static Result<Router> compile(std::span<const config::Route> routes,
                                  std::vector<config::Problem>& problems);

    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;
    ~Router();

    Match match(const RouteQuery& query) const;

 private:
    explicit Router(std::unique_ptr<const RouteTables> tables);
    std::unique_ptr<const RouteTables> tables_;
};

}  // namespace suoke::gateway
