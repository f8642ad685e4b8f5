// SPDX-License-Identifier: MIT
#pragma once
// The answers the gateway writes itself. The only place where an Error becomes a Response.

#include <string>
#include <string_view>

#include "gateway/exchange.h"

namespace suoke::gateway {

class Replies {
 public:
    // The superset body every client of the predecessor can read, or application/problem+json
    // (RFC 9457) for a client that asks for it.
    http::Response render(const Exchange& ex, const Error& error) const;
};

http::Response json_response(int status, std::string body);
http::Response text_response(int status, std::string_view content_type, std::string body);

}  // namespace suoke::gateway
