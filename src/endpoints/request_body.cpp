// SPDX-License-Identifier: MIT
#include "endpoints/request_body.h"

namespace suoke::endpoints {

rt::Task<Result<std::string>> read_body(gateway::Exchange& ex, std::size_t most) {
    std::string all;
    http::BodySource* body = ex.request.body;
    while (body) {
        Result<http::Piece> piece = body->next();
        if (!piece) co_return piece.error();
        if (piece->state == http::Piece::wait) {
            co_await body->wait();
            continue;
        }
        if (all.size() + piece->bytes.size() > most)
            co_return Error(Code::body_too_large, "this endpoint takes at most " + std::to_string(most) + " bytes");
        all += piece->bytes;
        if (piece->state == http::Piece::end) break;
    }
    co_return all;
}

}  // namespace suoke::endpoints
