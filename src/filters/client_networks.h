// SPDX-License-Identifier: MIT
#pragma once
// Where a client is, for filters that let in by address.

#include <string>
#include <vector>

#include "gateway/exchange.h"
#include "rt/network_set.h"

namespace suoke::filters {

// The address that client_address found out; a Unix socket's has none, and is in no network.
inline rt::Address address_of_client(const gateway::Exchange& ex) {
    if (ex.client_ip == ex.request.peer_host) return *ex.request.peer;
    auto told = rt::Address::parse(ex.client_ip, 0);
    return told ? *told : rt::Address();
}

// Of what loading has checked already: one that cannot be read would let in, or keep out, the wrong ones.
inline rt::NetworkSet networks_of(const std::vector<std::string>& texts) {
    auto set = rt::NetworkSet::parse(texts);
    CHECK(set.has_value());
    return std::move(*set);
}

}  // namespace suoke::filters
