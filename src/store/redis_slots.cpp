// SPDX-License-Identifier: MIT
#include "store/redis_slots.h"

#include <algorithm>

#include "base/text.h"

namespace suoke::store {
namespace {

constexpr std::array<std::uint16_t, 256> make_table() {
    std::array<std::uint16_t, 256> table{};
    for (unsigned i = 0; i < 256; ++i) {
        unsigned crc = i << 8;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) ? (crc << 1) ^ 0x1021 : crc << 1;
        table[i] = static_cast<std::uint16_t>(crc);
    }
    return table;
}
constexpr std::array<std::uint16_t, 256> kTable = make_table();

std::uint16_t crc16(std::string_view text) {
    unsigned crc = 0;
    for (char c : text) crc = ((crc << 8) ^ kTable[((crc >> 8) ^ static_cast<unsigned char>(c)) & 0xff]) & 0xffff;
    return static_cast<std::uint16_t>(crc);
}

constexpr std::size_t kLongestHost = 255;

Error not_a_map(const char* why) {
    return Error(Code::store_unavailable, std::string("the answer to CLUSTER SLOTS is not understood: ") + why);
}

// [host, port, id, ...] of a range's master; a host that is empty, nil or "?" is not known to the node.
std::optional<RedisNode> master_from(const RedisValue& master, const RedisNode& asked) {
    if (!master.is(RedisValue::Kind::array) || master.items.size() < 2) return std::nullopt;
    const RedisValue& host = master.items[0];
    bool here = host.is_nil() || (host.is(RedisValue::Kind::string) && (host.text.empty() || host.text == "?"));
    return node_from(here ? RedisValue::string(asked.host) : host, master.items[1]);
}

}  // namespace

std::optional<RedisNode> node_from(const RedisValue& host, const RedisValue& port) {
    auto number = port.as_integer();
    if (!host.is(RedisValue::Kind::string) || host.text.empty() || host.text.size() > kLongestHost) return std::nullopt;
    if (host.text.starts_with("unix:") || host.text.find_first_of(" \r\n") != std::string::npos) return std::nullopt;
    if (!number || *number <= 0 || *number > 65535) return std::nullopt;
    return RedisNode{host.text, static_cast<std::uint16_t>(*number)};
}

std::uint16_t redis_slot_of(std::string_view key) {
    std::size_t open = key.find('{');
    if (open != std::string_view::npos) {
        std::size_t close = key.find('}', open + 1);
        if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
    }
    return crc16(key) % kRedisSlots;
}

Result<RedisSlots> RedisSlots::parse(const RedisValue& answer, const RedisNode& asked) {
    if (!answer.is(RedisValue::Kind::array)) return redis_surprise("CLUSTER SLOTS", answer);
    RedisSlots slots;
    for (const RedisValue& range : answer.items) {
        if (!range.is(RedisValue::Kind::array) || range.items.size() < 3) return not_a_map("a range is no list");
        auto first = range.items[0].as_integer(), last = range.items[1].as_integer();
        if (!first || !last || *first < 0 || *last < *first || *last >= static_cast<std::int64_t>(kRedisSlots))
            return not_a_map("a range is none");
        std::optional<RedisNode> node = master_from(range.items[2], asked);
        if (!node) return not_a_map("a node has no address");
        std::optional<std::uint16_t> index = slots.index_of(*node);
        if (!index) return not_a_map("it has too many nodes");
        std::fill(slots.owners_.begin() + *first, slots.owners_.begin() + *last + 1, *index);
    }
    if (slots.masters_.empty()) return not_a_map("no node has a slot");
    return slots;
}

std::optional<std::uint16_t> RedisSlots::index_of(const RedisNode& node) {
    auto known = std::find(masters_.begin(), masters_.end(), node);
    if (known == masters_.end()) {
        if (masters_.size() >= kMostRedisNodes) return std::nullopt;
        known = masters_.insert(masters_.end(), node);
    }
    return static_cast<std::uint16_t>(known - masters_.begin());
}

const RedisNode* RedisSlots::master_of(std::uint16_t slot) const {
    std::uint16_t owner = owners_[slot % kRedisSlots];
    return owner == kNobody ? nullptr : &masters_[owner];
}

bool RedisSlots::complete() const { return std::find(owners_.begin(), owners_.end(), kNobody) == owners_.end(); }

bool RedisSlots::move(std::uint16_t slot, const RedisNode& to) {
    std::optional<std::uint16_t> index = index_of(to);
    if (index) owners_[slot % kRedisSlots] = *index;
    return index.has_value();
}

std::optional<RedisRedirect> parse_redirect(const RedisValue& reply, const RedisNode& from) {
    std::string_view word = reply.error_word();
    if (word != "MOVED" && word != "ASK") return std::nullopt;
    std::vector<std::string_view> words = split_list(reply.text, ' ');
    if (words.size() != 3) return std::nullopt;
    auto slot = parse_u64(words[1]);
    std::size_t colon = words[2].rfind(':');
    if (!slot || *slot >= kRedisSlots || colon == std::string_view::npos) return std::nullopt;
    std::string host(words[2].substr(0, colon));
    if (host.empty() || host == "?") host = from.host;
    auto node = node_from(RedisValue::string(std::move(host)), RedisValue::string(std::string(words[2].substr(colon + 1))));
    if (!node) return std::nullopt;
    return RedisRedirect{word == "ASK", static_cast<std::uint16_t>(*slot), std::move(*node)};
}

}  // namespace suoke::store
