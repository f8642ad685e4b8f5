// SPDX-License-Identifier: MIT
// Identity is ours to tell: what a client sends as X-User-*, X-Gateway-* ... never reaches a service.
#include "base/text.h"
#include "filters/filters.h"

namespace suoke::filters {
namespace {

constexpr std::string_view kPrefixes[] = {"x-user-", "x-gateway-", "x-auth-", "x-proxy-", "x-consumer-", "x-client-cert-"};
constexpr std::string_view kLongest = "x-client-cert-";

// '_' counts as '-': WSGI and CGI services cannot tell X_User_ID from X-User-ID.
bool is_identity(std::string_view name) {
    if (name.size() < 3 || lower(name[0]) != 'x' || (name[1] != '-' && name[1] != '_')) return false;
    if (iequals(name, "x-user-agent")) return false;  // gRPC-Web's, which says nothing about who asks
    char folded[kLongest.size()];
    std::size_t n = std::min(name.size(), sizeof folded);
    for (std::size_t i = 0; i < n; ++i) folded[i] = name[i] == '_' ? '-' : lower(name[i]);
    for (std::string_view prefix : kPrefixes)
        if (std::string_view(folded, n).starts_with(prefix)) return true;
    return false;
}

using http::HeaderId;

// Those of the prefixes that have an id of their own.
constexpr http::HeaderSet kKnown =
    http::header_set(HeaderId::x_gateway_service, HeaderId::x_gateway_instance,
                     HeaderId::x_gateway_duration, HeaderId::x_proxy_service,
                     HeaderId::x_proxy_instance, HeaderId::x_proxy_by);

class StripIdentity final : public Check {
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        http::Headers& headers = ex.request.head.headers;
        headers.remove_all(kKnown);
        if (!headers.has(HeaderId::other)) return gateway::go_on();
        headers.remove_if([](const http::Field& f) { return f.id == HeaderId::other && is_identity(f.name); });
        return gateway::go_on();
    }
};

}  // namespace

CheckPtr strip_identity(const config::Config&, const config::Route&) { return std::make_shared<StripIdentity>(); }

}  // namespace suoke::filters
