// SPDX-License-Identifier: MIT
#pragma once
// Redis as the second level of the response cache (cache/second_level.h): answers as values that end by themselves,
// and the log of what was purged as a sorted set. Lives in the control loop; workers ask, and wait as long as they like.

#include <atomic>
#include <string>
#include <vector>

#include "app/stores.h"
#include "cache/second_level.h"
#include "config/config.h"
#include "rt/scope.h"
#include "store/redis.h"
#include "store/wait_list.h"

namespace suoke::app {

class CacheSecondLevel final : cache::SecondLevel::Remote {
 public:
    static constexpr Duration kLook = std::chrono::milliseconds(200);   // between two looks into the log

    CacheSecondLevel(rt::Loop& loop, cache::Store& store, CacheCells& cells);
    ~CacheSecondLevel();
    CacheSecondLevel(const CacheSecondLevel&) = delete;
    CacheSecondLevel& operator=(const CacheSecondLevel&) = delete;

    static bool wanted(const config::Config& config);
    void adopt(const config::Config& config, Stores& stores);
    cache::SecondLevel& level() { return level_; }

 private:
    // cache::SecondLevel::Remote
    rt::Task<Result<std::vector<std::string>>> read(rt::Loop& own, std::vector<std::string> keys) override;
    void write(std::string key, std::string value, Duration lifetime) override;
    void erase(std::vector<std::string> keys) override;
    void purges_wait() override;

    rt::Task<Result<std::vector<std::string>>> get(std::vector<std::string> keys);
    rt::Task<void> set(std::string key, std::string value, Duration lifetime);
    rt::Task<void> remove(std::vector<std::string> keys);
    rt::Task<void> follow();
    rt::Task<bool> look();
    std::vector<std::string> named(std::vector<std::string> keys) const;

    rt::Loop& loop_;
    cache::Store& store_;
    CacheCells& cells_;
    cache::SecondLevel level_;
    const store::Script log_;
    store::Redis* redis_ = nullptr;         // null: there is no second level
    std::string prefix_;
    bool was_on_ = false;
    bool more_ = false;                     // the log has more than one look brings
    std::atomic<std::int64_t> waiting_{0};  // bytes on their way
    store::WaitList hurry_;
    rt::TaskScope tasks_;                   // ends before everything above
};

}  // namespace suoke::app
