// SPDX-License-Identifier: MIT
#pragma once
// Every expected failure of the gateway, described once: the table in error.cpp gives each code its
// HTTP status, gRPC status, whose fault it is, and a sentence for the docs.

#include <boost/system/result.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace suoke {

enum class Code : std::uint8_t {
    // the client's request
    malformed_request,
    invalid_host,
    uri_too_long,
    header_too_large,
    body_too_large,
    too_many_query_params,
    unsupported_version,
    unsupported_coding,
    websocket_version,
    websocket_off,
    request_timeout,
    body_timeout,
    body_truncated,
    client_gone,
    certificate_required,
    unauthorized,
    missing_token,
    invalid_token,
    token_expired,
    token_revoked,
    forbidden,
    address_denied,
    host_denied,
    rate_limited,
    too_many_at_once,
    not_found,
    conflict,
    invalid_body,
    invalid_request,
    unsupported_media,
    api_version,
    key_in_use,
    key_reused,
    not_in_cache,
    // where it should go
    no_route,
    method_not_allowed,
    // the upstream's side
    no_endpoint,
    circuit_open,
    concurrency_limit,
    pool_exhausted,
    dns_failed,
    connect_failed,
    connect_timeout,
    tls_failed,
    upstream_reset,
    upstream_invalid,
    upstream_truncated,
    upstream_timeout,
    upstream_idle,
    upstream_status,
    deadline_exceeded,
    // the gateway itself
    overloaded,
    load_shed,
    store_unavailable,
    keys_unavailable,
    maintenance,
    draining,
    cancelled,
    invalid_config,
    internal,
};

enum class Fault : std::uint8_t { client, upstream, gateway };

struct ErrorRow {
    Code code;
    std::string_view reason;  // stable; clients, logs and metric labels show it
    int status;               // HTTP, RFC 9110 §15
    int grpc;                 // google.rpc.Code
    Fault fault;
    std::string_view title;   // what a person reads in the body
    std::string_view doc;     // what it means and what to do
};

const ErrorRow& row(Code code);
std::span<const ErrorRow> error_table();

// A value; `detail` says what, where and what to do, and never carries a secret.
struct Error {
    Code code = Code::internal;
    std::string detail;

    Error() = default;
    Error(Code c) : code(c) {}  // NOLINT: a code alone is an error
    Error(Code c, std::string d) : code(c), detail(std::move(d)) {}

    std::string_view reason() const { return row(code).reason; }
    int status() const { return row(code).status; }
    friend bool operator==(const Error&, const Error&) = default;
};

// Expected failures travel in a Result; a bug is a CHECK; a start-up failure is a StartupError.
template <class T>
using Result = boost::system::result<T, Error>;

// Something the operator must mend before the gateway can start. Caught in main.
struct StartupError : std::exception {
    explicit StartupError(std::string sentence) : sentence_(std::move(sentence)) {}
    const char* what() const noexcept override { return sentence_.c_str(); }

 private:
    std::string sentence_;
};

[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location&);
[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace suoke

// A broken invariant: the program stops with the place. Never for bad input.
#define CHECK(expression) \
    ((expression) ? void() : ::suoke::check_failed(#expression, __FILE__, __LINE__))
