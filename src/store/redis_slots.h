// SPDX-License-Identifier: MIT
#pragma once
// Which node of a Cluster has which key (https://redis.io/docs/reference/cluster-spec/): a value.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "store/redis_options.h"
#include "store/redis_value.h"

namespace suoke::store {

constexpr std::size_t kRedisSlots = 16384;
constexpr std::size_t kMostRedisNodes = 512;

// CRC16 (XMODEM) of the key, or of what stands between its first { and the next } when that is something.
std::uint16_t redis_slot_of(std::string_view key);

class RedisSlots {
 public:
    // The answer to CLUSTER SLOTS. A node that tells no host is where it was asked: at `asked`.
    static Result<RedisSlots> parse(const RedisValue& answer, const RedisNode& asked);

    const RedisNode* master_of(std::uint16_t slot) const;  // null: nobody has it
    const std::vector<RedisNode>& masters() const { return masters_; }
    bool complete() const;
    // Learnt from MOVED, until the next whole map. False: too many nodes by now.
    bool move(std::uint16_t slot, const RedisNode& to);

 private:
    std::optional<std::uint16_t> index_of(const RedisNode& node);
    static constexpr std::uint16_t kNobody = 0xffff;
    std::vector<RedisNode> masters_;
    std::vector<std::uint16_t> owners_ = std::vector<std::uint16_t>(kRedisSlots, kNobody);  // indexes of masters_
};

// "10.0.0.7", "6379" as servers say it; nothing when it is no address.
std::optional<RedisNode> node_from(const RedisValue& host, const RedisValue& port);

// "MOVED 3999 10.0.0.7:6381", "ASK 3999 10.0.0.7:6381"; an empty host is the one that said so.
struct RedisRedirect {
    bool ask = false;  // this once, with ASKING; else for good
    std::uint16_t slot = 0;
    RedisNode to;
};
std::optional<RedisRedirect> parse_redirect(const RedisValue& reply, const RedisNode& from);

}  // namespace suoke::store
