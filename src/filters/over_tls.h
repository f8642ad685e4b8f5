// SPDX-License-Identifier: MIT
#pragma once
// Whether the client spoke TLS: with us, or as a trusted proxy tells. For filters behind client_address.

#include "gateway/exchange.h"

namespace suoke::filters {

inline bool came_over_tls(const gateway::Exchange& ex) {
    if (ex.request.secure) return true;
    const std::string_view* scheme = ex.request.head.headers.find(http::HeaderId::x_forwarded_proto);
    return ex.trusted_peer && scheme && *scheme == "https";
}

}  // namespace suoke::filters
