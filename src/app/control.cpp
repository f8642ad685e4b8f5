// SPDX-License-Identifier: MIT
#include "app/control.h"

#include "app/compile.h"
#include "app/redis_options.h"
#include "rt/pause.h"
#include "services/redis_ledger.h"
#include "store/memory_kv.h"
#include "store/sqlite_kv.h"

namespace suoke::app {

Control::Control(rt::Loop& loop, gateway::Shared& shared, Log& log, endpoints::Status& status)
    : loop_(loop),
      shared_(shared),
      log_(log),
      status_(status),
      dialer_(loop),
      buffers_(shared.budget),
      states_(shared.events, shared.health),
      directory_(loop, states_),
      health_(loop, dialer_, buffers_, Random::from_system(), directory_, shared.events),
      discoveries_(loop, dialer_, buffers_, directory_, shared.events) {
    directory_.set_listener([this](const balance::MembersPtr& members) { changed(members); });
}

Control::~Control() { tasks_.cancel(); }

std::vector<balance::MembersPtr> Control::adopt(const gateway::Site& site) {
    adopting_ = true;
    new_members_.clear();
    define_services(directory_, site);
    bool wants_registry = site.config.registry.enabled && (site.config.redis.wanted() || !site.config.registry.admin_token.empty());
    if (!registry_ && wants_registry) open_registry(site.config);
    discoveries_.adopt(site.config);
    certificates_ = site.tls ? site.tls->certificates() : std::vector<rt::CertificateFacts>();
    certificates_looked_at_ = {};
    adopting_ = false;
    if (started_) health_.look();
    return std::move(new_members_);
}

void Control::changed(const balance::MembersPtr& members) {
    if (adopting_) return new_members_.push_back(members);
    changed_(members);
    health_.look();
}

// What cannot be opened is no reason not to serve: registrations then live as long as the process.
std::unique_ptr<services::Ledger> Control::open_ledger(const config::Config& config) {
    if (config.redis.wanted()) {
        auto options = redis_options(config.redis);
        if (options) {
            redis_ = std::make_unique<store::Redis>(loop_, dialer_, Random::from_system(), std::move(*options));
            redis_->listen(*this);
            status_.redis = redis_->up() ? endpoints::Status::Redis::up : endpoints::Status::Redis::away;
            return std::make_unique<services::RedisLedger>(loop_, dialer_, Random::from_system(), *redis_, shared_.events);
        }
        log_.error("store", options.error().detail, {{"instead", "this gateway is on its own"}});
    }
    const std::string& path = config.store.path;
    if (!path.empty()) {
        auto opened = store::SqliteKv::open(loop_, path);
        if (opened) kv_ = std::move(*opened);
        else log_.error("store", opened.error().detail, {{"instead", "memory: what registers is forgotten at a restart"}});
    }
    if (!kv_) kv_ = std::make_unique<store::MemoryKv>(loop_);
    return std::make_unique<services::LocalLedger>(loop_, *kv_);
}

void Control::open_registry(const config::Config& config) {
    ledger_ = open_ledger(config);
    services::RegistryRules rules;
    rules.most_instances = config.registry.max_instances;
    registry_ = std::make_unique<services::Registry>(loop_, directory_, shared_.events, *ledger_, rules);
    tasks_.spawn(begin(*registry_, log_));
}

rt::Task<void> Control::begin(services::Registry& registry, Log& log) {
    auto begun = co_await registry.begin();
    if (!begun) log.error("registry", begun.error().detail);
    else log.info("registry", "ready", {{"instances", registry.size()}});
}

void Control::redis_up() {
    status_.redis = endpoints::Status::Redis::up;
    shared_.events.tell(Level::info, "redis.up", {});
}

void Control::redis_down(const Error& why) {
    status_.redis = endpoints::Status::Redis::away;
    shared_.events.tell(Level::warning, "redis.down", {{"because", why.detail}});
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
