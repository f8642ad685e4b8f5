// SPDX-License-Identifier: MIT
#pragma once

#include <coroutine>

#include "rt/list.h"
#include "rt/loop.h"
#include "rt/stream.h"

namespace suoke::http::h2 {

// One coroutine's wait for something that nghttp2 tells. Its callbacks must not run anything, so they
// queue the wait, and the session resumes it at loop level. Destroying it is giving up.
class [[nodiscard]] Wait final : rt::Timer, public rt::ListHook<Wait> {
 public:
    // `slot` is where whoever wakes it finds it; null while nobody waits.
    Wait(rt::Loop& loop, Wait*& slot, TimePoint deadline) : loop_(loop), slot_(slot), deadline_(deadline) {}
    ~Wait() { leave(); }

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
        CHECK(!slot_);
        slot_ = this;
        waiter_ = waiter;
        if (deadline_ != kNever) loop_.timers().arm(*this, deadline_);
    }
    rt::Wake await_resume() {
        leave();
        return outcome_;
    }
    bool queued() const { return rt::ListHook<Wait>::linked(); }
    void resume() {
        leave();
        waiter_.resume();
    }

 private:
    void expired() override {
        outcome_ = rt::Wake::timeout;
        resume();
    }
    void leave() {
        disarm();
        rt::ListHook<Wait>::unlink();
        if (slot_ == this) slot_ = nullptr;
    }

    rt::Loop& loop_;
    Wait*& slot_;
    TimePoint deadline_;
    std::coroutine_handle<> waiter_;
    rt::Wake outcome_ = rt::Wake::ready;
};

}  // namespace suoke::http::h2
