// SPDX-License-Identifier: MIT
#pragma once
// The registry over HTTP, at every path that clients of the predecessor know:
//   /services, /api/v1/gateway/services, /api/v1/management/services
// Who may manage the gateway (admin.h) may change things and sees where instances are; everybody else
// sees names, counts and health, and those as they were up to a second ago.

#include "endpoints/builtin.h"

namespace suoke::endpoints {

void add_registry(std::vector<Builtin>& all, Sources& sources);

}  // namespace suoke::endpoints
