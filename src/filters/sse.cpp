// SPDX-License-Identifier: MIT
// Server-Sent Events (WHATWG HTML §9.2): an answer that is an event stream has no total timeout but
// timeouts of its own, is told apart from a dead one by heartbeats, and never just breaks off.
#include "filters/event_stream.h"
#include "filters/filters.h"
#include "gateway/forward.h"
#include "gateway/replies.h"
#include "gateway/site.h"
#include "gateway/worker.h"

namespace suoke::filters {
namespace {

using gateway::Answer;
using http::HeaderId;
using http::Piece;

class EventStreams final : public Check {
 public:
    EventStreams(const SseRules& rules, bool plain_text) : rules_(rules), plain_text_(plain_text) {}

 private:
    void on_response(gateway::Exchange& ex, http::Response& response) const override {
        if (!is_event_stream(ex, response, plain_text_)) return;
        http::Headers& headers = response.headers;
        if (!headers.find("Cache-Control")) headers.add("Cache-Control", "no-cache");
        headers.set("X-Accel-Buffering", "no");  // a proxy in front of us shall pass events on at once
        headers.remove(HeaderId::content_length);
        ex.deadline = kNever;
        response.body = std::make_unique<EventStream>(ex, std::move(response.body), rules_);
    }
    SseRules rules_;
    bool plain_text_;
};

// An ordinary answer whose upstream was not told the total timeout.
class UntilDeadline final : public http::BodyAround, public rt::FrameAllocated {
 public:
    UntilDeadline(rt::Loop& loop, http::Body inner, TimePoint deadline)
        : BodyAround(std::move(inner)), loop_(loop), deadline_(deadline) {}
    Result<Piece> next() override {
        if (late_) return Error(Code::deadline_exceeded);
        return inner_->next();
    }
    rt::Task<void> wait() override {
        rt::Within<void> turn(loop_, inner_->wait(), deadline_);
        bool came = co_await turn;
        late_ = !came;
    }

 private:
    rt::Loop& loop_;
    TimePoint deadline_;
    bool late_ = false;
};

// The answer to come, as the body of one that was begun before it.
class EarlyBody final : public http::BodySource, public rt::FrameAllocated {
 public:
    EarlyBody(gateway::Exchange& ex, rt::Task<Answer> answer, bool plain_text)
        : ex_(ex), answer_(std::move(answer)), plain_text_(plain_text) {}
    Result<Piece> next() override {
        if (body_) return body_->next();
        if (!answer_.done()) return Piece{{}, Piece::wait};
        Answer answer = answer_.take();
        if (!answer) return answer.error();
        if (!is_event_stream(ex_, *answer, plain_text_))
            return Error(Code::upstream_status, "the upstream answered " + std::to_string(answer->status) +
                                                    ", which is no event stream");
        body_ = std::move(answer->body);
        body_->forget_head();
        return body_->next();
    }
    rt::Task<void> wait() override {
        if (body_) {
            co_await body_->wait();
            co_return;
        }
        rt::Join<Answer> joined(answer_);
        co_await joined;
    }

 private:
    gateway::Exchange& ex_;
    rt::Task<Answer> answer_;
    bool plain_text_;
    http::Body body_;
};

// Around whoever answers, because only the head says whether the answer is a stream: the total
// timeout of the route is kept here, for the head and for an ordinary body, and not by the upstream's
// connection, which could not be told later that there is none. With sse.early it answers first.
class StreamStart final : public Filter {
 public:
    StreamStart(bool early, bool plain_text) : early_(early), plain_text_(plain_text) {}

 private:
    rt::Task<Answer> run(gateway::Exchange& ex, gateway::Next next) const override {
        // After our head there is no place for a 100 (Continue) that the client may wait for.
        const http::RequestHead& head = ex.request.head;
        if (early_ && head.method != http::Method::HEAD && !head.expects_continue) co_return begin(ex, next);
        TimePoint deadline = ex.answer_by = std::exchange(ex.deadline, kNever);
        rt::Within<Answer> within(ex.worker.loop(), next.run(ex), deadline);
        std::optional<Answer> answer = co_await within;
        if (!answer) gateway::tell_timed_out(ex);
        ex.deadline = deadline;
        ex.answer_by = kNever;
        if (!answer) co_return Error(Code::deadline_exceeded);
        bool ordinary = *answer && (*answer)->body && (*answer)->status != 101 && !is_event_stream(ex, **answer, plain_text_);
        if (ordinary && deadline != kNever) {
            http::Body& body = (*answer)->body;
            body = std::make_unique<UntilDeadline>(ex.worker.loop(), std::move(body), deadline);
        }
        co_return std::move(*answer);
    }

    // What fails at once, or is there at once, needs no early answer.
    Answer begin(gateway::Exchange& ex, gateway::Next next) const {
        ex.deadline = kNever;
        ex.request.head.headers.remove("Accept-Encoding");
        rt::Task<Answer> answer = next.run(ex);
        if (answer.start()) return answer.take();
        http::Response response = gateway::text_response(200, "text/event-stream", {});
        response.body = std::make_unique<EarlyBody>(ex, std::move(answer), plain_text_);
        return response;
    }
    bool early_, plain_text_;
};

}  // namespace

CheckPtr event_streams(const config::Config& config, const config::Route& route) {
    if (!route.forwards()) return nullptr;
    const config::RouteSse& own = route.sse;
    SseRules rules{.heartbeat = own.heartbeat.value_or(config.sse.heartbeat),
                   .first_event = own.first_event_timeout.value_or(config.sse.first_event_timeout),
                   .between = own.event_timeout.value_or(config.sse.event_timeout),
                   .retry = config.sse.retry};
    return std::make_shared<EventStreams>(rules, own.plain_text);
}

FilterPtr stream_start(const config::Config&, const config::Route& route) {
    bool timed = route.timeout.value_or(Duration::zero()) > Duration::zero();
    if (!route.forwards() || (!timed && !route.sse.early)) return nullptr;
    return std::make_shared<StreamStart>(route.sse.early, route.sse.plain_text);
}

}  // namespace suoke::filters
