// SPDX-License-Identifier: MIT
#include "endpoints/prometheus.h"

#include <fmt/format.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <string_view>

#include "http/message.h"

namespace suoke::endpoints {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;
using Routes = std::vector<RouteTotals>;

// In the order of http::Method, whose number the cells hold. A method nobody knows is "other", so
// clients cannot invent series.
constexpr const char* kMethods[] = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                    "CONNECT", "OPTIONS", "TRACE", "PATCH", "other"};
static_assert(std::size(kMethods) == static_cast<std::size_t>(http::Method::other) + 1);

std::string method_label(const StatusCount& s) {
    return s.status == 0 || s.method >= std::size(kMethods) ? "other" : kMethods[s.method];
}
std::string status_label(const StatusCount& s) {
    return s.status == 0 ? "other" : fmt::format_int(s.status).str();
}

// ---- from the routes -------------------------------------------------------------------------

// Several routes may fall on the same labels of a coarser view; they are added up.
enum class Of : std::uint8_t { every_route, routes_with_a_service };

bool shown(Of which, const RouteTotals& r) {
    return which == Of::every_route || !r.labels.service.empty();
}

struct RequestView {
    const char* name;
    const char* help;
    Of which;
    Labels (*labels)(const RouteTotals&, const StatusCount&);
};

Labels by_service_method_status(const RouteTotals& r, const StatusCount& s) {
    return {{"service", r.labels.service},
            {"method", method_label(s)},
            {"status_code", status_label(s)}};
}

constexpr RequestView kRequestViews[] = {
    {"suoke_gateway_requests_total", "Requests answered, by route.", Of::every_route,
     [](const RouteTotals& r, const StatusCount& s) -> Labels {
         return {{"method", method_label(s)},
                 {"path", r.labels.path},
                 {"route", r.labels.name},
                 {"status_code", status_label(s)}};
     }},
    {"suoke_gateway_service_requests_total", "Requests answered, by the service they were for.",
     Of::routes_with_a_service, by_service_method_status},
    {"gateway_requests_total", "As suoke_gateway_requests_total; for old dashboards.",
     Of::every_route,
     [](const RouteTotals& r, const StatusCount& s) -> Labels {
         return {{"method", method_label(s)},
                 {"endpoint", r.labels.path},
                 {"status_code", status_label(s)}};
     }},
    {"gateway_backend_requests_total",
     "As suoke_gateway_service_requests_total; for old dashboards.", Of::routes_with_a_service,
     by_service_method_status},
    {"api_gateway_requests_total", "As suoke_gateway_service_requests_total; for old dashboards.",
     Of::routes_with_a_service,
     [](const RouteTotals& r, const StatusCount& s) -> Labels {
         return {{"service", r.labels.service}, {"status", status_label(s)}};
     }},
    {"http_requests_total", "All requests answered; for old alert rules.", Of::every_route,
     [](const RouteTotals&, const StatusCount& s) -> Labels {
         return {{"status", status_label(s)}};
     }},
};

struct HistogramView {
    const char* name;
    const char* help;
    Of which;
    HistogramTotals RouteTotals::*cells;
    Labels (*labels)(const RouteTotals&);
};

Labels by_route(const RouteTotals& r) {
    return {{"path", r.labels.path}, {"route", r.labels.name}};
}
Labels by_endpoint(const RouteTotals& r) {
    return {{"endpoint", r.labels.path}};
}
Labels by_service(const RouteTotals& r) {
    return {{"service", r.labels.service}};
}
Labels together(const RouteTotals&) {
    return {};
}

