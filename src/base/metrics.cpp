// SPDX-License-Identifier: MIT
#include "base/metrics.h"

#include <algorithm>
#include <numeric>

namespace suoke {
namespace {

// Never 0, which means a free slot.
std::uint32_t status_key(std::uint8_t method, int status) {
    return (std::uint32_t{method} + 1) << 16 | static_cast<std::uint16_t>(status);
}

StatusCount from_key(std::uint32_t key, std::uint64_t count) {
    return {static_cast<std::uint8_t>((key >> 16) - 1), static_cast<int>(key & 0xFFFF), count};
}

void merge(std::vector<StatusCount>& into, const std::vector<StatusCount>& from) {
    for (const StatusCount& s : from) {
        auto same = [&](const StatusCount& t) {
            return t.method == s.method && t.status == s.status;
        };
        if (auto it = std::find_if(into.begin(), into.end(), same); it != into.end()) {
            it->count += s.count;
        } else {
            into.push_back(s);
        }
    }
}

RouteTotals sum(const RouteLabels& labels, std::span<const RouteCells> workers) {
    RouteTotals totals{.labels = labels};
    for (const RouteCells& cells : workers) {
        merge(totals.statuses, cells.statuses.read());
        totals.duration.add(cells.duration);
        totals.upstream.add(cells.upstream);
        totals.request_bytes.add(cells.request_bytes);
        totals.response_bytes.add(cells.response_bytes);
        for (const ErrorRow& row : error_table())
            totals.errors[static_cast<std::size_t>(row.code)] += cells.errors.count(row.code);
        for (std::size_t i = 0; i < kGrpcStatuses; ++i) totals.grpc[i] += cells.grpc[i].value();
    }
    std::ranges::sort(totals.statuses, {},
                      [](const StatusCount& s) { return status_key(s.method, s.status); });
    return totals;
}

}  // namespace

void HistogramTotals::add(const HistogramTotals& other) {
    bounds = other.bounds;
    per_unit = other.per_unit;
    counts.resize(std::max(counts.size(), other.counts.size()));
    for (std::size_t i = 0; i < other.counts.size(); ++i) counts[i] += other.counts[i];
    sum += other.sum;
}

std::uint64_t HistogramTotals::count() const {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

void StatusCells::add(std::uint8_t method, int status) {
    const std::uint32_t key = status_key(method, status);
    std::size_t at = static_cast<std::size_t>(status) + std::size_t{method} * 7;  // spread methods
    for (std::size_t tries = 0; tries < kSlots; ++tries, ++at) {
        Slot& slot = slots_[at % kSlots];
        std::uint32_t found = slot.key.load(std::memory_order_relaxed);
        if (found == 0) slot.key.store(key, std::memory_order_relaxed);
        if (found == 0 || found == key) return slot.count.add();
    }
    rest_.add();
}

std::vector<StatusCount> StatusCells::read() const {
    std::vector<StatusCount> out;
    for (const Slot& slot : slots_) {
        std::uint32_t key = slot.key.load(std::memory_order_relaxed);
        if (key != 0) out.push_back(from_key(key, slot.count.value()));
    }
    if (rest_.value() > 0) out.push_back({.count = rest_.value()});
    return out;
}

void RouteCells::record(const RouteSample& sample) {
    statuses.add(sample.method, sample.status);
    duration.add(sample.duration);
    request_bytes.add(sample.request_bytes);
    response_bytes.add(sample.response_bytes);
    if (sample.upstream) upstream.add(*sample.upstream);
    if (sample.error) errors.add(*sample.error);
    if (sample.grpc_status) grpc[static_cast<std::size_t>(*sample.grpc_status) % kGrpcStatuses].add();
}

MetricsRegistry::MetricsRegistry(std::size_t workers, std::size_t max_routes)
    : workers_(workers), max_routes_(max_routes), cells_(std::make_unique<WorkerCells[]>(workers)) {
    CHECK(workers > 0);
    CHECK(error_table().size() <= ErrorCells::kCells);
}

WorkerCells& MetricsRegistry::worker(std::size_t index) {
    CHECK(index < workers_);
    return cells_[index];
}

RouteCells& MetricsRegistry::route(std::size_t worker, const RouteLabels& labels) {
    CHECK(worker < workers_);
    static const RouteLabels kOther{"other", "other", ""};
    std::lock_guard lock(mutex_);
    auto it = routes_.find(labels);
    if (it == routes_.end())
        it = routes_.try_emplace(routes_.size() < max_routes_ ? labels : kOther).first;
    if (!it->second) it->second = std::make_unique<RouteCells[]>(workers_);
    return it->second[worker];
}

LimitCells& MetricsRegistry::limit(std::size_t worker, const std::string& policy) {
    CHECK(worker < workers_);
    std::lock_guard lock(mutex_);
    auto it = limits_.find(policy);
    if (it == limits_.end()) it = limits_.try_emplace(limits_.size() < max_routes_ ? policy : "other").first;
    if (!it->second) it->second = std::make_unique<LimitCells[]>(workers_);
    return it->second[worker];
}

std::vector<LimitTotals> MetricsRegistry::limits() const {
    std::vector<LimitTotals> out;
    std::lock_guard lock(mutex_);
    for (const auto& [policy, cells] : limits_) {
        LimitTotals& totals = out.emplace_back(LimitTotals{.policy = policy});
        for (std::size_t i = 0; i < workers_; ++i) {
            totals.granted += cells[i].granted.value();
            totals.refused += cells[i].refused.value();
        }
    }
    return out;
}

SharedCount& MetricsRegistry::open_tunnels(const std::string& route) {
    std::lock_guard lock(mutex_);
    return tunnels_[route];
}

std::map<std::string, std::uint64_t> MetricsRegistry::open_tunnels() const {
    std::map<std::string, std::uint64_t> out;
    std::lock_guard lock(mutex_);
    for (const auto& [route, count] : tunnels_)
        if (!route.empty()) out[route] = count.value();
    return out;
}

std::vector<RouteTotals> MetricsRegistry::routes() const {
    std::vector<RouteTotals> out;
    std::lock_guard lock(mutex_);
    out.reserve(routes_.size());
    for (const auto& [labels, cells] : routes_) out.push_back(sum(labels, {cells.get(), workers_}));
    return out;
}

}  // namespace suoke
