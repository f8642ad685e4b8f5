// SPDX-License-Identifier: MIT
#pragma once
// What the demo services say: a table of paths, one function each.

#include "http/handler.h"
#include "rt/loop.h"

namespace suoke::app {

rt::Task<http::Response> demo_answer(rt::Loop& loop, http::Request& request);

}  // namespace suoke::app
