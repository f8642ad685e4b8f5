// SPDX-License-Identifier: MIT
// Tells the service which name it was asked by, and the client who answered and how long it took, in
// both spellings of the predecessors (X-Gateway-*, X-Proxy-* and X-Response-Time).
#include <charconv>

#include "base/text.h"
#include "filters/filters.h"
#include "gateway/site.h"
#include "gateway/worker.h"

namespace suoke::filters {
namespace {

// "0.0123": seconds with four decimals.
std::string_view seconds_text(gateway::Arena& arena, Duration d) {
    char digits[24];
    auto tenths_of_ms = static_cast<std::uint64_t>(d.count() < 0 ? 0 : d.count() / 100'000);
    char* end = std::to_chars(digits, digits + 18, tenths_of_ms / 10'000).ptr;
    *end++ = '.';
    std::uint64_t rest = tenths_of_ms % 10'000;
    for (std::uint64_t unit = 1000; unit > 0; unit /= 10) *end++ = static_cast<char>('0' + rest / unit % 10);
    return arena.copy({digits, static_cast<std::size_t>(end - digits)});
}

class GatewayHeaders final : public Check {
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        ex.request.head.headers.add("X-Gateway-Service", ex.route->service->name);
        return gateway::go_on();
    }
    void on_response(gateway::Exchange& ex, http::Response& response) const override {
        http::Headers& headers = response.headers;
        headers.remove_if([](const http::Field& f) {
            return f.id == http::HeaderId::other && f.name.size() >= 10 && (f.name[0] | 0x20) == 'x' && is_ours(f.name);
        });
        std::string_view took = seconds_text(ex.arena, ex.worker.loop().now() - ex.request.started);
        std::string_view service = ex.route->service->name;
        headers.add({"X-Gateway-Service", service});
        headers.add({"X-Proxy-Service", service});
        if (ex.endpoint) {
            headers.add({"X-Gateway-Instance", ex.endpoint->name});
            headers.add({"X-Proxy-Instance", ex.endpoint->name});
        }
        headers.add({"X-Gateway-Duration", took});
        headers.add({"X-Response-Time", took});
        headers.add({"X-Proxy-By", "SuokeLife-API-Gateway"});
    }
    static bool is_ours(std::string_view name);
};

constexpr std::string_view kOurs[] = {"X-Gateway-Service", "X-Gateway-Instance", "X-Gateway-Duration",
                                      "X-Proxy-Service",   "X-Proxy-Instance",   "X-Proxy-By",
                                      "X-Response-Time"};

bool GatewayHeaders::is_ours(std::string_view name) {
    for (std::string_view ours : kOurs)
        if (iequals(name, ours)) return true;
    return false;
}

}  // namespace

CheckPtr gateway_headers(const config::Config&, const config::Route& route) {
    return route.service.empty() ? nullptr : std::make_shared<GatewayHeaders>();
}

}  // namespace suoke::filters
