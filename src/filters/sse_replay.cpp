// SPDX-License-Identifier: MIT
// Last-Event-ID (WHATWG HTML §9.2.4): a client that lost its event stream and comes back gets what it
// missed from memory, and the upstream is asked to go on behind that. Only after the upstream has let
// the client in again, and only what was said to the same subject on the same stream: whoever names
// no subject is neither recorded nor given anything.
#include "filters/event_stream.h"
#include "filters/filters.h"
#include "gateway/replies.h"
#include "gateway/worker.h"
#include "http/cookie.h"
#include "rt/digest.h"
#include "rt/tls.h"

namespace suoke::filters {
namespace {

using gateway::Answer;
using gateway::EventRings;
using http::HeaderId;
using http::Piece;
namespace sse = http::sse;

// What the client missed, then what the upstream says, which is recorded event by event.
class Recorded final : public http::BodyAround, public rt::FrameAllocated {
 public:
    Recorded(gateway::Exchange& ex, http::Body inner, std::string key, const EventRings::Limits& limits,
             std::string missed, std::string_view last_id)
        : BodyAround(std::move(inner)),
          ex_(ex),
          key_(std::move(key)),
          limits_(limits),
          missed_(std::move(missed)),
          last_id_(last_id) {
        framer_.begin_with_id(last_id);
    }
    ~Recorded() override { rings().leave(key_, this); }

    Result<Piece> next() override {
        if (!missed_.empty()) {
            said_ = std::exchange(missed_, {});
            return Piece{said_, Piece::more};
        }
        std::string().swap(said_);
        Result<Piece> piece = inner_->next();
        if (piece) record(piece->bytes);
        return piece;
    }
    std::optional<std::uint64_t> remaining() const override { return std::nullopt; }

 private:
    EventRings& rings() const { return ex_.worker.event_rings(); }

    // Line by line, because only there an event may end.
    void record(std::string_view bytes) {
        while (!bytes.empty()) {
            std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size() - 1) + 1;
            std::string_view line = bytes.substr(0, end);
            bytes.remove_prefix(end);
            sse::Step step = framer_.feed(line);
            if (!too_large_) block_ += line;
            too_large_ = too_large_ || block_.size() > limits_.bytes;
            if (step.border != sse::Step::kNone) block_ends(step.events > 0);
        }
    }
    void block_ends(bool is_event) {
        auto id = framer_.last_id();
        bool worth_it = is_event || id != std::optional<std::string_view>(last_id_);
        if (!id || too_large_) {
            rings().gap(key_, this);
        } else if (worth_it) {
            rings().record(key_, this, {std::string(*id), block_}, limits_, ex_.worker.loop().now());
        }
        last_id_ = id.value_or("");
        block_.clear();
        too_large_ = false;
    }
    gateway::Exchange& ex_;
    const std::string key_;
    const EventRings::Limits limits_;
    std::string missed_, said_;
    sse::Framer framer_;
    std::string block_, last_id_;
    bool too_large_ = false;
};

// What tells clients apart.
class Subject {
 public:
    explicit Subject(const config::SseReplay& from)
        : from_(from.subject), name_(from.subject_name), by_identity_(from_ == config::Subject::header && name_.empty()) {
        if (by_identity_) name_ = "Authorization";
    }

    // Who comes back with a newer token is still the same. A service that only says yes (forward auth) does not say to
    // whom: strangers would be one then.
    const auth::Identity* known(const gateway::Exchange& ex) const {
        return by_identity_ && ex.who && ex.who->method != auth::Method::forward ? ex.who.get() : nullptr;
    }

    std::string_view of(const gateway::Exchange& ex) const {
        switch (from_) {
            case config::Subject::header: {
                const std::string_view* value = ex.request.head.headers.find(name_);
                return value ? *value : std::string_view();
            }
            case config::Subject::cookie: return http::find_cookie(ex.request.head.headers, name_);
            case config::Subject::certificate:
                return ex.request.tls && ex.request.tls->has_client_certificate ? ex.request.tls->client_subject : std::string_view();
        }
        return {};
    }

 private:
    config::Subject from_;
    std::string name_;
    bool by_identity_;
};

class Replay final : public Filter {
 public:
    Replay(const config::SseReplay& from, std::uint64_t memory, bool plain_text)
        : subject_(from), limits_{from.events, from.bytes, from.keep, memory}, plain_text_(plain_text) {}

 private:
    rt::Task<Answer> run(gateway::Exchange& ex, gateway::Next next) const override {
        std::string key = ex.request.head.method == http::Method::GET ? key_of(ex) : std::string();
        return key.empty() ? next.run(ex) : run_for(ex, next, std::move(key));
    }

    // A digest: nothing that was a secret is kept. Empty: nothing tells the client from others.
    std::string key_of(const gateway::Exchange& ex) const {
        std::string_view route = ex.route->name, query = ex.request.head.query;
        // All that the service is told of it: with other roles it may have been told other things.
        if (const auth::Identity* who = subject_.known(ex))
            return rt::digest_of({auth::name_of(who->method), who->issuer, who->subject, auth::name_of(who->type), who->told.roles,
                                  who->told.scopes, who->told.name, route, ex.path, query});
        std::string_view subject = subject_.of(ex);
        return subject.empty() ? std::string() : rt::digest_of({subject, route, ex.path, query});
    }

    rt::Task<Answer> run_for(gateway::Exchange& ex, gateway::Next next, std::string key) const {
        // 1. What has the client missed? The upstream need not say that again.
        http::Headers& headers = ex.request.head.headers;
        const std::string_view* seen = headers.find("Last-Event-ID");
        EventRings::Missed missed;
        if (seen) {
            auto found = ex.worker.event_rings().after(key, *seen, limits_, ex.worker.loop().now());
            if (found) missed = std::move(*found);
        }
        if (!missed.bytes.empty()) headers.set("Last-Event-ID", ex.arena.copy(missed.last_id));
        // 2. Does the upstream let it in?
        Answer answer = co_await next.run(ex);
        if (!answer) co_return answer;
        if (is_event_stream(ex, *answer, plain_text_)) {
            std::string last(missed.bytes.empty() && seen ? *seen : std::string_view(missed.last_id));
            answer->headers.remove(HeaderId::content_length);
            answer->body = std::make_unique<Recorded>(ex, std::move(answer->body), std::move(key), limits_,
                                                      std::move(missed.bytes), last);
        } else if (answer->status == 204 && !missed.bytes.empty()) {
            // Nothing more is to come; 204 alone would keep from the client what it missed.
            co_return gateway::text_response(200, "text/event-stream", std::move(missed.bytes));
        }
        co_return answer;
    }

    Subject subject_;
    EventRings::Limits limits_;
    bool plain_text_;
};

}  // namespace

FilterPtr sse_replay(const config::Config& config, const config::Route& route) {
    if (!route.forwards() || !route.sse.replay) return nullptr;
    return std::make_shared<Replay>(*route.sse.replay, config.sse.replay_memory, route.sse.plain_text);
}

}  // namespace suoke::filters
