// SPDX-License-Identifier: MIT
#include "gateway/open_attempt.h"

#include "gateway/attempt_h1.h"
#include "gateway/attempt_h2.h"
#include "gateway/worker.h"

namespace suoke::gateway {

AttemptPtr attempt_at_once(Worker& worker, const upstream::Berth& berth, http::Method method, const AttemptLimits& limits) {
    if (berth.h2) {
        auto client = berth.h2->take();
        if (!client) return nullptr;
        return std::make_unique<AttemptH2>(std::move(client), method, limits);
    }
    upstream::Lease lease = berth.h1->take_idle();
    if (!lease) return nullptr;
    return std::make_unique<AttemptH1>(std::move(lease), worker.buffers(), limits);
}

rt::Task<Result<AttemptPtr>> attempt_on_new_connection(Worker& worker, upstream::Berth berth, http::Method method, AttemptLimits limits,
                                                       Patience patience, std::string preamble, upstream::Company company) {
    AttemptPtr attempt;
    if (berth.h2) {
        auto client = co_await berth.h2->open(patience.connect, patience.queue, company);
        if (!client) co_return client.error();
        attempt = std::make_unique<AttemptH2>(std::move(*client), method, limits);
    } else {
        auto lease = co_await berth.h1->open(patience.connect, patience.queue, std::move(preamble));
        if (!lease) co_return lease.error();
        attempt = std::make_unique<AttemptH1>(std::move(*lease), worker.buffers(), limits);
    }
    co_return attempt;
}

}  // namespace suoke::gateway
