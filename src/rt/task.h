// SPDX-License-Identifier: MIT
#pragma once
// Task<T>: a coroutine that starts when it is awaited and whose frame dies with the Task. Destroying
// a Task that is suspended destroys everything it holds: that is how work is cancelled.
//
//   rt::Task<int> answer();
//   int n = co_await answer();
//
// A child that never has to wait costs no suspension: it runs inside the parent's co_await, so a loop
// of such children cannot grow the stack, whatever the compiler does about tail calls.

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "base/error.h"
#include "rt/frame_cache.h"

namespace suoke::rt {

template <class T>
class [[nodiscard]] Task;

namespace detail {

struct PromiseBase {
    std::coroutine_handle<> continuation;  // set once the parent really waits

    static void* operator new(std::size_t size) { return frame_allocate(size); }
    static void operator delete(void* frame, std::size_t size) { frame_free(frame, size); }

    struct Final {
        bool await_ready() noexcept { return false; }
        template <class P>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) noexcept {
            auto next = self.promise().continuation;
            return next ? next : std::noop_coroutine();
        }
        void await_resume() noexcept {}
    };
    std::suspend_always initial_suspend() noexcept { return {}; }
    Final final_suspend() noexcept { return {}; }
    // Expected failures are Results; an exception here is a bug (or memory ran out).
    void unhandled_exception() { std::terminate(); }
};

template <class T>
struct Promise : PromiseBase {
    std::optional<T> value;
    Task<T> get_return_object();
    template <class U>
    void return_value(U&& v) {
        value.emplace(std::forward<U>(v));
    }
    T take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
    Task<void> get_return_object();
    void return_void() {}
    void take() {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
    using promise_type = detail::Promise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    Task() = default;
    explicit Task(Handle h) : handle_(h) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            reset();
            handle_ = std::exchange(other.handle_, {});
        }
        return *this;
    }
    ~Task() { reset(); }

    explicit operator bool() const { return static_cast<bool>(handle_); }
    bool done() const { return handle_.done(); }
    // Cancels: destroys the frame. The task must not be the one that is running.
    void reset() {
        if (handle_) std::exchange(handle_, {}).destroy();
    }

    // Runs until the first wait. True when it is finished already.
    bool start() {
        handle_.resume();
        return handle_.done();
    }
    void continue_with(std::coroutine_handle<> parent) { handle_.promise().continuation = parent; }
    T take() { return handle_.promise().take(); }

    struct Awaiter {
        Task& task;
        bool await_ready() noexcept { return false; }
        bool await_suspend(std::coroutine_handle<> parent) {
            if (task.start()) return false;
            task.continue_with(parent);
            return true;
        }
        T await_resume() { return task.take(); }
    };
    Awaiter operator co_await() && { return Awaiter{*this}; }
    Awaiter operator co_await() & { return Awaiter{*this}; }

 private:
    Handle handle_;
};

namespace detail {
template <class T>
Task<T> Promise<T>::get_return_object() {
    return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
    return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}
}  // namespace detail

}  // namespace suoke::rt
