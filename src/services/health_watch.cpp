// SPDX-License-Identifier: MIT
#include "services/health_watch.h"

#include "rt/scope.h"

namespace suoke::services {

using balance::EndpointState;

HealthWatch::HealthWatch(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, Random random, Directory& directory, Events& events)
    : loop_(loop), directory_(directory), events_(events), checker_(loop, dialer, buffers, random, {}, *this) {}

static HealthRules rules_of_return() {
    HealthRules rules;
    rules.probe.kind = ProbeKind::tcp;
    rules.interval = HealthWatch::kReturnInterval;
    rules.rise = 1;
    rules.first_at_once = false;   // it has just refused
    return rules;
}

void HealthWatch::look() {
    ++round_;
    for (const auto& [name, members] : directory_.all()) {
        const std::optional<HealthRules>* rules = directory_.health_rules(name);
        for (const balance::Member& member : members->all) watch(*members, member, rules && *rules ? &**rules : nullptr);
    }
    for (auto at = targets_.begin(); at != targets_.end();) {
        if (at->second.round == round_) {
            ++at;
            continue;
        }
        no_longer_checked(at->first, at->second);
        checker_.forget(at->first);
        at = targets_.erase(at);
    }
}

// What its checks said is not known any more: nobody would ever say that it is well again.
void HealthWatch::no_longer_checked(const std::string& id, const Target& target) {
    auto state = target.state.lock();
    if (!state || target.coming_back) return;
    state->set_checked(EndpointState::Checked::unknown, loop_.now());
    checker_.forget(id);   // nor are those answers a beginning for others
}

void HealthWatch::watch(const balance::Members& members, const balance::Member& member, const HealthRules* rules) {
    EndpointState& state = *member.state;
    HealthRules own;
    bool checked = rules != nullptr || !member.instance->health_path.empty();
    if (checked) {
        if (rules) own = *rules;
        if (!member.instance->health_path.empty()) own.probe.path = member.instance->health_path;
    } else {
        bool out = state.ejected(loop_.now()) && state.ejected_for() == balance::Why::refused;
        if (!out) return;
        own = rules_of_return();
    }
    const std::string& id = state.identity();
    Target& target = targets_[id];
    if (target.round == round_) return;   // another service has it, too: the first one's rules count
    if (!checked) no_longer_checked(id, target);
    else if (target.coming_back) checker_.forget(id);   // a connection says nothing of how its checks end
    target = {member.state, members.service, member.name, !checked, round_};
    checker_.watch(id, member.address, own);
}

void HealthWatch::became_healthy(const std::string& id) {
    auto found = targets_.find(id);
    auto state = found == targets_.end() ? nullptr : found->second.state.lock();
    if (!state) return;
    if (!found->second.coming_back && state->checked() == EndpointState::Checked::unwell)
        events_.tell(Level::info, "endpoint.healthy", {{"service", found->second.service}, {"endpoint", found->second.name}});
    if (!found->second.coming_back) state->set_checked(EndpointState::Checked::well, loop_.now());
}

void HealthWatch::became_unhealthy(const std::string& id, const Error& reason) {
    auto found = targets_.find(id);
    auto state = found == targets_.end() ? nullptr : found->second.state.lock();
    if (!state || found->second.coming_back) return;
    state->set_checked(EndpointState::Checked::unwell, loop_.now());
    events_.tell(Level::warning, "endpoint.unhealthy",
                 {{"service", found->second.service}, {"endpoint", found->second.name}, {"because", reason.detail}});
}

// It takes connections again: whatever had it ejected for refusing them is over.
void HealthWatch::probed(const std::string& id, const ProbeResult& result) {
    auto found = targets_.find(id);
    auto state = found == targets_.end() ? nullptr : found->second.state.lock();
    if (!state) return;
    if (!found->second.coming_back) state->note_check(loop_.clock().wall());
    bool back = result.ok() && state->ejected(loop_.now()) && state->ejected_for() == balance::Why::refused;
    if (back && state->readmit(loop_.now()))
        events_.tell(Level::info, "endpoint.recovered", {{"service", found->second.service}, {"endpoint", found->second.name}});
}

static rt::Task<void> probe_now(HealthChecker& checker, std::string id) { co_await checker.probe_now(std::move(id)); }

rt::Task<void> HealthWatch::check_now(std::string service) {
    balance::MembersPtr members = directory_.members(service);
    if (!members) co_return;
    rt::TaskScope probes;   // the checker has so many of them run beside each other as it may
    for (const balance::Member& member : members->all)
        if (targets_.contains(member.state->identity())) probes.spawn(probe_now(checker_, member.state->identity()));
    co_await probes.all_done();
}

}  // namespace suoke::services
