// SPDX-License-Identifier: MIT
#include "gateway/hop_by_hop.h"

#include <vector>

#include "base/text.h"

namespace suoke::gateway {

using http::HeaderId;

constexpr http::HeaderSet kHopByHop =
    http::header_set(HeaderId::connection, HeaderId::keep_alive, HeaderId::proxy_connection,
                     HeaderId::proxy_authorization, HeaderId::te, HeaderId::transfer_encoding,
                     HeaderId::upgrade);

void remove_hop_by_hop(http::Headers& headers) {
    if (!headers.has_any(kHopByHop)) return;
    std::vector<std::string_view> named;  // by Connection, and not gone anyway
    for (const http::Field& field : headers) {
        if (field.id != HeaderId::connection || iequals(field.value, "keep-alive") || iequals(field.value, "close")) continue;
        for (std::string_view token : split_list(field.value)) named.push_back(token);
    }
    headers.remove_if([&](const http::Field& field) {
        if (http::is_in(kHopByHop, field.id)) return true;
        for (std::string_view name : named)
            if (iequals(name, field.name)) return true;
        return false;
    });
}

}  // namespace suoke::gateway
