// SPDX-License-Identifier: MIT
#include "filters/whole_body.h"

#include "base/text.h"
#include "gateway/worker.h"

namespace suoke::filters {

rt::Task<Result<gateway::ReplayBody*>> whole_body(gateway::Exchange& ex, std::uint64_t most) {
    Error too_large(Code::body_too_large, "the body may have at most " + format_bytes(most) + " here");
    auto length = ex.request.body->remaining();
    if (length && *length > most) co_return too_large;
    auto kept = std::make_unique<gateway::ReplayBody>(*ex.request.body, most, ex.worker.buffers());
    gateway::ReplayBody* body = kept.get();
    ex.wrap_request_body(std::move(kept));
    for (;;) {
        Result<http::Piece> piece = body->next();
        if (!piece) co_return piece.error();
        if (!body->complete()) co_return too_large;
        if (piece->state == http::Piece::end) break;
        if (piece->state == http::Piece::wait) co_await body->wait();
    }
    body->rewind();
    co_return body;
}

}  // namespace suoke::filters
