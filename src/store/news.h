// SPDX-License-Identifier: MIT
#pragma once
// Several wait until something has changed, each until a deadline of its own, and then look again:
//
//   bool told = co_await news.wait(deadline);   // false: the deadline came first
//   news.tell();                                // any time; whoever waits is resumed at loop level
//
// Dropping the news tells everyone, so whoever waited looks up again what it waited for.

#include <coroutine>

#include "rt/list.h"
#include "rt/loop.h"

namespace suoke::store {

class News {
 public:
    explicit News(rt::Loop& loop) : loop_(loop) {}
    ~News() { tell(); }
    News(const News&) = delete;
    News& operator=(const News&) = delete;

    class [[nodiscard]] Wait final : rt::Deferred, rt::Timer, public rt::ListHook<Wait> {
     public:
        Wait(News& news, TimePoint deadline) : news_(news), loop_(news.loop_), deadline_(deadline) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> waiter) {
            waiter_ = waiter;
            news_.waiting_.push_back(*this);
            if (deadline_ != kNever) loop_.timers().arm(*this, deadline_);
        }
        bool await_resume() const { return told_; }

     private:
        friend class News;
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
        News& news_;
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
