// SPDX-License-Identifier: MIT
#pragma once
// The body of an event stream on its way to the client: the upstream's bytes as they come, watched
// by a framer that knows where one event ends, so that what the gateway has to say stands between
// events: heartbeats, the reason when it breaks, when to come back, and that the client's credential
// ends (`event: auth_expiring` in time, `event: auth_expired` at the end).

#include <optional>
#include <string>

#include "gateway/open_streams.h"
#include "http/body.h"
#include "http/sse.h"
#include "rt/frame_cache.h"
#include "rt/race.h"

namespace suoke::filters {

// `plain_text`: text/plain is one as well.
bool is_event_stream(const gateway::Exchange& ex, const http::Response& response, bool plain_text);

struct SseRules {
    Duration heartbeat{};    // zero: none, as of the others
    Duration first_event{};  // from the head to the end of the first event
    Duration between{};      // from the end of one event, or comment, to the next one's
    Duration retry{};
};

// Only time spent waiting for the upstream counts against it: while the client is the slow side the
// upstream's clocks stand still.
class EventStream final : public http::BodyAround,
                          public gateway::OpenStream,
                          public rt::FrameAllocated {
 public:
    EventStream(gateway::Exchange& ex, http::Body inner, const SseRules& rules);
    ~EventStream() override;

    Result<http::Piece> next() override;
    rt::Task<void> wait() override;
    std::optional<std::uint64_t> remaining() const override { return std::nullopt; }
    const http::Headers* trailers() const override { return nullptr; }

    // gateway::OpenStream
    std::string_view kind() const override { return "sse"; }
    gateway::StreamFacts facts() const override;
    // The first border at or after `when` is the end; an event that takes StreamEnd::kPatience longer
    // is broken off with an error event.
    void end_gracefully(TimePoint when, gateway::EndReason why) override;

    static constexpr Duration kWarning = 30s;  // before a credential expires: time to get another one

 private:
    Result<http::Piece> pass(http::Piece piece);
    http::Piece say(std::string text);
    http::Piece say_goodbye();
    http::Piece warn();
    std::string last_word();
    std::string come_back() const;
    std::string words_of(const Error& error) const;
    Error why_it_ends() const { return end_.error("the gateway ends this stream; come back"); }
    http::Piece break_off(const Error& error);
    std::string_view without_mark(std::string_view bytes, int mark_before);
    void account(const http::sse::Step& step);
    bool asked_to_end() const { return end_.has_come(loop().now()); }
    bool must_end() const;
    bool must_warn() const { return warn_at_ <= loop().now() && begun_ && framer_.between_events(); }
    TimePoint next_turn() const;
    void act_on_silence();
    rt::Loop& loop() const;

    gateway::Exchange& ex_;
    const SseRules rules_;
    http::sse::Framer framer_;
    Duration quiet_{};              // waited since something last went to the client
    Duration overdue_{};            // waited since the last event ended
    gateway::StreamEnd end_;
    TimePoint warn_at_ = kNever;
    TimePoint active_{};
    std::uint64_t bytes_ = 0;
    bool begun_ = false;            // the head is on its way: failures are told as events
    bool over_ = false;
    bool before_first_byte_ = false;  // words of ours went out before the upstream's first byte
    std::optional<Error> failure_;
    std::string to_say_, said_;
    rt::Within<void>* waiting_ = nullptr;
};

}  // namespace suoke::filters
