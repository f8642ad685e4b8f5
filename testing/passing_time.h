// SPDX-License-Identifier: MIT
#pragma once

#include "base/events.h"
#include "rt/loop.h"

namespace suoke {

// Lets a clock that stands still go on, from timer to timer.
inline void let_pass(ManualClock& clock, rt::Loop& loop, Duration time) {
    TimePoint end = clock.now() + time;
    while (loop.timers().next() <= end) {
        if (loop.timers().next() > clock.now()) clock.advance(loop.timers().next() - clock.now());
        loop.settle();
    }
    clock.advance(end - clock.now());
    loop.settle();
}

// How often something was told.
inline int count(const Events& events, std::string_view type) {
    int n = 0;
    for (const Event& event : events.after(0)) n += event.type == type;
    return n;
}

}  // namespace suoke
