// SPDX-License-Identifier: MIT
#include "filters/event_stream.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "filters/media_type.h"
#include "gateway/site.h"
#include "gateway/worker.h"

namespace suoke::filters {

using http::Piece;
namespace sse = http::sse;

namespace {

bool has_media_type(const http::Response& response, std::string_view wanted) {
    return iequals(media_type(response.headers), wanted);
}

// What is compressed cannot be framed, and is left alone.
bool is_plain(const http::Response& response) {
    const std::string_view* coding = response.headers.find(http::HeaderId::content_encoding);
    return !coding || iequals(*coding, "identity");
}

}  // namespace

bool is_event_stream(const gateway::Exchange& ex, const http::Response& response, bool plain_text) {
    if (response.status != 200 || !response.body || ex.request.head.method == http::Method::HEAD) return false;
    if (!is_plain(response)) return false;
    return has_media_type(response, "text/event-stream") || (plain_text && has_media_type(response, "text/plain"));
}

EventStream::EventStream(gateway::Exchange& ex, http::Body inner, const SseRules& rules)
    : BodyAround(std::move(inner)), OpenStream(ex), ex_(ex), rules_(rules), active_(loop().now()) {
    if (const auto* seen = ex.request.head.headers.find("Last-Event-ID")) framer_.begin_with_id(*seen);
    ex_.worker.cells().sse_open.add(1);
    ex_.worker.streams().opened(*this);
}

EventStream::~EventStream() { ex_.worker.cells().sse_open.add(-1); }

rt::Loop& EventStream::loop() const { return ex_.worker.loop(); }

Result<Piece> EventStream::next() {
    if (!to_say_.empty()) return say(std::exchange(to_say_, {}));
    if (over_) return Piece{{}, Piece::end};
    if (failure_) return break_off(*failure_);
    if (must_end()) return say_goodbye();
    if (must_warn()) return warn();
    Result<Piece> piece = inner_->next();
    // Before the head is out there are better words for a failure than an event: a status.
    if (!piece && !begun_) return piece;
    if (!piece) return break_off(piece.error());
    begun_ = true;
    return pass(*piece);
}

// The upstream's piece, as it is: only at its end, or ours, is anything held back.
Result<Piece> EventStream::pass(Piece piece) {
    if (piece.bytes.empty()) return piece;
    int mark_before = framer_.byte_order_mark();
    sse::Step step = framer_.feed(piece.bytes);
    account(step);
    bool ends_here = asked_to_end() && step.border != sse::Step::kNone && piece.state != Piece::end;
    if (ends_here) {
        piece.bytes = piece.bytes.substr(0, step.border);
        to_say_ = last_word();
        over_ = true;
    }
    if (before_first_byte_) piece.bytes = without_mark(piece.bytes, mark_before);
    bytes_ += piece.bytes.size();
    ex_.worker.cells().sse_bytes.add(piece.bytes.size());
    return piece;
}

// A byte order mark counts only as the first bytes of a stream. When a heartbeat was first, it would
// be part of a field's name: take it out. What looked like one and was none is put back.
std::string_view EventStream::without_mark(std::string_view bytes, int mark_before) {
    int mark = framer_.byte_order_mark();
    if (mark > mark_before) return bytes.substr(static_cast<std::size_t>(mark - mark_before));
    if (mark == 0 && mark_before > 0) {
        said_ = std::string("\xEF\xBB", static_cast<std::size_t>(mark_before)).append(bytes);
        return said_;
    }
    return bytes;
}

void EventStream::account(const sse::Step& step) {
    WorkerCells& cells = ex_.worker.cells();
    bool first = step.events > 0 && framer_.events() == step.events;
    if (first) cells.sse_first_event.add(loop().now() - ex_.request.started);
    cells.sse_events.add(step.events);
    // Before the first event only an event will do; afterwards the upstream's own heartbeats, which
    // are comments, say as well that it lives.
    if (step.events > 0 || (step.blocks > 0 && framer_.events() > 0)) overdue_ = {};
    quiet_ = {};
    active_ = loop().now();
}

// ---- our own words

Piece EventStream::say(std::string text) {
    said_ = std::move(text);
    bytes_ += said_.size();
    ex_.worker.cells().sse_bytes.add(said_.size());
    active_ = loop().now();
    return Piece{said_, over_ ? Piece::end : Piece::more};
}

Piece EventStream::say_goodbye() {
    if (!framer_.between_events()) return break_off(why_it_ends());
    over_ = true;
    return say(last_word());
}

Piece EventStream::warn() {
    before_first_byte_ |= bytes_ == 0;
    warn_at_ = kNever;
    quiet_ = {};
    auto left = std::chrono::ceil<std::chrono::seconds>(std::max<Duration>(end_.at() - loop().now(), 0s)).count();
    std::string json;
    JsonWriter j(json);
    j.open('{').field("message", "The token expires soon; come back with a new one").field("expires_in", std::int64_t{left}).close('}');
    return say("event: auth_expiring\ndata: " + json + "\n\n");
}

// When it is only we who leave, the client shall come back by itself; with a credential that is no good
// it would only be refused.
std::string EventStream::last_word() {
    if (end_.why() == gateway::EndReason::leaving) return come_back();
    Error why = why_it_ends();
    ex_.failure = why.code;
    return "event: auth_expired\ndata: " + words_of(why) + "\n\n";
}

// At a time that its fellows do not.
std::string EventStream::come_back() const {
    auto all = static_cast<std::uint64_t>(rules_.retry / 1ms);
    std::uint64_t drawn = all / 2 + ex_.worker.random().below(all + 1);
    return "retry: " + std::to_string(drawn) + "\n\n";
}

std::string EventStream::words_of(const Error& error) const {
    std::string json;
    JsonWriter j(json);
    std::string_view message = error.detail.empty() ? row(error.code).doc : std::string_view(error.detail);
    j.open('{').field("error", error.reason()).field("message", message);
    j.field("request_id", ex_.request_id).close('}');
    return json;
}

Piece EventStream::break_off(const Error& error) {
    over_ = true;
    ex_.failure = error.code;
    return say(sse::farewell(framer_, words_of(error)));
}

// ---- waiting

rt::Task<void> EventStream::wait() {
    struct Waiting {
        EventStream& stream;
        ~Waiting() { stream.waiting_ = nullptr; }
    } waiting{*this};
    while (to_say_.empty() && !failure_ && !over_ && !must_end() && !must_warn()) {
        TimePoint began = loop().now();
        rt::Within<void> turn(loop(), inner_->wait(), next_turn());
        waiting_ = &turn;
        bool came = co_await turn;
        waiting_ = nullptr;
        Duration waited = loop().now() - began;
        quiet_ += waited;
        overdue_ += waited;
        if (came) co_return;
        act_on_silence();
    }
}

// The timeouts of the stream take the place of the upstream's idle timeout: each wait for it is
// shorter than that, so it never strikes.
TimePoint EventStream::next_turn() const {
    TimePoint now = loop().now();
    TimePoint turn = deadline_after(now, ex_.route->idle_timeout / 2);
    auto earliest = [&](Duration limit, Duration used) {
        if (limit > Duration::zero()) turn = std::min(turn, deadline_after(now, std::max<Duration>(limit - used, 1ms)));
    };
    if (framer_.between_events()) earliest(rules_.heartbeat, quiet_);
    earliest(framer_.events() == 0 ? rules_.first_event : rules_.between, overdue_);
    if (framer_.between_events()) turn = std::min(turn, warn_at_);
    return std::min(turn, end_.next(now));
}

void EventStream::act_on_silence() {
    bool none_yet = framer_.events() == 0;
    Duration limit = none_yet ? rules_.first_event : rules_.between;
    if (limit > Duration::zero() && overdue_ >= limit) {
        failure_.emplace(none_yet ? Code::upstream_timeout : Code::upstream_idle, "no event came in time");
        return;
    }
    bool beat = rules_.heartbeat > Duration::zero() && quiet_ >= rules_.heartbeat;
    if (!beat || !framer_.between_events()) return;
    before_first_byte_ |= bytes_ == 0;
    to_say_ = sse::kHeartbeat;
    quiet_ = {};
}

bool EventStream::must_end() const {
    if (!asked_to_end()) return false;
    return framer_.between_events() || end_.is_overdue(loop().now());
}

// Only an end that is known beforehand is told beforehand: what was revoked ends at once.
void EventStream::end_gracefully(TimePoint when, gateway::EndReason why) {
    if (!end_.ask(when, why)) return;
    warn_at_ = why == gateway::EndReason::token_expired ? when - kWarning : kNever;
    if (waiting_) waiting_->move_deadline(std::min(end_.at(), next_turn()));
}

gateway::StreamFacts EventStream::facts() const {
    gateway::StreamFacts facts;
    facts.quiet = loop().now() - active_;
    facts.bytes = bytes_;
    facts.buffered = to_say_.size();
    return facts;
}

}  // namespace suoke::filters