constexpr HistogramView kHistogramViews[] = {
    {"suoke_gateway_request_duration_seconds",
     "From the request's head to the last byte of the answer.", Of::every_route,
     &RouteTotals::duration, by_route},
    {"suoke_gateway_request_size_bytes", "Request bodies.", Of::every_route,
     &RouteTotals::request_bytes, by_route},
    {"suoke_gateway_response_size_bytes", "Response bodies.", Of::every_route,
     &RouteTotals::response_bytes, by_route},
    {"suoke_gateway_service_duration_seconds",
     "From the first attempt to the end of the upstream's answer.", Of::routes_with_a_service,
     &RouteTotals::upstream, by_service},
    {"gateway_request_duration_seconds",
     "As suoke_gateway_request_duration_seconds; for old dashboards.", Of::every_route,
     &RouteTotals::duration, by_endpoint},
    {"gateway_request_size_bytes", "As suoke_gateway_request_size_bytes; for old dashboards.",
     Of::every_route, &RouteTotals::request_bytes, by_endpoint},
    {"gateway_response_size_bytes", "As suoke_gateway_response_size_bytes; for old dashboards.",
     Of::every_route, &RouteTotals::response_bytes, by_endpoint},
    {"gateway_backend_request_duration_seconds",
     "As suoke_gateway_service_duration_seconds; for old dashboards.", Of::routes_with_a_service,
     &RouteTotals::upstream, by_service},
    {"http_request_duration_seconds", "All requests; for old alert rules.", Of::every_route,
     &RouteTotals::duration, together},
    {"upstream_request_duration_seconds", "All forwarded requests; for old alert rules.",
     Of::routes_with_a_service, &RouteTotals::upstream, together},
};

ClientMetric counter(Labels labels, double value) {
    ClientMetric metric{.label = std::move(labels)};
    metric.counter.value = value;
    return metric;
}

ClientMetric gauge(Labels labels, double value) {
    ClientMetric metric{.label = std::move(labels)};
    metric.gauge.value = value;
    return metric;
}

ClientMetric histogram(Labels labels, const HistogramTotals& totals) {
    ClientMetric metric{.label = std::move(labels)};
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < totals.bounds.size(); ++i) {
        cumulative += totals.counts[i];
        double bound = static_cast<double>(totals.bounds[i]) / totals.per_unit;
        metric.histogram.bucket.push_back({cumulative, bound});
    }
    metric.histogram.sample_count = totals.count();
    metric.histogram.sample_sum = totals.total();
    return metric;
}

MetricFamily family(const char* name, const char* help, MetricType type) {
    return {name, help, type, {}};
}

MetricFamily counters(const char* name, const char* help, const std::map<Labels, double>& values) {
    MetricFamily out = family(name, help, MetricType::Counter);
    for (const auto& [labels, value] : values) out.metric.push_back(counter(labels, value));
    return out;
}

MetricFamily requests(const RequestView& view, const Routes& routes) {
    std::map<Labels, double> values;
    for (const RouteTotals& r : routes)
        for (const StatusCount& s : r.statuses)
            if (shown(view.which, r)) values[view.labels(r, s)] += static_cast<double>(s.count);
    return counters(view.name, view.help, values);
}

MetricFamily histograms(const HistogramView& view, const Routes& routes) {
    std::map<Labels, HistogramTotals> values;
    for (const RouteTotals& r : routes)
        if (shown(view.which, r)) values[view.labels(r)].add(r.*view.cells);
    MetricFamily out = family(view.name, view.help, MetricType::Histogram);
    for (const auto& [labels, totals] : values) out.metric.push_back(histogram(labels, totals));
    return out;
}

// The shipped dashboard divides this by api_gateway_requests_total, so it is a counter of seconds.
MetricFamily latency_sum(const Routes& routes) {
    std::map<Labels, double> values;
    for (const RouteTotals& r : routes)
        if (shown(Of::routes_with_a_service, r)) values[by_service(r)] += r.duration.total();
    return counters("api_gateway_request_latency_seconds",
                    "Time spent on requests, summed; for old dashboards.", values);
}

MetricFamily grpc_answers(const Routes& routes) {
    std::map<Labels, double> values;
    for (const RouteTotals& r : routes)
        for (std::size_t status = 0; status < kGrpcStatuses; ++status)
            if (r.grpc[status] > 0)
                values[{{"grpc_status", std::to_string(status)},
                        {"path", r.labels.path},
                        {"route", r.labels.name}}] += static_cast<double>(r.grpc[status]);
    return counters("suoke_gateway_grpc_requests_total", "gRPC calls, by the status they ended with.",
                    values);
}

