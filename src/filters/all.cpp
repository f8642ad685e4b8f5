// SPDX-License-Identifier: MIT
#include "filters/filters.h"

namespace suoke::filters {
namespace {

// What becomes of requests and answers in a filter, beside being passed on.
enum class Data : std::uint8_t {
    passes,
    keeps,    // beyond the exchange: for others, or for the same client later
    copies,   // to another service than the one that is asked
};

// One of the two: a check, which never waits, or a filter around all that follow.
struct Entry {
    using MakeCheck = CheckPtr (*)(const config::Config&, const config::Route&);
    using MakeFilter = FilterPtr (*)(const config::Config&, const config::Route&);
    constexpr Entry(MakeCheck make, const char*, Data declared = Data::passes) : check(make), data(declared) {}
    constexpr Entry(MakeFilter make, const char*, Data declared = Data::passes) : filter(make), data(declared) {}
    MakeCheck check = nullptr;
    MakeFilter filter = nullptr;
    Data data = Data::passes;
};

// The order a request meets them, each with its reason; responses meet the checks backwards. Filters that
// look at the service's own answer come last: what checks make of an answer is made of a kept one, too.
constexpr Entry kOrder[] = {
    {hop_by_hop, "first: what Connection names must go before we add fields it could name"},
    {request_id, "everything after it can be found in the logs, refusals included"},
    {client_address, "later filters decide by the real address"},
    {security_headers, "on every answer, refusals of all that follow included; needs to know whether the client spoke TLS"},
    {allowed_hosts, "before anything is made of the host: redirects, links, routes' own checks"},
    {access, "who may ask nothing costs nothing, preflights included"},
    {cors, "before whoever may redirect or refuse: a preflight follows no redirect and has no token, and pages read errors only with its fields"},
    {compression, "behind client_address, which says whether it came over TLS; on the way back after everything that changes bodies"},
    {https_redirect, "what came in the clear goes back before anything else is made of it"},
    {strip_identity, "before anything could believe what the client says it is"},
    {load_shedding, "found by its id and address, and refused before anything costs much"},
    {request_timeout, "what the client waits for at most holds for all that wait"},
    {maintenance, "behind cors, so that pages can read it; before credentials are asked for what is closed"},
    {grpc_web, "before grpc, which sees gRPC only"},
    {grpc, "inside gRPC-Web, so that it sees gRPC only; its deadline holds for all that wait"},
    {client_certificate, "says who the client is, once nobody else's word is left"},
    {address_limit, "before anybody's signature is looked at: who floods us with bad credentials pays nothing for them otherwise"},
    {query_limit, "the cheapest refusals come first"},
    {body_limit, "refuses by Content-Length before a byte of body is read"},
    {request_checks, "cheap, and nobody needs to be known for it; behind cors, whose origins it trusts"},
    {authenticate, "who asks, for all that follow"},
    {authenticate_elsewhere, "the same for those whom somebody else has to be asked about; nobody goes between the two"},
    {authorize, "may they, before anything is counted or kept for them"},
    {rate_limit, "by who asks, now that it is known; on every answer behind it, refusals included"},
    {versioning, "once it is known who asks, and before anything looks at what the version means"},
    {validation, "what the client sent must fit before anything is made of it"},
    {websocket, "counts only what everybody before it let in; passes nothing it refused"},
    {gateway_headers, "says who answered; outside the route's own edits"},
    {identity_headers, "what the service is told of who asks; before the operator's edits, which may take it out"},
    {grpc_onward, "behind hop_by_hop, which takes the client's TE"},
    {edit_headers, "the operator's word: the last on requests and on what streams say"},
    {event_streams, "the last check that sees answers: the upstream's own, and its body before all"},
    {idempotency, "outside the cache and early streams, so that what is kept is what the client got", Data::keeps},
    {response_cache, "keeps what the service said; what checks make of it is made anew for each client", Data::keeps},
    {transform_request, "behind validation, idempotency and cache, which see the client's words"},
    {mirror, "copies what the service itself is to get", Data::copies},
    {plain_upstream, "what is compressed here must come plain"},
    {transform_response, "so that reshaped answers are kept in the cache, and events are left alone"},
    {stream_start, "answers early where the route wants that, for all that wait behind it"},
    {sse_replay, "inside the early answer, so that what the client missed comes with the upstream's consent", Data::keeps},
};

// Health information passes, and no more. A route of that class that asks for more does not load
// (config/check_data_classes.cpp); what sections say for all routes stops here.
bool may_be_made(const Entry& entry, const config::Route& route) {
    return entry.data == Data::passes || route.data_class != config::DataClass::phi;
}

}  // namespace

gateway::Chain chain_of(const config::Config& config, const config::Route& route, FilterPtr last) {
    gateway::Chain chain;
    for (const Entry& entry : kOrder) {
        if (!may_be_made(entry, route)) continue;
        if (entry.check) {
            if (CheckPtr check = entry.check(config, route)) chain.add(std::move(check));
        } else if (FilterPtr filter = entry.filter(config, route)) {
            chain.add(std::move(filter));
        }
    }
    chain.add(std::move(last));
    return chain;
}

}  // namespace suoke::filters
