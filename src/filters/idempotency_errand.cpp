// SPDX-License-Identifier: MIT
#include "filters/idempotency_errand.h"

#include "filters/cache_fill.h"
#include "gateway/worker.h"
#include "rt/pause.h"
#include "rt/race.h"

namespace suoke::filters {
namespace {

using gateway::Answer;
using gateway::AnswerStore;
using gateway::Exchange;
using http::Piece;

// Of a worker, with those of the cache. Each may hold a request and an answer; more end with their clients.
constexpr std::size_t kMostAlone = 256;

rt::Task<void> settle_in(rt::Loop& own, Claim claim, std::string answer) {
    auto settled = co_await claim.store->settle(own, claim.place, claim.mark, std::move(answer), claim.lifetime);
    static_cast<void>(settled);   // a claim that is gone, or a store that is away: then the next one does it again
}

rt::Task<void> release_in(rt::Loop& own, Claim claim) {
    auto released = co_await claim.store->release(own, claim.place, claim.mark);
    static_cast<void>(released);  // it ends by itself
}

void release_aside(gateway::Worker& worker, Claim claim) { worker.background().spawn(release_in(worker.loop(), std::move(claim))); }

rt::Task<void> finish(std::unique_ptr<KeyedErrand> errand) {
    rt::Loop& loop = errand->worker().loop();
    rt::Aside aside(loop);        // whoever left is being destroyed just now
    co_await aside;
    rt::Within<void> rest(loop, errand->rest(), errand->until());
    co_await rest;                // too late: another one may have the key by now
}

void go_on_alone(std::unique_ptr<KeyedErrand> errand) {
    gateway::Worker& worker = errand->worker();
    bool has_room = worker.errands().size() < kMostAlone && !worker.buffers().under_pressure();
    if (has_room) worker.errands().spawn(finish(std::move(errand)));
}

// The answer's body on its way to the client, who may have all of it before it is kept.
class KeptBody final : public http::BodyAround, public rt::FrameAllocated {
 public:
    KeptBody(std::unique_ptr<KeyedErrand> errand, http::Body inner) : BodyAround(std::move(inner)), errand_(std::move(errand)) {}
    ~KeptBody() override {
        if (errand_->is_under_way()) {
            errand_->take_back(std::move(inner_));
            go_on_alone(std::move(errand_));
        }
        inner_.reset();           // before the exchange it came from
    }
    Result<Piece> next() override {
        Result<Piece> piece = inner_->next();
        errand_->take(piece);
        return piece;
    }

 private:
    std::unique_ptr<KeyedErrand> errand_;
};

}  // namespace

PendingClaim::~PendingClaim() {
    if (claim_ && claim_->store) release_aside(worker_, std::move(*claim_));
}

// ---- the errand

KeyedErrand::KeyedErrand(Exchange& from, gateway::Next next, std::string body, Claim claim, Judge judge, std::uint64_t most)
    : body_(std::move(body)), errand_(from, next, Errand::Ask::same), claim_(std::move(claim)), until_(claim_->until), judge_(std::move(judge)), most_(most) {
    Exchange& ex = errand_.exchange();
    if (from.request.body) {
        ex.request.head.framing = {http::Framing::length, *body_.remaining()};
        ex.request.body = &body_;
    }
    // Its time is the client's; so is its place among what that has under way, or leaving would be a way past the limit.
    ex.request.started = from.request.started;
    ex.deadline = from.deadline;
    ex.answer_by = from.answer_by;
    ex.client_places = std::move(from.client_places);
}

void KeyedErrand::begin() {
    asking_ = errand_.ask();
    asking_.start();
}

rt::Task<void> KeyedErrand::answered() {
    rt::Join<void> asked(asking_);
    co_await asked;
    judge();
}

void KeyedErrand::judge() {
    judged_ = true;
    const Answer& answer = errand_.answer();
    std::optional<std::string> head = answer ? judge_(errand_.exchange(), *answer) : std::nullopt;
    if (!head) return release();
    kept_ = std::move(*head);
    most_ += kept_.size();
    bool has_content = answer->body && !http::has_no_body(answer->status);
    if (!has_content) settle();   // of a 204 nobody reads a body
}

void KeyedErrand::take(const Result<Piece>& piece) {
    if (!claim_) return;
    if (!piece) return claim_.reset();   // it was done, and nobody knows how it ended: the claim ends with its time
    if (kept_.size() + piece->bytes.size() > most_) return release();
    kept_ += piece->bytes;
    if (piece->state == Piece::end) settle();
}

rt::Task<void> KeyedErrand::rest() {
    if (!judged_) co_await answered();
    while (claim_) {
        http::BodySource& body = *errand_.answer()->body;
        Result<Piece> piece = body.next();
        take(piece);
        if (piece && piece->state == Piece::wait) co_await body.wait();
    }
}

void KeyedErrand::settle() {
    Claim claim = std::move(*claim_);
    claim_.reset();
    worker().background().spawn(settle_in(worker().loop(), std::move(claim), std::move(kept_)));
}

void KeyedErrand::release() {
    Claim claim = std::move(*claim_);
    claim_.reset();
    release_aside(worker(), std::move(claim));
}

void KeyedErrand::tell(Exchange& ex) {
    Exchange& own = errand_.exchange();
    UpstreamFacts facts;
    facts.take_from(own);
    facts.give_to(ex);
    ex.faults = ex.arena.copy(own.faults);
}

// ---- its client

Attendance::~Attendance() {
    if (!errand_) return;
    errand_->tell(ex_);
    go_on_alone(std::move(errand_));
}

Answer Attendance::answer() {
    std::unique_ptr<KeyedErrand> errand = std::move(errand_);
    errand->tell(ex_);
    if (!errand->answer()) return errand->answer().error();
    http::Response response = std::move(*errand->answer());
    if (!response.body) response.body = std::make_unique<http::TextBody>(std::string());   // something has to keep what its head points to
    response.body = std::make_unique<KeptBody>(std::move(errand), std::move(response.body));
    return response;
}

}  // namespace suoke::filters
