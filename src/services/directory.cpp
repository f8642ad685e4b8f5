// SPDX-License-Identifier: MIT
#include "services/directory.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "balance/ejection.h"
#include "balance/maglev.h"
#include "base/this_machine.h"

namespace suoke::services {

upstream::EndpointAddress address_of(const Definition& service, const balance::Instance& instance) {
    upstream::EndpointAddress address;
    address.host = instance.host;
    address.port = instance.port;
    address.protocol = instance.protocol.value_or(service.protocol);
    address.for_one_client = service.for_one_client && address.protocol == upstream::Protocol::h1;
    if (instance.use_tls.value_or(service.use_tls)) {
        address.tls = service.tls;
        address.tls_identity = service.tls_identity;
    }
    return address;
}

Directory::Service& Directory::service_of(const std::string& name) {
    auto [at, is_new] = services_.try_emplace(name);
    if (is_new) at->second.definition = unlisted_as(name);
    return at->second;
}

DefinitionPtr Directory::unlisted_as(const std::string& name) const {
    auto definition = std::make_shared<Definition>(*unlisted_);
    definition->name = name;
    return definition;
}

void Directory::define(std::vector<DefinitionPtr> definitions, DefinitionPtr unlisted) {
    unlisted_ = std::move(unlisted);
    std::set<std::string> affected;
    for (auto& [name, service] : services_) {
        affected.insert(name);
        service.configured = false;
        service.definition = unlisted_as(name);
    }
    for (DefinitionPtr& definition : definitions) {
        std::string name = definition->name;
        Service& service = service_of(name);
        service.definition = std::move(definition);
        service.configured = true;
        affected.insert(name);
    }
    for (const std::string& name : affected) {
        services_.at(name).stale = true;
        publish(name);
    }
}

void Directory::found(const std::string& name, const std::string& source, balance::Instances instances) {
    Service& service = service_of(name);
    auto before = service.found.find(source);
    bool nobody_up = std::none_of(instances.begin(), instances.end(), [](const balance::Instance& each) { return each.up; });
    bool emptied = nobody_up && before != service.found.end();
    if (emptied && any_up(*refresh(name, service), *before->second)) {
        if (service.emptied.try_emplace(source, loop_.now()).second)
            states_.events().tell(Level::warning, "discovery.emptied", {{"service", name}, {"source", source}, {"kept_seconds", seconds(kEmptyGrace)}});
        if (!clock_.armed()) loop_.timers().arm(clock_, loop_.now() + kEmptyGrace);
        return;
    }
    set(name, source, std::move(instances));
}

void Directory::doubt(const std::string& name, const std::string& source) {
    auto service = services_.find(name);
    if (service != services_.end()) service->second.emptied.erase(source);
}

void Directory::set(const std::string& name, const std::string& source, balance::Instances instances) {
    Service& service = service_of(name);
    service.emptied.erase(source);
    auto known = service.found.find(source);
    bool same = known == service.found.end() ? instances.empty() : *known->second == instances;
    if (same && service.members) return;
    put(service, source, std::move(instances));
    touch(name, service);
}

void Directory::put(Service& service, const std::string& source, balance::Instances instances) {
    if (instances.empty()) service.found.erase(source);
    else service.found[source] = std::make_shared<const balance::Instances>(std::move(instances));
}

void Directory::set_teller(const std::string& source, Teller teller) {
    if (teller) tellers_[source] = std::move(teller);
    else tellers_.erase(source);
}

void Directory::changed(const std::string& name, const std::string& source) {
    Service& service = service_of(name);
    service.unasked.insert(source);
    touch(name, service);
}

void Directory::end_graces() {
    std::vector<std::pair<std::string, std::string>> over;
    TimePoint next = kNever;
    for (const auto& [name, service] : services_)
        for (const auto& [source, since] : service.emptied) {
            TimePoint end = since + kEmptyGrace;
            if (end <= loop_.now()) over.emplace_back(name, source);
            else next = std::min(next, end);
        }
    for (const auto& [name, source] : over) set(name, source, {});
    if (next != kNever) loop_.timers().arm(clock_, next);
}

// `members` were made of `among`, so that theirs are its instances themselves.
bool Directory::any_up(const balance::Members& members, const balance::Instances& among) const {
    std::less<> before;
    const balance::Instance *first = among.data(), *end = first + among.size();
    return std::any_of(members.all.begin(), members.all.end(), [&](const balance::Member& member) {
        bool ours = !before(member.instance, first) && before(member.instance, end);
        return ours && balance::is_up(member, loop_.now());
    });
}

// ---- members

void Directory::touch(const std::string& name, Service& service) {
    service.stale = true;
    unpublished_.insert(name);
    loop_.defer(publisher_);
}

const balance::MembersPtr& Directory::refresh(const std::string& name, Service& service) {
    for (const std::string& source : std::exchange(service.unasked, {}))
        if (auto teller = tellers_.find(source); teller != tellers_.end()) put(service, source, teller->second(name));
    if (std::exchange(service.stale, false)) service.members = build(service);
    return service.members;
}

void Directory::publish(const std::string& name) {
    unpublished_.erase(name);
    Service& service = services_.at(name);
    balance::MembersPtr members = refresh(name, service);
    service.published = loop_.now();
    if (!service.configured && members->all.empty()) services_.erase(name);
    changed_(members);
}

TimePoint Directory::due(const Service& service) {
    bool large = service.members && service.members->all.size() > kLarge;
    return large ? service.published + kLargePause : TimePoint{};
}

void Directory::publish_due() {
    TimePoint next = kNever;
    for (const std::string& name : std::set<std::string>(unpublished_)) {
        TimePoint then = due(services_.at(name));
        if (then <= loop_.now()) publish(name);
        else next = std::min(next, then);
    }
    if (next != kNever) loop_.timers().arm(publisher_, next);
}

void Directory::flush() {
    while (!unpublished_.empty()) publish(std::string(*unpublished_.begin()));
}

balance::MembersPtr Directory::build(const Service& service) const {
    const Definition& definition = *service.definition;
    auto members = std::make_shared<balance::Members>();
    members->service = definition.name;
    members->rules = definition.rules;
    members->state = states_.service(definition.name);
    std::set<std::string> seen;
    auto add = [&](const balance::Instance& instance) {
        const bool over_tls = instance.use_tls.value_or(definition.use_tls);
        auto leave_out = [&](std::string_view why) { states_.events().tell(Level::error, why, {{"service", definition.name}, {"instance", instance.key()}}); };
        // Never in the clear instead: whoever registered was promised better.
        if (over_tls && !definition.tls) return leave_out("instance.without_tls");
        if (!over_tls && definition.never_in_the_clear && !is_this_machine(instance.host)) return leave_out("instance.in_the_clear");
        balance::Member member;
        member.address = address_of(definition, instance);
        if (!seen.insert(member.address.identity()).second) return;  // the first to say so counts
        member.name = member.address.to_string();
        member.instance = &instance;
        bool far = !definition.zone.empty() && instance.zone != definition.zone;
        member.level = instance.priority * 2 + far;
        member.hash = balance::stable_hash(member.name);
        member.state = state_of(service, member);
        members->all.push_back(std::move(member));
    };
    members->owners.push_back(service.definition);
    for (const balance::Instance& instance : definition.instances) add(instance);
    for (const auto& [source, instances] : service.found) {
        members->owners.push_back(instances);
        for (const balance::Instance& instance : *instances)
            if (instance.up) add(instance);
    }
    if (members->rules.strategy == balance::Strategy::consistent_hash) members->table = balance::maglev_table(members->all);
    return members;
}

std::shared_ptr<balance::EndpointState> Directory::state_of(const Service& service, const balance::Member& member) const {
    auto state = states_.endpoint(member.address.identity());
    if (state.use_count() > 1) return state;
    if (!service.definition->starts_healthy) state->set_checked(balance::EndpointState::Checked::unwell, loop_.now());
    // Whoever joins others begins slowly; those that begin together have nobody to take it from.
    if (service.members && !service.members->all.empty()) state->rise(loop_.now());
    return state;
}

balance::MembersPtr Directory::members(const std::string& name) {
    auto found = services_.find(name);
    if (found == services_.end()) return nullptr;
    Service& service = found->second;
    bool gone = refresh(name, service)->all.empty() && !service.configured;   // as soon as it is published
    return gone ? nullptr : service.members;
}

std::map<std::string, balance::MembersPtr> Directory::all() {
    std::map<std::string, balance::MembersPtr> out;
    for (auto& [name, service] : services_)
        if (!refresh(name, service)->all.empty() || service.configured) out[name] = service.members;
    return out;
}

const std::optional<HealthRules>* Directory::health_rules(const std::string& service) const {
    auto found = services_.find(service);
    return found == services_.end() ? nullptr : &found->second.definition->health;
}

// ---- time

void Directory::tick() {
    TimePoint now = loop_.now();
    states_.forget_unused();
    balance::Intervals taken;   // an endpoint of several services has one, and all of them look at it
    for (auto& [name, service] : services_) {
        refresh(name, service);
        Duration interval = std::max<Duration>(service.definition->rules.outlier.interval, std::chrono::seconds(1));
        // By the clock, so that services with the same interval look at the same time.
        if (now.time_since_epoch() / interval != service.judged.time_since_epoch() / interval) {
            service.judged = now;
            balance::eject_outliers(*service.members, now, taken);
        }
        tell_health(name, service);
    }
}

void Directory::tell_health(const std::string& name, Service& service) {
    std::size_t up = 0, all = service.members->all.size();
    for (const balance::Member& member : service.members->all) up += balance::is_up(member, loop_.now());
    const char* health = up == 0 ? "unhealthy" : up < all ? "degraded" : "healthy";
    if (std::string_view(health) == service.health) return;
    bool first = *service.health == '\0';
    service.health = health;
    if (first && up == all) return;
    states_.events().tell(up < all ? Level::warning : Level::info, "service_health_change",
                          {{"service", name}, {"status", health}, {"healthy_instances", up}, {"total_instances", all}});
}

}  // namespace suoke::services
