// SPDX-License-Identifier: MIT
#include "endpoints/prometheus.h"

#include <cmath>
#include <map>
#include <set>
#include <stdexcept>

#include "base/text.h"
#include "http/message.h"

namespace suoke::endpoints {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

// A reader of the text format (0.0.4) that forgives nothing: families in one piece with HELP and
// TYPE first, legal names, each series once, histograms cumulative with +Inf equal to _count.
class Page {
 public:
    explicit Page(std::string_view text) {
        require(text.empty() || text.back() == '\n', "the last line ends");
        while (!text.empty()) {
            std::size_t end = text.find('\n');
            line(text.substr(0, end));
            text.remove_prefix(end + 1);
        }
        for (const auto& [name, type] : types_)
            if (type == "histogram") check_histogram(name);
    }

    // name{a="1",b="2"} in the page's own order of labels.
    double at(const std::string& series) const {
        auto it = samples_.find(series);
        require(it != samples_.end(), "no series " + series);
        return it->second;
    }
    bool has(const std::string& series) const { return samples_.contains(series); }
    bool has_family(const std::string& name) const { return types_.contains(name); }
    const std::map<std::string, double>& samples() const { return samples_; }

 private:
    static void require(bool true_thing, const std::string& what) {
        if (!true_thing) throw std::runtime_error(what);
    }

    static std::string_view take_name(std::string_view& s) {
        auto legal = [](char c, bool first) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
                   (!first && is_digit(c));
        };
        std::size_t n = 0;
        while (n < s.size() && legal(s[n], n == 0)) ++n;
        require(n > 0, "a name in " + std::string(s));
        std::string_view name = s.substr(0, n);
        s.remove_prefix(n);
        return name;
    }

    static void take(std::string_view& s, char c) {
        require(!s.empty() && s[0] == c, std::string("'") + c + "' in " + std::string(s));
        s.remove_prefix(1);
    }

    static std::string take_label_value(std::string_view& s) {
        std::string value;
        take(s, '"');
        while (!s.empty() && s[0] != '"') {
            if (s[0] == '\\') {
                s.remove_prefix(1);
                require(!s.empty() && std::string_view("\\\"n").find(s[0]) != s.npos, "an escape");
                value += s[0] == 'n' ? '\n' : s[0];
            } else {
                value += s[0];
            }
            s.remove_prefix(1);
        }
        take(s, '"');
        return value;
    }

    static double number(std::string_view s) {
        if (s == "+Inf") return INFINITY;
        double value = 0;
        auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
        require(error == std::errc() && end == s.data() + s.size(), "a number " + std::string(s));
        return value;
    }

    void line(std::string_view s) {
        require(!s.empty(), "no empty line");
        if (s.starts_with("# HELP ")) return help(s.substr(7));
        if (s.starts_with("# TYPE ")) return type(s.substr(7));
        sample(s);
    }

    void help(std::string_view s) {
        std::string name(take_name(s));
        take(s, ' ');
        require(!s.empty() && s.find('\\') == s.npos, "a help text for " + name);
        require(!types_.contains(name), "one piece of " + name);
        helped_ = name;
    }

    void type(std::string_view s) {
        family_ = take_name(s);
        require(family_ == helped_, "HELP before TYPE of " + family_);
        take(s, ' ');
        require(s == "counter" || s == "gauge" || s == "histogram", "a type " + std::string(s));
        require(types_.emplace(family_, s).second, "one TYPE of " + family_);
    }

