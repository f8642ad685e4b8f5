// SPDX-License-Identifier: MIT
// The operator's own edits of a route: request_headers and response_headers (remove, set, add).
#include "filters/filters.h"

namespace suoke::filters {
namespace {

void apply(const config::HeaderEdit& edit, http::Headers& headers) {
    for (const std::string& name : edit.remove) headers.remove(name);
    for (const auto& [name, value] : edit.set) headers.set(name, value);
    for (const auto& [name, value] : edit.add) headers.add(name, value);
}

bool empty(const config::HeaderEdit& edit) { return edit == config::HeaderEdit(); }

class EditHeaders final : public Check {
 public:
    EditHeaders(config::HeaderEdit request, config::HeaderEdit response)
        : request_(std::move(request)), response_(std::move(response)) {}

 private:
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        apply(request_, ex.request.head.headers);
        return gateway::go_on();
    }
    void on_response(gateway::Exchange&, http::Response& response) const override {
        apply(response_, response.headers);
    }
    config::HeaderEdit request_, response_;
};

}  // namespace

CheckPtr edit_headers(const config::Config&, const config::Route& route) {
    if (empty(route.request_headers) && empty(route.response_headers)) return nullptr;
    return std::make_shared<EditHeaders>(route.request_headers, route.response_headers);
}

}  // namespace suoke::filters
