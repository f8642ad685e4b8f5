// SPDX-License-Identifier: MIT
#pragma once
// What the head of an answer may not say any more when its bytes are others than the service's.

#include "gateway/exchange.h"

namespace suoke::filters {

// Takes out what is about the bytes as they were (length, ranges, digests), and makes a strong ETag weak:
// it would mean the same bytes (RFC 9110 §8.8.1).
void say_other_bytes(gateway::Exchange& ex, http::Headers& headers);

// Of a 304: it freshens what the client has only under the tag that it has (RFC 9111 §4.3.4), which is
// weak if we made it so.
void weaken_as_asked(gateway::Exchange& ex, http::Headers& headers);

}  // namespace suoke::filters
