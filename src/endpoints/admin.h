// SPDX-License-Identifier: MIT
#pragma once
// Who may manage the gateway over HTTP: whoever shows registry.admin_token, and whoever is known
// (Exchange::who) and has one of auth.admin_roles.

#include <optional>

#include "gateway/exchange.h"

namespace suoke::endpoints {

bool is_admin(const gateway::Exchange& ex);
// Nothing: it may. Else 401 when nobody has said who asks, 403 when that is known and not enough.
std::optional<Error> refuse_unless_admin(const gateway::Exchange& ex);

}  // namespace suoke::endpoints
