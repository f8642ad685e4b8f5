// SPDX-License-Identifier: MIT
#pragma once

#include "balance/members.h"
#include "base/events.h"
#include "base/metrics.h"
#include "cache/store.h"
#include "gateway/event_rings.h"
#include "limits/limiter.h"
#include "rt/buffer.h"
#include "rt/digest.h"

namespace suoke::gateway {

// What the cookies of sticky sessions are signed with. Those of the key before are still good.
struct SessionKeys {
    std::string key, before;   // empty: there is none
};

// What all workers use together and no reload touches. Outlives them.
struct Shared {
    Shared(std::size_t workers, std::uint64_t buffer_budget, const Clock& clock, Log* log = nullptr)
        : metrics(workers), budget(buffer_budget), events(clock, log) {}
    MetricsRegistry metrics;
    cache::Store cache{metrics.cache()};
    rt::BufferBudget budget;
    EventRings event_rings;
    Events events;
    balance::Epoch health{1};
    limits::Limiter limiter;
    const std::string session_key = rt::secret_bytes(32);   // of SessionKeys, until a store has another
};

}  // namespace suoke::gateway