MetricFamily errors(const Routes& routes, std::span<const WorkerCells> workers) {
    std::map<Labels, double> values;
    auto add = [&](Code code, const std::string& path, const std::string& route, std::uint64_t n) {
        if (n == 0) return;
        values[{{"error_type", std::string(row(code).reason)}, {"path", path}, {"route", route}}] +=
            static_cast<double>(n);
    };
    for (const ErrorRow& error : error_table()) {
        for (const RouteTotals& r : routes)
            add(error.code, r.labels.path, r.labels.name,
                r.errors[static_cast<std::size_t>(error.code)]);
        for (const WorkerCells& w : workers) add(error.code, "", "", w.refusals.count(error.code));
    }
    return counters("suoke_gateway_errors_total",
                    "Requests the gateway itself answered with an error; without a path: refused "
                    "before they became a request.",
                    values);
}

// ---- from the workers ------------------------------------------------------------------------

struct WorkerCounter {
    const char* name;
    const char* help;
    Counter WorkerCells::*cell;
};

constexpr WorkerCounter kWorkerCounters[] = {
    {"suoke_gateway_connections_accepted_total", "Client connections accepted.",
     &WorkerCells::connections_accepted},
    {"suoke_gateway_connections_refused_total", "Client connections closed at once: over a limit.",
     &WorkerCells::connections_refused},
    {"suoke_gateway_accept_pauses_total", "Times the listener stopped taking connections.",
     &WorkerCells::accept_pauses},
    {"suoke_gateway_upstream_connections_opened_total", "Upstream connections opened.",
     &WorkerCells::upstream_opened},
    {"suoke_gateway_upstream_connections_reused_total", "Requests sent on a kept connection.",
     &WorkerCells::upstream_reused},
    {"suoke_gateway_retries_total", "Attempts after the first.", &WorkerCells::retries},
    {"suoke_gateway_sse_events_total", "Server-sent events passed on.", &WorkerCells::sse_events},
    {"suoke_gateway_sse_bytes_total", "Bytes of event streams passed on.", &WorkerCells::sse_bytes},
};

struct WorkerGauge {
    const char* name;
    const char* help;
    Gauge WorkerCells::*cell;
};

constexpr WorkerGauge kWorkerGauges[] = {
    {"suoke_gateway_active_connections", "Client connections open.",
     &WorkerCells::connections_open},
    {"gateway_active_connections", "As suoke_gateway_active_connections; for old dashboards.",
     &WorkerCells::connections_open},
    {"suoke_gateway_tls_handshakes_active", "TLS handshakes under way.",
     &WorkerCells::handshakes_active},
    {"suoke_gateway_active_requests", "Requests being answered.", &WorkerCells::requests_active},
    {"suoke_gateway_upstream_connections_open", "Upstream connections, busy and idle.",
     &WorkerCells::upstream_open},
    {"suoke_gateway_upstream_connections_idle", "Upstream connections kept for the next request.",
     &WorkerCells::upstream_idle},
    {"suoke_gateway_buffer_bytes", "Bytes held in buffers.", &WorkerCells::buffer_bytes},
    {"suoke_gateway_sse_streams", "Event streams open.", &WorkerCells::sse_open},
};

template <class Cell>
double total(std::span<const WorkerCells> workers, Cell WorkerCells::*cell) {
    double sum = 0;
    for (const WorkerCells& w : workers) sum += static_cast<double>((w.*cell).value());
    return sum;
}

MetricFamily one(const char* name, const char* help, MetricType type, double value) {
    MetricFamily out = family(name, help, type);
    out.metric.push_back(type == MetricType::Counter ? counter({}, value) : gauge({}, value));
    return out;
}

// ---- limits of clients

