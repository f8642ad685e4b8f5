// SPDX-License-Identifier: MIT
#include "gateway/time_left.h"

#include "gateway/worker.h"

namespace suoke::gateway {

using http::HeaderId;

Result<void> write_time_left(Exchange& ex) {
    http::Headers& headers = ex.request.head.headers;
    bool plain = headers.has(HeaderId::x_request_timeout), grpc = ex.grpc != http::GrpcKind::none;
    if (ex.head_deadline() == kNever || (!plain && !grpc)) return {};
    Duration left = ex.head_deadline() - ex.worker.loop().now();
    auto milliseconds = left / std::chrono::milliseconds(1);
    if (left <= Duration::zero() || (plain && milliseconds == 0)) return Error(Code::deadline_exceeded, "no time was left to ask the upstream");
    if (plain) headers.set(HeaderId::x_request_timeout, ex.arena.copy(std::to_string(milliseconds) + "ms"));
    if (grpc) headers.set("grpc-timeout", ex.arena.copy(http::format_grpc_timeout(left)));
    return {};
}

}  // namespace suoke::gateway
