// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <cstdio>
#include <cstdlib>

namespace suoke {
namespace {

constexpr int kInvalid = 3, kDeadline = 4, kNotFound = 5, kExists = 6, kDenied = 7, kUnauthenticated = 16, kExhausted = 8, kFailedPre = 9,
              kUnimplemented = 12, kInternal = 13, kUnavailable = 14, kCancelled = 1;
using enum Fault;

// clang-format off
constexpr ErrorRow kTable[] = {
    {Code::malformed_request, "malformed_request", 400, kInternal, client, "Bad request", "The request is not valid HTTP (RFC 9112); the message says which rule it broke."},
    {Code::invalid_host, "invalid_host", 400, kInvalid, client, "Bad request", "Host is missing, repeated, malformed, or contradicts the request target."},
    {Code::uri_too_long, "uri_too_long", 414, kInvalid, client, "URI too long", "The request line is longer than security.max_request_line_size."},
    {Code::header_too_large, "header_too_large", 431, kInvalid, client, "Request header fields too large", "The head is larger than security.max_header_size or has too many fields."},
    {Code::body_too_large, "body_too_large", 413, kExhausted, client, "Request body too large", "The body is larger than the route allows (max_request_size)."},
    {Code::too_many_query_params, "too_many_query_params", 400, kInvalid, client, "Too many query parameters", "The query has more parameters than security.max_query_params."},
    {Code::unsupported_version, "unsupported_version", 505, kUnimplemented, client, "HTTP version not supported", "Only HTTP/1.0 and HTTP/1.1 are spoken here."},
    {Code::unsupported_coding, "unsupported_coding", 501, kUnimplemented, client, "Not implemented", "The Transfer-Encoding is not one the gateway implements (only chunked)."},
    {Code::websocket_version, "websocket_version", 426, kInvalid, client, "Upgrade required", "Only version 13 of WebSocket (RFC 6455) is spoken here."},
    {Code::websocket_off, "websocket_off", 403, kFailedPre, client, "Forbidden", "WebSocket connections are switched off (websocket.enabled)."},
    {Code::request_timeout, "request_timeout", 408, kDeadline, client, "Request timeout", "The request head did not arrive in time."},
    {Code::body_timeout, "body_timeout", 408, kDeadline, client, "Request timeout", "The request body arrived slower than the minimum rate, or stopped."},
    {Code::body_truncated, "body_truncated", 400, kInternal, client, "Bad request", "The connection ended before the announced body did."},
    {Code::client_gone, "client_gone", 499, kCancelled, client, "Client closed request", "The client left before the answer was complete; nobody reads this."},
    {Code::certificate_required, "client_certificate_required", 403, kDenied, client, "Client certificate required", "The route is for clients that show a certificate; this connection showed none."},

    {Code::unauthorized, "unauthorized", 401, kUnauthenticated, client, "Unauthorized", "The request needs credentials it did not bring, or brought wrong ones."},
    {Code::missing_token, "missing_token", 401, kUnauthenticated, client, "Unauthorized", "Missing authentication token."},
    {Code::invalid_token, "invalid_token", 401, kUnauthenticated, client, "Unauthorized", "Invalid authentication token."},
    {Code::token_expired, "token_expired", 401, kUnauthenticated, client, "Unauthorized", "The token has expired; get a new one."},
    {Code::token_revoked, "token_revoked", 401, kUnauthenticated, client, "Unauthorized", "The token was revoked; get a new one."},
    {Code::forbidden, "forbidden", 403, kDenied, client, "Forbidden", "Whoever asks may not do this, or nobody may as the gateway is configured; the message says which."},
    {Code::address_denied, "address_denied", 403, kDenied, client, "Forbidden", "The client's address may not ask this (security.ip_whitelist, ip_blacklist, or the route's access)."},
    {Code::host_denied, "host_denied", 400, kInvalid, client, "Bad request", "The gateway does not answer for this host (security.allowed_hosts)."},
    {Code::rate_limited, "rate_limited", 429, kExhausted, client, "Rate limit exceeded", "Too many requests."},
    {Code::too_many_at_once, "too_many_at_once", 429, kExhausted, client, "Rate limit exceeded", "Too many requests at once."},
    {Code::not_found, "not_found", 404, kNotFound, client, "Not found", "The gateway's own endpoint knows no such thing (service, instance ...)."},
    {Code::conflict, "conflict", 409, kExists, client, "Conflict", "Somebody else holds what was asked for; the message says who, and until when."},
    {Code::invalid_body, "invalid_body", 422, kInvalid, client, "Validation error", "The body is not what this endpoint takes; `detail` names each field and what it must be."},
    {Code::invalid_request, "invalid_request", 422, kInvalid, client, "Validation error", "The request is not what the route takes; `detail` names each place and what it must be."},
    {Code::unsupported_media, "unsupported_media", 415, kInvalid, client, "Unsupported media type", "The route does not take bodies of this Content-Type or Content-Encoding."},
    {Code::api_version, "api_version", 400, kInvalid, client, "API_VERSION_ERROR", "The gateway does not know this version of the API; `supported_versions` lists those it does."},
    {Code::key_in_use, "idempotency_key_in_use", 409, kExists, client, "Conflict", "A request with this Idempotency-Key is under way; ask again for its answer."},
    {Code::key_reused, "idempotency_key_reused", 422, kInvalid, client, "Validation error", "This Idempotency-Key was used for another request."},
    {Code::not_in_cache, "not_in_cache", 504, kNotFound, gateway, "Gateway timeout", "The request wants only what is in the cache (only-if-cached), and it is not there."},

    {Code::no_route, "no_route", 404, kUnimplemented, client, "Not found", "No route matches this host and path."},
    {Code::method_not_allowed, "method_not_allowed", 405, kUnimplemented, client, "Method not allowed", "A route matches the path but not the method; Allow lists the methods that do."},

    {Code::no_endpoint, "no_endpoint", 503, kUnavailable, upstream, "Service unavailable", "The service has no endpoint to send the request to."},
    {Code::circuit_open, "circuit_open", 503, kUnavailable, upstream, "Service unavailable", "The service failed too often; its circuit breaker lets nothing through until Retry-After."},
    {Code::concurrency_limit, "concurrency_limit", 503, kUnavailable, gateway, "Service unavailable", "The service has as many requests as it may have at once, and no place came free in time."},
    {Code::pool_exhausted, "pool_exhausted", 503, kUnavailable, gateway, "Service unavailable", "Every connection to the endpoint is busy and none came free in time."},
    {Code::dns_failed, "dns_failed", 503, kUnavailable, upstream, "Service unavailable", "The endpoint's host name could not be resolved."},
    {Code::connect_failed, "connect_failed", 503, kUnavailable, upstream, "Service unavailable", "The endpoint refused the connection or cannot be reached."},
    {Code::connect_timeout, "connect_timeout", 504, kUnavailable, upstream, "Gateway timeout", "The endpoint did not accept the connection in time."},
    {Code::tls_failed, "tls_failed", 502, kUnavailable, upstream, "Bad gateway", "No TLS connection to the endpoint: the handshake failed, or its certificate is not to be trusted."},
    {Code::upstream_reset, "upstream_reset", 502, kUnavailable, upstream, "Bad gateway", "The upstream closed the connection before its answer began."},
    {Code::upstream_invalid, "upstream_invalid", 502, kInternal, upstream, "Bad gateway", "The upstream's answer is not valid HTTP."},
    {Code::upstream_truncated, "upstream_truncated", 502, kUnavailable, upstream, "Bad gateway", "The upstream's answer broke off in the middle."},
    {Code::upstream_timeout, "upstream_timeout", 504, kDeadline, upstream, "Gateway timeout", "The upstream did not begin its answer in time."},
    {Code::upstream_idle, "upstream_idle", 504, kDeadline, upstream, "Gateway timeout", "The upstream fell silent in the middle of the exchange."},
    {Code::upstream_status, "upstream_status", 502, kUnavailable, upstream, "Bad gateway", "The upstream answered something else than the event stream that had been begun for it (sse.early)."},
    {Code::deadline_exceeded, "deadline_exceeded", 504, kDeadline, upstream, "Gateway timeout", "The exchange took longer than the route's total timeout."},

    {Code::overloaded, "overloaded", 503, kUnavailable, gateway, "Service unavailable", "The gateway is at its memory or connection limit."},
    {Code::load_shed, "load_shed", 503, kUnavailable, gateway, "Service unavailable", "The gateway is under load and answers more important routes first (route.importance)."},
    {Code::store_unavailable, "store_unavailable", 503, kUnavailable, gateway, "Service unavailable", "The store that this needs (Redis, SQLite) cannot be reached."},
    {Code::keys_unavailable, "keys_unavailable", 503, kUnavailable, gateway, "Service unavailable", "Credentials cannot be checked now: no keys have been loaded, or whoever checks them cannot be reached."},
    {Code::maintenance, "maintenance", 503, kUnavailable, gateway, "Service unavailable", "The service is under maintenance."},
    {Code::draining, "draining", 503, kUnavailable, gateway, "Service unavailable", "The gateway is shutting down; try another instance."},
    {Code::cancelled, "cancelled", 503, kCancelled, gateway, "Service unavailable", "The gateway gave the exchange up (drain deadline or shutdown)."},
    {Code::invalid_config, "invalid_config", 500, kFailedPre, gateway, "Invalid configuration", "The configuration is not valid; the message says where."},
    {Code::internal, "internal_error", 500, kInternal, gateway, "Internal server error", "A fault of the gateway itself; please report it with the request id."},
};
// clang-format on

constexpr bool in_order() {
    for (std::size_t i = 0; i < std::size(kTable); ++i)
        if (kTable[i].code != static_cast<Code>(i)) return false;
    return std::size(kTable) == static_cast<std::size_t>(Code::internal) + 1;
}
static_assert(in_order(), "the table must list every Code, in the order of the enum");

}  // namespace

const ErrorRow& row(Code code) { return kTable[static_cast<std::size_t>(code)]; }
std::span<const ErrorRow> error_table() { return kTable; }

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
    std::fprintf(stderr, "unchecked error: %s\n", error.detail.c_str());
    check_failed("result.has_value()", where.file_name(), static_cast<int>(where.line()));
}

void check_failed(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, expression);
    std::abort();
}

}  // namespace suoke