void add_limits(std::vector<MetricFamily>& page, const std::vector<LimitTotals>& limits, std::uint64_t evictions) {
    std::map<Labels, double> hits, decisions, old;
    double refused = 0;
    for (const LimitTotals& each : limits) {
        auto yes = static_cast<double>(each.granted), no = static_cast<double>(each.refused);
        hits[{{"policy", each.policy}}] = no;
        decisions[{{"decision", "allowed"}, {"policy", each.policy}}] = yes;
        decisions[{{"decision", "limited"}, {"policy", each.policy}}] = no;
        old[{{"result", "allowed"}}] += yes;
        old[{{"result", "limited"}}] += no;
        refused += no;
    }
    page.push_back(counters("suoke_gateway_rate_limit_hits_total", "Requests refused by a limit.", hits));
    page.push_back(counters("suoke_gateway_rate_limit_decisions_total", "What each limit decided; a request may meet several.", decisions));
    page.push_back(counters("gateway_rate_limit_total", "As suoke_gateway_rate_limit_decisions_total; for old dashboards.", old));
    page.push_back(one("rate_limit_exceeded_total", "All requests refused by limits; for old alert rules.", MetricType::Counter, refused));
    page.push_back(one("suoke_gateway_rate_limit_evictions_total", "Clients that limits forgot early, because more than rate_limit.max_keys came.",
                       MetricType::Counter, static_cast<double>(evictions)));
}

// ---- the response cache

void add_cache(std::vector<MetricFamily>& page, const MetricsRegistry& metrics) {
    std::array<double, kCacheResults> counts{};
    for (const WorkerCells& w : metrics.worker_cells())
        for (std::size_t i = 0; i < kCacheResults; ++i) counts[i] += static_cast<double>(w.cache[i].value());
    auto of = [&](CacheResult result) { return counts[static_cast<std::size_t>(result)]; };
    double hits = of(CacheResult::hit) + of(CacheResult::stale), misses = of(CacheResult::miss), asked = hits + misses;
    const Labels memory = {{"cache_type", "memory"}};
    const CacheCells& cells = metrics.cache();
    auto load = [](const auto& cell) { return static_cast<double>(cell.load(std::memory_order_relaxed)); };
    page.push_back(counters("suoke_gateway_cache_hits_total", "Requests answered from the response cache.", {{memory, hits}}));
    page.push_back(counters("suoke_gateway_cache_misses_total", "Requests it had no answer for, or that had to be validated.", {{memory, misses}}));
    page.push_back(one("suoke_gateway_cache_stale_total", "Answers served though they were stale; hits as well.", MetricType::Counter, of(CacheResult::stale)));
    page.push_back(one("suoke_gateway_cache_bypasses_total", "Requests it did not look at.", MetricType::Counter, of(CacheResult::bypass)));
    page.push_back(one("suoke_gateway_cache_bytes", "Memory that stored answers take.", MetricType::Gauge, load(cells.bytes)));
    page.push_back(one("suoke_gateway_cache_entries", "Answers that are stored.", MetricType::Gauge, load(cells.entries)));
    page.push_back(one("suoke_gateway_cache_evictions_total", "Answers that had to make room.", MetricType::Counter, load(cells.evictions)));
    page.push_back(one("suoke_gateway_cache_refused_total", "Answers there was no room for.", MetricType::Counter, load(cells.refused)));
    page.push_back(one("suoke_gateway_cache_redis_hits_total", "Answers that memory did not have and Redis did.", MetricType::Counter, load(cells.second_hits)));
    page.push_back(one("suoke_gateway_cache_redis_misses_total", "Answers that Redis did not have either.", MetricType::Counter, load(cells.second_misses)));
    page.push_back(one("suoke_gateway_cache_redis_errors_total", "Times that Redis was away or too slow, or had something else there.", MetricType::Counter, load(cells.second_errors)));
    page.push_back(one("suoke_gateway_cache_redis_writes_total", "Answers that were written to Redis.", MetricType::Counter, load(cells.second_writes)));
    std::map<Labels, double> operations = {{{{"operation", "get"}, {"result", "hit"}}, hits}, {{{"operation", "get"}, {"result", "miss"}}, misses}};
    page.push_back(counters("gateway_cache_operations_total", "As suoke_gateway_cache_hits_total and its misses; for old dashboards.", operations));
    page.push_back(one("gateway_cache_hit_ratio", "Of all requests so far; for old dashboards.", MetricType::Gauge, asked > 0 ? hits / asked : 0));
    page.push_back(one("cache_hits_total", "As suoke_gateway_cache_hits_total; for old alert rules.", MetricType::Counter, hits));
    page.push_back(one("cache_misses_total", "As suoke_gateway_cache_misses_total; for old alert rules.", MetricType::Counter, misses));
}

