// SPDX-License-Identifier: MIT
#pragma once

#include "gateway/exchange.h"

namespace suoke::gateway {

// Tells the service, in the words the client used (X-Request-Timeout, grpc-timeout), what is left of its
// time, so that nobody works on what nobody waits for. Anew at each attempt. Code::deadline_exceeded:
// nothing is left.
Result<void> write_time_left(Exchange& ex);

}  // namespace suoke::gateway
