// SPDX-License-Identifier: MIT
// Copies a share of a route's requests for another service. Innermost of the checks, so that the copy is
// what the service itself gets; the body is copied as it passes.
#include "filters/filters.h"
#include "gateway/mirror.h"
#include "gateway/site.h"
#include "gateway/worker.h"

namespace suoke::filters {
namespace {

// Passes a request's body on, and sends the copy when it was all there.
class Tee final : public http::BodySource {
 public:
    Tee(http::BodySource& source, std::shared_ptr<gateway::Copy> copy, gateway::Worker& worker) : source_(source), copy_(std::move(copy)), worker_(worker) {}
    Result<http::Piece> next() override {
        Result<http::Piece> piece = source_.next();
        if (!piece || !copy_) return piece;
        if (!copy_->add(piece->bytes)) copy_.reset();
        if (copy_ && piece->state == http::Piece::end) gateway::Copy::send(std::move(copy_), worker_);
        return piece;
    }
    rt::Task<void> wait() override { return source_.wait(); }
    std::optional<std::uint64_t> remaining() const override { return source_.remaining(); }
    std::uint64_t received() const override { return source_.received(); }
    const http::Headers* trailers() const override { return source_.trailers(); }

 private:
    http::BodySource& source_;
    std::shared_ptr<gateway::Copy> copy_;
    gateway::Worker& worker_;
};

class Mirror final : public Check {
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        const gateway::Route& route = *ex.route;
        if (!ex.request.head.protocol.empty() || ex.worker.random().below(100) >= route.mirror_percent) return gateway::go_on();
        auto copy = std::make_shared<gateway::Copy>(ex, *route.mirror);
        if (!ex.request.body) {
            gateway::Copy::send(std::move(copy), ex.worker);
        } else {
            ex.wrap_request_body(std::make_unique<Tee>(*ex.request.body, std::move(copy), ex.worker));
        }
        return gateway::go_on();
    }
};

}  // namespace

CheckPtr mirror(const config::Config&, const config::Route& route) {
    return route.forwards() && route.mirror && route.mirror->percent > 0 ? std::make_shared<Mirror>() : nullptr;
}

}  // namespace suoke::filters
