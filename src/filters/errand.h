// SPDX-License-Identifier: MIT
#pragma once
// A request of the gateway's own: a copy of a client's, on nobody's time, that goes through the rest of the route's
// chain. The client may leave; what is asked for is for the cache and those who wait for it, or, under an
// Idempotency-Key, for the client that comes back.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gateway/filter.h"
#include "gateway/no_interims.h"

namespace suoke::filters {

class Errand {
 public:
    enum class Ask : std::uint8_t {
        whole,   // a GET without conditions and ranges
        same,    // what the client asks, but for its body
    };
    // `next`: what the request goes through.
    Errand(const gateway::Exchange& from, gateway::Next next, Ask ask);
    ~Errand();
    Errand(const Errand&) = delete;
    Errand& operator=(const Errand&) = delete;

    http::Headers& headers() { return request_.head.headers; }
    // Until there is an answer.
    rt::Task<void> ask();
    gateway::Answer& answer() { return *answer_; }
    const gateway::Exchange& exchange() const { return *ex_; }
    gateway::Exchange& exchange() { return *ex_; }

 private:
    std::string_view keep(std::string_view text);
    void copy_head(const http::RequestHead& head, Ask ask);
    void copy_match(const gateway::Exchange& from);

    std::string text_;   // all that views point to; never grows beyond what was reserved
    rt::Address peer_;
    http::Request request_;
    gateway::NoInterims nobody_;
    gateway::Next next_;
    std::optional<gateway::Exchange> ex_;
    std::optional<gateway::Answer> answer_;   // ends before the exchange
};

// The body of an errand's answer that goes to one client after all; the errand lives as long as it does.
class ErrandBody final : public http::BodyAround, public rt::FrameAllocated {
 public:
    ErrandBody(std::unique_ptr<Errand> errand, http::Body inner) : BodyAround(std::move(inner)), errand_(std::move(errand)) {}
    ~ErrandBody() override { inner_.reset(); }

 private:
    std::unique_ptr<Errand> errand_;
};

}  // namespace suoke::filters
