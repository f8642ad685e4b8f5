// SPDX-License-Identifier: MIT
#pragma once
// How many are inside at once, over all workers; who finds no place may wait for one.
//
//   Gate::Place place;
//   if (gate.waiting() == 0) place = gate.enter(limit);   // nobody overtakes those who wait
//   if (!place) {
//       Gate::Turn turn(gate, loop, limit, deadline);
//       place = co_await turn;                     // empty: the deadline came first
//   }

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "rt/loop.h"

namespace suoke::balance {

class Gate {
 public:
    class Turn;
    // One of those inside; leaves when it dies.
    class Place {
     public:
        Place() = default;
        explicit Place(Gate* gate) : gate_(gate) {}
        Place(Place&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
        Place& operator=(Place&& other) noexcept {
            std::swap(gate_, other.gate_);
            return *this;
        }
        ~Place() {
            if (gate_) gate_->leave();
        }
        explicit operator bool() const { return gate_ != nullptr; }

     private:
        Gate* gate_ = nullptr;
    };

    // Without a place when `limit` are inside; 0: any number.
    Place enter(std::uint32_t limit) {
        if (limit == 0) {
            inside_.fetch_add(1, std::memory_order_seq_cst);
            return Place(this);
        }
        // Never counted when it finds no place: whoever leaves at that moment would call nobody.
        std::uint32_t now = inside_.load(std::memory_order_seq_cst);
        while (now < limit)
            if (inside_.compare_exchange_weak(now, now + 1, std::memory_order_seq_cst)) return Place(this);
        return {};
    }
    std::uint32_t inside() const { return inside_.load(std::memory_order_relaxed); }
    std::uint32_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
    // Outlives whoever waits, because another thread may be about to call.
    struct Letter {
        rt::Loop* loop = nullptr;
        std::uint32_t limit = 0;
        Turn* turn = nullptr;  // only its own thread looks at it
        bool called = false;
    };
    using LetterPtr = std::shared_ptr<Letter>;

 public:
    class [[nodiscard]] Turn final : rt::Timer {
     public:
        Turn(Gate& gate, rt::Loop& loop, std::uint32_t limit, TimePoint deadline);
        ~Turn();
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        bool await_ready() const { return false; }
        bool await_suspend(std::coroutine_handle<> waiter);
        Place await_resume() { return std::move(place_); }

     private:
        friend class Gate;
        void call(Place place);
        void expired() override;
        Gate& gate_;
        rt::Loop& loop_;
        TimePoint deadline_;
        LetterPtr letter_;
        std::coroutine_handle<> waiter_;
        Place place_;
    };

 private:
    void leave();
    void call_next();
    void forget(const LetterPtr& letter);

    std::atomic<std::uint32_t> inside_{0}, waiting_{0};
    std::mutex mutex_;
    std::list<LetterPtr> queue_;
};

}  // namespace suoke::balance
