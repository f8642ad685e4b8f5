// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "gateway/exchange.h"

namespace suoke::endpoints {

// The whole body of a request to the gateway itself. Code::body_too_large beyond `most` bytes.
rt::Task<Result<std::string>> read_body(gateway::Exchange& ex, std::size_t most);

}  // namespace suoke::endpoints
