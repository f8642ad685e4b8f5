// SPDX-License-Identifier: MIT
// Whether who asks may: roles, scopes and claims that the route wants. What is missing is told by its kind only.
// On every route that knows its clients, so that nobody passes whose credential is still to be judged.
#include "filters/filters.h"
#include "filters/open_preflight.h"
#include "gateway/site.h"

namespace suoke::filters {
namespace {

using Lack = auth::AccessRule::Lack;

class Authorize final : public Check {
 public:
    explicit Authorize(bool has_rule) : has_rule_(has_rule) {}

 private:
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        // Whoever puts a chain together without authenticate_elsewhere lets nobody in by that.
        if (ex.credential_pending) return Error(Code::internal, "the credential was not judged");
        if (!has_rule_) return gateway::go_on();
        if (!ex.who) {
            if (is_open_preflight(ex.request.head)) return gateway::go_on();
            return Error(Code::missing_token);
        }
        switch (ex.route->admission.rule.lack(*ex.who)) {
            case Lack::role: return Error(Code::forbidden, "this takes a role that you do not have");
            case Lack::scope: ex.lacks_scope = true; return Error(Code::forbidden, "this takes a scope that your credential does not have");
            case Lack::claim: return Error(Code::forbidden, "this takes a claim that your credential does not make");
            default: return gateway::go_on();
        }
    }

    bool has_rule_;
};

}  // namespace

CheckPtr authorize(const config::Config& config, const config::Route& route) {
    if (config.auth.mode_of(route.auth) == config::AuthMode::none) return nullptr;
    return std::make_shared<Authorize>(route.auth.has_rule());
}

}  // namespace suoke::filters
