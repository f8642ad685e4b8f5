// SPDX-License-Identifier: MIT
#pragma once
// Waiting for a time and nothing else:
//
//   rt::Pause pause(loop, loop.now() + 5s);
//   co_await pause;

#include <coroutine>

#include "rt/loop.h"

namespace suoke::rt {

// Destroying it is giving up. Nothing waits for a time that has come.
class [[nodiscard]] Pause final : Timer {
 public:
    Pause(Loop& loop, TimePoint until) : loop_(loop), until_(until) {}

    bool await_ready() const { return until_ <= loop_.now(); }
    void await_suspend(std::coroutine_handle<> waiter) {
        waiter_ = waiter;
        loop_.timers().arm(*this, until_);
    }
    void await_resume() { disarm(); }

 private:
    void expired() override { waiter_.resume(); }
    Loop& loop_;
    TimePoint until_;
    std::coroutine_handle<> waiter_;
};

// Lets whoever resumed us return first: from the loop itself everything may be destroyed, from inside
// another coroutine that one may not.
//
//   rt::Aside aside(loop);
//   co_await aside;
class [[nodiscard]] Aside final : Deferred {
 public:
    explicit Aside(Loop& loop) : loop_(loop) {}

    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
        waiter_ = waiter;
        loop_.defer(*this);
    }
    void await_resume() {}

 private:
    void run() override { waiter_.resume(); }
    Loop& loop_;
    std::coroutine_handle<> waiter_;
};

}  // namespace suoke::rt
