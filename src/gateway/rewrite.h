// SPDX-License-Identifier: MIT
#pragma once
// Paths and redirect targets made from templates.
//
//   auto rewrite = Rewrite::compile("^/api/v1/(.*) => /v2/$1");
//   std::string path;
//   if (rewrite->apply("/api/v1/users", path)) ...     // "/v2/users"
//
// In a template: $1 ... $9 a group of the regex, $0 all that it matched, ${name} a param of the
// route, $$ a dollar sign.

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "gateway/router.h"

namespace suoke::gateway {

// Immutable; any number of threads may use one at once.
class Rewrite {
 public:
    // "regex => template"; spaces around the arrow do not count, and the last arrow is it. Errors
    // (invalid_config) carry a sentence for the operator.
    static Result<Rewrite> compile(std::string_view text);

    Rewrite(Rewrite&&) noexcept;
    Rewrite& operator=(Rewrite&&) noexcept;
    ~Rewrite();

    // Replaces the first match of the regex in `path`, which is anchored only if the regex is.
    // False when there is none: `out` is untouched and the path stays as it is. The regex sees, and
    // the result is in, the path's one spelling (path_pattern.h).
    //
    // The result is always a path that can be sent, whatever the groups held: it starts with '/',
    // has no "//" and no dot segments (nobody climbs out of a prefix through a rewrite), and what
    // no path may hold is escaped (a group can cut an escape in two: its '%' becomes "%25").
    bool apply(std::string_view path, std::string& out, std::span<const Param> params = {}) const;

 private:
    struct Plan;
    explicit Rewrite(std::unique_ptr<const Plan> plan);
    std::unique_ptr<const Plan> plan_;
};

// Appends a redirect's target. In the template: {name} a param, $1 ... $9 the n-th param, {rest}
// what the route left of the path (unless a param has that name), $$ a dollar sign; an unknown one
// is empty. Values come from the request, so what no URI may hold is escaped in them, and a target
// that the operator wrote as a path ("/...") stays one: it never becomes "//another.host".
void fill_template(std::string_view text, std::span<const Param> params, std::string& out,
                   std::string_view rest = {});

}  // namespace suoke::gateway
