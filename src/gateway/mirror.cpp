// SPDX-License-Identifier: MIT
#include "gateway/mirror.h"

#include "gateway/forward.h"
#include "gateway/no_interims.h"
#include "gateway/open_attempt.h"
#include "gateway/proxy_preamble.h"
#include "gateway/site.h"
#include "gateway/worker.h"

namespace suoke::gateway {

Copy::Copy(Exchange& ex, const Service& to)
    : service_(to.name),
      method_(ex.request.head.method_name),
      target_(upstream_target(ex, to)),
      host_(wanted_host(ex, to)),
      preamble_(proxy_preamble(ex, to)),
      patience_(to.response_timeout > Duration::zero() ? std::min(to.response_timeout, kLongest) : kLongest),
      connect_(to.connect_timeout),
      write_(to.write_timeout) {
    for (const http::Field& field : ex.request.head.headers)
        if (field.id != http::HeaderId::host && field.id != http::HeaderId::content_length) fields_.push_back({std::string(field.name), std::string(field.value)});
}

bool Copy::add(std::string_view bytes) {
    if (body_.size() + bytes.size() > kMostBody) return false;
    body_ += bytes;
    return true;
}

void Copy::send(std::shared_ptr<Copy> copy, Worker& worker) {
    if (worker.draining() || worker.background().size() >= kMostAtOnce) return;
    worker.background().spawn(run(std::move(copy), worker));
}

namespace {

// So that the connection can be used again; what has no end is left.
rt::Task<void> read_to_end(AttemptPtr attempt, TimePoint until, rt::Loop& loop) {
    for (std::size_t seen = 0; seen < (1 << 20) && loop.now() < until;) {
        Result<http::Piece> piece = attempt->next();
        if (!piece || piece->state == http::Piece::end) co_return;
        seen += piece->bytes.size();
        if (piece->state == http::Piece::wait) co_await attempt->wait();
    }
}

}  // namespace

rt::Task<void> Copy::run(std::shared_ptr<Copy> copy, Worker& worker) {
    rt::Loop& loop = worker.loop();
    LocalService* service = worker.service_named(copy->service_);
    if (!service) co_return;
    ServiceViewPtr view = service->view;
    balance::View::Wish wish{.now = loop.now(), .hash = worker.random().next()};
    balance::Seat seat = view->take(wish);
    if (!seat) co_return;

    http::RequestHead head;
    head.method_name = copy->method_;
    head.method = http::method_of(copy->method_);
    head.version = http::Version::http11;
    for (const Text& field : copy->fields_) head.headers.add(field.name, field.value);
    if (!copy->body_.empty()) head.framing = {http::Framing::length, copy->body_.size()};
    std::string_view host = copy->host_.empty() ? host_of(seat.member().address, seat.member().name) : std::string_view(copy->host_);
    Outgoing request{head, copy->target_, host};
    if (!copy->body_.empty()) request.first = {copy->body_, http::Piece::end};

    AttemptLimits limits;
    limits.response = copy->patience_;
    limits.idle = copy->patience_;
    limits.write = copy->write_;
    limits.deadline = loop.now() + 2 * copy->patience_;
    const upstream::Berth& berth = view->berth(seat.member());
    AttemptPtr attempt = attempt_at_once(worker, berth, head.method, limits);
    if (!attempt) {
        Patience patience{deadline_after(loop.now(), copy->connect_), deadline_after(loop.now(), copy->connect_)};
        auto opened = co_await attempt_on_new_connection(worker, berth, head.method, limits, patience, std::move(copy->preamble_));
        if (!opened) {
            bool refused = opened.error().code == Code::connect_failed;
            co_return seat.tell(refused ? balance::Verdict::refused : balance::Verdict::failed, Duration::zero(), loop.now());
        }
        attempt = std::move(*opened);
    }
    NoInterims interims;
    auto answered = co_await attempt->run(request, interims);
    balance::Verdict verdict = answered ? verdict_of_status(attempt->head().status) : balance::Verdict::failed;
    seat.tell(verdict, loop.now() - attempt->last_sent(), loop.now());
    if (!answered) co_return;
    co_await read_to_end(std::move(attempt), limits.deadline, loop);
}

}  // namespace suoke::gateway
