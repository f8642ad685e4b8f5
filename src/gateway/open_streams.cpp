// SPDX-License-Identifier: MIT
#include "gateway/open_streams.h"

#include <algorithm>
#include <map>

#include "gateway/site.h"

namespace suoke::gateway {
namespace {

const config::Route* find_route(const config::Config& config, std::string_view name) {
    auto found = std::find_if(config.routes.begin(), config.routes.end(),
                              [&](const config::Route& route) { return route.name == name; });
    return found == config.routes.end() ? nullptr : &*found;
}

bool same_service(const config::Config& before, const config::Config& now, const std::string& name) {
    auto old = before.services.find(name), fresh = now.services.find(name);
    if (old == before.services.end() || fresh == now.services.end()) return false;
    return old->second == fresh->second;
}

// By name: its place among the others may be another one.
bool unchanged(const config::Config& before, const config::Config& now, std::string_view route) {
    const config::Route* old = find_route(before, route);
    const config::Route* fresh = find_route(now, route);
    if (!old || !fresh || !(*old == *fresh)) return false;
    return old->service.empty() || same_service(before, now, old->service);
}

// An API key expires with its configuration only: one that was taken out, or may something else now, counts as
// revoked. A further hash, as while it is rotated, changes nothing.
bool still_holds(const config::Auth& before, const config::Auth& now, const auth::Identity& who) {
    if (who.method != auth::Method::api_key && who.method != auth::Method::basic) return true;
    auto old = before.api_keys.find(who.subject), fresh = now.api_keys.find(who.subject);
    if (old == before.api_keys.end()) return true;   // the manager's, which is no key of these
    if (fresh == now.api_keys.end()) return false;
    const config::ApiKey &was = old->second, &is = fresh->second;
    auto kept = [&](const std::string& hash) { return std::find(is.hashes.begin(), is.hashes.end(), hash) != is.hashes.end(); };
    return was.roles == is.roles && was.scopes == is.scopes && was.expires == is.expires && std::all_of(was.hashes.begin(), was.hashes.end(), kept);
}

}  // namespace

void OpenStreams::opened(OpenStream& stream) {
    streams_.push_back(stream);
    if (stream.exchange().who) hold_to_credential(stream);
    if (drained_by_) stream.end_gracefully(draw(*drained_by_), EndReason::leaving);
}

// By the monotonic clock from here on: whoever sets the wall clock ends nobody's stream.
TimePoint OpenStreams::expiry_of(const auth::Identity& who) const {
    return who.expires == WallTime::max() ? kNever : loop_.now() + (who.expires - loop_.clock().wall());
}

void OpenStreams::hold_to_credential(OpenStream& stream) {
    TimePoint expiry = expiry_of(*stream.exchange().who);
    if (expiry != kNever) stream.end_gracefully(expiry, EndReason::token_expired);
    end_if_revoked(stream);   // while its answer was on its way
}

void OpenStreams::end_if_revoked(OpenStream& stream) {
    const auth::IdentityPtr& who = stream.exchange().who;
    if (who && revoked_->covers(*who)) stream.end_gracefully(loop_.now(), EndReason::token_revoked);
}

void OpenStreams::adopt(auth::RevocationsPtr revoked) {
    revoked_ = std::move(revoked);
    streams_.for_each([&](OpenStream& stream) { end_if_revoked(stream); });
}

void OpenStreams::drain(Duration window) {
    drained_by_ = loop_.now() + window - window / 5;
    streams_.for_each([&](OpenStream& stream) { stream.end_gracefully(draw(*drained_by_), EndReason::leaving); });
}

void OpenStreams::adopt(const Site& site) {
    // Thousands of streams, few routes: each is compared once.
    std::map<std::pair<const Site*, const Route*>, bool> stays;
    TimePoint until = loop_.now() + kReloadWindow;
    streams_.for_each([&](OpenStream& stream) {
        const Exchange& ex = stream.exchange();
        auto [known, is_new] = stays.try_emplace({&ex.site, ex.route});
        if (is_new) known->second = unchanged(ex.site.config, site.config, ex.route->name);
        if (!known->second) stream.end_gracefully(draw(until), EndReason::leaving);
        if (ex.who && !still_holds(ex.site.config.auth, site.config.auth, *ex.who)) stream.end_gracefully(loop_.now(), EndReason::token_revoked);
    });
}

std::vector<StreamFacts> OpenStreams::list(std::uint32_t worker) {
    std::vector<StreamFacts> all;
    streams_.for_each([&](OpenStream& stream) {
        StreamFacts facts = stream.facts();
        facts.kind = stream.kind();
        facts.route = stream.exchange().route->name;
        facts.age = loop_.now() - stream.exchange().request.started;
        facts.worker = worker;
        all.push_back(std::move(facts));
    });
    return all;
}

TimePoint OpenStreams::draw(TimePoint until) {
    TimePoint now = loop_.now();
    if (until <= now) return now;
    return now + Duration(random_.below(static_cast<std::uint64_t>((until - now).count())));
}

}  // namespace suoke::gateway
