// SPDX-License-Identifier: MIT
#pragma once
// What control knows of services, put together from a configuration: the directory with all that feeds
// it (registry, discovery, active checks) and the stores behind it. Lives in the control loop.

#include <functional>
#include <memory>
#include <string>

#include "app/discoveries.h"
#include "base/log.h"
#include "endpoints/builtin.h"
#include "gateway/shared.h"
#include "gateway/site.h"
#include "services/directory.h"
#include "services/health_watch.h"
#include "services/local_ledger.h"
#include "services/registry.h"
#include "store/kv.h"
#include "store/redis.h"
#include "upstream/dialer.h"

namespace suoke::app {

class Control final : store::Redis::Listener {
 public:
    Control(rt::Loop& loop, gateway::Shared& shared, Log& log, endpoints::Status& status);
    ~Control();

    // Is told of all members that are new, except while a site is adopted.
    void set_listener(std::function<void(const balance::MembersPtr&)> changed) { changed_ = std::move(changed); }
    // A configuration was compiled. Gives the members of every service, to go to the workers with it.
    std::vector<balance::MembersPtr> adopt(const gateway::Site& site);
    // Once the loop runs: leases, checks, statistics.
    void start();

    services::Directory& directory() { return directory_; }
    services::Registry* registry() { return registry_.get(); }
    rt::TaskScope& tasks() { return tasks_; }
    rt::Task<void> check_now(std::string service) { return health_.check_now(std::move(service)); }

 private:
    void redis_up() override;
    void redis_down(const Error& why) override;
    void changed(const balance::MembersPtr& members);
    void open_registry(const config::Config& config);
    std::unique_ptr<services::Ledger> open_ledger(const config::Config& config);
    rt::Task<void> keep_time();
    void look_at_certificates();
    static rt::Task<void> begin(services::Registry& registry, Log& log);

    rt::Loop& loop_;
    gateway::Shared& shared_;
    Log& log_;
    endpoints::Status& status_;
    upstream::SocketDialer dialer_;
    rt::BufferPool buffers_;
    std::function<void(const balance::MembersPtr&)> changed_ = [](const balance::MembersPtr&) {};
    balance::States states_;
    services::Directory directory_;
    services::HealthWatch health_;
    Discoveries discoveries_;
    std::unique_ptr<store::Redis> redis_;
    std::unique_ptr<store::Kv> kv_;
    std::unique_ptr<services::Ledger> ledger_;
    std::unique_ptr<services::Registry> registry_;
    std::vector<balance::MembersPtr> new_members_;   // while a site is adopted
    std::vector<rt::CertificateFacts> certificates_; // of the TLS listener
    TimePoint certificates_looked_at_{};
    bool adopting_ = false;
    bool started_ = false;
    rt::TaskScope tasks_;                            // ends before everything above
};

}  // namespace suoke::app
