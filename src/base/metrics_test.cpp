// SPDX-License-Identifier: MIT
#include "base/metrics.h"

#include <thread>

namespace suoke {
namespace {

using ::testing::SizeIs;

// The definition bucket_of() must agree with: the first bound that is not below the value.
template <class Scale>
std::size_t by_search(std::uint64_t value) {
    auto it = std::lower_bound(Scale::kBounds.begin(), Scale::kBounds.end(), value);
    return static_cast<std::size_t>(it - Scale::kBounds.begin());
}

template <class Scale>
void expect_borders() {
    for (std::uint64_t bound : Scale::kBounds)
        for (std::uint64_t value : {bound - 1, bound, bound + 1})
            EXPECT_EQ(Histogram<Scale>::bucket_of(value), by_search<Scale>(value)) << value;
    for (int bit = 0; bit < 64; ++bit)
        for (std::uint64_t value : {(1ull << bit) - 1, 1ull << bit, (1ull << bit) + 1})
            EXPECT_EQ(Histogram<Scale>::bucket_of(value), by_search<Scale>(value)) << value;
    EXPECT_EQ(Histogram<Scale>::bucket_of(~0ull), Scale::kBounds.size());
}

TEST(Histogram, puts_durations_at_a_bound_below_it_and_above_it_right) {
    expect_borders<DurationScale>();
}
TEST(Histogram, puts_sizes_at_a_bound_below_it_and_above_it_right) {
    expect_borders<SizeScale>();
}

TEST(Histogram, counts_a_bound_itself_as_not_above_it) {
    Histogram<DurationScale> h;
    h.add(1ms);
    h.add(1ms + 1ns);
    h.add(Duration(-5));
    h.add(1h);
    EXPECT_EQ(h.count(0), 1u) << "a clock that went back counts as zero";
    EXPECT_EQ(h.count(3), 1u);
    EXPECT_EQ(h.count(4), 1u);
    EXPECT_EQ(h.count(16), 1u);
    EXPECT_EQ(h.sum(), 2'000'001u + 3'600'000'000'000u);
}

TEST(HistogramTotals, adds_up_workers_and_then_routes) {
    Histogram<DurationScale> a, b;
    a.add(1ms);
    b.add(1ms);
    b.add(2s);
    HistogramTotals route, all;
    route.add(a);
    route.add(b);
    all.add(route);
    all.add(route);
    EXPECT_EQ(route.counts[3], 2u);
    EXPECT_EQ(route.count(), 3u);
    EXPECT_EQ(all.count(), 6u);
    EXPECT_DOUBLE_EQ(all.total(), 4.004);
}

TEST(StatusCells, keep_methods_and_statuses_apart) {
    StatusCells cells;
    for (int i = 0; i < 3; ++i) cells.add(0, 200);
    cells.add(7, 200);
    cells.add(0, 404);
    cells.add(0, 200 + StatusCells::kSlots);  // the same slot as (0, 200), one further
    std::map<std::pair<int, int>, std::uint64_t> seen;
    for (const StatusCount& s : cells.read()) seen[{s.method, s.status}] = s.count;
    EXPECT_EQ(seen, (std::map<std::pair<int, int>, std::uint64_t>{
                        {{0, 200}, 3}, {{7, 200}, 1}, {{0, 404}, 1}, {{0, 232}, 1}}));
}

TEST(StatusCells, count_what_finds_no_slot_as_the_rest) {
    StatusCells cells;
    for (int status = 100; status < 1000; ++status) cells.add(1, status);
    auto counts = cells.read();
    ASSERT_THAT(counts, SizeIs(StatusCells::kSlots + 1));
    EXPECT_EQ(counts.back().status, 0);
    EXPECT_EQ(counts.back().count, 900 - StatusCells::kSlots);
}

TEST(ErrorCells, have_room_for_the_whole_error_table) {
    ASSERT_LE(error_table().size(), ErrorCells::kCells);
    ErrorCells cells;
    for (const ErrorRow& row : error_table()) cells.add(row.code);
    for (const ErrorRow& row : error_table()) EXPECT_EQ(cells.count(row.code), 1u) << row.reason;
}

TEST(MetricsRegistry, sums_a_route_over_the_workers) {
    MetricsRegistry metrics(2);
    const RouteLabels users{"users", "/users/{id}", "user-service"};
    metrics.route(0, users).record({.status = 200, .duration = 3ms, .request_bytes = 10});
    metrics.route(1, users).record(
        {.status = 200, .duration = 4ms, .response_bytes = 2'000'000, .upstream = 2ms});
    metrics.route(1, users).record(
        {.method = 2, .status = 502, .duration = 1s, .error = Code::upstream_reset});
    auto routes = metrics.routes();
    ASSERT_THAT(routes, SizeIs(1));
    const RouteTotals& r = routes[0];
    EXPECT_EQ(r.labels, users);
    ASSERT_THAT(r.statuses, SizeIs(2));
    EXPECT_EQ(r.statuses[0].count, 2u);
    EXPECT_EQ(r.statuses[1].method, 2);
    EXPECT_EQ(r.statuses[1].status, 502);
    EXPECT_EQ(r.duration.count(), 3u);
    EXPECT_EQ(r.upstream.count(), 1u);
    EXPECT_EQ(r.request_bytes.sum, 10u);
    EXPECT_EQ(r.response_bytes.counts[5], 1u);
    EXPECT_EQ(r.errors[static_cast<std::size_t>(Code::upstream_reset)], 1u);
}

TEST(MetricsRegistry, gives_the_same_cells_again_after_a_reload) {
    MetricsRegistry metrics(2);
    RouteCells& before = metrics.route(1, {"a", "/a", "s"});
    for (int i = 0; i < 100; ++i) metrics.route(0, {"other route " + std::to_string(i), "/", ""});
    EXPECT_EQ(&metrics.route(1, {"a", "/a", "s"}), &before);
    EXPECT_NE(&metrics.route(0, {"a", "/a", "s"}), &before);
    EXPECT_NE(&metrics.route(1, {"a", "/a", "another service"}), &before);
}

TEST(MetricsRegistry, shares_one_series_when_there_are_too_many) {
    MetricsRegistry metrics(1, 2);
    RouteCells& first = metrics.route(0, {"1", "/1", ""});
    metrics.route(0, {"2", "/2", ""});
    RouteCells& third = metrics.route(0, {"3", "/3", ""});
    EXPECT_EQ(&third, &metrics.route(0, {"4", "/4", ""}));
    EXPECT_EQ(&first, &metrics.route(0, {"1", "/1", ""}));
    auto routes = metrics.routes();
    ASSERT_THAT(routes, SizeIs(3));
    EXPECT_EQ(routes[2].labels, (RouteLabels{"other", "other", ""}));
}

TEST(MetricsRegistry, keeps_each_workers_cells_on_their_own_cache_lines) {
    MetricsRegistry metrics(3);
    for (std::size_t w = 0; w < 3; ++w) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&metrics.worker(w)) % kCacheLine, 0u);
        auto& route = metrics.route(w, {"a", "/a", "s"});
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&route) % kCacheLine, 0u);
    }
}

