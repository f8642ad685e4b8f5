// SPDX-License-Identifier: MIT
#pragma once
// Bytes to replies, by hiredis' reader; values are made as the bytes are read, and nothing is reserved
// on the word of a length, so a reply takes memory for what came and not for what was announced.
//
//   reader.feed(bytes);
//   while (auto reply = reader.next(); ...)

#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "store/redis_value.h"

struct redisReader;

namespace suoke::store {

struct RedisLimits {
    std::size_t bytes = 32u << 20;        // of one reply, as it is sent
    std::size_t elements = 1'000'000;     // of all arrays of one reply together
    int depth = 7;                        // arrays in arrays; more than hiredis 0.14 reads is never
};

class RedisReader {
 public:
    explicit RedisReader(RedisLimits limits = {});
    ~RedisReader();
    RedisReader(const RedisReader&) = delete;
    RedisReader& operator=(const RedisReader&) = delete;

    void feed(std::string_view bytes);
    // The next whole reply, or nothing yet. An error is final: what follows has no meaning any more.
    Result<std::optional<RedisValue>> next();

 private:
    struct Build;  // the callbacks hiredis makes values by
    Error broken();

    RedisLimits limits_;
    std::unique_ptr<redisReader, void (*)(redisReader*)> raw_;
    std::size_t elements_ = 0;          // of the reply that is being read
    std::size_t bytes_ = 0;             // of what was fed and is not in a whole reply
    const char* refused_ = nullptr;     // why a callback made no value
    bool out_of_memory_ = false;
};

}  // namespace suoke::store
