// SPDX-License-Identifier: MIT
#pragma once
// Every filter, one file each. all.cpp lists them in the order in which they see a request, with the
// reason for their place. To add one: a file, a line in all.cpp, a test.

#include <memory>
#include <optional>

#include "config/config.h"
#include "gateway/filter.h"

namespace suoke::filters {

using gateway::Check;
using gateway::Filter;
using CheckPtr = std::shared_ptr<const Check>;
using FilterPtr = std::shared_ptr<const Filter>;

// Each makes the filter for one route, or gives null when the route has no use for it.
CheckPtr hop_by_hop(const config::Config&, const config::Route&);
CheckPtr request_id(const config::Config&, const config::Route&);
CheckPtr client_address(const config::Config&, const config::Route&);
CheckPtr security_headers(const config::Config&, const config::Route&);
CheckPtr cors(const config::Config&, const config::Route&);
CheckPtr allowed_hosts(const config::Config&, const config::Route&);
CheckPtr access(const config::Config&, const config::Route&);
CheckPtr maintenance(const config::Config&, const config::Route&);
CheckPtr request_checks(const config::Config&, const config::Route&);
CheckPtr https_redirect(const config::Config&, const config::Route&);
CheckPtr mirror(const config::Config&, const config::Route&);
CheckPtr load_shedding(const config::Config&, const config::Route&);
CheckPtr request_timeout(const config::Config&, const config::Route&);
CheckPtr strip_identity(const config::Config&, const config::Route&);
CheckPtr grpc_web(const config::Config&, const config::Route&);
CheckPtr grpc(const config::Config&, const config::Route&);
CheckPtr client_certificate(const config::Config&, const config::Route&);
CheckPtr authenticate(const config::Config&, const config::Route&);
CheckPtr authorize(const config::Config&, const config::Route&);
CheckPtr identity_headers(const config::Config&, const config::Route&);
CheckPtr address_limit(const config::Config&, const config::Route&);   // before `authenticate`
CheckPtr rate_limit(const config::Config&, const config::Route&);      // behind it
CheckPtr query_limit(const config::Config&, const config::Route&);
CheckPtr body_limit(const config::Config&, const config::Route&);
CheckPtr websocket(const config::Config&, const config::Route&);
CheckPtr gateway_headers(const config::Config&, const config::Route&);
CheckPtr grpc_onward(const config::Config&, const config::Route&);
CheckPtr compression(const config::Config&, const config::Route&);
CheckPtr versioning(const config::Config&, const config::Route&);
CheckPtr transform_request(const config::Config&, const config::Route&);
CheckPtr edit_headers(const config::Config&, const config::Route&);
CheckPtr event_streams(const config::Config&, const config::Route&);

// Right behind `authenticate`, which without it lets in who has to wait.
FilterPtr authenticate_elsewhere(const config::Config&, const config::Route&);

// Around the innermost one, where the route needs it.
FilterPtr validation(const config::Config&, const config::Route&);
FilterPtr idempotency(const config::Config&, const config::Route&);
FilterPtr response_cache(const config::Config&, const config::Route&);
FilterPtr stream_start(const config::Config&, const config::Route&);
FilterPtr sse_replay(const config::Config&, const config::Route&);
FilterPtr plain_upstream(const config::Config&, const config::Route&);
FilterPtr transform_response(const config::Config&, const config::Route&);

// Why a route's schemas and documents are no good; nothing when they are. For whoever compiles a configuration.
std::optional<Error> fault_of_validation(const config::Route&);

// The innermost ones: they answer.
FilterPtr redirect(const config::Route&);
FilterPtr fixed_response(const config::Route&);
FilterPtr refusal();  // answers with Exchange::refusal

// The chain of a route; `last` answers.
gateway::Chain chain_of(const config::Config&, const config::Route&, FilterPtr last);

}  // namespace suoke::filters
