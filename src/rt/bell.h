// SPDX-License-Identifier: MIT
#pragma once
// Ends somebody's wait from elsewhere: the task waited for is given up (destroyed), as at a hang-up.
//
//   bool rang = co_await bell.unless_rung(source.wait());
//   bell.ring();       // any time; whoever waits is resumed at loop level
//
// A ring that nobody waits for is forgotten: look at what it means before waiting. One waiter.

#include <coroutine>

#include "rt/loop.h"
#include "rt/task.h"

namespace suoke::rt {

class Bell final : Deferred {
 public:
    explicit Bell(Loop& loop) : loop_(loop) {}
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;

    void ring() {
        if (waiter_) loop_.defer(*this);
    }

    class [[nodiscard]] Wait {
     public:
        Wait(Bell& bell, Task<void> task) : bell_(bell), task_(std::move(task)) {}
        ~Wait() { leave(); }
        Wait(const Wait&) = delete;
        Wait& operator=(const Wait&) = delete;

        bool await_ready() const noexcept { return false; }
        bool await_suspend(std::coroutine_handle<> parent) {
            if (task_ && task_.start()) return false;
            if (task_) task_.continue_with(parent);
            parent_ = parent;
            bell_.waiter_ = this;
            return true;
        }
        bool await_resume() {
            leave();
            return rang_;
        }

     private:
        friend class Bell;
        void leave() {
            if (bell_.waiter_ != this) return;
            bell_.waiter_ = nullptr;
            bell_.unlink();
        }
        Bell& bell_;
        Task<void> task_;
        std::coroutine_handle<> parent_;
        bool rang_ = false;
    };
    Wait unless_rung(Task<void> task) { return {*this, std::move(task)}; }
    Wait rung() { return {*this, Task<void>()}; }

 private:
    void run() override {
        Wait* waiter = waiter_;
        if (!waiter) return;
        waiter->rang_ = true;
        waiter->task_.reset();
        waiter->parent_.resume();
    }

    Loop& loop_;
    Wait* waiter_ = nullptr;
};

}  // namespace suoke::rt
