// SPDX-License-Identifier: MIT
#pragma once
// Those who wait for a place at an endpoint, in the order they came.
//
//   Queue::Turn turn(queue, deadline);
//   bool called = co_await turn;          // false: the deadline came first

#include <coroutine>
#include <cstdint>

#include "rt/list.h"
#include "rt/loop.h"

namespace suoke::upstream {

class Queue {
 public:
    explicit Queue(rt::Loop& loop) : loop_(loop) {}

    class [[nodiscard]] Turn final : public rt::ListHook<Turn>, public rt::Deferred, rt::Timer {
     public:
        Turn(Queue& queue, TimePoint deadline) : queue_(queue), deadline_(deadline) { ++queue_.size_; }
        ~Turn() {
            --queue_.size_;
            // Called, but gone before its turn came: what came free is for the next one.
            if (rt::Deferred::linked()) queue_.call_next();
        }
        bool await_ready() const { return false; }
        void await_suspend(std::coroutine_handle<> waiter) {
            waiter_ = waiter;
            queue_.turns_.push_back(*this);
            queue_.loop_.timers().arm(*this, deadline_);
        }
        bool await_resume() { return called_; }

     private:
        friend class Queue;
        void call() {
            rt::ListHook<Turn>::unlink();
            called_ = true;
            disarm();
            queue_.loop_.defer(*this);
        }
        void run() override { waiter_.resume(); }
        void expired() override {
            rt::ListHook<Turn>::unlink();
            waiter_.resume();
        }
        Queue& queue_;
        TimePoint deadline_;
        std::coroutine_handle<> waiter_;
        bool called_ = false;
    };

    std::uint32_t size() const { return size_; }
    bool call_next() {
        Turn* turn = turns_.first();
        if (turn) turn->call();
        return turn != nullptr;
    }

 private:
    rt::Loop& loop_;
    rt::List<Turn> turns_;
    std::uint32_t size_ = 0;  // those who were called and have not come yet included
};

}  // namespace suoke::upstream
