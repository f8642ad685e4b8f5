// SPDX-License-Identifier: MIT
#include "gateway/proxy_preamble.h"

#include "gateway/site.h"
#include "http/proxy_protocol.h"

namespace suoke::gateway {

std::string proxy_preamble(const Exchange& ex, const Service& service) {
    if (service.proxy_version == 0) return {};
    // The real client, behind trusted proxies; its port is known only when it is our peer itself.
    std::string_view client = ex.client_ip.empty() ? ex.request.peer_host : ex.client_ip;
    bool is_peer = ex.request.peer && client == ex.request.peer_host;
    http::ProxyHeader header = http::proxy_header_of(client, is_peer ? ex.request.peer->port() : 0);
    return service.proxy_version == 1 ? http::write_proxy_v1(header) : http::write_proxy_v2(header);
}

}  // namespace suoke::gateway
