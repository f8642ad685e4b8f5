// SPDX-License-Identifier: MIT
#pragma once
// Where answers to requests with an Idempotency-Key are kept. Workers ask; the store itself lives in another loop, and what
// was asked is done there even when whoever asked is gone by then. Values are any bytes, and never empty.

#include <optional>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "rt/loop.h"
#include "rt/task.h"

namespace suoke::gateway {

class AnswerStore {
 public:
    // Puts `mark` there when there is nothing: then the answer is nothing. Otherwise it is what is there.
    virtual rt::Task<Result<std::optional<std::string>>> claim(rt::Loop& own, std::string key, std::string mark, Duration lifetime) = 0;
    // Puts `answer` in the place of `mark`; false, and nothing changes, when that is not there any more.
    virtual rt::Task<Result<bool>> settle(rt::Loop& own, std::string key, std::string mark, std::string answer, Duration lifetime) = 0;
    // Takes `mark` away, if it is still there.
    virtual rt::Task<Result<void>> release(rt::Loop& own, std::string key, std::string mark) = 0;

 protected:
    ~AnswerStore() = default;
};

}  // namespace suoke::gateway
