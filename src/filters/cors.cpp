// SPDX-License-Identifier: MIT
// Answers browsers that ask beforehand what a page of another origin may do (preflights), and lets pages read
// what they may, errors included. With it what the service itself says about that is replaced.
#include <algorithm>

#include "filters/cross_origin.h"
#include "filters/filters.h"
#include "gateway/site.h"

namespace suoke::filters {
namespace {

using http::HeaderId;

class Cors final : public Check {
 public:
    Cors(CrossOrigin pages, const std::vector<std::string>& methods) : pages_(std::move(pages)) {
        for (const std::string& method : methods) allow_.append(allow_.empty() ? "" : ", ").append(method);
        takes_options_ = methods.empty() || std::find(methods.begin(), methods.end(), "OPTIONS") != methods.end();
    }

 private:
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        const http::RequestHead& head = ex.request.head;
        note_page(ex);
        if (head.method != http::Method::OPTIONS || ex.path.empty()) return gateway::go_on();
        if (CrossOrigin::is_preflight(head)) return preflight(ex);
        if (takes_options_) return gateway::go_on();
        ex.match.allow = allow_;
        return Error(Code::method_not_allowed, "OPTIONS is for preflight requests here");
    }

    // Two origins are none.
    static void note_page(gateway::Exchange& ex) {
        const http::Headers& headers = ex.request.head.headers;
        if (headers.has(HeaderId::origin) && headers.count(HeaderId::origin) == 1) ex.page_origin = *headers.find(HeaderId::origin);
    }

    // The route of the call that is announced decides, which need not be the one that OPTIONS found.
    gateway::Verdict preflight(gateway::Exchange& ex) const {
        const http::RequestHead& head = ex.request.head;
        gateway::Match call = ex.site.router.match({.host = ex.host, .path = ex.path, .query = head.query,
                                                    .method = *head.headers.find("access-control-request-method"),
                                                    .headers = head.headers});
        if (call.kind != gateway::Match::found || call.route == ex.route->index) return pages_.preflight(ex);
        const auto& routes = ex.site.config.routes;
        const config::Route builtin;
        const config::Route& route = call.route < routes.size() ? routes[call.route] : builtin;
        auto section = cors_of(ex.site.config, route);
        if (!section) return Error(Code::forbidden, "pages of other origins may not call this");
        return CrossOrigin(*section, route).preflight(ex);
    }

    void on_response(gateway::Exchange& ex, http::Response& response) const override {
        if (CrossOrigin::is_preflight(ex.request.head))
            response.headers.add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
        else
            pages_.share(ex, response.headers);
    }

    CrossOrigin pages_;
    std::string allow_;
    bool takes_options_ = true;
};

}  // namespace

CheckPtr cors(const config::Config& config, const config::Route& route) {
    auto section = cors_of(config, route);
    if (!section) return nullptr;
    return std::make_shared<Cors>(CrossOrigin(*section, route), route.methods);
}

}  // namespace suoke::filters
