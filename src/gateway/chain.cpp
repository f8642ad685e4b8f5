// SPDX-License-Identifier: MIT
#include "gateway/filter.h"

namespace suoke::gateway {

static rt::Task<Answer> answered(Answer answer) { co_return answer; }

// No coroutine itself: the task of the filter that is reached is the chain's.
rt::Task<Answer> Chain::run(Exchange& ex, std::size_t from) const {
    for (std::size_t i = from; i < links_.size(); ++i) {
        const Link& link = links_[i];
        if (link.filter) {
            if (!link.filter->wanted(ex)) continue;
            ex.checks_passed = i;
            return link.filter->run(ex, Next(*this, i + 1));
        }
        Verdict verdict = link.check->on_request(ex);
        ex.checks_passed = i + 1;
        if (verdict) return answered(std::move(*verdict));
    }
    return answered(Error(Code::internal, "no filter answered"));
}

void Chain::finish(Exchange& ex, http::Response& response) const {
    for (std::size_t i = ex.checks_passed; i-- > 0;)
        if (links_[i].check) links_[i].check->on_response(ex, response);
}

}  // namespace suoke::gateway
