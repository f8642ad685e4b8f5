// SPDX-License-Identifier: MIT
#pragma once
// Several wait until something has changed, each until a deadline of its own, and then look again:
//
//   bool told = co_await changed.wait(deadline);   // false: the deadline came first
//   changed.tell();                                // any time; whoever waits is resumed at loop level
//
// Dropping the list tells everyone, so whoever waited looks up again what it waited for.

#include <coroutine>

#include "rt/list.h"
#include "rt/loop.h"

namespace suoke::store {

class WaitList {
 public:
    explicit WaitList(rt::Loop& loop) : loop_(loop) {}
    ~WaitList() { tell(); }
    WaitList(const WaitList&) = delete;
    WaitList& operator=(const WaitList&) = delete;

    class [[nodiscard]] Wait final : rt::Deferred, rt::Timer, public rt::ListHook<Wait> {
     public:
        Wait(WaitList& list, TimePoint deadline) : list_(list), loop_(list.loop_), deadline_(deadline) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> waiter) {
            waiter_ = waiter;
            list_.waiting_.push_back(*this);
            if (deadline_ != kNever) loop_.timers().arm(*this, deadline_);
        }
        bool await_resume() const { return told_; }

     private:
        friend class WaitList;
        void run() override { waiter_.resume(); }
        void expired() override {
            rt::ListHook<Wait>::unlink();
            waiter_.resume();
        }
        void tell() {
            disarm();
            told_ = true;
            loop_.defer(*this);
        }
        WaitList& list_;
        rt::Loop& loop_;
        TimePoint deadline_;
        std::coroutine_handle<> waiter_;
        bool told_ = false;
    };

    Wait wait(TimePoint deadline) { return {*this, deadline}; }
    void tell() {
        while (Wait* wait = waiting_.pop_front()) wait->tell();
    }

 private:
    rt::Loop& loop_;
    rt::List<Wait> waiting_;
};

}  // namespace suoke::store
