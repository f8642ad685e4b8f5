// SPDX-License-Identifier: MIT
// Under load the less important routes are refused, so that the others are still answered in time.
// Refusing costs little; a queue in which everybody waits too long costs everybody.
#include "filters/filters.h"
#include "gateway/site.h"
#include "gateway/worker.h"

namespace suoke::filters {
namespace {

class LoadShedding final : public Check {
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        if (ex.route->importance >= ex.worker.shed_below()) return gateway::go_on();
        return Error(Code::load_shed);
    }
};

}  // namespace

CheckPtr load_shedding(const config::Config& config, const config::Route& route) {
    bool may_be_shed = config.load_shedding.enabled && route.importance != config::Importance::critical;
    return may_be_shed && route.forwards() ? std::make_shared<LoadShedding>() : nullptr;
}

}  // namespace suoke::filters
