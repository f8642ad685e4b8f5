// SPDX-License-Identifier: MIT
#pragma once
// Several who want to know the same at the same time, and ask once. One worker's.
//
//   SameQuestion<Answer> open;
//   Answer answer = co_await open.ask(loop, key, question(), deadline, otherwise);
//
// The first one asks, and the others wait for what it hears, each until its own deadline. When the first one is given
// up (its client left), the next one asks itself.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "rt/bell.h"
#include "rt/list.h"
#include "rt/race.h"

namespace suoke::gateway {

template <class Answer>
class SameQuestion {
 public:
    // `question` is begun only when nobody has the same under way. `otherwise`: the deadline came first.
    rt::Task<Answer> ask(rt::Loop& loop, std::string key, rt::Task<Answer> question, TimePoint deadline, Answer otherwise) {
        for (;;) {
            std::shared_ptr<Flight>& open = open_[key];
            if (!open) {
                open = std::make_shared<Flight>();
                Asker asker(*this, key, open);
                Answer answer = co_await std::move(question);
                asker.hears(answer);
                co_return answer;
            }
            std::shared_ptr<Flight> flight = open;
            Waiter waiter(loop);
            flight->waiters.push_back(waiter);
            rt::Within<void> waiting(loop, rung(waiter.bell), deadline);
            bool in_time = co_await waiting;
            if (flight->answer) co_return *flight->answer;
            if (!in_time) co_return otherwise;
        }
    }

 private:
    struct Waiter : rt::ListHook<Waiter> {
        explicit Waiter(rt::Loop& loop) : bell(loop) {}
        rt::Bell bell;
    };
    struct Flight {
        std::optional<Answer> answer;   // none: whoever asked was given up
        rt::List<Waiter> waiters;
    };
    // However it ends, the next question is a new one, and those who wait are told.
    class Asker {
     public:
        Asker(SameQuestion& all, std::string key, std::shared_ptr<Flight> flight)
            : all_(all), key_(std::move(key)), flight_(std::move(flight)) {}
        ~Asker() {
            all_.open_.erase(key_);
            flight_->waiters.for_each([](Waiter& waiter) { waiter.bell.ring(); });
        }
        Asker(const Asker&) = delete;
        Asker& operator=(const Asker&) = delete;
        void hears(const Answer& answer) { flight_->answer.emplace(answer); }

     private:
        SameQuestion& all_;
        const std::string key_;
        std::shared_ptr<Flight> flight_;
    };
    static rt::Task<void> rung(rt::Bell& bell) { co_await bell.rung(); }

    std::map<std::string, std::shared_ptr<Flight>> open_;
};

}  // namespace suoke::gateway
