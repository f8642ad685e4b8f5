// SPDX-License-Identifier: MIT
#pragma once

#include "base/metrics.h"
#include "gateway/event_rings.h"
#include "rt/buffer.h"

namespace suoke::gateway {

// What all workers use together and no reload touches. Outlives them.
struct Shared {
    Shared(std::size_t workers, std::uint64_t buffer_budget) : metrics(workers), budget(buffer_budget) {}
    MetricsRegistry metrics;
    rt::BufferBudget budget;
    EventRings event_rings;
};

}  // namespace suoke::gateway
