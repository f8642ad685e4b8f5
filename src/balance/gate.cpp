// SPDX-License-Identifier: MIT
#include "balance/gate.h"

#include <algorithm>

namespace suoke::balance {

// Whoever leaves looks for a waiter after the place is free, and whoever begins to wait looks for a
// place after it is in the queue: one of the two sees the other.
void Gate::leave() {
    inside_.fetch_sub(1, std::memory_order_seq_cst);
    if (waiting_.load(std::memory_order_seq_cst) > 0) call_next();
}

void Gate::call_next() {
    LetterPtr letter;
    Place place;
    {
        std::lock_guard lock(mutex_);
        if (queue_.empty()) return;
        place = enter(queue_.front()->limit);
        if (!place) return;
        letter = std::move(queue_.front());
        queue_.pop_front();
        waiting_.fetch_sub(1, std::memory_order_seq_cst);
    }
    rt::Loop& loop = *letter->loop;
    // A function that is posted has to be copyable.
    loop.post([letter = std::move(letter), held = std::make_shared<Place>(std::move(place))]() mutable {
        letter->called = true;
        if (!letter->turn) return;  // gone by now: the place is free again, and the next one is called
        std::exchange(letter->turn, nullptr)->call(std::move(*held));
    });
}

void Gate::forget(const LetterPtr& letter) {
    std::lock_guard lock(mutex_);
    auto at = std::find(queue_.begin(), queue_.end(), letter);
    if (at == queue_.end()) return;
    queue_.erase(at);
    waiting_.fetch_sub(1, std::memory_order_seq_cst);
}

Gate::Turn::Turn(Gate& gate, rt::Loop& loop, std::uint32_t limit, TimePoint deadline)
    : gate_(gate), loop_(loop), deadline_(deadline), letter_(std::make_shared<Letter>()) {
    letter_->loop = &loop;
    letter_->limit = limit;
}

Gate::Turn::~Turn() {
    letter_->turn = nullptr;
    if (!letter_->called) gate_.forget(letter_);
}

bool Gate::Turn::await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    letter_->turn = this;
    {
        std::lock_guard lock(gate_.mutex_);
        gate_.queue_.push_back(letter_);
        gate_.waiting_.fetch_add(1, std::memory_order_seq_cst);
    }
    gate_.call_next();
    loop_.timers().arm(*this, deadline_);
    return true;
}

void Gate::Turn::call(Place place) {
    place_ = std::move(place);
    disarm();
    waiter_.resume();
}

void Gate::Turn::expired() {
    letter_->turn = nullptr;
    waiter_.resume();
}

}  // namespace suoke::balance
