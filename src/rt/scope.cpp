// SPDX-License-Identifier: MIT
#include "rt/scope.h"

namespace suoke::rt {

// The coroutine around a spawned task: it takes itself out of the scope when the task has ended.
struct TaskScope::Root {
    struct promise_type : Node {
        promise_type(TaskScope& owner, Task<void>&) {
            scope = &owner;
            frame = std::coroutine_handle<promise_type>::from_promise(*this);
        }
        static void* operator new(std::size_t size) { return frame_allocate(size); }
        static void operator delete(void* memory, std::size_t size) { frame_free(memory, size); }

        struct Leave {
            bool await_ready() noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
                TaskScope& scope = *self.promise().scope;
                --scope.count_;
                self.destroy();  // unlinks
                bool last = scope.running_.empty() && scope.waiter_;
                return last ? scope.waiter_ : std::noop_coroutine();
            }
            void await_resume() noexcept {}
        };
        Root get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() noexcept { return {}; }
        Leave final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> handle;
};

TaskScope::Root TaskScope::run(TaskScope&, Task<void> task) { co_await task; }

void TaskScope::spawn(Task<void> task) {
    Root root = run(*this, std::move(task));
    running_.push_back(root.handle.promise());
    ++count_;
    root.handle.resume();
}

void TaskScope::cancel() {
    while (Node* node = running_.pop_front()) {
        --count_;
        node->frame.destroy();
    }
}

}  // namespace suoke::rt
