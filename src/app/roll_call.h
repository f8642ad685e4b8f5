// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "rt/loop.h"
#include "rt/task.h"

namespace suoke::app {

// Until every one of `others` has done what was posted to it before, but no longer than `most`: a loop that
// has stopped answers nobody. They are asked all at once. Runs in `own`, which outlives them.
rt::Task<void> call_the_roll(rt::Loop& own, std::vector<rt::Loop*> others, Duration most);

}  // namespace suoke::app
