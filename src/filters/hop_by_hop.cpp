// SPDX-License-Identifier: MIT
// Fields of one hop end here (RFC 9110 §7.6.1), and Via says who we are (§7.6.3).
#include "filters/filters.h"
#include "gateway/hop_by_hop.h"

namespace suoke::filters {
namespace {

std::string_view via(http::Version version) {
    switch (version) {
        case http::Version::http10: return "1.0 suoke-gateway";
        case http::Version::http11: return "1.1 suoke-gateway";
        default: return "2 suoke-gateway";
    }
}

class HopByHop final : public Check {
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        http::RequestHead& head = ex.request.head;
        gateway::remove_hop_by_hop(head.headers);
        head.headers.add(http::HeaderId::via, via(head.version));
        return gateway::go_on();
    }
};

}  // namespace

CheckPtr hop_by_hop(const config::Config&, const config::Route&) { return std::make_shared<HopByHop>(); }

}  // namespace suoke::filters
