// SPDX-License-Identifier: MIT
#pragma once
// The stores that a configuration names, each opened when somebody first asks for it: one of this
// gateway's own, and one that all gateways on the same Redis share. Lives in the control loop.

#include <memory>

#include "base/events.h"
#include "base/log.h"
#include "config/config.h"
#include "endpoints/builtin.h"
#include "store/kv.h"
#include "store/redis.h"
#include "upstream/dialer.h"

namespace suoke::app {

class Stores final : store::Redis::Listener {
 public:
    Stores(rt::Loop& loop, upstream::Dialer& dialer, Events& events, Log& log, endpoints::Status& status);

    // Settings of a store that is open already take a restart.
    void adopt(const config::Config& config);
    // Survives this process, when it can: what cannot be opened is no reason not to serve.
    store::Kv& own();
    // Null: none is configured, or its settings are no good.
    store::Redis* redis();
    // Redis, or else own().
    store::Kv& shared();

 private:
    void redis_up() override;
    void redis_down(const Error& why) override;

    rt::Loop& loop_;
    upstream::Dialer& dialer_;
    Events& events_;
    Log& log_;
    endpoints::Status& status_;
    config::Redis redis_settings_;
    std::string path_;
    bool redis_refused_ = false;
    std::unique_ptr<store::Redis> redis_;
    std::unique_ptr<store::Kv> own_, shared_;   // end before what they are made on
};

}  // namespace suoke::app