TEST(MetricsRegistry, may_be_scraped_while_workers_count_and_adopt_routes) {
    constexpr std::uint64_t kRequests = 2000;
    MetricsRegistry metrics(2);
    std::vector<std::thread> workers;
    for (std::size_t w = 0; w < 2; ++w)
        workers.emplace_back([&metrics, w] {
            for (std::uint64_t i = 0; i < kRequests; ++i) {
                RouteCells& cells = metrics.route(w, {"r" + std::to_string(i % 3), "/", "s"});
                cells.record({.status = 200 + static_cast<int>(i % 5), .duration = 1ms});
                metrics.worker(w).requests_active.add(i % 2 ? -1 : 1);
            }
        });
    std::uint64_t last = 0;
    for (int i = 0; i < 50; ++i) {
        std::uint64_t seen = 0;
        for (const RouteTotals& r : metrics.routes()) seen += r.duration.count();
        EXPECT_GE(seen, last);
        last = seen;
    }
    for (std::thread& t : workers) t.join();
    std::uint64_t total = 0;
    for (const RouteTotals& r : metrics.routes())
        for (const StatusCount& s : r.statuses) total += s.count;
    EXPECT_EQ(total, 2 * kRequests);
    EXPECT_EQ(metrics.worker(0).requests_active.value(), 0);
}

}  // namespace
}  // namespace suoke
