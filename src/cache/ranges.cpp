// SPDX-License-Identifier: MIT
#include "cache/ranges.h"

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace suoke::cache {
namespace {

// A position; more than fits is the largest there is. Nothing when it is no number.
std::optional<std::uint64_t> position(std::string_view text) {
    if (text.empty()) return std::nullopt;
    for (char c : text)
        if (!is_digit(c)) return std::nullopt;
    return parse_u64(text).value_or(std::numeric_limits<std::uint64_t>::max());
}

RangeAnswer suffix(std::string_view length, std::uint64_t size) {
    auto wanted = position(length);
    if (!wanted) return {};
    if (*wanted == 0 || size == 0) return {RangeAnswer::unsatisfiable, {}};
    return {RangeAnswer::part, {size - std::min(*wanted, size), size - 1}};
}

}  // namespace

RangeAnswer choose_range(std::string_view text, std::uint64_t size) {
    std::size_t equals = text.find('=');
    if (equals == text.npos || !iequals(trim(text.substr(0, equals), " \t"), "bytes")) return {};
    std::string_view set = trim(text.substr(equals + 1), " \t");
    if (set.find(',') != set.npos) return {};
    std::size_t dash = set.find('-');
    if (dash == set.npos) return {};
    if (dash == 0) return suffix(set.substr(1), size);
    auto first = position(set.substr(0, dash));
    bool open = dash + 1 == set.size();
    auto last = open ? std::numeric_limits<std::uint64_t>::max() : position(set.substr(dash + 1));
    if (!first || !last || *last < *first) return {};
    if (*first >= size) return {RangeAnswer::unsatisfiable, {}};
    return {RangeAnswer::part, {*first, std::min(*last, size - 1)}};
}

std::optional<ContentRange> read_content_range(std::string_view text) {
    constexpr std::string_view kUnit = "bytes ";
    std::size_t dash = text.find('-'), slash = text.find('/');
    bool shaped = text.size() > kUnit.size() && iequals(text.substr(0, kUnit.size()), kUnit) && dash != text.npos && slash != text.npos && dash < slash;
    if (!shaped) return std::nullopt;
    auto first = position(text.substr(kUnit.size(), dash - kUnit.size())), last = position(text.substr(dash + 1, slash - dash - 1));
    auto size = position(text.substr(slash + 1));
    bool sound = first && last && size && *first <= *last && *last < *size;
    if (!sound) return std::nullopt;
    return ContentRange{{*first, *last}, *size};
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
    return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" + std::to_string(size);
}

std::string unsatisfied_range(std::uint64_t size) { return "bytes */" + std::to_string(size); }

}  // namespace suoke::cache
