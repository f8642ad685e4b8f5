// SPDX-License-Identifier: MIT
// Answers 503 instead of a route, as long as the operator says so. What the gateway answers itself goes on: probes
// would have it killed, and services could not keep their leases.
#include "filters/client_networks.h"
#include "filters/filters.h"

namespace suoke::filters {
namespace {

class Maintenance final : public Check {
 public:
    explicit Maintenance(const config::Maintenance& from)
        : message_(from.message), retry_after_(from.retry_after), allow_(networks_of(from.allow)) {}

 private:
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        if (!allow_.empty() && allow_.contains(address_of_client(ex))) return gateway::go_on();
        ex.retry_after = retry_after_;
        return Error(Code::maintenance, message_);
    }

    std::string message_;
    Duration retry_after_;
    rt::NetworkSet allow_;
};

}  // namespace

CheckPtr maintenance(const config::Config& config, const config::Route& route) {
    bool operators = route.forwards() || route.respond || route.redirect;
    const config::Maintenance& said = route.maintenance ? *route.maintenance : config.maintenance;
    return operators && said.enabled ? std::make_shared<Maintenance>(said) : nullptr;
}

}  // namespace suoke::filters
