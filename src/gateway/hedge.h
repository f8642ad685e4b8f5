// SPDX-License-Identifier: MIT
#pragma once
// Hedging: when an endpoint is slow, another one is asked as well, and the first good answer counts.

#include <boost/container/static_vector.hpp>

#include "gateway/forward.h"

namespace suoke::gateway {

using TriedEndpoints = boost::container::static_vector<const balance::EndpointState*, 16>;

// Only for what may be repeated, with nothing left of its body to read.
bool may_be_hedged(const Exchange& ex, const Outgoing& request);
// Begins at ex.seat; the seat of whose answer it is, or of the last to fail, is there in the end.
// `before` gets those that were asked.
rt::Task<Tried> ask_several(Exchange& ex, const Outgoing& request, balance::View::Wish wish, TriedEndpoints& before);

}  // namespace suoke::gateway
