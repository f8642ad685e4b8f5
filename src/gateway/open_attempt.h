// SPDX-License-Identifier: MIT
#pragma once
// Attempts on the connections of an endpoint, whatever protocol it speaks.

#include "gateway/attempt.h"
#include "upstream/pool_h2.h"
#include "upstream/pools.h"

namespace suoke::gateway {

class Worker;

// How long to wait for a connection: to be made, or to come free.
struct Patience {
    TimePoint connect, queue;
};

// On a connection that is there: the usual case, and no coroutine. Null when there is none.
AttemptPtr attempt_at_once(Worker& worker, const upstream::Berth& berth, http::Method method, const AttemptLimits& limits);
// On a new one, or one that comes free. `preamble`: see upstream::Pool::open.
rt::Task<Result<AttemptPtr>> attempt_on_new_connection(Worker& worker, upstream::Berth berth, http::Method method, AttemptLimits limits,
                                                       Patience patience, std::string preamble, upstream::Company company = upstream::Company::shared);
// The Host of an endpoint that is told none: a path is none, what it leads to is here.
inline std::string_view host_of(const upstream::EndpointAddress& address, std::string_view name) {
    return address.host.starts_with("unix:") ? std::string_view("localhost") : name;
}

}  // namespace suoke::gateway
