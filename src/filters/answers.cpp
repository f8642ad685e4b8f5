// SPDX-License-Identifier: MIT
// The innermost filters of routes that forward nothing: redirect, fixed response, refusal.
#include "filters/filters.h"
#include "gateway/replies.h"
#include "gateway/rewrite.h"

namespace suoke::filters {
namespace {

using gateway::Answer;
using gateway::Exchange;
using gateway::Next;

class RedirectAnswer final : public Filter {
 public:
    explicit RedirectAnswer(config::Redirect redirect) : redirect_(std::move(redirect)) {}

 private:
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        std::string target;
        gateway::fill_template(redirect_.to, ex.match.params, target, ex.match.rest);
        http::Response response = gateway::text_response(redirect_.status, "text/plain", "");
        response.headers.add(http::HeaderId::location, ex.arena.copy(target));
        co_return response;
    }
    config::Redirect redirect_;
};

class FixedAnswer final : public Filter {
 public:
    explicit FixedAnswer(config::FixedResponse fixed) : fixed_(std::move(fixed)) {}

 private:
    rt::Task<Answer> run(Exchange&, Next) const override {
        co_return gateway::text_response(fixed_.status, fixed_.content_type, fixed_.body);
    }
    config::FixedResponse fixed_;
};

class RefusalAnswer final : public Filter {
    rt::Task<Answer> run(Exchange& ex, Next) const override {
        CHECK(ex.refusal);
        co_return *ex.refusal;
    }
};

}  // namespace

FilterPtr redirect(const config::Route& route) { return std::make_shared<RedirectAnswer>(*route.redirect); }
FilterPtr fixed_response(const config::Route& route) { return std::make_shared<FixedAnswer>(*route.respond); }
FilterPtr refusal() { return std::make_shared<RefusalAnswer>(); }

}  // namespace suoke::filters
