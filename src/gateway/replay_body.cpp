// SPDX-License-Identifier: MIT
#include "gateway/replay_body.h"

#include <algorithm>

namespace suoke::gateway {

using http::Piece;

Result<Piece> ReplayBody::next() {
    if (at_ < kept_.size()) {
        std::string_view again = kept_[at_++].bytes();
        return Piece{again, ended_ && at_ == kept_.size() ? Piece::end : Piece::more};
    }
    if (ended_) return Piece{{}, Piece::end};
    Result<Piece> piece = source_.next();
    if (!piece) return piece;
    ended_ = piece->state == Piece::end;
    if (lost_ || piece->bytes.empty()) return piece;
    if (size_ + piece->bytes.size() > most_) {
        lost_ = true;
        kept_.clear();
        at_ = 0;
        return piece;
    }
    keep(piece->bytes);
    at_ = kept_.size();
    return piece;
}

// In buffers that stay where they are: what was given out of them may still be on its way.
void ReplayBody::keep(std::string_view bytes) {
    size_ += bytes.size();
    while (!bytes.empty()) {
        if (kept_.empty() || kept_.back().room().empty()) kept_.push_back(buffers_.lease_for(bytes.size()));
        rt::Buffer& last = kept_.back();
        std::string_view part = bytes.substr(0, last.room().size());
        last.append(part);
        bytes.remove_prefix(part.size());
    }
}

std::string ReplayBody::text() const {
    std::string all;
    all.reserve(size_);
    for (const rt::Buffer& each : kept_) all += each.bytes();
    return all;
}

std::optional<std::uint64_t> ReplayBody::remaining() const {
    auto rest = source_.remaining();
    if (rest)
        for (std::size_t i = at_; i < kept_.size(); ++i) *rest += kept_[i].bytes().size();
    return rest;
}

}  // namespace suoke::gateway
