// SPDX-License-Identifier: MIT
#pragma once
// The two messages of grpc.health.v1.Health/Check (health.proto of grpc/grpc) and how a call carries
// them, without I/O.

#include "upstream/fetch.h"

namespace suoke::services {

constexpr std::string_view kGrpcHealthCheck = "/grpc.health.v1.Health/Check";

// HealthCheckRequest {string service = 1}, framed.
std::string grpc_health_question(std::string_view service);

// HealthCheckResponse {ServingStatus status = 1}: 0 unknown, 1 serving, 2 not serving, 3 service
// unknown. Code::upstream_invalid when the bytes are no such message; unknown fields are passed over.
Result<std::uint32_t> read_serving_status(std::string_view message);

// Nothing when the server says that it serves; otherwise what is wrong.
std::optional<Error> judge_grpc_health(const upstream::FetchResponse& response, std::string_view service);

}  // namespace suoke::services
