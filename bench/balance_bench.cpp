// SPDX-License-Identifier: MIT
// What choosing an endpoint costs a request: a place at the service, the choice among ten, the seat with its
// verdict, passive health and both breakers.
//   cmake --build --preset release --target balance_bench && build/release/bench/balance_bench
#include <benchmark/benchmark.h>

#include "balance/maglev.h"
#include "balance/states.h"
#include "balance/view.h"

namespace suoke::balance {
namespace {

struct Stage {
    explicit Stage(Strategy strategy, bool breakers) {
        instances.resize(10);
        auto made = std::make_shared<Members>();
        made->service = "users";
        made->rules.strategy = strategy;
        made->rules.endpoint_breaker.enabled = made->rules.service_breaker.enabled = breakers;
        made->state = states.service("users");
        for (std::size_t i = 0; i < instances.size(); ++i) {
            Member member;
            member.name = "10.0.0." + std::to_string(i + 1) + ":80";
            member.instance = &instances[i];
            member.hash = stable_hash(member.name);
            member.state = states.endpoint(member.name);
            made->all.push_back(std::move(member));
        }
        made->table = maglev_table(made->all);
        members = made;
    }
    SystemClock clock;
    Events events{clock};
    Epoch epoch{1};
    States states{events, epoch};
    Instances instances;
    Random random{7};
    MembersPtr members;
};

void one_request(Stage& stage, View& view, TimePoint now, std::uint64_t hash) {
    Fuse fuse(*stage.members, now);
    Gate::Place place = stage.members->state->gate.enter(0);
    Seat seat = view.take({.now = now, .hash = hash});
    seat.tell(Verdict::ok, std::chrono::milliseconds(3), now);
    fuse.tell(true, std::chrono::milliseconds(3), now);
    stage.members->state->adaptive.sample(std::chrono::milliseconds(3), stage.members->state->gate.inside(), now, stage.members->rules.limits);
}

void choose(benchmark::State& state) {
    Stage stage(static_cast<Strategy>(state.range(0)), state.range(1) != 0);
    View view(stage.members, stage.random, 0);
    TimePoint now = stage.clock.now();
    std::uint64_t hash = 1;
    for (auto _ : state) {
        now += std::chrono::microseconds(20);
        one_request(stage, view, now, hash += 0x9e3779b97f4a7c15ULL);
    }
}
BENCHMARK(choose)->ArgNames({"strategy", "breakers"})->ArgsProduct({{0, 1, 2, 3, 4}, {0, 1}});

}  // namespace
}  // namespace suoke::balance

BENCHMARK_MAIN();
