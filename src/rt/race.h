// SPDX-License-Identifier: MIT
#pragma once
// Waiting for a task, but not for ever:
//
//   rt::Within<int> race(loop, answer(), deadline);       // a local: it is given up with its scope
//   std::optional<int> n = co_await race;                 // nothing: the deadline came first
//   rt::Within<void> pause(loop, body.wait(), deadline);
//   bool finished = co_await pause;
//
// The loser is destroyed: an unfinished task is cancelled before the waiter goes on.

#include <coroutine>
#include <optional>
#include <type_traits>
#include <utility>

#include "rt/loop.h"
#include "rt/task.h"

namespace suoke::rt {

template <class T>
class [[nodiscard]] Within final : Timer {
 public:
    Within(Loop& loop, Task<T> task, TimePoint deadline)
        : loop_(loop), task_(std::move(task)), deadline_(deadline) {}
    ~Within() = default;

    // Loop level, while it is awaited: the deadline is another one now. Wakes nobody by itself.
    void move_deadline(TimePoint deadline) {
        deadline_ = deadline;
        if (parent_) loop_.timers().arm(*this, deadline_);
    }

    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> parent) {
        if (task_.start()) return false;
        parent_ = parent;
        task_.continue_with(parent);
        loop_.timers().arm(*this, deadline_);
        return true;
    }
    auto await_resume() {
        disarm();
        parent_ = {};
        if constexpr (std::is_void_v<T>) {
            return static_cast<bool>(task_);
        } else {
            return task_ ? std::optional<T>(task_.take()) : std::nullopt;
        }
    }

 private:
    void expired() override {
        task_.reset();
        parent_.resume();
    }
    Loop& loop_;
    Task<T> task_;
    TimePoint deadline_;
    std::coroutine_handle<> parent_;
};

// Awaits a task that was started before and belongs to somebody else; giving up the wait leaves the
// task running. One waiter at a time.
template <class T>
class [[nodiscard]] Join {
 public:
    explicit Join(Task<T>& task) : task_(task) {}
    ~Join() {
        if (waiting_) task_.continue_with({});
    }
    Join(const Join&) = delete;
    Join& operator=(const Join&) = delete;

    bool await_ready() const noexcept { return task_.done(); }
    void await_suspend(std::coroutine_handle<> parent) {
        waiting_ = true;
        task_.continue_with(parent);
    }
    void await_resume() { waiting_ = false; }

 private:
    Task<T>& task_;
    bool waiting_ = false;
};

}  // namespace suoke::rt
