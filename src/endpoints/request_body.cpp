// SPDX-License-Identifier: MIT
#include "endpoints/request_body.h"

#include "gateway/replies.h"

namespace suoke::endpoints {

rt::Task<Result<std::string>> read_all(http::BodySource* body, std::size_t most, Error too_large) {
    std::string all;
    while (body) {
        Result<http::Piece> piece = body->next();
        if (!piece) co_return piece.error();
        if (piece->state == http::Piece::wait) {
            co_await body->wait();
            continue;
        }
        if (all.size() + piece->bytes.size() > most) co_return too_large;
        all += piece->bytes;
        if (piece->state == http::Piece::end) break;
    }
    co_return all;
}

rt::Task<Result<std::string>> read_body(gateway::Exchange& ex, std::size_t most) {
    return read_all(ex.request.body, most, Error(Code::body_too_large, "this endpoint takes at most " + std::to_string(most) + " bytes"));
}

Error unprocessable(gateway::Exchange& ex, const Faults& faults) {
    return gateway::unprocessable(ex, Code::invalid_body, sentence_of(faults), list_of(faults));
}

}  // namespace suoke::endpoints