// ---- WebSockets

constexpr const char* kSides[] = {"client", "upstream", "gateway"};  // as TunnelCells and CloseCells count

MetricFamily by_direction(const char* name, const char* help, std::span<const WorkerCells> workers,
                          std::array<Counter, 2> TunnelCells::*cells) {
    std::map<Labels, double> values;
    for (const WorkerCells& w : workers)
        for (std::size_t from : {0, 1})
            values[{{"from", kSides[from]}}] += static_cast<double>((w.tunnels.*cells)[from].value());
    return counters(name, help, values);
}

MetricFamily closes(std::span<const WorkerCells> workers) {
    std::map<Labels, double> values;
    for (const WorkerCells& w : workers) {
        for (auto by : {CloseCells::client, CloseCells::upstream, CloseCells::gateway}) {
            for (std::size_t cell = 0; cell <= CloseCells::kOther; ++cell) {
                std::uint64_t n = w.tunnels.closes.count(by, cell);
                std::string code = cell == CloseCells::kOther ? "other" : std::to_string(CloseCells::kFirst + cell);
                if (n > 0) values[{{"by", kSides[by]}, {"code", code}}] += static_cast<double>(n);
            }
        }
    }
    return counters("suoke_gateway_websocket_closes_total",
                    "WebSockets ended, by whose Close and its code; 1006: without one.", values);
}

void add_tunnels(std::vector<MetricFamily>& page, const MetricsRegistry& metrics) {
    std::span<const WorkerCells> workers = metrics.worker_cells();
    MetricFamily open = family("suoke_gateway_websocket_open", "WebSockets open, by route.", MetricType::Gauge);
    for (const auto& [route, count] : metrics.open_tunnels())
        open.metric.push_back(gauge({{"route", route}}, static_cast<double>(count)));
    page.push_back(std::move(open));
    std::uint64_t opened = 0;
    for (const WorkerCells& w : workers) opened += w.tunnels.opened.value();
    page.push_back(one("suoke_gateway_websocket_opened_total", "WebSockets opened.", MetricType::Counter,
                       static_cast<double>(opened)));
    page.push_back(by_direction("suoke_gateway_websocket_messages_total", "Messages, by who sent them.", workers,
                                &TunnelCells::messages));
    page.push_back(by_direction("suoke_gateway_websocket_bytes_total", "Bytes of frames, by who sent them.", workers,
                                &TunnelCells::bytes));
    page.push_back(closes(workers));
}

// By worker, because one that lags while the others do not is what an operator looks for.
MetricFamily loop_lag(std::span<const WorkerCells> workers) {
    MetricFamily out =
        family("suoke_gateway_loop_lag_seconds", "How late a worker came round to what was due.",
               MetricType::Histogram);
    for (std::size_t i = 0; i < workers.size(); ++i) {
        HistogramTotals totals;
        totals.add(workers[i].loop_lag);
        out.metric.push_back(histogram({{"worker", std::to_string(i)}}, totals));
    }
    return out;
}

MetricFamily first_events(std::span<const WorkerCells> workers) {
    MetricFamily out = family("suoke_gateway_sse_first_event_seconds",
                              "From the request to the end of the first server-sent event.",
                              MetricType::Histogram);
    HistogramTotals totals;
    for (const WorkerCells& w : workers) totals.add(w.sse_first_event);
    out.metric.push_back(histogram({}, totals));
    return out;
}

