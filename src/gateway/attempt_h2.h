// SPDX-License-Identifier: MIT
#pragma once
// An attempt as one stream of an HTTP/2 connection that others use, too (RFC 9113, RFC 8441).

#include "gateway/attempt.h"
#include "http/client_h2.h"
#include "rt/frame_cache.h"

namespace suoke::gateway {

class AttemptH2 final : public Attempt, public rt::FrameAllocated {
 public:
    AttemptH2(std::shared_ptr<http::H2Client> client, http::Method method, const AttemptLimits& limits);

    rt::Task<Result<void>> run(const Outgoing& request, http::Responder& interims) override;
    http::ResponseHead& head() override { return exchange_.head(); }
    Seen seen() const override;
    bool reused() const override { return reused_; }
    TimePoint last_sent() const override { return exchange_.progress(); }

    Result<http::Piece> next() override { return exchange_.next(); }
    rt::Task<void> wait() override { return exchange_.wait(); }
    void forget_head() override { exchange_.forget_head(); }
    std::optional<std::uint64_t> remaining() const override { return exchange_.remaining(); }
    std::uint64_t received() const override { return exchange_.received(); }
    const http::Headers* trailers() const override { return exchange_.trailers(); }

 private:
    Result<void> begin(const Outgoing& request);
    TimePoint patience() const;
    std::optional<Error> overdue() const;
    void open_tunnel(const Outgoing& request);

    rt::Loop& loop_;
    AttemptLimits limits_;
    bool reused_;
    bool secure_;
    http::H2Exchange exchange_;
    std::string accept_;   // Sec-WebSocket-Accept, which HTTP/2 does without
};

}  // namespace suoke::gateway
