// SPDX-License-Identifier: MIT
#pragma once
// What control knows of services, put together from a configuration: the directory with all that feeds
// it (registry, discovery, active checks), the stores behind it, and the keys that gateways share. And what
// it knows of credentials: the keys that sign them, and what was revoked. Lives in the control loop.

#include <functional>
#include <memory>
#include <string>

#include "app/cache_second_level.h"
#include "app/discoveries.h"
#include "app/idempotency_desk.h"
#include "app/key_sources.h"
#include "app/limit_shares.h"
#include "app/revocation_list.h"
#include "app/shared_keys.h"
#include "app/stores.h"
#include "base/log.h"
#include "endpoints/builtin.h"
#include "gateway/shared.h"
#include "gateway/site.h"
#include "services/directory.h"
#include "services/health_watch.h"
#include "services/registry.h"
#include "upstream/dialer.h"

namespace suoke::app {

class Control {
 public:
    Control(rt::Loop& loop, gateway::Shared& shared, Log& log, endpoints::Status& status, rt::TicketKeys& tickets);
    ~Control();

    // Is told of all members that are new, except while a site is adopted.
    void set_listener(std::function<void(const balance::MembersPtr&)> changed) { changed_ = std::move(changed); }
    // Is told of another key for sticky sessions.
    void set_listener(std::function<void(const gateway::SessionKeys&)> changed) { keys_.set_listener(std::move(changed)); }
    const gateway::SessionKeys& session_keys() const { return keys_.sessions(); }
    // Is told of other keys that tokens are signed with, except while a site is adopted: those go to the
    // workers with it.
    void set_listener(std::function<void(const auth::KeyRingPtr&)> changed) { ring_changed_ = std::move(changed); }
    const auth::KeyRingPtr& key_ring() const { return signers_.ring(); }
    KeySources& key_sources() { return signers_; }
    // Is told of what was revoked, and what not any more.
    void set_listener(std::function<void(const auth::RevocationsPtr&)> changed) { revocations_.set_listener(std::move(changed)); }
    const auth::RevocationsPtr& revoked() const { return revocations_.picture(); }
    RevocationList& revocations() { return revocations_; }
    // A configuration was compiled. Gives the members of every service, to go to the workers with it.
    std::vector<balance::MembersPtr> adopt(const gateway::Site& site);
    // Once the loop runs: leases, checks, statistics.
    void start();

    services::Directory& directory() { return directory_; }
    services::Registry* registry() { return registry_.get(); }
    gateway::AnswerStore& answers() { return answers_; }
    rt::TaskScope& tasks() { return tasks_; }
    rt::Task<void> check_now(std::string service) { return health_.check_now(std::move(service)); }

 private:
    // Many members may change in one turn of the loop; their health is looked at once.
    struct Look final : rt::Deferred {
        explicit Look(services::HealthWatch& health) : health(health) {}
        void run() override { health.look(); }
        services::HealthWatch& health;
    };
    void changed(const balance::MembersPtr& members);
    void open_registry(const config::Registry& config);
    void share_keys(const gateway::Site& site);
    void adopt_auth(const config::Auth& auth);
    rt::Task<void> keep_time();
    void look_at_certificates();
    static rt::Task<void> begin(services::Registry& registry, Log& log);

    rt::Loop& loop_;
    gateway::Shared& shared_;
    Log& log_;
    endpoints::Status& status_;
    rt::TicketKeys& tickets_;
    upstream::SocketDialer dialer_;
    rt::BufferPool buffers_;
    std::function<void(const balance::MembersPtr&)> changed_ = [](const balance::MembersPtr&) {};
    balance::States states_;
    services::Directory directory_;
    services::HealthWatch health_;
    Look look_{health_};
    Discoveries discoveries_;
    Stores stores_;
    LimitShares limits_;
    CacheSecondLevel answers_elsewhere_;
    IdempotencyDesk answers_{loop_, tasks_, [this]() -> store::Kv& { return stores_.shared(); }};
    SharedKeys keys_;
    std::function<void(const auth::KeyRingPtr&)> ring_changed_ = [](const auth::KeyRingPtr&) {};
    KeySources signers_;
    RevocationList revocations_;
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
