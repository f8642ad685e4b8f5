// SPDX-License-Identifier: MIT
#include "app/roll_call.h"

#include <memory>

#include "store/wait_list.h"

namespace suoke::app {
namespace {

struct Roll {
    Roll(rt::Loop& own, std::size_t count) : missing(count), complete(own) {}
    std::size_t missing;        // only our own thread looks at it
    store::WaitList complete;
};

}  // namespace

rt::Task<void> call_the_roll(rt::Loop& own, std::vector<rt::Loop*> others, Duration most) {
    if (others.empty()) co_return;
    auto roll = std::make_shared<Roll>(own, others.size());
    for (rt::Loop* other : others)
        other->post([&own, roll] {
            own.post([roll] {
                if (--roll->missing == 0) roll->complete.tell();
            });
        });
    co_await roll->complete.wait(own.now() + most);
}

}  // namespace suoke::app
