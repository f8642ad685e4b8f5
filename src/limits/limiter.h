// SPDX-License-Identifier: MIT
#pragma once
// What was used of every limit by every key. Shared by all workers, kept across reloads; a decision is one
// compare-and-swap, exact however many decide at once.
//
//   KeyedHash key = limiter.key_for(policy);
//   key.add(client_ip);
//   Charge charges[] = {{&policy, key.finish(), 1}};
//   Outcome outcome = limiter.take(charges, loop.now());
//   if (!outcome.granted) ... Retry-After: outcome.standing.reset
//
// Memory is bounded (table.h). When it is full, the keys that would have their tokens back first are
// forgotten, which gives them those a little early.

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "limits/gcra.h"
#include "limits/keyed_hash.h"
#include "limits/policy.h"
#include "limits/standing.h"
#include "limits/table.h"

namespace suoke::limits {

// A policy as it meets a request.
struct Charge {
    const Policy* policy = nullptr;
    Hash hash;
    std::uint64_t cost = 1;
};

struct Outcome {
    bool granted = true;
    Standing standing;       // with the policy that refuses, or that leaves the least
};

// A key of a shared policy that is in use: control shall settle its share with other gateways.
struct Hot {
    PolicyPtr policy;
    Hash hash;
};

class Limiter {
 public:
    Limiter();
    Limiter(const Limiter&) = delete;
    Limiter& operator=(const Limiter&) = delete;

    // Before anything else, by every thread; the first one says for how many keys (64 bytes each).
    void open(std::size_t keys);

    KeyedHash key_for(const Policy& policy) const { return key_for(policy.id); }
    KeyedHash key_for(std::uint64_t id) const {
        KeyedHash hash(*seed_.load(std::memory_order_acquire));
        hash.add(id);
        return hash;
    }

    // Charges all of them, or none: then the standing is with the one that refuses longest.
    Outcome take(std::span<const Charge> charges, TimePoint now);
    // Nothing: the key has as many under way as `policy` allows.
    std::optional<Place> enter(const Policy& policy, const Hash& hash);

    // ---- penalties; `address` is the hash of one, of key_for(kPenalties)
    static constexpr std::uint64_t kPenalties = 1;
    // How long an address is still shut out; zero: it is not. One load while nobody is.
    Duration shut_out(const Hash& address, TimePoint now) const;
    bool anybody_shut_out(TimePoint now) const { return shut_out_until_.load(std::memory_order_relaxed) > nanoseconds(now); }
    // It was refused once more. Not zero: from now on it is shut out for so long.
    Duration strike(const Hash& address, const PenaltyRules& rules, TimePoint now);

    // ---- for shares.h, which control runs
    // From now on keys of shared policies have a share: where nobody says another, one part of so many.
    void share_with(std::uint32_t gateways);
    std::uint32_t usual_share(const Policy& policy) const;
    // All gateways must find a key at the same place. What was used before is forgotten.
    void set_seed(const Seed& seed);
    Seed seed() const { return *seed_.load(std::memory_order_acquire); }
    std::vector<Hot> take_hot();
    // Called by workers when the first key has become hot; must not block. Set before they run.
    void set_listener(std::function<void()> listener) { listener_ = std::move(listener); }
    Table& cells() { return *table_; }

    std::uint64_t evictions() const { return table_ ? table_->evictions() : 0; }
    static std::uint64_t nanoseconds(TimePoint t) { return static_cast<std::uint64_t>(t.time_since_epoch().count()); }

 private:
    struct Step {
        std::uint64_t all = 0;     // of the charge, at this gateway's share of the limit
        std::uint64_t depth = 0;
    };
    struct Verdict {
        bool granted = false;
        std::uint64_t arrival = 0;   // as it is now
        std::uint64_t wait = 0;      // of a refused one
    };
    Cell& cell_of(const Hash& hash, std::uint64_t now);
    std::uint32_t share_of(const Policy& policy, const Cell& cell) const;   // of 65536
    static Step step_of(const Charge& charge, std::uint32_t share);
    std::uint64_t wait_of(const Charge& charge, std::uint32_t share, std::uint64_t arrival, std::uint64_t now) const;
    Verdict look(const Charge& charge, std::uint64_t now) const;
    Verdict take_one(const Charge& charge, std::uint64_t now);
    void give_back(const Charge& charge);
    void note(const Charge& charge, const Cell& cell, bool refused);
    static Standing standing_of(const Charge& charge, const Verdict& verdict, std::uint64_t now);

    std::once_flag opened_;
    std::unique_ptr<Table> table_, under_way_;
    std::atomic<const Seed*> seed_;
    std::vector<std::unique_ptr<const Seed>> seeds_;         // somebody may still read an old one
    std::atomic<std::uint32_t> gateways_{1};
    std::atomic<std::uint64_t> shut_out_until_{0};           // the last one that is
    std::function<void()> listener_;
    std::mutex hot_mutex_;
    std::vector<Hot> hot_;
};

}  // namespace suoke::limits
