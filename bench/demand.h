// SPDX-License-Identifier: MIT
#pragma once
// When the load generator wants its next request.
//
// Closed: whenever a connection is free, until a number or a time is reached. Open: at fixed
// instants, whether or not the answers keep up. A request that had to wait for a connection still
// counts from the instant it was wanted, so a slow server cannot hide by slowing its client down
// ("coordinated omission").

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

namespace suoke::bench {

class Demand {
 public:
    using Clock = std::chrono::steady_clock;
    using Time = Clock::time_point;

    static Demand of_requests(std::uint64_t requests) { return {requests, {}, {}}; }
    static Demand for_time(Clock::duration duration) { return {no_limit, duration, {}}; }
    static Demand at_rate(double per_second, Clock::duration duration) {
        auto requests = std::chrono::duration<double>(duration).count() * per_second;
        return {static_cast<std::uint64_t>(requests), {}, 1.0 / per_second};
    }

    void begin(Time now) { begin_ = now; }

    // The instant from which a request to be sent now counts, if one is wanted now.
    std::optional<Time> take(Time now) {
        if (ended(now) || next(now) > now) return {};
        Time wanted = next(now);
        ++taken_;
        return wanted;
    }

    // The earliest instant at which the next one is wanted.
    Time next(Time now) const {
        if (interval_seconds_ == 0) return now;
        std::chrono::duration<double> since_begin(interval_seconds_ * double(taken_));
        return begin_ + std::chrono::duration_cast<Clock::duration>(since_begin);
    }

    bool ended(Time now) const {
        return taken_ >= requests_ || (duration_.count() > 0 && now - begin_ >= duration_);
    }

 private:
    static constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

    Demand(std::uint64_t requests, Clock::duration duration, double interval_seconds)
        : requests_(requests), duration_(duration), interval_seconds_(interval_seconds) {}

    std::uint64_t requests_;
    Clock::duration duration_;  // zero: no limit
    double interval_seconds_;   // zero: closed
    Time begin_{};
    std::uint64_t taken_ = 0;
};

}  // namespace suoke::bench
