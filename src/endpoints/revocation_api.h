// SPDX-License-Identifier: MIT
#pragma once
// Revocations over HTTP, for who may manage the gateway (admin.h):
//   POST   /api/v1/management/revocations   {"jti": "...", "expires_in": "30m"} or {"subject": "..."}
//   GET    /api/v1/management/revocations
//   DELETE /api/v1/management/revocations?jti=...   or ?subject=...

#include "endpoints/builtin.h"

namespace suoke::endpoints {

void add_revocations(std::vector<Builtin>& all, Sources& sources);

}  // namespace suoke::endpoints
