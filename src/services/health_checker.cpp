// SPDX-License-Identifier: MIT
#include "services/health_checker.h"

#include <algorithm>

#include "rt/pause.h"

namespace suoke::services {

struct HealthChecker::Target {
    std::string id;
    upstream::EndpointAddress address;
    HealthRules rules;
    Standing standing;
    bool forgotten = false;
    rt::TaskScope scope;  // ends before everything above
};

// One of the probes that may be under way.
class HealthChecker::Place {
 public:
    explicit Place(HealthChecker& checker) : checker_(checker) { ++checker_.running_; }
    ~Place() {
        --checker_.running_;
        checker_.queue_.call_next();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

 private:
    HealthChecker& checker_;
};

HealthChecker::HealthChecker(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, Random random,
                             const Options& options, Listener& listener)
    : loop_(loop), dialer_(dialer), buffers_(buffers), random_(random), options_(options), listener_(listener), queue_(loop) {
    CHECK(options_.at_once > 0);
}

// A task that ends gives its place to the next one, which is then called and must still be there.
HealthChecker::~HealthChecker() {
    for (auto& [id, target] : targets_) target->scope.cancel();
    graveyard_.run();
}

void HealthChecker::watch(const std::string& id, upstream::EndpointAddress address, const HealthRules& rules) {
    TargetPtr& place = targets_[id];
    bool same = place && place->address.identity() == address.identity();
    if (same && place->rules == rules) {
        place->address = std::move(address);
        return;
    }
    auto target = std::make_shared<Target>();
    if (same) target->standing = place->standing;
    if (place) bury(place);
    target->id = id;
    target->address = std::move(address);
    target->rules = rules;
    place = target;
    target->scope.spawn(keep_probing(*target));
}

void HealthChecker::forget(const std::string& id) {
    auto found = targets_.find(id);
    if (found == targets_.end()) return;
    bury(found->second);
    targets_.erase(found);
}

void HealthChecker::bury(TargetPtr target) {
    target->forgotten = true;
    graveyard_.dead.push_back(std::move(target));
    loop_.defer(graveyard_);
}

void HealthChecker::Graveyard::run() {
    std::vector<TargetPtr> gone = std::move(dead);
    dead.clear();
    for (const TargetPtr& target : gone) target->scope.cancel();
}

std::optional<HealthChecker::Standing> HealthChecker::standing(const std::string& id) const {
    auto found = targets_.find(id);
    if (found == targets_.end()) return std::nullopt;
    return found->second->standing;
}

static Duration times(Duration d, double factor) {
    return Duration(static_cast<Duration::rep>(static_cast<double>(d.count()) * factor));
}

rt::Task<void> HealthChecker::keep_probing(Target& target) {
    const HealthRules& rules = target.rules;
    // Never inside watch(), whose caller does not expect to be told anything yet.
    Duration first = rules.first_at_once ? Duration::zero() : times(rules.interval, random_.unit());
    rt::Pause before(loop_, loop_.now() + std::max(first, Duration(1)));
    co_await before;
    while (!target.forgotten) {
        TimePoint began = loop_.now();
        ProbeResult result = co_await probe_in_turn(target);
        note(target, result);
        if (target.forgotten) co_return;
        // A probe that took its whole interval is no reason to begin the next one at once.
        Duration wait = times(rules.interval, 1 + rules.jitter * (2 * random_.unit() - 1));
        TimePoint next = std::max(began + wait, loop_.now() + rules.interval / 4);
        rt::Pause pause(loop_, std::max(next, loop_.now() + std::chrono::milliseconds(10)));
        co_await pause;
    }
}

rt::Task<ProbeResult> HealthChecker::probe_in_turn(Target& target) {
    while (running_ >= at_once()) {
        upstream::Queue::Turn turn(queue_, kNever);
        co_await turn;
    }
    Place place(*this);
    co_return co_await probe(loop_, dialer_, buffers_, target.rules.probe, target.address);
}

void HealthChecker::note(Target& target, const ProbeResult& result) {
    Standing& now = target.standing;
    bool again = now.last && now.last->ok() == result.ok();
    now.in_a_row = again ? std::min(now.in_a_row + 1, 1'000'000) : 1;
    now.last = result;
    now.last_at = loop_.now();
    int needed = result.ok() ? target.rules.rise : target.rules.fall;
    Health said = result.ok() ? Health::healthy : Health::unhealthy;
    bool changes = said != now.health && (now.health == Health::unknown || now.in_a_row >= needed);
    if (changes) now.health = said;
    if (changes && result.ok()) listener_.became_healthy(target.id);
    if (changes && !result.ok()) listener_.became_unhealthy(target.id, *result.error);
    if (!target.forgotten) listener_.probed(target.id, result);
}

rt::Task<Result<ProbeResult>> HealthChecker::probe_now(std::string id) {
    auto found = targets_.find(id);
    if (found == targets_.end()) co_return Error(Code::not_found, "nobody watches " + id);
    TargetPtr target = found->second;  // it may be forgotten meanwhile
    ProbeResult result = co_await probe_in_turn(*target);
    if (target->forgotten) co_return Error(Code::not_found, id + " was forgotten meanwhile");
    note(*target, result);
    co_return result;
}

}  // namespace suoke::services
