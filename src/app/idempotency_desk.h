// SPDX-License-Identifier: MIT
#pragma once
// Answers to requests with an Idempotency-Key, in whichever store all gateways share (Redis) or this one has (SQLite,
// memory). Workers ask; what they ask is done in the control loop, to its end.

#include <functional>

#include "gateway/answer_store.h"
#include "rt/scope.h"
#include "store/kv.h"

namespace suoke::app {

class IdempotencyDesk final : public gateway::AnswerStore {
 public:
    // `store` is called in the control loop, when the store is needed. `tasks` belong to that loop.
    IdempotencyDesk(rt::Loop& control, rt::TaskScope& tasks, std::function<store::Kv&()> store)
        : control_(control), tasks_(tasks), store_(std::move(store)) {}

    rt::Task<Result<std::optional<std::string>>> claim(rt::Loop& own, std::string key, std::string mark, Duration lifetime) override;
    rt::Task<Result<bool>> settle(rt::Loop& own, std::string key, std::string mark, std::string answer, Duration lifetime) override;
    rt::Task<Result<void>> release(rt::Loop& own, std::string key, std::string mark) override;

 private:
    rt::Loop& control_;
    rt::TaskScope& tasks_;
    const std::function<store::Kv&()> store_;
};

}  // namespace suoke::app
