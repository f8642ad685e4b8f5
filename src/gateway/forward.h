// SPDX-License-Identifier: MIT
#pragma once
// The innermost filter: sends the request to an endpoint of its service and gives back the endpoint's
// answer, streaming both bodies. When that endpoint fails and the request may be repeated, to another.

#include "gateway/attempt.h"
#include "gateway/filter.h"
#include "gateway/retry.h"

namespace suoke::gateway {

class Forward final : public Filter {
 public:
    rt::Task<Answer> run(Exchange& ex, Next) const override;
};

// The answer was not there in time: what that says about the endpoint that was asked.
void tell_timed_out(Exchange& ex);

// ---- for those that make attempts beside it (hedge.cpp, mirror.cpp)

// Request path as `service` shall see it (normalised, prefix handled, rewritten), with the query.
std::string_view upstream_target(Exchange& ex, const Service& service);
// The Host that the route or `service` wants for it; empty: the endpoint's name.
std::string_view wanted_host(const Exchange& ex, const Service& service);

// One endpoint was asked: on a kept connection, and once more on a new one when that was dead.
struct Tried {
    AttemptPtr attempt;                 // null: there was not even a connection
    std::optional<Error> error;         // nothing: the attempt has a response head
    Attempt::Seen seen = Attempt::Seen::nothing;
    Duration took{};                    // to the head, since the endpoint last took something of the request

    bool answered() const { return attempt && !error; }
};
rt::Task<Tried> ask(Exchange& ex, const balance::Member& member, Outgoing& request, http::Responder& interims);
balance::Verdict verdict_of_status(int status);
// What it says about the endpoint, told to whoever heeds it.
void tell(Exchange& ex, balance::Seat& seat, const Tried& tried);
const RetryRules& retry_rules_of(const Exchange& ex);

}  // namespace suoke::gateway
