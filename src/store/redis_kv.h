// SPDX-License-Identifier: MIT
#pragma once
// The engine "redis": shared by all gateways that use the same server and the same prefix of keys. Every
// call is one command or one script; only list() takes several, and sees what changes meanwhile or not.

#include "store/kv.h"
#include "store/redis.h"

namespace suoke::store {

class RedisKv final : public Kv {
 public:
    // `redis` outlives it. Its keys begin with the options' key_prefix and then `space` ("kv:").
    explicit RedisKv(rt::Loop& loop, Redis& redis, std::string space = "kv:");

    rt::Task<Result<std::optional<std::string>>> get(std::string key) override;
    rt::Task<Result<void>> put(std::string key, std::string value, Duration lifetime) override;
    rt::Task<Result<bool>> put_if_absent(std::string key, std::string value, Duration lifetime) override;
    rt::Task<Result<bool>> replace(std::string key, std::string expected, std::string value, Duration lifetime) override;
    rt::Task<Result<bool>> erase(std::string key) override;
    rt::Task<Result<std::int64_t>> add(std::string key, std::int64_t amount, Duration lifetime) override;
    rt::Task<Result<std::vector<Entry>>> list(std::string prefix, std::size_t most) override;
    const char* engine() const override { return "redis"; }

 private:
    struct Listing;
    rt::Task<Result<void>> scan(RedisNode node, Listing& listing);
    rt::Task<void> read(std::string key, Listing& listing);

    rt::Loop& loop_;
    Redis& redis_;
    const std::string prefix_;
    const Script replace_, add_;
};

}  // namespace suoke::store
