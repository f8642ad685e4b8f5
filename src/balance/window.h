// SPDX-License-Identifier: MIT
#pragma once
// How many of the last `span`, and how many of them bad. Two halves: the older one fades out while the
// newer one fills, so the estimate moves smoothly. Any thread; when the halves turn, counts of that
// very moment may be lost.

#include <array>
#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace suoke::balance {

class Window {
 public:
    struct Sum {
        double all = 0, bad = 0;
        double rate() const { return all > 0 ? bad / all : 0; }
    };

    void add(TimePoint now, Duration span, bool bad) {
        Half& half = halves_[turn_to(index_of(now, span)) & 1];
        half.all.fetch_add(1, std::memory_order_relaxed);
        if (bad) half.bad.fetch_add(1, std::memory_order_relaxed);
    }
    Sum sum(TimePoint now, Duration span) const {
        std::int64_t index = index_of(now, span), newest = index_.load(std::memory_order_relaxed);
        double gone = static_cast<double>((now.time_since_epoch() % (span / 2)).count()) / static_cast<double>((span / 2).count());
        if (index == newest) return weighed(halves_[index & 1], 1) + weighed(halves_[(index - 1) & 1], 1 - gone);
        if (index == newest + 1) return weighed(halves_[newest & 1], 1 - gone);
        return {};
    }
    void clear() {
        for (Half& half : halves_) half.clear();
    }

 private:
    struct Half {
        std::atomic<std::uint32_t> all{0}, bad{0};
        void clear() {
            all.store(0, std::memory_order_relaxed);
            bad.store(0, std::memory_order_relaxed);
        }
    };
    static std::int64_t index_of(TimePoint now, Duration span) { return now.time_since_epoch() / (span / 2); }
    struct Weighed : Sum {
        friend Sum operator+(const Weighed& a, const Weighed& b) { return {a.all + b.all, a.bad + b.bad}; }
    };
    static Weighed weighed(const Half& half, double weight) {
        return {{half.all.load(std::memory_order_relaxed) * weight, half.bad.load(std::memory_order_relaxed) * weight}};
    }
    std::int64_t turn_to(std::int64_t index) {
        std::int64_t newest = index_.load(std::memory_order_relaxed);
        // Another thread's clock may be a moment ahead. Anything else is a jump: of time, or of the span.
        if (newest == index || newest == index + 1) return newest;
        if (!index_.compare_exchange_strong(newest, index, std::memory_order_relaxed)) return index;
        halves_[index & 1].clear();
        if (index != newest + 1) halves_[(index - 1) & 1].clear();
        return index;
    }

    std::array<Half, 2> halves_{};
    std::atomic<std::int64_t> index_{0};
};

}  // namespace suoke::balance
