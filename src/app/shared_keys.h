// SPDX-License-Identifier: MIT
#pragma once
// Keys that outlive the process and that all gateways on one store share: the one that signs the cookies
// of sticky sessions, and those that seal TLS session tickets, one for each stretch of time. Whatever the
// store has counts; where it has nothing, ours goes there. Without the store everyone is on his own, and
// what was agreed stays good. Lives in the control loop.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/events.h"
#include "gateway/shared.h"
#include "rt/loop.h"
#include "rt/scope.h"
#include "rt/tls_tickets.h"
#include "store/kv.h"

namespace suoke::app {

class SharedKeys {
 public:
    // What is wanted of a store.
    struct Wanted {
        store::Kv* store = nullptr;
        bool sessions = false;
        rt::TicketKeys* tickets = nullptr;   // null: they stay this process' own
        Duration rotation{};                 // of tickets' keys
        bool operator==(const Wanted&) const = default;
    };
    // Asked again after this: others may have another key by then, or the store lost its data.
    static constexpr Duration kAgain = std::chrono::minutes(1);
    static constexpr Duration kSoon = std::chrono::seconds(2);   // it did not answer

    SharedKeys(rt::Loop& loop, Events& events, std::string session_key);
    // Is told when there is another key for sessions.
    void set_listener(std::function<void(const gateway::SessionKeys&)> changed) { changed_ = std::move(changed); }
    void adopt(Wanted wanted);
    const gateway::SessionKeys& sessions() const { return sessions_; }

 private:
    rt::Task<void> keep();
    rt::Task<Result<void>> agree_on_sessions();
    rt::Task<Result<void>> agree_on_tickets();
    void install_tickets();
    std::int64_t stretch() const;   // since the epoch, by wall clock

    rt::Loop& loop_;
    Events& events_;
    std::function<void(const gateway::SessionKeys&)> changed_ = [](const gateway::SessionKeys&) {};
    Wanted wanted_;
    gateway::SessionKeys sessions_;
    std::map<std::int64_t, rt::TicketKey> tickets_;   // by stretch
    bool alone_ = false;
    rt::TaskScope tasks_;                             // ends before everything above
};

}  // namespace suoke::app
