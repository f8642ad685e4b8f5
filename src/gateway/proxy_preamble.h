// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "gateway/exchange.h"

namespace suoke::gateway {

// What a new connection to an endpoint of `service` begins with: the PROXY header that tells the
// client of this exchange, or nothing when the service wants none. The destination is the client's
// own address family's "any" address and port 0: the gateway does not say where it listens.
std::string proxy_preamble(const Exchange& ex, const Service& service);

}  // namespace suoke::gateway
