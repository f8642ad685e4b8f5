// SPDX-License-Identifier: MIT
// Whether who asks may: roles, scopes and claims that the route wants. What is missing is told by its kind only.
#include "filters/cross_origin.h"
#include "filters/filters.h"
#include "gateway/site.h"

namespace suoke::filters {
namespace {

using Lack = auth::AccessRule::Lack;

class Authorize final : public Check {
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        if (!ex.who) {
            if (CrossOrigin::is_preflight(ex.request.head)) return gateway::go_on();
            return Error(Code::missing_token);
        }
        switch (ex.route->admission.rule.lack(*ex.who)) {
            case Lack::role: return Error(Code::forbidden, "this takes a role that you do not have");
            case Lack::scope: ex.lacks_scope = true; return Error(Code::forbidden, "this takes a scope that your credential does not have");
            case Lack::claim: return Error(Code::forbidden, "this takes a claim that your credential does not make");
            default: return gateway::go_on();
        }
    }
};

}  // namespace

CheckPtr authorize(const config::Config& config, const config::Route& route) {
    bool asks = route.auth.has_rule() && config.auth.mode_of(route.auth) != config::AuthMode::none;
    return asks ? std::make_shared<Authorize>() : nullptr;
}

}  // namespace suoke::filters
