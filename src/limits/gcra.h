// SPDX-License-Identifier: MIT
#pragma once
// The generic cell rate algorithm (ITU-T I.371, annex A) on one number, the theoretical arrival time: when
// the next request would come if the client kept exactly to its rate. Each request moves it on by a step; it
// may be at most `depth` ahead of now. That is a bucket of depth/step tokens that fills up by one a step,
// without anybody to fill it. Times are nanoseconds of the monotonic clock.

#include <algorithm>
#include <cstdint>

namespace suoke::limits::gcra {

// A worker reads the clock once a turn of its loop, so two differ by some milliseconds. Nobody gains by it:
// who is behind is stricter. What is ahead by more than this was left by a rule that is no longer in force.
constexpr std::uint64_t kSlack = 5'000'000'000;

// How far ahead of now a client is: zero when it has all its tokens.
constexpr std::uint64_t ahead(std::uint64_t arrival, std::uint64_t now) { return arrival > now ? arrival - now : 0; }
constexpr bool fits(std::uint64_t arrival, std::uint64_t now, std::uint64_t step, std::uint64_t depth) {
    return ahead(arrival, now) + step <= depth;
}
// How long until it does.
constexpr std::uint64_t wait(std::uint64_t arrival, std::uint64_t now, std::uint64_t step, std::uint64_t depth) {
    std::uint64_t all = ahead(arrival, now) + step;
    return all > depth ? all - depth : 0;
}

}  // namespace suoke::limits::gcra
