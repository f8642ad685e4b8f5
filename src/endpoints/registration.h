// SPDX-License-Identifier: MIT
#pragma once
// What a registration may say, in every spelling that clients use: the README's, the management
// API's and the gateway API's; and a revocation. JSON in, a record or a list of faults out; no I/O.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "endpoints/revocation.h"
#include "rt/socket.h"
#include "services/registry.h"

namespace suoke::endpoints {

// Which targets may be registered: traffic goes there, so it must not be anywhere (SSRF).
struct Allowed {
    std::vector<rt::Network> networks;
    std::vector<std::string> hosts;   // "users.internal", "*.internal"
    bool contains(std::string_view host) const;
};

struct RegistrationRules {
    Allowed allowed;
    Duration default_ttl{};
};

// One thing that is wrong, as FastAPI says it: {"type":"...","loc":["body","port"],"msg":"...","input":...}.
struct Fault {
    std::string type;   // "missing", "value_error", "string_type" ...
    std::string field;  // empty: the body as a whole
    std::string message;
    std::string input;  // JSON of what was there; empty: nothing was, or it is long, or a list or an object
};
using Faults = std::vector<Fault>;

struct Wanted {
    services::Record record;
    std::string lease;           // that the client shows
};

// `service`: from the path; empty: the body's `name` is the service.
std::variant<Wanted, Faults> read_registration(std::string_view body, std::string_view service, const RegistrationRules& rules);
std::variant<services::Change, Faults> read_change(std::string_view body);
// The lease that a heartbeat shows; empty: none, as of a heartbeat without a body.
std::variant<std::string, Faults> read_heartbeat(std::string_view body);
// {"jti": ...} or {"subject": ...}, and perhaps "expires_in".
std::variant<RevocationWish, Faults> read_revocation(std::string_view body);
// All of them in one sentence, and as the JSON list that clients of FastAPI read.
std::string sentence_of(const Faults& faults);
std::string list_of(const Faults& faults);

}  // namespace suoke::endpoints
