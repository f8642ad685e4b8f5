// SPDX-License-Identifier: MIT
// Bodies larger than the route allows: refused by their Content-Length, or cut when a chunked one
// grows beyond it on its way.
#include "base/text.h"
#include "filters/filters.h"
#include "rt/frame_cache.h"

namespace suoke::filters {
namespace {

Error too_large(std::uint64_t most) {
    return Error(Code::body_too_large, "the body may have at most " + format_bytes(most));
}

class LimitedBody final : public http::BodySource, public rt::FrameAllocated {
 public:
    LimitedBody(http::BodySource& inner, std::uint64_t most) : inner_(inner), most_(most) {}
    Result<http::Piece> next() override {
        Result<http::Piece> piece = inner_.next();
        if (inner_.received() > most_) return too_large(most_);
        return piece;
    }
    rt::Task<void> wait() override { return inner_.wait(); }
    std::optional<std::uint64_t> remaining() const override { return inner_.remaining(); }
    std::uint64_t received() const override { return inner_.received(); }
    const http::Headers* trailers() const override { return inner_.trailers(); }

 private:
    http::BodySource& inner_;
    std::uint64_t most_;
};

class BodyLimit final : public Check {
 public:
    explicit BodyLimit(std::uint64_t most) : most_(most) {}

 private:
    gateway::Verdict on_request(gateway::Exchange& ex) const override {
        http::Request& request = ex.request;
        if (!request.body) return gateway::go_on();
        if (!request.head.protocol.empty()) return gateway::go_on();  // a tunnel has no body that ends
        if (auto length = request.body->remaining()) {
            if (*length > most_) return too_large(most_);
            return gateway::go_on();
        }
        ex.wrap_request_body(std::make_unique<LimitedBody>(*request.body, most_));
        return gateway::go_on();
    }
    std::uint64_t most_;
};

}  // namespace

CheckPtr body_limit(const config::Config& config, const config::Route& route) {
    std::uint64_t most = route.max_request_size.value_or(config.security.max_request_size);
    return most ? std::make_shared<BodyLimit>(most) : nullptr;
}

}  // namespace suoke::filters
