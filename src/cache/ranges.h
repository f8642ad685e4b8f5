// SPDX-License-Identifier: MIT
#pragma once
// Range requests (RFC 9110 §14) as far as a stored answer can serve them: one range of bytes. Several at once
// are answered with the whole, as §14.2 allows.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace suoke::cache {

struct ByteRange {
    std::uint64_t first = 0, last = 0;   // inclusive
    std::uint64_t size() const { return last - first + 1; }
    friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

struct RangeAnswer {
    enum Kind : std::uint8_t { whole, part, unsatisfiable } kind = whole;
    ByteRange range;
};

// `text`: the Range field. What it does not understand is as if it had not been sent.
RangeAnswer choose_range(std::string_view text, std::uint64_t size);

// What a 206 holds of the whole (RFC 9110 §14.4).
struct ContentRange {
    ByteRange range;
    std::uint64_t size = 0;   // of the whole
    bool holds(const ByteRange& wanted) const { return range.first <= wanted.first && wanted.last <= range.last; }
};
// Nothing when it says anything else, or does not say how large the whole is.
std::optional<ContentRange> read_content_range(std::string_view text);

std::string content_range(const ByteRange& range, std::uint64_t size);   // "bytes 0-1/11"
std::string unsatisfied_range(std::uint64_t size);                       // "bytes */11"

}  // namespace suoke::cache