struct HandshakeRow {
    Handshake cell;
    const char* result;
    const char* version;
    const char* resumed;
};

constexpr HandshakeRow kHandshakes[] = {
    {Handshake::full_12, "done", "1.2", "no"},    {Handshake::resumed_12, "done", "1.2", "yes"},
    {Handshake::full_13, "done", "1.3", "no"},    {Handshake::resumed_13, "done", "1.3", "yes"},
    {Handshake::failed, "failed", "", ""},        {Handshake::timed_out, "timed_out", "", ""},
};

MetricFamily handshakes(std::span<const WorkerCells> workers) {
    MetricFamily out = family("suoke_gateway_tls_handshakes_total", "TLS handshakes with clients.",
                              MetricType::Counter);
    for (const HandshakeRow& row : kHandshakes) {
        double sum = 0;
        for (const WorkerCells& w : workers)
            sum += static_cast<double>(w.handshakes[static_cast<std::size_t>(row.cell)].value());
        out.metric.push_back(counter(
            {{"result", row.result}, {"resumed", row.resumed}, {"version", row.version}}, sum));
    }
    return out;
}

// ---- from the process ------------------------------------------------------------------------

double unix_seconds(WallTime t) {
    return seconds(t.time_since_epoch());
}

MetricFamily info(const ProcessFacts& facts) {
    MetricFamily out =
        family("suoke_gateway_info", "The build that runs; always 1.", MetricType::Gauge);
    out.metric.push_back(
        gauge({{"environment", facts.environment}, {"version", facts.version}}, 1));
    return out;
}

MetricFamily service_health(const ProcessFacts& facts) {
    MetricFamily out = family("suoke_gateway_service_health",
                              "1 while a service has a healthy endpoint.", MetricType::Gauge);
    for (const ServiceHealth& s : facts.services)
        out.metric.push_back(gauge({{"service", s.name}}, s.healthy_endpoints > 0));
    return out;
}

MetricFamily healthy_endpoints(const ProcessFacts& facts) {
    MetricFamily out = family("suoke_gateway_service_endpoints",
                              "Endpoints of a service, by state.", MetricType::Gauge);
    for (const ServiceHealth& s : facts.services) {
        out.metric.push_back(
            gauge({{"service", s.name}, {"state", "healthy"}}, s.healthy_endpoints));
        out.metric.push_back(gauge({{"service", s.name}, {"state", "unhealthy"}},
                                   s.total_endpoints - s.healthy_endpoints));
    }
    return out;
}

struct ServiceRow {
    const char* name;
    const char* help;
    MetricType type;
    double (*value)(const ServiceHealth&);
};

constexpr ServiceRow kServiceRows[] = {
    {"suoke_gateway_service_ejected_endpoints", "Endpoints left out for how they answered.", MetricType::Gauge,
     [](const ServiceHealth& s) { return static_cast<double>(s.ejected_endpoints); }},
    {"suoke_gateway_service_ejections_total", "Times an endpoint was left out for how it answered.", MetricType::Counter,
     [](const ServiceHealth& s) { return static_cast<double>(s.ejections); }},
    {"suoke_gateway_service_active_requests", "Requests a service has at the moment.", MetricType::Gauge,
     [](const ServiceHealth& s) { return static_cast<double>(s.active_requests); }},
    {"suoke_gateway_service_waiting_requests", "Requests that wait for a place at a service.", MetricType::Gauge,
     [](const ServiceHealth& s) { return static_cast<double>(s.waiting_requests); }},
    {"suoke_gateway_service_adaptive_limit", "How many at once the latencies say are good for it; 0: not known yet.", MetricType::Gauge,
     [](const ServiceHealth& s) { return static_cast<double>(s.adaptive_limit); }},
    {"suoke_gateway_service_over_adaptive_limit_total", "Requests beyond that limit, refused or (observing) let through.", MetricType::Counter,
     [](const ServiceHealth& s) { return static_cast<double>(s.over_limit); }},
    {"suoke_gateway_circuit_breaker_openings_total", "Times the breaker of a service opened.", MetricType::Counter,
     [](const ServiceHealth& s) { return static_cast<double>(s.breaker_openings); }},
    {"gateway_circuit_breaker_failures_total", "As suoke_gateway_circuit_breaker_openings_total; for old dashboards.", MetricType::Counter,
     [](const ServiceHealth& s) { return static_cast<double>(s.breaker_openings); }},
};

