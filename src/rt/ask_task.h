// SPDX-License-Identifier: MIT
#pragma once
// Asking another thread's loop for something that takes it a while:
//
//   rt::AskTask<Result<Record>> asked(own, control, control_tasks, [&registry] { return registry.add(...); });
//   auto record = co_await asked;
//
// The other loop's scope owns the task, so it runs to its end even when the asker is gone by then, and
// no longer than that loop. The question is made in the other thread.

#include <functional>
#include <memory>
#include <optional>

#include "rt/loop.h"
#include "rt/scope.h"

namespace suoke::rt {

template <class T>
class [[nodiscard]] AskTask {
 public:
    AskTask(Loop& own, Loop& other, TaskScope& scope, std::function<Task<T>()> question)
        : own_(own), other_(other), scope_(scope), question_(std::move(question)), letter_(std::make_shared<Letter>()) {}
    ~AskTask() { letter_->waiter = {}; }
    AskTask(const AskTask&) = delete;
    AskTask& operator=(const AskTask&) = delete;

    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
        letter_->waiter = waiter;
        other_.post([scope = &scope_, letter = letter_, question = std::move(question_), own = &own_] {
            scope->spawn(answer(question(), letter, *own));
        });
    }
    T await_resume() { return std::move(*letter_->answer); }

 private:
    struct Letter {
        std::optional<T> answer;
        std::coroutine_handle<> waiter;  // only the asker's thread looks at it
    };
    static Task<void> answer(Task<T> task, std::shared_ptr<Letter> letter, Loop& own) {
        letter->answer.emplace(co_await std::move(task));
        own.post([letter] {
            if (letter->waiter) letter->waiter.resume();
        });
    }
    Loop& own_;
    Loop& other_;
    TaskScope& scope_;
    std::function<Task<T>()> question_;
    std::shared_ptr<Letter> letter_;
};

}  // namespace suoke::rt
