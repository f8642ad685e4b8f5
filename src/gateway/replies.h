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
    // To a gRPC request (gRPC-Web too): status 200 and the error as grpc-status, in the head alone
    // ("Trailers-Only" of gRPC's PROTOCOL-HTTP2.md).
    http::Response render(Exchange& ex, const Error& error) const;
};

// A gRPC answer without messages: the status in the head, no body. What it points into lives in the
// exchange.
http::Response grpc_response(Exchange& ex, http::GrpcKind kind, int status, std::string_view message);
// What an error says as grpc-message, not encoded yet.
std::string grpc_message(const Exchange& ex, const Error& error);
// A 422 whose `detail` is a list, as clients of FastAPI read it: `list` is JSON, an object for each fault.
Error unprocessable(Exchange& ex, Code code, std::string message, std::string_view list);
http::Response json_response(int status, std::string body);
http::Response text_response(int status, std::string_view content_type, std::string body);

}  // namespace suoke::gateway
