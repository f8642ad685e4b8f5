// SPDX-License-Identifier: MIT
#include "gateway/replay_body.h"

namespace suoke::gateway {

using http::Piece;

Result<Piece> ReplayBody::next() {
    if (at_ < kept_.size()) {
        std::string_view again = std::string_view(kept_).substr(at_);
        at_ = kept_.size();
        return Piece{again, ended_ ? Piece::end : Piece::more};
    }
    if (ended_) return Piece{{}, Piece::end};
    Result<Piece> piece = source_.next();
    if (!piece) return piece;
    ended_ = piece->state == Piece::end;
    if (lost_ || piece->bytes.empty()) return piece;
    if (kept_.size() + piece->bytes.size() > most_) {
        lost_ = true;
        kept_.clear();
        kept_.shrink_to_fit();
        at_ = 0;
        return piece;
    }
    kept_ += piece->bytes;
    at_ = kept_.size();
    return piece;
}

std::optional<std::uint64_t> ReplayBody::remaining() const {
    auto rest = source_.remaining();
    if (rest) *rest += kept_.size() - at_;
    return rest;
}

}  // namespace suoke::gateway
