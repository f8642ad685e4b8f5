// SPDX-License-Identifier: MIT
#pragma once
// What the demo services say: a table of paths, one function each.

#include "http/handler.h"
#include "rt/loop.h"

namespace suoke::app {

// `secret`: auth-service signs its tokens with it (HS256); empty: they are a mere word.
rt::Task<http::Response> demo_answer(rt::Loop& loop, http::Request& request, const std::string& secret);

}  // namespace suoke::app
