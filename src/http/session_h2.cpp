// SPDX-License-Identifier: MIT
#include "http/session_h2.h"

#include <algorithm>

#include "http/linger.h"
#include "http/session_h2_exchange.h"

namespace suoke::http {

constexpr Duration kDrainGrace = std::chrono::seconds(1);

H2Session::H2Session(rt::Stream& stream, const rt::Address& peer, rt::BufferPool& buffers, Handler& handler,
                     rt::Buffer first)
    : stream_(stream),
      peer_(peer),
      peer_host_(peer.is_unix() ? "unix" : peer.host()),
      buffers_(buffers),
      handler_(handler),
      wire_(stream, buffers, *this, kH2Preface.size(), std::move(first)),
      past_(2 * std::size_t{handler.limits().max_concurrent_streams}),
      resets_(std::max(200.0, 2.0 * handler.limits().max_concurrent_streams), 50) {
    wire_.make_server(callbacks(), this);
}

H2Session::~H2Session() {
    wire_.leave();
    while (Exchange* exchange = exchanges_.first()) remove(*exchange);
}

rt::Task<void> H2Session::run() {
    begin();
    wire_.feed_first();
    for (;;) {
        settle();
        wire_.later();
        if (wire_.over()) break;
        rt::Io got = wire_.read_some();
        if (got.failed()) {
            wire_.break_off();
            break;
        }
        if (!got.blocked()) continue;
        co_await wire_.readable();
        ring_alarms();
    }
    co_await say_goodbye();
}

void H2Session::begin() {
    const SessionLimits& limits = handler_.limits();
    began_ = idle_since_ = stream_.loop().now();
    constexpr std::uint32_t kNoPriorities = 9;  // SETTINGS_NO_RFC7540_PRIORITIES, RFC 9218 §2.1
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.max_concurrent_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits.head)},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
        {kNoPriorities, 1},
    };
    nghttp2_submit_settings(wire_.library, NGHTTP2_FLAG_NONE, settings, std::size(settings));
    nghttp2_session_set_local_window_size(wire_.library, NGHTTP2_FLAG_NONE, 0,
                                          static_cast<std::int32_t>(limits.connection_window));
}

// Before nghttp2, which passes over some of these without a word.
bool H2Session::frame_begins(const h2::FrameHead& head) {
    if (given_up_) return true;
    TimePoint now = stream_.loop().now();
    bool of_message = head.type == NGHTTP2_DATA || head.type == NGHTTP2_HEADERS;
    if (of_message && past_.contains(head.stream) && !nghttp2_session_find_stream(wire_.library, head.stream)) {
        if (auto error = past_.judge(head.stream)) return give_up(*error);
        if (!crossings_.spend(now)) return give_up(h2::ErrorCode::enhance_your_calm);
    }
    if (head.type == NGHTTP2_PRIORITY && head.stream == 0) return give_up(h2::ErrorCode::protocol_error);
    return gate_.allows(head, now) || give_up(h2::ErrorCode::enhance_your_calm);
}

void H2Session::refused(int nghttp2_error) {
    bool stranger = nghttp2_error == NGHTTP2_ERR_BAD_CLIENT_MAGIC;  // otherwise a flood that nghttp2 has noticed
    if (!given_up_) give_up(stranger ? h2::ErrorCode::protocol_error : h2::ErrorCode::enhance_your_calm);
}

// Only the first reason counts: nghttp2 says one GOAWAY of this kind.
bool H2Session::give_up(h2::ErrorCode code) {
    given_up_ = true;
    nghttp2_session_terminate_session(wire_.library, static_cast<std::uint32_t>(code));
    wire_.later();
    return false;
}

void H2Session::forget_block() {
    reading_ = nullptr;
    block_ = nullptr;
    block_began_ = kNever;
}

