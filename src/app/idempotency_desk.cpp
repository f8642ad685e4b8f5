// SPDX-License-Identifier: MIT
#include "app/idempotency_desk.h"

#include "rt/ask_task.h"

namespace suoke::app {
namespace {

using Found = std::optional<std::string>;

// Stores take a value away only whatever it is; so a claim that is given up is replaced by this, which ends at once.
const char* const kFree = "-";
constexpr Duration kShortest = 1ms;

rt::Task<Result<Found>> claim_in(store::Kv& store, std::string key, std::string mark, Duration lifetime) {
    for (int tries = 0; tries < 3; ++tries) {
        auto put = co_await store.put_if_absent(key, mark, lifetime);
        if (!put) co_return put.error();
        if (*put) co_return Found();
        auto there = co_await store.get(key);
        if (!there) co_return there.error();
        if (!there->has_value()) continue;   // it ended meanwhile
        if (**there != kFree) co_return std::move(*there);
        auto taken = co_await store.replace(key, kFree, mark, lifetime);
        if (!taken) co_return taken.error();
        if (*taken) co_return Found();
    }
    co_return Error(Code::store_unavailable, "the store has nothing under the key, and takes nothing");
}

rt::Task<Result<bool>> settle_in(store::Kv& store, std::string key, std::string mark, std::string answer, Duration lifetime) {
    co_return co_await store.replace(std::move(key), std::move(mark), std::move(answer), lifetime);
}

rt::Task<Result<bool>> release_in(store::Kv& store, std::string key, std::string mark) {
    co_return co_await store.replace(std::move(key), std::move(mark), kFree, kShortest);
}

}  // namespace

rt::Task<Result<std::optional<std::string>>> IdempotencyDesk::claim(rt::Loop& own, std::string key, std::string mark, Duration lifetime) {
    std::function<rt::Task<Result<Found>>()> question = [this, key, mark, lifetime] { return claim_in(store_(), key, mark, lifetime); };
    rt::AskTask<Result<Found>> asked(own, control_, tasks_, std::move(question));
    co_return co_await asked;
}

rt::Task<Result<bool>> IdempotencyDesk::settle(rt::Loop& own, std::string key, std::string mark, std::string answer, Duration lifetime) {
    std::function<rt::Task<Result<bool>>()> question = [this, key, mark, answer = std::move(answer), lifetime] {
        return settle_in(store_(), key, mark, answer, lifetime);
    };
    rt::AskTask<Result<bool>> asked(own, control_, tasks_, std::move(question));
    co_return co_await asked;
}

rt::Task<Result<void>> IdempotencyDesk::release(rt::Loop& own, std::string key, std::string mark) {
    std::function<rt::Task<Result<bool>>()> question = [this, key, mark] { return release_in(store_(), key, mark); };
    rt::AskTask<Result<bool>> asked(own, control_, tasks_, std::move(question));
    auto released = co_await asked;
    if (!released) co_return released.error();
    co_return Result<void>();
}

}  // namespace suoke::app
