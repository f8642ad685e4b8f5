// SPDX-License-Identifier: MIT
#pragma once
// The client's streams that are over, of which nghttp2 keeps nothing, and whether another frame on one
// of them may still come (RFC 9113 §5.1 "closed", §5.1.1).

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "http/h2_fields.h"

namespace suoke::http::h2 {

class PastStreams {
 public:
    // `most`: how many streams that were cut short are remembered.
    explicit PastStreams(std::size_t most) : most_(most) {}

    void opened(std::int32_t id) {
        if (id > highest_ + 2) remember(skipped_, {highest_ + 2, id - 2});
        highest_ = std::max(highest_, id);
    }
    // We reset it before the client had ended it: what the client said before it knew is ignored.
    void cut_short(std::int32_t id) { remember(cut_short_, {id, id}); }

    // Over, or still open. What is beyond the highest stream is nghttp2's to judge.
    bool contains(std::int32_t id) const { return id % 2 == 1 && id <= highest_; }
    // Of DATA or HEADERS on one of them that is not open: the connection error it is, if it is one.
    std::optional<ErrorCode> judge(std::int32_t id) const {
        if (contain(cut_short_, id)) return std::nullopt;
        return contain(skipped_, id) ? ErrorCode::protocol_error : ErrorCode::stream_closed;
    }

 private:
    struct Range {
        std::int32_t first, last;
    };
    using Ranges = std::vector<Range>;
    void remember(Ranges& ranges, Range range) const {
        if (ranges.size() >= most_) ranges.erase(ranges.begin());
        ranges.push_back(range);
    }
    static bool contain(const Ranges& ranges, std::int32_t id) {
        return std::any_of(ranges.rbegin(), ranges.rend(), [id](Range r) { return id >= r.first && id <= r.last; });
    }

    std::size_t most_;
    std::int32_t highest_ = -1;
    Ranges skipped_;    // ids the client left out: they were closed by the higher ones
    Ranges cut_short_;
};

}  // namespace suoke::http::h2
