// SPDX-License-Identifier: MIT
#pragma once
// A request under an Idempotency-Key, done in an exchange of its own: a client that loses its connection finds the answer
// when it asks again.
//
//   Attendance attendance(ex, std::make_unique<KeyedErrand>(ex, next, std::move(body), std::move(claim), std::move(judge), most));
//   co_await attendance.answered();          // given up: the errand goes on without us
//   co_return attendance.answer();

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "filters/errand.h"
#include "gateway/answer_store.h"

namespace suoke::filters {

// A claim in the store. What becomes of it is told there beside everything else; nobody waits for that.
struct Claim {
    gateway::AnswerStore* store = nullptr;
    std::string place, mark;
    Duration lifetime{};    // of the answer
    TimePoint until{};      // then it ends by itself
};

// Given up when nothing was begun with it: its client left meanwhile, or the store did not say that it has it.
class PendingClaim {
 public:
    PendingClaim(gateway::Worker& worker, Claim claim) : worker_(worker), claim_(std::move(claim)) {}
    ~PendingClaim();
    PendingClaim(const PendingClaim&) = delete;
    PendingClaim& operator=(const PendingClaim&) = delete;

    const Claim& operator*() const { return *claim_; }
    Claim take() { return *std::exchange(claim_, std::nullopt); }

 private:
    gateway::Worker& worker_;
    std::optional<Claim> claim_;
};

// The body of a request that is here already; given out once.
class RequestText final : public http::BodySource {
 public:
    explicit RequestText(std::string text) : text_(std::move(text)) {}
    Result<http::Piece> next() override {
        given_ = true;
        return http::Piece{text_, http::Piece::end};
    }
    rt::Task<void> wait() override { co_return; }
    std::optional<std::uint64_t> remaining() const override { return given_ ? 0 : text_.size(); }
    std::uint64_t received() const override { return given_ ? text_.size() : 0; }

 private:
    const std::string text_;
    bool given_ = false;
};

class KeyedErrand {
 public:
    // What the stored answer begins with, before its body; nothing: it is not kept. Belongs to the exchange's site.
    using Judge = std::function<std::optional<std::string>(gateway::Exchange&, const http::Response&)>;

    // `body`: all of the request's, where it has one. `most`: bytes of an answer that is kept.
    KeyedErrand(gateway::Exchange& from, gateway::Next next, std::string body, Claim claim, Judge judge, std::uint64_t most);
    KeyedErrand(const KeyedErrand&) = delete;
    KeyedErrand& operator=(const KeyedErrand&) = delete;

    void begin();
    // Returns when there is an answer. Giving up the wait gives up nothing else.
    rt::Task<void> answered();
    gateway::Answer& answer() { return errand_.answer(); }
    // What is there of the answer's body on its way to whoever reads it.
    void take(const Result<http::Piece>& piece);
    void take_back(http::Body body) { errand_.answer()->body = std::move(body); }
    // Until its claim is settled, or given up.
    bool is_under_way() const { return claim_.has_value(); }
    // What there is to do yet, with nobody else to do it.
    rt::Task<void> rest();
    TimePoint until() const { return until_; }

    void tell(gateway::Exchange& ex);
    gateway::Worker& worker() { return errand_.exchange().worker; }

 private:
    void judge();
    void settle();
    void release();

    RequestText body_;
    Errand errand_;
    std::optional<Claim> claim_;
    const TimePoint until_;
    const Judge judge_;
    std::uint64_t most_;          // of `kept_`
    std::string kept_;
    bool judged_ = false;
    rt::Task<void> asking_;       // ends before everything above
};

// The client that an errand was begun for, until there is an answer.
class Attendance {
 public:
    Attendance(gateway::Exchange& ex, std::unique_ptr<KeyedErrand> errand) : ex_(ex), errand_(std::move(errand)) { errand_->begin(); }
    ~Attendance();   // early: the errand goes on alone
    Attendance(const Attendance&) = delete;
    Attendance& operator=(const Attendance&) = delete;

    rt::Task<void> answered() { return errand_->answered(); }
    // Once, when there is one. Whoever does not read all of its body leaves that to the errand, too.
    gateway::Answer answer();

 private:
    gateway::Exchange& ex_;
    std::unique_ptr<KeyedErrand> errand_;
};

}  // namespace suoke::filters
