// SPDX-License-Identifier: MIT
#pragma once
// One question to one endpoint: are you well?
//
//   ProbeRules rules;
//   rules.path = "/healthz";
//   ProbeResult result = co_await probe(loop, dialer, buffers, rules, endpoint);
//   if (!result.ok()) log(result.error->detail);      // "got 503, expected 200-399"
//
// A new connection each time, because a kept one says nothing about whether the next can be made.

#include <optional>
#include <string>
#include <vector>

#include "rt/buffer.h"
#include "upstream/fetch.h"

namespace suoke::services {

enum class ProbeKind : std::uint8_t {
    http,  // over HTTP/2 when the endpoint's protocol is that
    tcp,   // a connection, and a TLS handshake when the endpoint has TLS
    grpc,  // grpc.health.v1.Health/Check, over HTTP/2 whatever the endpoint's protocol is
};

struct StatusRange {
    int first = 200, last = 399;
    bool contains(int status) const { return first <= status && status <= last; }
    friend bool operator==(const StatusRange&, const StatusRange&) = default;
};
// "200-399", "200,204", "200-299, 401". Code::invalid_config says what is wrong.
Result<std::vector<StatusRange>> parse_statuses(std::string_view text);

struct ProbeRules {
    ProbeKind kind = ProbeKind::http;
    std::string method = "GET";
    std::string path = "/";
    std::string host;                            // empty: what the endpoint is called
    upstream::FetchFields fields;
    std::vector<StatusRange> statuses = {{}};
    std::string body_contains;                   // empty: the body is not read
    std::string grpc_service;                    // empty: the server as a whole
    Duration timeout = std::chrono::seconds(2);  // for all of it
    friend bool operator==(const ProbeRules&, const ProbeRules&) = default;
};

// Of a body only so much is looked at.
constexpr std::size_t kMostProbeBody = 64 * 1024;

struct ProbeResult {
    ProbeResult() = default;     // as an aggregate it could be made of an Error, and Result could not choose
    std::optional<Error> error;  // none: it is well
    int status = 0;              // HTTP; 0: none was got, or none was asked for
    Duration took{};
    bool ok() const { return !error; }
};

rt::Task<ProbeResult> probe(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, ProbeRules rules,
                            upstream::EndpointAddress endpoint);

}  // namespace suoke::services
