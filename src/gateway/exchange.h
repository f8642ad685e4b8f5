// SPDX-License-Identifier: MIT
#pragma once
// One request with its answer, on its way through the filters.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "gateway/arena.h"
#include "gateway/local_service.h"
#include "gateway/router.h"
#include "http/grpc.h"
#include "http/handler.h"
#include "limits/standing.h"

namespace suoke::gateway {

class Site;
class Worker;
class Tunnel;
struct LocalSite;
struct Route;
struct Service;

struct Exchange {
    Exchange(Worker& w, LocalSite& l, const Site& s, http::Request& r, http::Responder& out)
        : worker(w), local(l), site(s), request(r), responder(out) {}
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    Worker& worker;
    LocalSite& local;
    const Site& site;
    http::Request& request;
    http::Responder& responder;
    Arena arena;

    // where it goes
    std::string_view host;              // of the authority, without port
    std::string_view path;              // normalised: one spelling, as filters and upstreams see it
    std::string path_scratch;
    Match match;
    const Route* route = nullptr;       // never null once serve() has begun
    const Service* service = nullptr;   // how it is asked; null when the gateway answers itself
    LocalService* target = nullptr;     // who it is; null: nobody of that name
    std::string_view service_name() const { return target ? std::string_view(target->name) : std::string_view(); }
    std::optional<Error> refusal;       // what routes of last resort answer
    TimePoint deadline = kNever;        // of everything this exchange waits for
    TimePoint answer_by = kNever;       // of the head of its answer, whose body may be a stream without end
    TimePoint head_deadline() const { return std::min(deadline, answer_by); }

    std::vector<http::Body> wrapped_bodies;  // around the session's, the outermost last
    http::GrpcKind grpc = http::GrpcKind::none;  // what the answer has to be, if any
    std::shared_ptr<Tunnel> tunnel;     // of a WebSocket, open or not yet

    // who asks
    std::string_view request_id;
    std::string_view client_ip;         // the real one, behind trusted proxies
    bool over_tls = false;              // its client spoke TLS: with us, or as a trusted proxy tells
    std::string_view page_origin;       // as the page's browser says it, whatever edits make of the field; empty: none, or several
    auth::IdentityPtr who;              // null: nobody has said; see auth::Identity
    bool credential_pending = false;    // somebody has to be asked first; authenticate tells authenticate_elsewhere
    bool lacks_scope = false;           // why it is refused
    std::string_view token_protocol;    // the subprotocol that only brought the token, when no other was offered

    // what happened, for headers, log and metrics
    limits::Standing limit;              // with the limit that leaves its client the least
    bool limit_told = false;            // in the head of the answer
    std::size_t checks_passed = 0;
    const balance::Member* endpoint = nullptr;  // the last one tried
    Duration retry_after{};             // what a 503 or 429 tells the client; zero: a second
    std::uint32_t attempts = 0;
    bool connection_reused = false;
    TimePoint upstream_began{};         // first attempt
    Duration upstream_connect{};
    Duration upstream_head{};           // from upstream_began to the response head
    int status = 0;
    std::optional<int> grpc_status;     // what the client was told, in head or trailers
    std::optional<Code> failure;        // why we answered instead of the upstream
    std::string_view faults;            // of a 422: a JSON list of what is wrong; empty: the message says it all
    http::Sent sent;

    // what it holds until it is over; the view keeps alive what `endpoint` and `seat` point to
    ServiceViewPtr view;
    balance::Gate::Place place;
    limits::Places client_places;       // among what its client has under way
    balance::Fuse fuse;
    balance::Seat seat;

    // A filter that watches or changes the request's body puts its own source around it.
    void wrap_request_body(http::Body outer) {
        wrapped_bodies.push_back(std::move(outer));
        request.body = wrapped_bodies.back().get();
    }
    // Body bytes the client has sent so far.
    std::uint64_t request_bytes() const { return request.body ? request.body->received() : 0; }
};

}  // namespace suoke::gateway
