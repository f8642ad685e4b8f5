// SPDX-License-Identifier: MIT
#include "gateway/attempt.h"

namespace suoke::gateway {

using http::Piece;

Result<void> Outgoing::take_first_piece() {
    bool chunked = head.framing.kind == http::Framing::chunked;
    if (!more || chunked || is_tunnel()) return {};
    Result<Piece> piece = more->next();
    if (!piece) return piece.error();
    first = *piece;
    if (piece->state == Piece::end) more = nullptr;
    return {};
}

Result<void> Outgoing::begin_again() {
    if (!replay || !replay->complete()) return {};   // nothing of it went out: it is as it was
    replay->rewind();
    more = replay;
    first = {{}, Piece::more};
    return take_first_piece();
}

}  // namespace suoke::gateway
