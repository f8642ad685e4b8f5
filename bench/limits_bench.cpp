// SPDX-License-Identifier: MIT
// What a limit costs a request: the key, and the decision, with a million keys and with one that all threads want.
//   cmake --build --preset release --target limits_bench && build/release/bench/limits_bench
#include <benchmark/benchmark.h>

#include "base/random.h"
#include "limits/address_key.h"
#include "limits/limiter.h"

namespace suoke::limits {
namespace {

constexpr std::uint64_t kKeys = 1'000'000;

PolicyPtr policy(const char* rate, bool shared = false) {
    PolicyRules rules;
    rules.name = "default";
    rules.rate = *parse_rate(rate);
    rules.shared = shared;
    return make_policy(std::move(rules), 0);
}

// One for all threads and benchmarks: what takes the time is its memory.
Limiter& limiter() {
    static Limiter* const kLimiter = [] {
        auto* made = new Limiter();
        made->open(kKeys);
        return made;
    }();
    kLimiter->open(kKeys);
    return *kLimiter;
}

Hash key_of(const Policy& policy, std::uint64_t key) {
    KeyedHash hash = limiter().key_for(policy);
    hash.add(key);
    return hash.finish();
}

void address_key(benchmark::State& state) {
    auto limit = policy("100/minute");
    const char* text = state.range(0) == 4 ? "203.0.113.77" : "2001:db8:85a3:8d3:1319:8a2e:370:7348";
    for (auto _ : state) {
        KeyedHash hash = limiter().key_for(*limit);
        add_address(hash, text, 64);
        benchmark::DoNotOptimize(hash.finish());
    }
}
BENCHMARK(address_key)->ArgName("ip")->Arg(4)->Arg(6);

// Keys at random: nearly every decision waits for memory.
void a_million_keys(benchmark::State& state) {
    auto limit = policy("100/minute");
    SystemClock clock;
    if (state.thread_index() == 0)
        for (std::uint64_t key = 0; key < kKeys; ++key) {
            Charge charges[] = {{limit.get(), key_of(*limit, key), 1}};
            limiter().take(charges, clock.now());
        }
    Random random(static_cast<std::uint64_t>(state.thread_index()) + 1);
    TimePoint now = clock.now();
    std::uint64_t granted = 0;
    for (auto _ : state) {
        now += std::chrono::microseconds(1);
        Charge charges[] = {{limit.get(), key_of(*limit, random.below(kKeys)), 1}};
        granted += limiter().take(charges, now).granted;
    }
    benchmark::DoNotOptimize(granted);
}
BENCHMARK(a_million_keys)->ThreadRange(1, 4)->UseRealTime();

// All workers want the same cell; with the small rate most requests are refused, which writes nothing.
void one_hot_key(benchmark::State& state) {
    auto limit = policy(state.range(0) ? "1000/second" : "1000000000/second");
    const Hash key = key_of(*limit, 7);
    SystemClock clock;
    TimePoint now = clock.now();
    std::uint64_t granted = 0;
    for (auto _ : state) {
        now += std::chrono::nanoseconds(100);
        Charge charges[] = {{limit.get(), key, 1}};
        granted += limiter().take(charges, now).granted;
    }
    benchmark::DoNotOptimize(granted);
}
BENCHMARK(one_hot_key)->ArgName("limited")->Arg(0)->Arg(1)->ThreadRange(1, 4)->UseRealTime();

// Three limits at once: looked at first, then charged.
void three_policies(benchmark::State& state) {
    auto limit = policy("1000000000/second");
    SystemClock clock;
    TimePoint now = clock.now();
    Charge charges[] = {{limit.get(), key_of(*limit, 1), 1}, {limit.get(), key_of(*limit, 2), 1}, {limit.get(), key_of(*limit, 3), 1}};
    for (auto _ : state) {
        now += std::chrono::microseconds(1);
        benchmark::DoNotOptimize(limiter().take(charges, now));
    }
}
BENCHMARK(three_policies);

// As at one of four gateways: each cell has a share, and what is asked is counted. Last, because it adds to the cells.
void shared_with_three_others(benchmark::State& state) {
    auto limit = policy("1000000000/second", true);
    limiter().share_with(4);
    const Hash key = key_of(*limit, 9);
    SystemClock clock;
    TimePoint now = clock.now();
    for (auto _ : state) {
        now += std::chrono::microseconds(1);
        Charge charges[] = {{limit.get(), key, 1}};
        benchmark::DoNotOptimize(limiter().take(charges, now));
    }
}
BENCHMARK(shared_with_three_others);

}  // namespace
}  // namespace suoke::limits

BENCHMARK_MAIN();
