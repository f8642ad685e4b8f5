// SPDX-License-Identifier: MIT
#pragma once
// For filters that must have seen a request's body before anybody else gets it.

#include "gateway/exchange.h"
#include "gateway/replay_body.h"

namespace suoke::filters {

// Reads the body to its end and keeps it, in the worker's buffers: from then on it is the request's body, to be read once
// more from its beginning. body_too_large beyond `most` bytes. The request has a body.
rt::Task<Result<gateway::ReplayBody*>> whole_body(gateway::Exchange& ex, std::uint64_t most);

}  // namespace suoke::filters
