// SPDX-License-Identifier: MIT
#pragma once
// Asking others who a client is: a service that decides about requests (forward auth), and a server that
// knows its tokens (introspection, RFC 7662). Both have to answer in time, and then are believed for a while
// where the configuration says so. And whoever may have the key that a token names.

#include <string>
#include <vector>

#include "gateway/authentication.h"
#include "gateway/exchange.h"
#include "gateway/token_places.h"
#include "upstream/fetch.h"

namespace suoke::gateway {

// These providers, for a key of that id. Returns when they have it, or will not have it for now.
rt::Task<void> look_for_keys(Exchange& ex, std::vector<std::string> providers, std::string key_id);

// Code::keys_unavailable: it could not be asked, or what it said is no answer, or too much is asked already.
rt::Task<Result<auth::IdentityPtr>> introspect(Exchange& ex, std::string token);

// What forward auth is asked, ready to be sent.
struct ForwardQuestion {
    upstream::FetchRequest request;
    std::string digest;                  // of all that the answer may depend on
    std::string client;                  // of what the client shows alone; of its address when that is nothing
    bool shows_credentials = false;      // one of request_headers is there
};
ForwardQuestion forward_question(Exchange& ex, const TokenPlaces& places);

struct ForwardAnswer {
    Result<auth::IdentityPtr> who = Error(Code::keys_unavailable);
    upstream::FetchFields passed;        // of a refusal: what the client is told of it
};
rt::Task<ForwardAnswer> ask_forward(Exchange& ex, ForwardQuestion question);

}  // namespace suoke::gateway
