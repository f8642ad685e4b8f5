// SPDX-License-Identifier: MIT
#pragma once
// Owns tasks that run beside each other. Nothing outlives it: dropping the scope destroys them, and
// `co_await scope.all_done()` waits for them.

#include <coroutine>

#include "rt/list.h"
#include "rt/task.h"

namespace suoke::rt {

class TaskScope {
 public:
    TaskScope() = default;
    ~TaskScope() { cancel(); }
    TaskScope(const TaskScope&) = delete;
    TaskScope& operator=(const TaskScope&) = delete;

    // Runs the task until its first wait, then goes on beside the caller.
    void spawn(Task<void> task);
    // Destroys what still runs. Not to be called by one of the scope's own tasks.
    void cancel();
    bool idle() { return running_.empty(); }
    std::size_t size() const { return count_; }

    struct AllDone {
        TaskScope& scope;
        bool await_ready() { return scope.idle(); }
        void await_suspend(std::coroutine_handle<> h) { scope.waiter_ = h; }
        void await_resume() { scope.waiter_ = {}; }
    };
    AllDone all_done() { return {*this}; }

 private:
    struct Root;
    struct Node : ListHook<Node> {
        TaskScope* scope = nullptr;
        std::coroutine_handle<> frame;
    };
    static Root run(TaskScope& scope, Task<void> task);

    List<Node> running_;
    std::size_t count_ = 0;
    std::coroutine_handle<> waiter_;
};

}  // namespace suoke::rt
