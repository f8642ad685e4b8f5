// SPDX-License-Identifier: MIT
#pragma once
// What was revoked, kept in the store until the tokens would have expired anyway. Our own workers are told
// at once; other gateways on the same store look every kPoll whether anything has changed, which costs one
// read, and read everything when it has. Lives in the control loop.
//
// While the store is away nothing can be revoked, and what was known stays in force. A gateway that starts
// then knows of no revocation until the store answers.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "auth/revocations.h"
#include "base/events.h"
#include "config/auth.h"
#include "endpoints/revocation.h"
#include "rt/loop.h"
#include "rt/scope.h"
#include "store/kv.h"

namespace suoke::app {

// What a revocation lasts when nobody says: no shorter than what it is about.
struct RevocationLifetimes {
    Duration token = std::chrono::days(7);
    Duration subject = std::chrono::days(7);
};
RevocationLifetimes revocation_lifetimes(const config::Auth& auth);

class RevocationList final : public endpoints::RevocationDesk {
 public:
    static constexpr Duration kPoll = 1500ms;
    static constexpr Duration kReadAgain = 1min;    // all of it, even if nobody said that it has changed
    static constexpr std::size_t kMost = 10'000;

    RevocationList(rt::Loop& loop, Events& events) : loop_(loop), events_(events) {}
    void set_listener(std::function<void(const auth::RevocationsPtr&)> changed) { changed_ = std::move(changed); }
    // Null: nothing is revoked any more, and nothing can be.
    void adopt(store::Kv* store, RevocationLifetimes lifetimes = {});
    const auth::RevocationsPtr& picture() const { return picture_; }

    // endpoints::RevocationDesk
    rt::Task<Result<endpoints::Revocation>> revoke(endpoints::RevocationWish wish) override;
    rt::Task<Result<endpoints::Revocation>> lift(endpoints::Revoked what, std::string id) override;
    std::vector<endpoints::Revocation> all() const override;

 private:
    using Known = std::map<std::string, endpoints::Revocation>;   // by key in the store
    rt::Task<void> keep();
    rt::Task<Result<void>> look();
    rt::Task<Result<void>> read_all();
    rt::Task<Result<void>> tell_again();
    rt::Task<Result<void>> say_changed();
    void forget_old();
    void publish();

    rt::Loop& loop_;
    Events& events_;
    std::function<void(const auth::RevocationsPtr&)> changed_ = [](const auth::RevocationsPtr&) {};
    store::Kv* store_ = nullptr;
    RevocationLifetimes lifetimes_;
    Known known_;
    std::uint64_t edits_ = 0;                // of known_, by us
    std::optional<std::int64_t> seen_;       // the store's count of changes, when all was read
    TimePoint read_at_{};
    bool away_ = false, full_ = false;
    auth::RevocationsPtr picture_ = std::make_shared<auth::Revocations>();
    rt::TaskScope tasks_;                    // ends before everything above
};

}  // namespace suoke::app
