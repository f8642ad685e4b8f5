// SPDX-License-Identifier: MIT
#pragma once
// Passive health: what the answers to ordinary requests say about an endpoint.

#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "balance/members.h"

namespace suoke::balance {

// How an attempt ended, as far as it says something about the endpoint.
enum class Verdict : std::uint8_t {
    ok,
    error,     // it answered with an error of its own (5xx)
    failed,    // no answer, or the 502, 503, 504 of one that cannot do its work
    refused,   // not even a connection
};

// Ejects when the rules say so and enough others are left. False: it stays.
bool eject(const Members& members, const Member& member, Why why, TimePoint now);
// Counts a verdict; what follows from it follows at once, in whichever worker this is.
void judge(const Members& members, const Member& member, Verdict verdict, Duration took, TimePoint now);

// Statistics over an interval: those that do clearly worse than the others.
struct Outlier {
    std::size_t index;
    Why why;
};
std::vector<Outlier> outliers(std::span<const EndpointState::Interval> samples, const OutlierRules& rules);
// What endpoints did in an interval that is over, for all services that look at them.
using Intervals = std::unordered_map<const EndpointState*, EndpointState::Interval>;
// Takes the intervals of those that are not in `taken` yet, and ejects the outliers; control does this
// every `interval`.
void eject_outliers(const Members& members, TimePoint now, Intervals& taken);

}  // namespace suoke::balance
