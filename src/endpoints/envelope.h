// SPDX-License-Identifier: MIT
#pragma once
// POST /proxy/{service}: a request inside a request, {"method","path","headers","body"}, answered by
// {"status_code","headers","body"}. What is inside goes the way of /api/v1/gateway/{service}/..., with
// the same filters, as if the client had sent it there itself.

#include "endpoints/builtin.h"

namespace suoke::endpoints {

std::shared_ptr<const gateway::Filter> envelope();

}  // namespace suoke::endpoints