    void sample(std::string_view s) {
        std::string series(take_name(s));
        check_belongs(series);
        std::set<std::string> names;
        std::string labels, le;
        if (s.starts_with('{')) {
            do {
                s.remove_prefix(1);
                std::string name(take_name(s));
                require(names.insert(name).second, "label " + name + " once");
                take(s, '=');
                std::string value = take_label_value(s);
                if (name == "le") {
                    le = value;
                } else {
                    labels += (labels.empty() ? "" : ",") + name + "=\"" + value + "\"";
                }
            } while (s.starts_with(','));
            take(s, '}');
        }
        take(s, ' ');
        double value = number(s);
        require(types_[family_] == "gauge" || value >= 0, "a counter is not negative: " + series);
        if (!le.empty()) {
            require(series == family_ + "_bucket", "le only in buckets");
            auto& buckets = buckets_[family_][labels];
            require(buckets.emplace(number(le), value).second, "each bound once");
        }
        std::string full = labels.empty() ? series : series + "{" + labels + "}";
        if (!le.empty()) full += " le " + le;
        require(samples_.emplace(full, value).second, "each series once: " + full);
    }

    void check_belongs(const std::string& series) {
        if (types_[family_] != "histogram") return require(series == family_, series);
        require(series == family_ + "_bucket" || series == family_ + "_sum" ||
                    series == family_ + "_count",
                series + " in " + family_);
    }

    void check_histogram(const std::string& name) const {
        auto family = buckets_.find(name);
        if (family == buckets_.end()) return;
        for (const auto& [labels, buckets] : family->second) {
            double last = 0;
            for (const auto& [bound, count] : buckets) {
                require(count >= last, "cumulative buckets of " + name);
                last = count;
            }
            require(std::isinf(buckets.rbegin()->first), "+Inf in " + name);
            std::string suffix = labels.empty() ? "" : "{" + labels + "}";
            require(last == at(name + "_count" + suffix), "+Inf equals _count of " + name);
            at(name + "_sum" + suffix);
        }
    }

    std::string helped_, family_;
    std::map<std::string, std::string> types_;
    std::map<std::string, double> samples_;
    std::map<std::string, std::map<std::string, std::map<double, double>>> buckets_;
};

constexpr std::uint8_t kGet = static_cast<std::uint8_t>(http::Method::GET);
constexpr std::uint8_t kPost = static_cast<std::uint8_t>(http::Method::POST);
constexpr std::uint8_t kOther = static_cast<std::uint8_t>(http::Method::other);

const RouteLabels kUsers{"users", "/users/{id}", "user-service"};

TEST(Prometheus, renders_an_empty_gateway) {
    MetricsRegistry metrics(2);
    Page page(render(metrics, {}));
    EXPECT_EQ(page.at("suoke_gateway_active_connections"), 0);
    EXPECT_TRUE(page.has_family("suoke_gateway_requests_total"));
    EXPECT_EQ(page.at("suoke_gateway_loop_lag_seconds_count{worker=\"1\"}"), 0);
}

TEST(Prometheus, counts_a_request_under_each_name_it_ever_had) {
    MetricsRegistry metrics(2);
    metrics.route(0, kUsers).record(
        {.method = kGet, .status = 200, .duration = 300ms, .upstream = 250ms});
    metrics.route(1, kUsers).record(
        {.method = kGet, .status = 200, .duration = 100ms, .upstream = 50ms});
    Page page(render(metrics, {}));
    for (
        const char* series : {
            R"(suoke_gateway_requests_total{method="GET",path="/users/{id}",route="users",status_code="200"})",
            R"(suoke_gateway_service_requests_total{service="user-service",method="GET",status_code="200"})",
            R"(gateway_requests_total{method="GET",endpoint="/users/{id}",status_code="200"})",
            R"(gateway_backend_requests_total{service="user-service",method="GET",status_code="200"})",
            R"(api_gateway_requests_total{service="user-service",status="200"})",
            R"(http_requests_total{status="200"})",
            R"(suoke_gateway_request_duration_seconds_count{path="/users/{id}",route="users"})",
            R"(suoke_gateway_service_duration_seconds_count{service="user-service"})",
            R"(gateway_request_duration_seconds_count{endpoint="/users/{id}"})",
            R"(http_request_duration_seconds_count)",
            R"(upstream_request_duration_seconds_count)",
        })
        EXPECT_EQ(page.at(series), 2) << series;
    EXPECT_DOUBLE_EQ(page.at(R"(api_gateway_request_latency_seconds{service="user-service"})"),
                     0.4);
    EXPECT_DOUBLE_EQ(page.at("upstream_request_duration_seconds_sum"), 0.3);
}

