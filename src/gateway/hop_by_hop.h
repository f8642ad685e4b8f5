// SPDX-License-Identifier: MIT
#pragma once
#include "http/headers.h"

namespace suoke::gateway {

// RFC 9110 §7.6.1: removes Connection, what it names, and the other fields of one hop.
void remove_hop_by_hop(http::Headers& headers);

}  // namespace suoke::gateway
