// SPDX-License-Identifier: MIT
#pragma once
// Active health: asks the endpoints of services that want it, and those that refused a connection
// whether they take one again, and writes what it learns into their states.

#include <map>
#include <set>

#include "base/events.h"
#include "services/directory.h"
#include "services/health_checker.h"

namespace suoke::services {

class HealthWatch final : HealthChecker::Listener {
 public:
    // How often an endpoint that refuses is asked by a mere connection.
    static constexpr Duration kReturnInterval = std::chrono::seconds(1);

    HealthWatch(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, Random random, Directory& directory, Events& events);

    // After the directory's members have changed, and about once a second for what traffic found out.
    void look();
    // Every endpoint of a service that is watched, now.
    rt::Task<void> check_now(std::string service);

 private:
    struct Target {
        std::weak_ptr<balance::EndpointState> state;
        std::string service, name;
        bool coming_back = false;     // asked only whether it takes connections again
        std::uint64_t round = 0;
    };
    void became_healthy(const std::string& id) override;
    void became_unhealthy(const std::string& id, const Error& reason) override;
    void probed(const std::string& id, const ProbeResult& result) override;
    void watch(const balance::Members& members, const balance::Member& member, const HealthRules* rules);
    void no_longer_checked(const std::string& id, const Target& target);

    rt::Loop& loop_;
    Directory& directory_;
    Events& events_;
    std::map<std::string, Target> targets_;   // by identity
    std::uint64_t round_ = 0;
    HealthChecker checker_;
};

}  // namespace suoke::services
