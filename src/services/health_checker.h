// SPDX-License-Identifier: MIT
#pragma once
// Asks many endpoints again and again whether they are well, and says when one becomes so or ceases
// to be. Lives in the control loop.
//
//   HealthChecker checker(loop, dialer, buffers, Random::from_system(), {}, listener);
//   checker.watch("users/10.0.0.1:80", address, rules);
//
// What was never asked is neither well nor unwell; the first answer settles it. From then on so many
// answers in a row are needed as the rules say.

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "rt/scope.h"
#include "services/probe.h"
#include "upstream/queue.h"

namespace suoke::services {

struct HealthRules {
    ProbeRules probe;
    Duration interval = std::chrono::seconds(10);  // from the beginning of one probe to that of the next
    double jitter = 0.1;                           // of the interval, either way
    int rise = 2;                                  // so many good answers make it well again
    int fall = 3;                                  // so many bad ones make it unwell
    bool first_at_once = true;                     // or somewhere in the first interval
    friend bool operator==(const HealthRules&, const HealthRules&) = default;
};

enum class Health : std::uint8_t { unknown, healthy, unhealthy };

class HealthChecker {
 public:
    struct Options {
        std::size_t at_once = 32;  // probes under way, over all targets; a sixteenth of these when that is more
    };
    // Is told at loop level; may watch and forget from inside, but not destroy the checker.
    class Listener {
     public:
        virtual void became_healthy(const std::string& id) = 0;
        virtual void became_unhealthy(const std::string& id, const Error& reason) = 0;
        // Of every probe, after what it changed.
        virtual void probed(const std::string& id, const ProbeResult& result) = 0;

     protected:
        ~Listener() = default;
    };
    struct Standing {
        Health health = Health::unknown;
        int in_a_row = 0;                 // answers of the last one's kind
        std::optional<ProbeResult> last;
        TimePoint last_at{};              // when it came
    };

    HealthChecker(rt::Loop& loop, upstream::Dialer& dialer, rt::BufferPool& buffers, Random random,
                  const Options& options, Listener& listener);
    ~HealthChecker();
    HealthChecker(const HealthChecker&) = delete;
    HealthChecker& operator=(const HealthChecker&) = delete;

    // One that is watched already goes on with the new rules; what is known of it stays when the
    // address has the same identity: a reload brings new TLS clients, which are used from then on. When
    // nothing else differs its probes go on undisturbed.
    void watch(const std::string& id, upstream::EndpointAddress address, const HealthRules& rules);
    void forget(const std::string& id);
    std::optional<Standing> standing(const std::string& id) const;
    std::size_t size() const { return targets_.size(); }

    // One probe now, besides the others; it counts as they do. Code::not_found when nobody watches
    // it, or no longer. Must end before the checker.
    rt::Task<Result<ProbeResult>> probe_now(std::string id);

 private:
    struct Target;
    using TargetPtr = std::shared_ptr<Target>;
    // Those forgotten, whose tasks may be running at this moment: they end at loop level.
    struct Graveyard final : rt::Deferred {
        void run() override;
        std::vector<TargetPtr> dead;
    };
    class Place;

    rt::Task<void> keep_probing(Target& target);
    rt::Task<ProbeResult> probe_in_turn(Target& target);
    std::size_t at_once() const { return std::max(options_.at_once, targets_.size() / 16); }
    void note(Target& target, const ProbeResult& result);
    void bury(TargetPtr target);

    rt::Loop& loop_;
    upstream::Dialer& dialer_;
    rt::BufferPool& buffers_;
    Random random_;
    const Options options_;
    Listener& listener_;
    upstream::Queue queue_;
    std::size_t running_ = 0;
    std::map<std::string, TargetPtr> targets_;
    Graveyard graveyard_;
};

}  // namespace suoke::services
