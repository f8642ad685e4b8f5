// SPDX-License-Identifier: MIT
// Tells the service which name it was asked by, and the client who answered and how long it took, in
// both spellings of the predecessors (X-Gateway-*, X-Proxy-* and X-Response-Time).
#include <charconv>

#include "filters/filters.h"
#include "gateway/site.h"
#include "gateway/worker.h"

namespace suoke::filters {
namespace {

using http::HeaderId;

constexpr http::HeaderSet kOurs =
    http::header_set(HeaderId::x_gateway_service, HeaderId::x_gateway_instance,
                     HeaderId::x_gateway_duration, HeaderId::x_proxy_service,
                     HeaderId::x_proxy_instance, HeaderId::x_proxy_by, HeaderId::x_response_time);

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
        ex.request.head.headers.add(HeaderId::x_gateway_service, ex.service_name());
        return gateway::go_on();
    }
    void on_response(gateway::Exchange& ex, http::Response& response) const override {
        http::Headers& headers = response.headers;
        headers.remove_all(kOurs);
        std::string_view took = seconds_text(ex.arena, ex.worker.loop().now() - ex.request.started);
        std::string_view service = ex.service_name();
        headers.add(HeaderId::x_gateway_service, service);
        headers.add(HeaderId::x_proxy_service, service);
        if (ex.endpoint) {
            headers.add(HeaderId::x_gateway_instance, ex.endpoint->name);
            headers.add(HeaderId::x_proxy_instance, ex.endpoint->name);
        }
        headers.add(HeaderId::x_gateway_duration, took);
        headers.add(HeaderId::x_response_time, took);
        headers.add(HeaderId::x_proxy_by, "SuokeLife-API-Gateway");
    }
};

}  // namespace

CheckPtr gateway_headers(const config::Config&, const config::Route& route) {
    return route.forwards() ? std::make_shared<GatewayHeaders>() : nullptr;
}

}  // namespace suoke::filters
