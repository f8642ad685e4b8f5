// SPDX-License-Identifier: MIT
// X-Request-Timeout: how long the client will wait, in seconds ("2.5") or with a unit ("1500ms"). The
// exchange gets no longer than that, and the service is told what is left of it, so that nobody works on
// what nobody waits for. (gRPC has grpc-timeout: grpc.cpp.)
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

class RequestTimeoutOnward final : public Check {
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        http::Headers& headers = ex.request.head.headers;
        if (!headers.has(HeaderId::x_request_timeout) || ex.deadline == kNever) return gateway::go_on();
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(ex.deadline - ex.worker.loop().now());
        if (left.count() <= 0) return Error(Code::deadline_exceeded, "no time was left to ask the upstream");
        headers.set(HeaderId::x_request_timeout, ex.arena.copy(std::to_string(left.count()) + "ms"));
        return gateway::go_on();
    }
};

}  // namespace

CheckPtr request_timeout(const config::Config&, const config::Route&) { return std::make_shared<RequestTimeout>(); }
CheckPtr request_timeout_onward(const config::Config&, const config::Route&) { return std::make_shared<RequestTimeoutOnward>(); }

}  // namespace suoke::filters
