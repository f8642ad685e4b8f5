// SPDX-License-Identifier: MIT
#include "app/key_desk.h"

#include "rt/ask_task.h"

namespace suoke::app {

// Whoever sends tokens with invented keys shall not keep control busy: it is asked no more than it
// would ask itself.
rt::Task<void> KeyDesk::look_for(std::string provider, std::string key_id, TimePoint deadline) {
    if (auto quiet = quiet_.find(provider); quiet != quiet_.end() && own_.now() < quiet->second) co_return;
    std::function<rt::Task<TimePoint>()> question = [sources = &sources_, provider, key_id = std::move(key_id), deadline] {
        return sources->look_for(provider, key_id, deadline);
    };
    rt::AskTask<TimePoint> asked(own_, control_, tasks_, std::move(question));
    TimePoint until = co_await asked;
    quiet_[provider] = until;
}

}  // namespace suoke::app
