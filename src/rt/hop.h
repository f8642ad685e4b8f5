// SPDX-License-Identifier: MIT
#pragma once
// Asking another thread's loop something and waiting for the answer in one's own:
//   std::string text = co_await rt::ask(loop, control, render);
// The question runs to its end even when the asker is gone by then; the answer is then dropped.

#include <functional>
#include <memory>
#include <optional>

#include "rt/loop.h"

namespace suoke::rt {

template <class T>
class [[nodiscard]] Ask {
 public:
    Ask(Loop& own, Loop& other, std::function<T()> question)
        : own_(own), other_(other), question_(std::move(question)), letter_(std::make_shared<Letter>()) {}
    ~Ask() { letter_->waiter = {}; }

    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
        letter_->waiter = waiter;
        other_.post([letter = letter_, question = std::move(question_), own = &own_] {
            letter->answer.emplace(question());
            own->post([letter] {
                if (letter->waiter) letter->waiter.resume();
            });
        });
    }
    T await_resume() { return std::move(*letter_->answer); }

 private:
    struct Letter {
        std::optional<T> answer;
        std::coroutine_handle<> waiter;  // only the asker's thread looks at it
    };
    Loop& own_;
    Loop& other_;
    std::function<T()> question_;
    std::shared_ptr<Letter> letter_;
};

}  // namespace suoke::rt