TEST(Prometheus, writes_bounds_as_an_operator_would) {
    MetricsRegistry metrics(1);
    metrics.route(0, kUsers).record({.status = 200, .duration = 500us, .response_bytes = 100});
    std::string text = render(metrics, {});
    for (const char* le : {"0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01",
                           "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"})
        EXPECT_THAT(text, HasSubstr(std::string("http_request_duration_seconds_bucket{le=\"") + le +
                                    "\"}"));
    Page page(text);
    EXPECT_EQ(page.at("http_request_duration_seconds_bucket le 0.00025"), 0);
    EXPECT_EQ(page.at("http_request_duration_seconds_bucket le 0.0005"), 1);
    EXPECT_EQ(page.at("http_request_duration_seconds_bucket le 10"), 1);
    EXPECT_EQ(
        page.at(
            R"(suoke_gateway_response_size_bytes_bucket{path="/users/{id}",route="users"} le 100)"),
        1);
}

TEST(Prometheus, adds_up_routes_that_a_coarser_name_cannot_tell_apart) {
    MetricsRegistry metrics(1);
    metrics.route(0, {"a", "/same", "one"}).record({.method = kPost, .status = 201});
    metrics.route(0, {"b", "/same", "two"}).record({.method = kPost, .status = 201});
    Page page(render(metrics, {}));
    EXPECT_EQ(
        page.at(R"(gateway_requests_total{method="POST",endpoint="/same",status_code="201"})"), 2);
    EXPECT_EQ(page.at(R"(gateway_request_duration_seconds_count{endpoint="/same"})"), 2);
    EXPECT_EQ(page.at(R"(api_gateway_requests_total{service="two",status="201"})"), 1);
}

TEST(Prometheus, shows_no_service_for_what_the_gateway_answers_itself) {
    MetricsRegistry metrics(1);
    metrics.route(0, {"health", "/health", ""}).record({.method = kGet, .status = 200});
    Page page(render(metrics, {}));
    EXPECT_EQ(page.at(R"(http_requests_total{status="200"})"), 1);
    for (const auto& [series, value] : page.samples())
        EXPECT_THAT(series, Not(AllOf(HasSubstr("service=\"\""), HasSubstr("total"))));
}

TEST(Prometheus, does_not_let_clients_or_upstreams_invent_series) {
    MetricsRegistry metrics(1);
    RouteCells& cells = metrics.route(0, kUsers);
    cells.record({.method = kOther, .status = 200});
    cells.record({.method = 99, .status = 200});
    for (int status = 100; status < 1000; ++status) cells.record({.status = status});
    Page page(render(metrics, {}));
    int series = 0;
    for (const auto& [name, value] : page.samples())
        series += name.starts_with("suoke_gateway_requests_total{");
    EXPECT_LE(series, 33);
    EXPECT_EQ(
        page.at(
            R"(suoke_gateway_requests_total{method="other",path="/users/{id}",route="users",status_code="200"})"),
        2);
    EXPECT_GT(page.at(R"(http_requests_total{status="other"})"), 0);
}

TEST(Prometheus, names_errors_by_reason_and_path) {
    MetricsRegistry metrics(2);
    metrics.route(0, kUsers).record({.status = 504, .error = Code::upstream_timeout});
    metrics.worker(0).refusals.add(Code::malformed_request);
    metrics.worker(1).refusals.add(Code::malformed_request);
    Page page(render(metrics, {}));
    EXPECT_EQ(
        page.at(
            R"(suoke_gateway_errors_total{error_type="upstream_timeout",path="/users/{id}",route="users"})"),
        1);
    EXPECT_EQ(
        page.at(R"(suoke_gateway_errors_total{error_type="malformed_request",path="",route=""})"),
        2);
}

