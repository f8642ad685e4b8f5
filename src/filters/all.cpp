// SPDX-License-Identifier: MIT
#include "filters/filters.h"

namespace suoke::filters {
namespace {

struct Entry {
    const char* name;
    CheckPtr (*make)(const config::Config&, const config::Route&);
    const char* because;
};

// The order a request meets them; responses meet them backwards.
constexpr Entry kOrder[] = {
    {"hop_by_hop", hop_by_hop, "first: what Connection names must go before we add fields it could name"},
    {"request_id", request_id, "everything after it can be found in the logs, refusals included"},
    {"client_address", client_address, "later filters decide by the real address"},
    {"https_redirect", https_redirect, "what came in the clear goes back before anything else is made of it"},
    {"strip_identity", strip_identity, "before anything could believe what the client says it is"},
    {"load_shedding", load_shedding, "found by its id and address, and refused before anything costs much"},
    {"request_timeout", request_timeout, "what the client waits for at most holds for all that wait"},
    {"grpc_web", grpc_web, "before whoever may refuse: browsers read errors only with its fields"},
    {"grpc", grpc, "inside gRPC-Web, so that it sees gRPC only; its deadline holds for all that wait"},
    {"client_certificate", client_certificate, "says who the client is, once nobody else's word is left"},
    {"query_limit", query_limit, "the cheapest refusals come first"},
    {"body_limit", body_limit, "refuses by Content-Length before a byte of body is read"},
    {"websocket", websocket, "counts only what everybody before it let in; passes nothing it refused"},
    {"gateway_headers", gateway_headers, "says who answered; outside the route's own edits"},
    {"grpc_onward", grpc_onward, "behind hop_by_hop, which takes the client's TE"},
    {"edit_headers", edit_headers, "the operator's word: the last on requests and on what streams say"},
    {"mirror", mirror, "copies what the service itself is to get"},
    {"event_streams", event_streams, "last: sees the upstream's own answer, and its body before all"},
};

}  // namespace

gateway::Chain chain_of(const config::Config& config, const config::Route& route, FilterPtr last) {
    gateway::Chain chain;
    for (const Entry& entry : kOrder)
        if (CheckPtr check = entry.make(config, route)) chain.add(std::move(check));
    if (FilterPtr start = stream_start(config, route)) chain.add(std::move(start));
    // Inside the early answer, so that what the client missed comes with the upstream's consent.
    if (FilterPtr replay = sse_replay(config, route)) chain.add(std::move(replay));
    chain.add(std::move(last));
    return chain;
}

}  // namespace suoke::filters