void add_services(std::vector<MetricFamily>& page, const std::vector<ServiceHealth>& services) {
    for (const auto& [name, help, type, value] : kServiceRows) {
        MetricFamily out = family(name, help, type);
        for (const ServiceHealth& s : services)
            out.metric.push_back(type == MetricType::Gauge ? gauge({{"service", s.name}}, value(s)) : counter({{"service", s.name}}, value(s)));
        page.push_back(std::move(out));
    }
    using State = balance::Breaker::State;
    MetricFamily breakers = family("gateway_circuit_breaker_state", "1 for the state that the breaker of a service is in.", MetricType::Gauge);
    for (const ServiceHealth& s : services)
        for (State state : {State::closed, State::open, State::half_open})
            breakers.metric.push_back(gauge({{"service", s.name}, {"state", balance::name_of(state)}}, s.breaker == state));
    page.push_back(std::move(breakers));
}

MetricFamily certificates(const ProcessFacts& facts) {
    MetricFamily out = family("suoke_gateway_tls_certificate_expiry_timestamp_seconds",
                              "When a certificate of the TLS listener expires.", MetricType::Gauge);
    for (std::size_t i = 0; i < facts.certificates.size(); ++i)
        out.metric.push_back(gauge({{"certificate", std::to_string(i)},
                                    {"subject", facts.certificates[i].subject}},
                                   unix_seconds(facts.certificates[i].not_after)));
    return out;
}

MetricFamily log_lines(const ProcessFacts& facts) {
    MetricFamily out =
        family("log_entries_total", "Lines of the application log, by level.", MetricType::Counter);
    for (std::size_t i = 0; i < facts.log_lines.size(); ++i) {
        std::string level(level_name(static_cast<Level>(i)));
        out.metric.push_back(counter({{"level", level}}, static_cast<double>(facts.log_lines[i])));
    }
    return out;
}

struct ProcessRow {
    const char* name;
    const char* help;
    MetricType type;
    double (*value)(const ProcessFacts&);
};

constexpr ProcessRow kProcessRows[] = {
    {"suoke_gateway_config_generation", "Grows with every configuration put in force.",
     MetricType::Gauge,
     [](const ProcessFacts& f) { return static_cast<double>(f.config_generation); }},
    {"suoke_gateway_config_last_reload_success", "1 when the last configuration read was good.",
     MetricType::Gauge, [](const ProcessFacts& f) { return f.config_last_reload_ok ? 1.0 : 0.0; }},
    {"suoke_gateway_config_last_reload_timestamp_seconds", "When a configuration was last read.",
     MetricType::Gauge, [](const ProcessFacts& f) { return unix_seconds(f.config_last_reload); }},
    {"suoke_gateway_access_log_lines_total", "Lines of the access log written.",
     MetricType::Counter,
     [](const ProcessFacts& f) { return static_cast<double>(f.access_lines_written); }},
    {"suoke_gateway_access_log_dropped_total",
     "Lines of the access log given up because the output was too slow or failed.",
     MetricType::Counter,
     [](const ProcessFacts& f) { return static_cast<double>(f.access_lines_dropped); }},
    {"process_resident_memory_bytes", "Resident memory.", MetricType::Gauge,
     [](const ProcessFacts& f) { return static_cast<double>(f.use.resident_bytes); }},
    {"process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge,
     [](const ProcessFacts& f) { return static_cast<double>(f.use.virtual_bytes); }},
    {"process_cpu_seconds_total", "User and system CPU time.", MetricType::Counter,
     [](const ProcessFacts& f) { return f.use.cpu_seconds; }},
    {"process_open_fds", "Open file descriptors.", MetricType::Gauge,
     [](const ProcessFacts& f) { return static_cast<double>(f.use.open_fds); }},
    {"process_max_fds", "Limit of open file descriptors.", MetricType::Gauge,
     [](const ProcessFacts& f) { return static_cast<double>(f.use.max_fds); }},
    {"process_threads", "Threads.", MetricType::Gauge,
     [](const ProcessFacts& f) { return static_cast<double>(f.use.threads); }},
    {"process_start_time_seconds", "When the process started, since the epoch.", MetricType::Gauge,
     [](const ProcessFacts& f) { return unix_seconds(f.started); }},
};

