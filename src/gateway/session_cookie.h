// SPDX-License-Identifier: MIT
#pragma once
// What in a request says which endpoint it goes to: a hash of something of it, or a cookie that names
// the endpoint which answered the session first. The cookie is signed, so a client can keep its place
// but not choose one.

#include <optional>

#include "balance/rules.h"
#include "gateway/exchange.h"

namespace suoke::gateway {

// Of what `by` names; a random one where the request has none of it.
std::uint64_t hash_of(const Exchange& ex, const balance::HashBy& by);
// Member::hash that the session's cookie names; nothing: it has none that we made.
std::optional<std::uint64_t> session_of(const Exchange& ex);
// Gives the session its cookie when it is to stay where it now is; `named`: what session_of() said.
void keep_session(Exchange& ex, std::optional<std::uint64_t> named, http::Response& response);

}  // namespace suoke::gateway