TEST(Prometheus, escapes_label_values) {
    MetricsRegistry metrics(1);
    metrics.route(0, {"a\"b\\c\nd", "/", "s"}).record({.method = kGet, .status = 200});
    Page page(render(metrics, {}));
    EXPECT_EQ(page.at("suoke_gateway_requests_total{method=\"GET\",path=\"/"
                      "\",route=\"a\"b\\c\nd\",status_code=\"200\"}"),
              1);
}

TEST(Prometheus, sums_workers_and_keeps_their_lag_apart) {
    MetricsRegistry metrics(2);
    metrics.worker(0).connections_open.add(3);
    metrics.worker(1).connections_open.add(4);
    metrics.worker(1).retries.add(2);
    metrics.worker(1).loop_lag.add(20ms);
    Page page(render(metrics, {}));
    EXPECT_EQ(page.at("suoke_gateway_active_connections"), 7);
    EXPECT_EQ(page.at("gateway_active_connections"), 7);
    EXPECT_EQ(page.at("suoke_gateway_retries_total"), 2);
    EXPECT_EQ(page.at("suoke_gateway_loop_lag_seconds_count{worker=\"0\"}"), 0);
    EXPECT_EQ(page.at("suoke_gateway_loop_lag_seconds_sum{worker=\"1\"}"), 0.02);
}

TEST(Prometheus, tells_of_the_process_and_its_configuration) {
    ProcessFacts facts{.version = "2.0.0",
                       .environment = "production",
                       .started = WallTime(1735689600500ms),
                       .use = {.resident_bytes = 1ull << 40, .cpu_seconds = 1.25, .open_fds = 17},
                       .config_generation = 3,
                       .config_last_reload_ok = false,
                       .config_last_reload = WallTime(1735689700s),
                       .services = {{"users", 1, 3}, {"rag", 0, 2}},
                       .log_lines = {0, 5, 2, 1, 0},
                       .access_lines_dropped = 9};
    Page page(render(MetricsRegistry(1), facts));
    EXPECT_EQ(page.at(R"(suoke_gateway_info{environment="production",version="2.0.0"})"), 1);
    EXPECT_EQ(page.at("process_start_time_seconds"), 1735689600.5);
    EXPECT_EQ(page.at("process_resident_memory_bytes"), 1099511627776.0);
    EXPECT_EQ(page.at("process_cpu_seconds_total"), 1.25);
    EXPECT_EQ(page.at("process_open_fds"), 17);
    EXPECT_EQ(page.at("suoke_gateway_config_generation"), 3);
    EXPECT_EQ(page.at("suoke_gateway_config_last_reload_success"), 0);
    EXPECT_EQ(page.at("suoke_gateway_config_last_reload_timestamp_seconds"), 1735689700.0);
    EXPECT_EQ(page.at(R"(suoke_gateway_service_health{service="users"})"), 1);
    EXPECT_EQ(page.at(R"(suoke_gateway_service_health{service="rag"})"), 0);
    EXPECT_EQ(page.at(R"(suoke_gateway_service_endpoints{service="users",state="unhealthy"})"), 2);
    EXPECT_EQ(page.at(R"(log_entries_total{level="warning"})"), 2);
    EXPECT_EQ(page.at("suoke_gateway_access_log_dropped_total"), 9);
}

TEST(Prometheus, keeps_large_counts_exact) {
    MetricsRegistry metrics(1);
    metrics.worker(0).connections_accepted.add(9'007'199'254'740'991);  // 2^53 - 1
    EXPECT_THAT(render(metrics, {}),
                HasSubstr("suoke_gateway_connections_accepted_total 9007199254740991\n"));
}

TEST(ProcessUse, is_read_from_the_system) {
    ProcessUse use = read_process_use();
    EXPECT_GT(use.resident_bytes, 1u << 20);
    EXPECT_GE(use.virtual_bytes, use.resident_bytes);
    EXPECT_GE(use.open_fds, 3u);
    EXPECT_GE(use.max_fds, use.open_fds);
    EXPECT_GE(use.threads, 1u);
}

}  // namespace
}  // namespace suoke::endpoints