// ----------------------------------------------------------------------------------------------

void add_routes(std::vector<MetricFamily>& page, const Routes& routes) {
    for (const RequestView& view : kRequestViews) page.push_back(requests(view, routes));
    for (const HistogramView& view : kHistogramViews) page.push_back(histograms(view, routes));
    page.push_back(latency_sum(routes));
    page.push_back(grpc_answers(routes));
}

void add_workers(std::vector<MetricFamily>& page, std::span<const WorkerCells> workers) {
    for (const auto& [name, help, cell] : kWorkerCounters)
        page.push_back(one(name, help, MetricType::Counter, total(workers, cell)));
    for (const auto& [name, help, cell] : kWorkerGauges)
        page.push_back(one(name, help, MetricType::Gauge, total(workers, cell)));
    page.push_back(handshakes(workers));
    page.push_back(loop_lag(workers));
    page.push_back(first_events(workers));
}

void add_process(std::vector<MetricFamily>& page, const ProcessFacts& facts) {
    page.push_back(info(facts));
    page.push_back(service_health(facts));
    page.push_back(healthy_endpoints(facts));
    add_services(page, facts.services);
    page.push_back(log_lines(facts));
    if (!facts.certificates.empty()) page.push_back(certificates(facts));
    for (const auto& [name, help, type, value] : kProcessRows)
        page.push_back(one(name, help, type, value(facts)));
}

void read_memory_and_threads(ProcessUse& use) {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t virtual_pages = 0, resident_pages = 0;
    if (statm >> virtual_pages >> resident_pages) {
        auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        use.virtual_bytes = virtual_pages * page;
        use.resident_bytes = resident_pages * page;
    }
    std::error_code none;
    for (std::filesystem::directory_iterator it("/proc/self/task", none), end; it != end;
         it.increment(none))
        ++use.threads;
}

void read_descriptors(ProcessUse& use) {
    std::error_code none;
    for (std::filesystem::directory_iterator it("/proc/self/fd", none), end; it != end;
         it.increment(none))
        ++use.open_fds;
    if (use.open_fds > 0) --use.open_fds;  // the one that was open to count
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) use.max_fds = limit.rlim_cur;
}

void read_cpu(ProcessUse& use) {
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) return;
    for (const timeval& t : {usage.ru_utime, usage.ru_stime})
        use.cpu_seconds += static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

}  // namespace

ProcessUse read_process_use() {
    ProcessUse use;
    read_memory_and_threads(use);
    read_descriptors(use);
    read_cpu(use);
    return use;
}

std::string render(const MetricsRegistry& metrics, const ProcessFacts& facts) {
    const Routes routes = metrics.routes();
    std::vector<MetricFamily> page;
    add_routes(page, routes);
    page.push_back(errors(routes, metrics.worker_cells()));
    add_workers(page, metrics.worker_cells());
    add_tunnels(page, metrics);
    add_cache(page, metrics);
    add_limits(page, metrics.limits(), facts.limit_evictions);
    add_process(page, facts);
    return prometheus::TextSerializer().Serialize(page);
}

}  // namespace suoke::endpoints
