// SPDX-License-Identifier: MIT
#pragma once
// The innermost filter: sends the request to an endpoint of the route's service and gives back the
// endpoint's answer, streaming both bodies.

#include "gateway/filter.h"

namespace suoke::gateway {

class Forward final : public Filter {
 public:
    rt::Task<Answer> run(Exchange& ex, Next) const override;
};

// Request path as the upstream shall see it (normalised, prefix handled, rewritten), with the query.
std::string_view upstream_target(Exchange& ex);

}  // namespace suoke::gateway
