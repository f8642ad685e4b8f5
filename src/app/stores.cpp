// SPDX-License-Identifier: MIT
#include "app/stores.h"

#include "app/redis_options.h"
#include "base/random.h"
#include "store/memory_kv.h"
#include "store/redis_kv.h"
#include "store/sqlite_kv.h"

namespace suoke::app {

Stores::Stores(rt::Loop& loop, upstream::Dialer& dialer, Events& events, Log& log, endpoints::Status& status)
    : loop_(loop), dialer_(dialer), events_(events), log_(log), status_(status) {}

void Stores::adopt(const config::Config& config) {
    redis_settings_ = config.redis;
    path_ = config.store.path;
}

store::Kv& Stores::own() {
    if (own_) return *own_;
    if (!path_.empty()) {
        auto opened = store::SqliteKv::open(loop_, path_);
        if (opened) own_ = std::move(*opened);
        else log_.error("store", opened.error().detail, {{"instead", "memory: what registers is forgotten at a restart"}});
    }
    if (!own_) own_ = std::make_unique<store::MemoryKv>(loop_);
    return *own_;
}

store::Redis* Stores::redis() {
    if (redis_ || redis_refused_ || !redis_settings_.wanted()) return redis_.get();
    // They were good when the configuration was compiled; a file may have changed since.
    std::vector<config::Problem> problems;
    auto options = redis_options(redis_settings_, problems);
    if (!options) {
        redis_refused_ = true;
        for (const config::Problem& problem : problems) log_.error("store", to_string(problem), {{"instead", "this gateway is on its own"}});
        return nullptr;
    }
    redis_ = std::make_unique<store::Redis>(loop_, dialer_, Random::from_system(), std::move(*options));
    redis_->listen(*this);
    status_.redis = redis_->up() ? endpoints::Status::Redis::up : endpoints::Status::Redis::away;
    return redis_.get();
}

store::Kv& Stores::shared() {
    if (shared_) return *shared_;
    if (!redis()) return own();
    shared_ = std::make_unique<store::RedisKv>(loop_, *redis_);
    return *shared_;
}

void Stores::redis_up() {
    status_.redis = endpoints::Status::Redis::up;
    events_.tell(Level::info, "redis.up", {});
}

void Stores::redis_down(const Error& why) {
    status_.redis = endpoints::Status::Redis::away;
    events_.tell(Level::warning, "redis.down", {{"because", why.detail}});
}

}  // namespace suoke::app
