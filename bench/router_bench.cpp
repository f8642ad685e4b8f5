// SPDX-License-Identifier: MIT
// What a routing decision costs with 10 and with 10,000 routes. The requests are as many, as long
// and as scattered in memory for both, so that the difference is the router's and not theirs.
//   hot: the five routes of one resource;  mixed: all routes, uniformly and in random order.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "gateway/router.h"

namespace {

using suoke::Random;
using suoke::config::Problem;
using suoke::config::Route;
using suoke::gateway::Match;
using suoke::gateway::Router;

struct Resource {
    std::string service, name;
    std::string base() const { return fmt::format("/api/v1/{}/{}", service, name); }
};

enum Names { uniform, varied };

// Names of one length cost the branch predictor the same in both tables; varied ones add to the
// bigger table what the bigger variety of requests costs any code that looks at them.
Resource resource(std::size_t i, Names names) {
    static constexpr const char* kWords[] = {"users", "health-data", "diagnosis", "agents",
                                             "records"};
    const char* service = names == varied ? kWords[i % 5] : "agent";
    const char* name = names == varied ? kWords[i / 5 % 5] : "records";
    return {fmt::format("{}-service-{:02}", service, i / 25),
            fmt::format("{}-{:02}", name, i % 25)};
}

// Five routes a resource, as services have them.
std::vector<Route> routes(std::size_t count, Names names = uniform) {
    std::vector<Route> all;
    for (std::size_t i = 0; all.size() < count; ++i) {
        std::string base = resource(i, names).base();
        all.push_back({.path = base, .methods = {"GET"}});
        all.push_back({.path = base, .methods = {"POST"}});
        all.push_back({.path = base + "/{id}", .methods = {"GET", "PUT", "DELETE"}});
        all.push_back({.path = base + "/{id}/items/{item}", .methods = {"GET"}});
        all.push_back({.prefix = base + "/files"});
    }
    return all;
}

// Two cache lines, fetched ahead: a parser has just written what a router reads.
struct alignas(128) Request {
    char path[112];
    unsigned char length;
    char method[8];
};

Request request(Random& random, std::size_t route, Names names) {
    std::string path = resource(route / 5, names).base();
    const char* method = "GET";
    std::uint64_t id = random.below(1000000);
    if (route % 5 == 1) method = "POST";
    if (route % 5 == 2) method = "PUT", path += fmt::format("/{:06}", id);
    if (route % 5 == 3) path += fmt::format("/{:06}/items/{:04}", id, random.below(10000));
    if (route % 5 == 4) path += fmt::format("/files/{:06}.png", id);
    Request made{};
    made.length = static_cast<unsigned char>(path.copy(made.path, sizeof made.path));
    std::string_view(method).copy(made.method, sizeof made.method - 1);
    return made;
}

constexpr std::size_t kRequests = 8192;

enum Access { hot, mixed };

void route_requests(benchmark::State& state, Access access, Names names) {
    auto table = routes(static_cast<std::size_t>(state.range(0)), names);
    std::vector<Problem> problems;
    auto router = Router::compile(table, problems);
    if (!router || !problems.empty()) return state.SkipWithError("the table is wrong");

    // Hot repeats the five kinds of routes of one resource, so that it is the mix of the other.
    Random random(1);
    std::vector<Request> requests;
    for (std::size_t i = 0; i < kRequests; ++i)
        requests.push_back(request(random, random.below(access == hot ? 5 : table.size()), names));
    suoke::http::Headers headers;
    std::size_t next = 0;
    for (auto _ : state) {
        const Request& one = requests[next++ % kRequests];
        const char* later = requests[(next + 8) % kRequests].path;
        __builtin_prefetch(later);
        __builtin_prefetch(later + 64);
        Match match =
            router->match({"api.suoke.life", {one.path, one.length}, "", one.method, headers});
        if (match.kind != Match::found) return state.SkipWithError("a request found no route");
        benchmark::DoNotOptimize(match);
    }
}

void compile_routes(benchmark::State& state) {
    auto table = routes(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        std::vector<Problem> problems;
        benchmark::DoNotOptimize(Router::compile(table, problems));
    }
}

void requests_without_route(benchmark::State& state) {
    std::vector<Problem> problems;
    auto router = Router::compile(routes(static_cast<std::size_t>(state.range(0))), problems);
    suoke::http::Headers headers;
    for (auto _ : state)
        benchmark::DoNotOptimize(router->match(
            {"api.suoke.life", "/api/v1/users-service-0/nothing/at/all", "", "GET", headers}));
}

BENCHMARK_CAPTURE(route_requests, hot, hot, uniform)->Arg(10)->Arg(10000);
BENCHMARK_CAPTURE(route_requests, mixed, mixed, uniform)->Arg(10)->Arg(10000);
BENCHMARK_CAPTURE(route_requests, mixed_varied, mixed, varied)->Arg(10)->Arg(10000);
BENCHMARK(requests_without_route)->Arg(10)->Arg(10000);
BENCHMARK(compile_routes)->Arg(10)->Arg(10000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