int H2Session::refuse_frame(h2::ErrorCode code) {
    give_up(code);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

// ---- time

TimePoint H2Session::alarm() const {
    const SessionLimits& limits = handler_.limits();
    TimePoint next = kNever;
    if (given_up_) return next;
    if (!settings_acked_) next = deadline_after(began_, limits.header_timeout);
    if (block_began_ != kNever) next = std::min(next, deadline_after(block_began_, limits.header_timeout));
    if (exchange_count_ == 0) next = std::min(next, deadline_after(idle_since_, limits.keepalive));
    if (draining_ && !drained_) next = std::min(next, drain_began_ + kDrainGrace);
    return next;
}

void H2Session::ring_alarms() {
    TimePoint now = stream_.loop().now();
    if (given_up_ || now < alarm()) return;
    const SessionLimits& limits = handler_.limits();
    if (draining_ && !drained_ && now >= drain_began_ + kDrainGrace) {
        drained_ = true;
        std::int32_t last = nghttp2_session_get_last_proc_stream_id(wire_.library);
        nghttp2_submit_goaway(wire_.library, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0);
    }
    if (!settings_acked_ && now >= deadline_after(began_, limits.header_timeout))
        give_up(h2::ErrorCode::settings_timeout);
    if (block_began_ != kNever && now >= deadline_after(block_began_, limits.header_timeout))
        give_up(h2::ErrorCode::enhance_your_calm);
    if (exchange_count_ == 0 && now >= deadline_after(idle_since_, limits.keepalive)) give_up(h2::ErrorCode::no_error);
}

void H2Session::drain() {
    if (draining_ || wire_.leaving()) return;
    draining_ = true;
    drain_began_ = stream_.loop().now();
    nghttp2_submit_shutdown_notice(wire_.library);
    wire_.later();
}

// The last frames, as long as the client takes them.
rt::Task<void> H2Session::say_goodbye() {
    wire_.leave();
    while (Exchange* exchange = exchanges_.first()) remove(*exchange);
    co_await wire_.say_goodbye();
    if (linger_ && !wire_.broken()) co_await linger(stream_, buffers_);
}

// ---- exchanges

int H2Session::open(std::int32_t id) {
    past_.opened(id);
    // Streams that nghttp2 has forgotten count as long as their handlers run.
    if (exchange_count_ >= handler_.limits().max_concurrent_streams) {
        forget_block();
        nghttp2_submit_rst_stream(wire_.library, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    auto* exchange = new Exchange(*this, id);
    exchanges_.push_back(*exchange);
    ++exchange_count_;
    nghttp2_session_set_stream_user_data(wire_.library, id, exchange);
    reading_ = exchange;
    block_ = &exchange->block_;
    gate_.earn();
    std::uint32_t most = handler_.limits().max_requests;
    if (++requests_ == most) drain();
    return 0;
}

rt::Task<void> H2Session::serve(Exchange& exchange) {
    if (exchange.refusal_) {
        co_await handler_.refuse(exchange.request_, std::move(*exchange.refusal_), exchange);
    } else {
        co_await handler_.handle(exchange.request_, exchange);
    }
    exchange.finished_ = true;
    queue(exchange);
}

void H2Session::reset(Exchange& exchange, h2::ErrorCode code) {
    if (exchange.reset_) return;
    exchange.reset_ = true;
    nghttp2_submit_rst_stream(wire_.library, NGHTTP2_FLAG_NONE, exchange.id_, static_cast<std::uint32_t>(code));
    wire_.later();
}

void H2Session::queue(Exchange& exchange) {
    if (!exchange.queued_) done_.push_back(&exchange);
    exchange.queued_ = true;
    wire_.later();
}

void H2Session::wake(h2::Wait* wait) {
    if (!wait || wait->queued()) return;
    woken_.push_back(*wait);
    wire_.later();
}

// Everything the callbacks have queued, until nothing is left to do. At loop level only.
void H2Session::settle() {
    while (!ready_.empty() || !woken_.empty() || !done_.empty()) {
        for (std::size_t i = 0; i < ready_.size(); ++i) {
            Exchange& exchange = *ready_[i];
            if (exchange.closed_ || exchange.reset_) continue;
            exchange.task_ = serve(exchange);
            exchange.task_.start();
        }
        ready_.clear();
        while (h2::Wait* wait = woken_.pop_front()) wait->resume();
        reap();
    }
}

void H2Session::reap() {
    for (std::size_t i = 0; i < done_.size(); ++i) {
        Exchange& exchange = *done_[i];
        exchange.queued_ = false;
        bool runs = exchange.task_ && !exchange.finished_;
        // What was sent as a whole, or failed on our side, tells its handler; otherwise the client
        // has left, and everything the exchange holds goes with it.
        bool told = exchange.complete_ || (exchange.out_ && exchange.out_->over());
        if (exchange.closed_ && runs && told) continue;
        if (exchange.closed_) {
            remove(exchange);
        } else if (exchange.finished_) {
            exchange.task_.reset();
            if (!exchange.complete_) reset(exchange, h2::ErrorCode::internal_error);
        }
    }
    done_.clear();
}

void H2Session::remove(Exchange& exchange) {
    exchange.task_.reset();
    std::size_t unread = exchange.body_ ? exchange.body_->buffered() : 0;
    if (unread > 0 && !wire_.leaving()) nghttp2_session_consume_connection(wire_.library, unread);
    if (!exchange.closed_) nghttp2_session_set_stream_user_data(wire_.library, exchange.id_, nullptr);
    exchange.unlink();
    delete &exchange;
    if (--exchange_count_ == 0) idle_since_ = stream_.loop().now();
}

}  // namespace suoke::http
