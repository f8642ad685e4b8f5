// SPDX-License-Identifier: MIT
// X-Request-Timeout: how long the client will wait, in seconds ("2.5") or with a unit ("1500ms"). The
// exchange gets no longer than that, and the service is told what is left of it (gateway/time_left.h). gRPC
// has grpc-timeout: grpc.cpp.
#include "base/text.h"
#include "filters/filters.h"
#include "gateway/site.h"
#include "gateway/worker.h"

namespace suoke::filters {
namespace {

using http::HeaderId;

class RequestTimeout final : public Check {
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        const std::string_view* text = ex.request.head.headers.find(HeaderId::x_request_timeout);
        if (!text) return gateway::go_on();
        auto timeout = parse_duration(trim(*text));
        if (!timeout || *timeout <= Duration::zero())
            return Error(Code::malformed_request, "X-Request-Timeout must be a duration, like 2.5 (seconds) or 1500ms");
        ex.deadline = std::min(ex.deadline, deadline_after(ex.request.started, *timeout));
        return gateway::go_on();
    }
};

}  // namespace

CheckPtr request_timeout(const config::Config&, const config::Route&) { return std::make_shared<RequestTimeout>(); }

}  // namespace suoke::filters
