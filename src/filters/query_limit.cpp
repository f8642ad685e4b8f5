// SPDX-License-Identifier: MIT
// A query with more parameters than security.max_query_params is refused.
#include "filters/filters.h"
#include "http/uri.h"

namespace suoke::filters {
namespace {

class QueryLimit final : public Check {
 public:
    explicit QueryLimit(std::uint32_t most) : most_(most) {}

 private:
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        std::string_view query = ex.request.head.query;
        if (query.size() <= most_ || http::count_params(query) <= most_) return gateway::go_on();
        return Error(Code::too_many_query_params, "at most " + std::to_string(most_) + " query parameters");
    }
    std::uint32_t most_;
};

}  // namespace

CheckPtr query_limit(const config::Config& config, const config::Route&) {
    std::uint32_t most = config.security.max_query_params;
    return most ? std::make_shared<QueryLimit>(most) : nullptr;
}

}  // namespace suoke::filters
