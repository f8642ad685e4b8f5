// SPDX-License-Identifier: MIT
#pragma once
// What is known when an exchange has finished: the one account that the access log, the metrics and
// the trace are given. Views are valid during the call that gets it.
// Privacy: there is no raw path, query, header or body here on purpose; `path` is the template.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/metrics.h"
#include "base/time.h"
#include "http/message.h"

namespace suoke::gateway {

struct Facts {
    WallTime started{};   // when the head had arrived
    Duration duration{};  // until the last byte of the answer was given to the socket

    // the client's side
    http::Method method = http::Method::GET;
    std::string_view method_name;
    std::string_view protocol;  // "HTTP/1.1"
    std::string_view host;
    std::string_view request_id;
    std::string_view client_ip;
    std::string_view user_agent;
    std::string_view user_id;          // empty: nobody logged in
    std::uint64_t request_bytes = 0;   // of the body
    std::uint64_t response_bytes = 0;  // of the body

    // what became of it
    std::string_view route;  // its name
    std::string_view path;   // its template; never what the client sent
    int status = 0;
    std::optional<int> grpc_status;  // of gRPC exchanges
    std::optional<Code> error;  // why the gateway answered (or gave up) instead of the upstream
    bool client_gone = false;   // left before the answer was complete

    // the upstream's side; attempts == 0 when none was asked
    std::string_view service;
    std::string_view endpoint;  // the one that answered, or the last one tried
    std::uint32_t attempts = 0;
    bool connection_reused = false;
    Duration upstream_connect{};  // zero when reused
    Duration upstream_head{};     // from the first attempt to the response head
    Duration upstream_total{};    // from the first attempt to the end of the answer

    std::uint32_t worker = 0;

    std::string_view reason() const { return error ? row(*error).reason : std::string_view{}; }
};

inline void record(const Facts& facts, RouteCells& cells) {
    RouteSample sample{.method = static_cast<std::uint8_t>(facts.method),
                       .status = facts.status,
                       .duration = facts.duration,
                       .request_bytes = facts.request_bytes,
                       .response_bytes = facts.response_bytes,
                       .error = facts.error,
                       .grpc_status = facts.grpc_status};
    if (facts.attempts > 0) sample.upstream = facts.upstream_total;
    cells.record(sample);
}

}  // namespace suoke::gateway
