// SPDX-License-Identifier: MIT
// Who asks: the peer, or behind trusted proxies the address they tell (the last one in
// X-Forwarded-For that is not itself trusted). What an untrusted peer says is thrown away.
#include "base/text.h"
#include "filters/filters.h"
#include "gateway/site.h"

namespace suoke::filters {
namespace {

using http::HeaderId;

constexpr http::HeaderSet kForwarding =
    http::header_set(HeaderId::forwarded, HeaderId::x_forwarded_for, HeaderId::x_forwarded_host,
                     HeaderId::x_forwarded_port, HeaderId::x_forwarded_proto, HeaderId::x_real_ip);

bool trusted(const gateway::Exchange& ex, const rt::Address& address) {
    if (address.is_unix()) return true;
    for (const rt::Network& network : ex.site.trusted_proxies)
        if (network.contains(address)) return true;
    return false;
}

// Several fields are one list, in their order (RFC 9110 §5.3): a proxy may add its own line below
// the client's instead of extending that. Empty when there is none.
std::string_view whole_list(gateway::Exchange& ex, HeaderId id) {
    std::string_view all;
    if (!ex.request.head.headers.has(id)) return all;
    for (const http::Field& field : ex.request.head.headers)
        if (field.id == id) all = all.empty() ? field.value : ex.arena.join({all, ", ", field.value});
    return all;
}

std::string_view told_client(const gateway::Exchange& ex, std::string_view chain, std::string_view peer) {
    std::string_view client = peer;
    auto hops = split_list(chain);
    for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
        auto address = rt::Address::parse(*hop, 0);
        if (!address || address->is_unix()) break;
        client = *hop;
        if (!trusted(ex, *address)) break;
    }
    return client;
}

class ClientAddress final : public Check {
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        http::Headers& headers = ex.request.head.headers;
        std::string_view peer = ex.request.peer_host;
        bool believed = !ex.site.trusted_proxies.empty() && trusted(ex, *ex.request.peer);
        std::string_view chain = believed ? whole_list(ex, HeaderId::x_forwarded_for) : "";
        ex.client_ip = chain.empty() ? peer : told_client(ex, chain, peer);

        std::string_view scheme = ex.request.secure ? "https" : "http";
        if (!believed) {
            headers.remove_all(kForwarding);
            headers.add(HeaderId::x_forwarded_for, peer);
        } else {
            headers.set(HeaderId::x_forwarded_for, chain.empty() ? peer : ex.arena.join({chain, ", ", peer}));
            if (const std::string_view* proto = headers.find(HeaderId::x_forwarded_proto)) scheme = *proto;
        }
        ex.over_tls = ex.request.secure || scheme == "https";
        headers.set(HeaderId::x_real_ip, ex.client_ip);
        headers.set(HeaderId::x_forwarded_proto, scheme);
        std::string_view authority = ex.request.head.authority;
        if (!headers.find(HeaderId::x_forwarded_host) && !authority.empty())
            headers.add(HeaderId::x_forwarded_host, authority);
        add_forwarded(ex, peer, scheme, authority);
        return gateway::go_on();
    }

    // RFC 7239; IPv6 addresses are quoted and in brackets.
    static void add_forwarded(gateway::Exchange& ex, std::string_view peer, std::string_view scheme,
                              std::string_view authority) {
        http::Headers& headers = ex.request.head.headers;
        bool v6 = peer.find(':') != std::string_view::npos;
        std::string_view open = v6 ? "for=\"[" : "for=", close = v6 ? "]\"" : "";
        std::string_view host = authority.empty() ? "" : ";host=\"", quote = authority.empty() ? "" : "\"";
        std::string_view ours = ex.arena.join({open, peer, close, host, authority, quote, ";proto=", scheme});
        std::string_view before = whole_list(ex, HeaderId::forwarded);
        headers.set(HeaderId::forwarded, before.empty() ? ours : ex.arena.join({before, ", ", ours}));
    }
};

}  // namespace

CheckPtr client_address(const config::Config&, const config::Route&) { return std::make_shared<ClientAddress>(); }

}  // namespace suoke::filters
