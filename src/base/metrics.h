// SPDX-License-Identifier: MIT
#pragma once
// Metric cells: written by the one worker that owns them, read by any thread at a scrape, without
// locks. A reader may see a request counted in one cell and not yet in the next; nothing more.
//   MetricsRegistry metrics(workers);
//   RouteCells& cells = metrics.route(worker, {"users", "/users/{id}", "user-service"});  // once
//   cells.record({.method = 0, .status = 200, .duration = 3ms});                 // every request
// Cells belong to the process, not to a configuration: a reload finds the counts where it left
// them.

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace suoke {

constexpr std::size_t kCacheLine = 64;

// Only ever grows. One writer, so a plain load and store do (2 ns; a locked add took 6).
class Counter {
 public:
    void add(std::uint64_t n = 1) { value_.store(value() + n, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
    std::atomic<std::uint64_t> value_{0};
};

// Goes up and down. One writer; summed over the workers it may be read half-way.
class Gauge {
 public:
    void set(std::int64_t n) { value_.store(n, std::memory_order_relaxed); }
    void add(std::int64_t n) { set(value() + n); }
    std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
    std::atomic<std::int64_t> value_{0};
};

// What a histogram counts: upper bounds, inclusive, in whole steps, and how many steps make one of
// the unit shown. Neighbours are at least a factor of two apart; bucket_of() lives from that.
struct DurationScale {
    static constexpr double kPerUnit = 1e9;  // nanoseconds, shown in seconds
    static constexpr std::array<std::uint64_t, 16> kBounds = {
        100'000,       250'000,       500'000,       1'000'000,     2'500'000,   5'000'000,
        10'000'000,    25'000'000,    50'000'000,    100'000'000,   250'000'000, 500'000'000,
        1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000};
};
struct SizeScale {
    static constexpr double kPerUnit = 1;  // bytes
    static constexpr std::array<std::uint64_t, 6> kBounds = {100,     1'000,     10'000,
                                                             100'000, 1'000'000, 10'000'000};
};

template <class Scale>
class Histogram {
 public:
    static constexpr std::size_t kBuckets = Scale::kBounds.size() + 1;  // the last one: above all

    // The first bucket whose bound is not below `value`. Between two powers of two lies at most one
    // bound, so a table of bit widths and one comparison find it (2 ns, a search took 9).
    static constexpr std::size_t bucket_of(std::uint64_t value) {
        std::size_t first = kFirst[static_cast<std::size_t>(std::bit_width(value))];
        return first < Scale::kBounds.size() && value > Scale::kBounds[first] ? first + 1 : first;
    }

    void add(std::uint64_t value) {
        counts_[bucket_of(value)].add();
        sum_.add(value);
    }
    void add(Duration d) { add(static_cast<std::uint64_t>(d < d.zero() ? 0 : d.count())); }

    std::uint64_t count(std::size_t bucket) const { return counts_[bucket].value(); }
    std::uint64_t sum() const { return sum_.value(); }

 private:
    // For each bit width w the first bound >= 2^(w-1), the smallest value that wide.
    static constexpr std::array<std::uint8_t, 65> kFirst = [] {
        std::array<std::uint8_t, 65> first{};
        for (std::size_t w = 1; w <= 64; ++w) {
            std::uint8_t i = 0;
            while (i < Scale::kBounds.size() && Scale::kBounds[i] < std::uint64_t{1} << (w - 1))
                ++i;
            first[w] = i;
        }
        return first;
    }();
    static_assert([] {
        for (std::size_t i = 1; i < Scale::kBounds.size(); ++i)
            if (Scale::kBounds[i] < 2 * Scale::kBounds[i - 1]) return false;
        return true;
    }());

    std::array<Counter, kBuckets> counts_{};
    Counter sum_;
};

// The same, added up over workers: plain values.
struct HistogramTotals {
    std::span<const std::uint64_t> bounds;
    double per_unit = 1;
    std::vector<std::uint64_t> counts;  // one more than bounds
    std::uint64_t sum = 0;              // in steps

    template <class Scale>
    void add(const Histogram<Scale>& h) {
        bounds = Scale::kBounds;
        per_unit = Scale::kPerUnit;
        counts.resize(h.kBuckets);
        for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += h.count(i);
        sum += h.sum();
    }
    void add(const HistogramTotals& other);
    std::uint64_t count() const;
    double total() const { return static_cast<double>(sum) / per_unit; }  // in the unit shown
};

// Answers by method and exact status. A fixed table, so a hostile upstream that invents statuses
// takes no memory: what finds no slot is counted as the rest.
struct StatusCount {
    std::uint8_t method = 0;
    int status = 0;  // 0: the rest, of any method
    std::uint64_t count = 0;
};

class StatusCells {
 public:
    static constexpr std::size_t kSlots = 32;
    void add(std::uint8_t method, int status);
    std::vector<StatusCount> read() const;

 private:
    struct Slot {
        std::atomic<std::uint32_t> key{0};  // 0: free; written once, before the first count
        Counter count;
    };
    std::array<Slot, kSlots> slots_{};
    Counter rest_;
};

// One counter for each row of the error table.
class ErrorCells {
 public:
    static constexpr std::size_t kCells = 64;  // room for the table to grow
    void add(Code code) { counts_[static_cast<std::size_t>(code) % kCells].add(); }
    std::uint64_t count(Code code) const {
        return counts_[static_cast<std::size_t>(code) % kCells].value();
    }

 private:
    std::array<Counter, kCells> counts_{};
};

// Answers by gRPC status, 0 to 16.
constexpr std::size_t kGrpcStatuses = 17;

// What one finished exchange adds to its route.
struct RouteSample {
    std::uint8_t method = 0;  // whoever shows the cells knows its name (http::Method)
    int status = 0;
    Duration duration{};
    std::uint64_t request_bytes = 0;
    std::uint64_t response_bytes = 0;
    std::optional<Duration> upstream;  // nothing when no upstream was asked
    std::optional<Code> error;
    std::optional<int> grpc_status;
};

struct alignas(kCacheLine) RouteCells {
    StatusCells statuses;
    Histogram<DurationScale> duration;
    Histogram<DurationScale> upstream;
    Histogram<SizeScale> request_bytes;
    Histogram<SizeScale> response_bytes;
    ErrorCells errors;
    std::array<Counter, kGrpcStatuses> grpc;

    void record(const RouteSample& sample);
};

// What became of the TLS handshakes with clients.
enum class Handshake : std::uint8_t { full_12, resumed_12, full_13, resumed_13, failed, timed_out };
// How WebSockets ended: by whose Close, with which code. Codes beyond the registered ones share a cell.
class CloseCells {
 public:
    enum By : std::uint8_t { client, upstream, gateway };
    static constexpr std::uint16_t kFirst = 1000;
    static constexpr std::size_t kCodes = 16, kOther = kCodes;  // 1000 to 1015
    void add(By by, std::uint16_t code) {
        std::size_t at = code >= kFirst && code < kFirst + kCodes ? code - std::size_t{kFirst} : kOther;
        counts_[by][at].add();
    }
    std::uint64_t count(By by, std::size_t cell) const { return counts_[by][cell].value(); }

 private:
    std::array<std::array<Counter, kCodes + 1>, 3> counts_{};
};

// WebSockets of a worker. Of pairs, the first is what clients sent, the second what upstreams sent.
struct TunnelCells {
    Counter opened;
    std::array<Counter, 2> messages;
    std::array<Counter, 2> bytes;
    CloseCells closes;
};

// What a limit (by its name) let through, and what it refused.
struct alignas(kCacheLine) LimitCells {
    Counter granted;
    Counter refused;
};

struct LimitTotals {
    std::string policy;
    std::uint64_t granted = 0, refused = 0;
};

// How many of something the workers have together. A limit on it is exact, so it takes a locked
// instruction: for what is opened and closed, not for every request.
class SharedCount {
 public:
    // One of them; counted until it is destroyed.
    class Ticket {
     public:
        Ticket() = default;
        explicit Ticket(SharedCount& count) : count_(&count) {}
        Ticket(Ticket&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
        Ticket& operator=(Ticket&& other) noexcept {
            std::swap(count_, other.count_);
            return *this;
        }
        ~Ticket() {
            if (count_) count_->value_.fetch_sub(1, std::memory_order_relaxed);
        }

     private:
        SharedCount* count_ = nullptr;
    };
    // Nothing when there are `most` already; 0: any number.
    std::optional<Ticket> take(std::uint64_t most) {
        std::uint64_t before = value_.fetch_add(1, std::memory_order_relaxed);
        Ticket ticket(*this);
        if (most > 0 && before >= most) return std::nullopt;
        return ticket;
    }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
    std::atomic<std::uint64_t> value_{0};
};

// How the response cache answered. A stale answer was served as it was; a bypass never looked.
enum class CacheResult : std::uint8_t { hit, stale, miss, bypass };
constexpr std::size_t kCacheResults = 4;

// What is stored, all workers together; changed by whoever stores or throws out.
struct CacheCells {
    std::atomic<std::int64_t> bytes{0}, entries{0};
    std::atomic<std::uint64_t> evictions{0};
    std::atomic<std::uint64_t> refused{0};   // there was no room
    // Of what gateways share behind it: how asking ended, and what was written. Errors are what was away, slow or garbage.
    std::atomic<std::uint64_t> second_hits{0}, second_misses{0}, second_errors{0}, second_writes{0};
};

struct alignas(kCacheLine) WorkerCells {
    Counter connections_accepted;
    Counter connections_refused;  // over a limit
    Gauge connections_open;
    Counter accept_pauses;  // times the listener stopped taking connections
    std::array<Counter, 6> handshakes;  // by Handshake
    Gauge handshakes_active;
    Gauge requests_active;
    Counter upstream_opened;
    Counter upstream_reused;
    Gauge upstream_open;  // busy and idle
    Gauge upstream_idle;
    Counter retries;
    Gauge sse_open;  // event streams
    Counter sse_events;
    Counter sse_bytes;
    Histogram<DurationScale> sse_first_event;  // from the request to the end of the first event
    Gauge buffer_bytes;
    Histogram<DurationScale> loop_lag;  // how late the loop comes round to what is due
    TunnelCells tunnels;
    std::array<Counter, kCacheResults> cache;  // by CacheResult
    ErrorCells refusals;                // requests that never became an exchange (malformed ...)
};

// What a route's series are called. Two routes may share a path (other hosts), never all three.
struct RouteLabels {
    std::string name;
    std::string path;     // the template, never what a client sent
    std::string service;  // empty when the gateway answers itself
    friend auto operator<=>(const RouteLabels&, const RouteLabels&) = default;
};

struct RouteTotals {
    RouteLabels labels;
    std::vector<StatusCount> statuses;  // sorted by method and status
    HistogramTotals duration, upstream, request_bytes, response_bytes;
    std::array<std::uint64_t, ErrorCells::kCells> errors{};
    std::array<std::uint64_t, kGrpcStatuses> grpc{};
};

// Owns every cell; references stay valid as long as the registry.
class MetricsRegistry {
 public:
    explicit MetricsRegistry(std::size_t workers, std::size_t max_routes = 1024);

    std::size_t workers() const { return workers_; }
    WorkerCells& worker(std::size_t index);
    std::span<const WorkerCells> worker_cells() const { return {cells_.get(), workers_}; }

    // Gets or makes; takes a lock, so ask when a configuration is adopted, not for each request.
    // When max_routes exist, every further one shares the series {"other", "other", ""}.
    RouteCells& route(std::size_t worker, const RouteLabels& labels);

    // WebSockets open on a route, over all workers; "" stands for the whole process. As lasting as the
    // cells, so that a limit holds across a reload. Takes a lock.
    SharedCount& open_tunnels(const std::string& route);
    std::map<std::string, std::uint64_t> open_tunnels() const;  // of the routes

    CacheCells& cache() { return cache_; }
    const CacheCells& cache() const { return cache_; }

    // Gets or makes, as route(). Of limits beyond max_routes the series is "other".
    LimitCells& limit(std::size_t worker, const std::string& policy);
    std::vector<LimitTotals> limits() const;  // summed over the workers, by name

    std::vector<RouteTotals> routes() const;  // summed over the workers, in label order

 private:
    const std::size_t workers_;
    const std::size_t max_routes_;
    std::unique_ptr<WorkerCells[]> cells_;
    CacheCells cache_;
    mutable std::mutex mutex_;
    std::map<RouteLabels, std::unique_ptr<RouteCells[]>> routes_;  // an array over the workers
    std::map<std::string, SharedCount> tunnels_;
    std::map<std::string, std::unique_ptr<LimitCells[]>> limits_;  // an array over the workers
};

}  // namespace suoke
