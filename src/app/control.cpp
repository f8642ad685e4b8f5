// SPDX-License-Identifier: MIT
#include "app/control.h"

#include <algorithm>

#include "app/compile.h"
#include "config/settle.h"
#include "rt/pause.h"
#include "services/local_ledger.h"
#include "services/redis_ledger.h"

namespace suoke::app {

Control::Control(rt::Loop& loop, gateway::Shared& shared, Log& log, endpoints::Status& status, rt::TicketKeys& tickets)
    : loop_(loop),
      shared_(shared),
      log_(log),
      status_(status),
      tickets_(tickets),
      dialer_(loop),
      buffers_(shared.budget),
      states_(shared.events, shared.health),
      directory_(loop, states_),
      health_(loop, dialer_, buffers_, Random::from_system(), directory_, shared.events),
      discoveries_(loop, dialer_, buffers_, directory_, shared.events),
      stores_(loop, dialer_, shared.events, log, status),
      limits_(loop, dialer_, shared.limiter, shared.events, status),
      answers_elsewhere_(loop, shared.cache, shared.metrics.cache()),
      keys_(loop, shared.events, shared.session_key),
      signers_(loop, dialer_, buffers_, shared.events),
      revocations_(loop, shared.events) {
    signers_.set_listener([this](const auth::KeyRingPtr& ring) {
        if (!adopting_) ring_changed_(ring);
    });
    directory_.set_listener([this](const balance::MembersPtr& members) { changed(members); });
}

Control::~Control() { tasks_.cancel(); }

std::vector<balance::MembersPtr> Control::adopt(const gateway::Site& site) {
    adopting_ = true;
    new_members_.clear();
    stores_.adopt(site.config);
    define_services(directory_, site);
    // With Redis also where nobody may register: others' instances are there.
    bool wants_registry = config::takes_registrations(site.config) || (site.config.registry.enabled && site.config.redis.wanted());
    if (!registry_ && wants_registry) open_registry(site.config.registry);
    discoveries_.adopt(site.config);
    share_keys(site);
    if (site.limits_clients) limits_.adopt(site.config, stores_);
    answers_elsewhere_.adopt(site.config, stores_);
    adopt_auth(site.config.auth);
    certificates_ = site.tls ? site.tls->certificates() : std::vector<rt::CertificateFacts>();
    certificates_looked_at_ = {};
    directory_.flush();   // what discovery took back goes with the site, too
    adopting_ = false;
    if (started_) health_.look();
    return std::move(new_members_);
}

void Control::changed(const balance::MembersPtr& members) {
    if (adopting_) return new_members_.push_back(members);
    changed_(members);
    loop_.defer(look_);
}

void Control::open_registry(const config::Registry& config) {
    if (store::Redis* redis = stores_.redis())
        ledger_ = std::make_unique<services::RedisLedger>(loop_, dialer_, Random::from_system(), *redis, &stores_.own(), shared_.events);
    else
        ledger_ = std::make_unique<services::LocalLedger>(loop_, stores_.own());
    services::RegistryRules rules;
    rules.most_instances = config.max_instances;
    registry_ = std::make_unique<services::Registry>(loop_, directory_, shared_.events, *ledger_, rules);
    tasks_.spawn(begin(*registry_, log_));
}

void Control::share_keys(const gateway::Site& site) {
    SharedKeys::Wanted wanted;
    for (const auto& service : site.services) wanted.sessions = wanted.sessions || service->sticky;
    wanted.sessions = wanted.sessions || site.unlisted->sticky;
    if (site.tls && site.config.server.tls.shared_tickets) {
        wanted.tickets = &tickets_;
        wanted.rotation = std::max<Duration>(site.config.server.tls.ticket_rotation, 1s);
    }
    if (wanted.sessions || wanted.tickets) wanted.store = &stores_.shared();
    keys_.adopt(wanted);
}

void Control::adopt_auth(const config::Auth& auth) {
    signers_.adopt(auth);
    revocations_.adopt(auth.is_on() ? &stores_.shared() : nullptr, revocation_lifetimes(auth));
}

rt::Task<void> Control::begin(services::Registry& registry, Log& log) {
    auto begun = co_await registry.begin();
    if (!begun) log.error("registry", begun.error().detail);
    else log.info("registry", "ready", {{"instances", registry.size()}});
}

void Control::start() {
    started_ = true;
    health_.look();
    tasks_.spawn(keep_time());
}

rt::Task<void> Control::keep_time() {
    for (;;) {
        rt::Pause pause(loop_, loop_.now() + 1s);
        co_await pause;
        directory_.tick();
        health_.look();
        status_.registry_alone = ledger_ && ledger_->is_alone();
        look_at_certificates();
    }
}

// Once a day: those that end within two weeks.
void Control::look_at_certificates() {
    constexpr auto kDay = std::chrono::hours(24);
    if (certificates_looked_at_ != TimePoint{} && loop_.now() - certificates_looked_at_ < kDay) return;
    certificates_looked_at_ = loop_.now();
    for (const rt::CertificateFacts& certificate : certificates_) {
        auto days = (certificate.not_after - loop_.clock().wall()) / kDay;
        if (days < 14) shared_.events.tell(Level::warning, "certificate.expiring", {{"subject", certificate.subject}, {"days", std::int64_t{days}}});
    }
}

}  // namespace suoke::app
