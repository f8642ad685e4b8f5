// SPDX-License-Identifier: MIT
#pragma once
// Settles with other gateways, over Redis, which share of each limit this one holds (limits/shares.h). Lives in
// the control loop; no request ever waits for it.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/stores.h"
#include "base/events.h"
#include "config/load.h"
#include "endpoints/builtin.h"
#include "limits/shares.h"
#include "rt/loop.h"
#include "rt/scope.h"
#include "store/redis.h"
#include "store/wait_list.h"

namespace suoke::app {

class LimitShares {
 public:
    static constexpr Duration kGreeting = std::chrono::seconds(1);   // between two
    static constexpr Duration kForgotten = std::chrono::seconds(5);  // who has not greeted for so long has gone

    LimitShares(rt::Loop& loop, upstream::Dialer& dialer, limits::Limiter& limiter, Events& events, endpoints::Status& status);
    ~LimitShares();
    LimitShares(const LimitShares&) = delete;
    LimitShares& operator=(const LimitShares&) = delete;

    // Whether a configuration's limits are shared at all: then `Policy::shared` is set.
    static bool wanted(const config::Config& config);
    // That of rate_limit.storage_url. Nothing: it is no good, and `problems` says why.
    static std::optional<store::RedisOptions> other_redis(const config::Config& config, std::vector<config::Problem>& problems);
    void adopt(const config::Config& config, Stores& stores);

 private:
    using Call = limits::Shares::Call;
    store::Redis* redis_of(const config::Config& config, Stores& stores);
    rt::Task<void> keep();
    rt::Task<bool> greet();
    void count(std::uint32_t greeted);
    rt::Task<bool> settle(Call call);
    void tell_alone(const std::string& because);
    void tell_shared();
    std::string base() const { return redis_->options().key_prefix + "{limits}:"; }

    rt::Loop& loop_;
    upstream::Dialer& dialer_;
    limits::Limiter& limiter_;
    Events& events_;
    endpoints::Status& status_;
    const std::string id_;                 // of this gateway
    const store::Script greet_, settle_;
    std::unique_ptr<store::Redis> own_;    // where rate_limit.storage_url names another one
    store::Redis* redis_ = nullptr;        // null: everybody counts for himself
    limits::Shares shares_;
    store::WaitList hot_;
    TimePoint greet_at_{}, fewer_from_{};
    std::uint32_t gateways_ = 1;
    bool alone_ = false;
    rt::TaskScope tasks_;                  // ends before everything above
};

}  // namespace suoke::app
